//! A function is a folder: a README that says what it is for, the handler as a library, and a main
//! that only joins configuration, clients and handler.

use std::collections::BTreeSet;

use crate::finds;
use crate::tree::File;

/// Lines a function's main may have.
const MAIN_LINES_MAX: usize = 60;

/// Files every function has, and what each is for.
const PARTS: [(&str, &str); 3] = [
    ("README.md", "say what it is for in one sentence, its flow in steps, what it touches, and its peculiarities"),
    ("src/lib.rs", "the handler lives there, so that the laptop and the tests run the same one"),
    ("src/main.rs", "it joins configuration, clients and handler"),
];

/// What functions lack, and mains that do too much.
pub(crate) fn incomplete_functions(files: &[File]) -> Vec<String> {
    let folder = |file: &'_ File| {
        let (name, _) = file.path.strip_prefix("functions/")?.split_once('/')?;
        Some(format!("functions/{name}"))
    };
    let folders: BTreeSet<String> = files.iter().filter_map(folder).collect();
    let mut findings = Vec::new();
    for folder in folders {
        for (part, why) in PARTS {
            let path = format!("{folder}/{part}");
            let Some(file) = files.iter().find(|file| file.path == path) else {
                findings.push(format!("{path}: missing; {why}"));
                continue;
            };
            let lines = file.text.as_deref().unwrap_or_default().lines().count();
            if part == "src/main.rs" && lines > MAIN_LINES_MAX {
                findings
                    .push(format!("{path}: {lines} lines, {MAIN_LINES_MAX} at most; the rest belongs in the library"));
            }
        }
    }
    findings
}

#[test]
fn an_incomplete_function_is_found() {
    let files = [
        File::of("functions/good/README.md", "Good."),
        File::of("functions/good/src/lib.rs", ""),
        File::of("functions/good/src/main.rs", &"//\n".repeat(MAIN_LINES_MAX)),
        File::of("functions/bad/src/main.rs", &"//\n".repeat(MAIN_LINES_MAX + 1)),
        File::of("functions/README.md", "All of them."),
    ];
    let expected = ["functions/bad/README.md: missing", "functions/bad/src/lib.rs: missing", "main.rs: 61 lines"];
    finds(&incomplete_functions(&files), &expected);
}
