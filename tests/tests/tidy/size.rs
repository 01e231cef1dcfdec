//! No source file is longer than can be read at a sitting.

use crate::finds;
use crate::tree::File;

/// Lines a source file may have.
const LINES_MAX: usize = 400;

/// Source files that are too long.
pub(crate) fn long_files(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text.as_deref().unwrap_or_default().lines().count();
        if lines > LINES_MAX {
            findings.push(format!(
                "{}: {lines} lines, {LINES_MAX} at most; split it where its second noun begins",
                file.path
            ));
        }
    }
    findings
}

#[test]
fn a_long_file_is_found() {
    let files = [
        File::of("fits.rs", &"//\n".repeat(LINES_MAX)),
        File::of("long.rs", &"//\n".repeat(LINES_MAX + 1)),
        File::of("catalogue.toml", &"#\n".repeat(LINES_MAX + 1)),
    ];
    finds(&long_files(&files), &["long.rs: 401 lines"]);
}
