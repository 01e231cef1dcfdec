//! Names say what is inside, and the top of the repository holds what was agreed.

use std::collections::BTreeSet;

use crate::finds;
use crate::tree::File;

/// Names that say nothing.
const EMPTY: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// What may be at the top.
const TOP: [&str; 18] = [
    ".ci",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "RELIABILITY.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "functions",
    "infra",
    "rustfmt.toml",
    "shared",
    "tests",
];

/// Files and folders whose names say nothing.
pub(crate) fn empty_names(files: &[File]) -> Vec<String> {
    let mut findings = BTreeSet::new();
    for file in files {
        for part in file.path.split('/') {
            let stem = part.split('.').next().unwrap_or(part);
            if EMPTY.contains(&stem.to_lowercase().as_str()) {
                findings.insert(format!("{}: `{part}` could hold anything; name it after what it does", file.path));
            }
        }
    }
    findings.into_iter().collect()
}

/// Entries at the top that were not agreed.
pub(crate) fn strangers_at_the_top(files: &[File]) -> Vec<String> {
    let entries: BTreeSet<&str> = files.iter().filter_map(|file| file.path.split('/').next()).collect();
    let strangers = entries.into_iter().filter(|entry| !TOP.contains(entry));
    let say = |entry: &str| {
        format!("{entry}: not an agreed entry at the top; move it into a folder that is, or add it to {}", file!())
    };
    strangers.map(say).collect()
}

#[test]
fn an_empty_name_is_found() {
    let files = [
        File::of("shared/cloud/src/utils/time.rs", ""),
        File::of("shared/cloud/src/Manager.rs", ""),
        File::of("shared/domain/src/commonly.rs", ""),
        File::of("shared/domain/src/utility_bill.rs", ""),
    ];
    finds(&empty_names(&files), &["cloud/src/Manager.rs", "cloud/src/utils/time.rs"]);
}

#[test]
fn a_stranger_at_the_top_is_found() {
    let files = [
        File::of("Cargo.toml", ""),
        File::of("shared/domain/src/lib.rs", ""),
        File::of("tests/run", ""),
        File::of("scripts/deploy", ""),
        File::of("scripts/undo", ""),
        File::of("notes.txt", ""),
    ];
    finds(&strangers_at_the_top(&files), &["notes.txt", "scripts"]);
}
