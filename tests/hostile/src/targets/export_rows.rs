//! Rows below a good header.

use export_importer::export::{OPTIONAL_COLUMNS, REQUIRED_COLUMNS};

use super::export_file;

/// The first two bytes are those of [`export_file::run`], the rest are the rows.
pub fn run(bytes: &[u8]) {
    let (how, rows) = bytes.split_at(bytes.len().min(2));
    let columns: Vec<&str> = REQUIRED_COLUMNS.into_iter().chain(OPTIONAL_COLUMNS).collect();
    let mut file = how.to_vec();
    file.resize(2, 0);
    file.extend(columns.join(",").as_bytes());
    file.push(b'\n');
    file.extend(rows);
    export_file::run(&file);
}
