//! What is never committed: unfinished code, tests that do not run, warnings waved through.

use crate::finds;
use crate::rust_source::{Source, lines_with, read_sources, words};
use crate::tree::File;

/// Code that is not kept, and what to do instead.
const CODE: [(&str, &str); 5] = [
    ("todo!", "write it, or leave the way to it out"),
    ("unimplemented!", "write it, or leave the way to it out"),
    ("#[ignore", "make the test run everywhere, or let it skip itself and say so"),
    ("#[allow(", "mend it, or say `#[expect(.., reason = \"..\")]`, which tells when it is no longer needed"),
    ("#![allow(", "mend it, or say `#![expect(.., reason = \"..\")]`, which tells when it is no longer needed"),
];

/// The mark of a known fault left in place; in two pieces, so that this file does not carry it.
const MARK: &str = concat!("FIX", "ME");

/// Code that is not kept, in the product or in tests.
pub(crate) fn forbidden_code(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        for (snippet, instead) in CODE {
            for line in lines_with(&source.words, &opening(snippet)) {
                findings.push(format!("{}:{line}: `{snippet}`: {instead}", source.path));
            }
        }
    }
    findings
}

/// Notes of known faults, in any text.
pub(crate) fn forbidden_notes(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (at, line) in file.text.iter().flat_map(|text| text.lines()).enumerate() {
            if line.contains(MARK) {
                findings.push(format!("{}:{}: {MARK}: mend it now, or open an issue", file.path, at + 1));
            }
        }
    }
    findings
}

/// The words of a snippet whose brackets may be left open.
fn opening(snippet: &str) -> Vec<String> {
    let closed = match snippet.matches(['[', '(']).count() {
        0 => snippet.to_owned(),
        1 => format!("{snippet}]"),
        _ => format!("{snippet})]"),
    };
    let mut words = words(&closed);
    while words.last().is_some_and(|last| last == ")" || last == "]") {
        words.pop();
    }
    words
}

#[test]
fn unfinished_code_is_found() {
    let bad = "#![allow(dead_code)]\n//! todo!()\nfn f() { todo!() }\n#[test]\n#[ignore = \"slow\"]\nfn g() {}\n\
               #[allow(unused)]\nfn h() -> &'static str { unimplemented!(\"todo!\") }\n#[expect(unused)]\nfn i() {}\n";
    let expected = [
        "a.rs:3: `todo!`",
        "a.rs:8: `unimplemented!`",
        "a.rs:5: `#[ignore`",
        "a.rs:7: `#[allow(`",
        "a.rs:1: `#![allow(`",
    ];
    finds(&forbidden_code(&read_sources(&[File::of("a.rs", bad)])), &expected);
}

#[test]
fn a_note_of_a_fault_is_found() {
    let files = [File::of("a.toml", &format!("x = 1\n# {MARK} later\n")), File::of("b.rs", "// fixed\n")];
    finds(&forbidden_notes(&files), &["a.toml:2:"]);
}
