//! The large exports kept outside the repository, where they are there.

use std::fs::File;
use std::path::PathBuf;

use crate::export::{ExportReader, Limits, SlotsReader};

/// The file in the folder of data beside the repository; says so where there is none.
fn data(name: &str) -> Option<File> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let file = File::open(&path).ok();
    if file.is_none() {
        println!("skipped: no {name} beside the repository");
    }
    file
}

#[test]
fn real_exports_are_read_whole() {
    for (name, rows) in [("clinica-austral.csv", 33_495), ("clinica-vitoria.csv", 110_527)] {
        let Some(file) = data(name) else { continue };
        let mut reader = ExportReader::open(file, Limits::default()).unwrap();
        let refused: Vec<_> = reader.by_ref().filter_map(Result::err).collect();
        assert_eq!(refused, []);
        assert_eq!(reader.rows_read(), rows);
    }
}

#[test]
fn real_free_slots_are_read_whole() {
    let Some(file) = data("clinica-austral-huecos.csv") else {
        return;
    };
    let mut reader = SlotsReader::open(file, Limits::default()).unwrap();
    assert_eq!(reader.by_ref().filter(Result::is_ok).count(), 3340);
    assert_eq!(reader.rows_read(), 3340);
}
