//! The domain decides and reaches for nothing: no I/O, no async, no clock, no randomness, no
//! environment. What it must know is an argument.

use crate::finds;
use crate::rust_source::{Source, Word, lines_with, read_sources, words};
use crate::tree::File;

/// What the domain may not say, and why.
const BANNED: [(&str, &str); 14] = [
    ("async", "waiting is the shell's"),
    ("await", "waiting is the shell's"),
    ("tokio", "waiting is the shell's"),
    ("::now", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("rand::", "chance is an argument: take a seed or an id"),
    ("getrandom", "chance is an argument: take a seed or an id"),
    ("new_v4", "ids are arguments, or derived from what they name"),
    ("println!", "the domain returns, it does not print"),
    ("print!", "the domain returns, it does not print"),
    ("eprintln!", "the domain returns, it does not print"),
    ("eprint!", "the domain returns, it does not print"),
    ("dbg!", "the domain returns, it does not print"),
    ("tracing::", "the domain returns its because; the shell logs"),
];

/// The modules of the standard library that reach outside.
const BANNED_STD: [&str; 7] = ["env", "fs", "io", "net", "os", "process", "thread"];

/// Whether this is source of the domain's own crate.
pub(crate) fn is_domain(source: &Source) -> bool {
    source.path.starts_with("shared/domain/")
}

/// Where the domain reaches outside. Its tests may.
pub(crate) fn impurities(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| is_domain(source)) {
        for (snippet, why) in BANNED {
            for line in lines_with(&source.product, &words(snippet)) {
                findings.push(format!("{}:{line}: `{snippet}` in the domain: {why}", source.path));
            }
        }
        for (module, line) in std_modules(&source.product) {
            if BANNED_STD.contains(&module.as_str()) {
                findings.push(format!(
                    "{}:{line}: `std::{module}` in the domain: reaching outside is the shell's; take what it read",
                    source.path
                ));
            }
        }
    }
    findings
}

/// The modules named right below `std`, alone or in a group, each with its line.
fn std_modules(words: &[Word]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| word.text == "std") {
        let mut rest = words.iter().skip(at + 1);
        let is_path = rest.by_ref().take(2).map(|word| word.text.as_str()).eq([":", ":"]);
        let Some(first) = rest.next().filter(|_| is_path) else {
            continue;
        };
        if first.text != "{" {
            found.push((first.text.clone(), word.line));
            continue;
        }
        let (mut depth, mut is_start) = (1_u32, true);
        for inner in rest {
            match inner.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                name if depth == 1 && is_start => found.push((name.to_owned(), inner.line)),
                _ => {}
            }
            is_start = depth == 1 && inner.text == ",";
            if depth == 0 {
                break;
            }
        }
    }
    found
}

#[test]
fn reaching_outside_is_found() {
    let bad = "use std::fs;\nuse std::{collections::BTreeMap, env, fmt::{self, net}};\n\
               pub async fn f() -> i64 { println!(\"{}\", Utc::now()); std::process::id().into() }\n\
               // tokio and rand::random()\nconst S: &str = \"tokio::spawn\";\n\
               #[cfg(test)]\nmod tests { use std::fs; }\n";
    let files = [
        File::of("shared/domain/src/bad.rs", bad),
        File::of("shared/domain/src/tests/reads.rs", "use std::fs;"),
        File::of("shared/cloud/src/clock.rs", "async fn f() { Utc::now() }"),
    ];
    let expected = [
        "bad.rs:3: `async`",
        "bad.rs:3: `::now`",
        "bad.rs:3: `println!`",
        "bad.rs:1: `std::fs`",
        "bad.rs:2: `std::env`",
        "bad.rs:3: `std::process`",
    ];
    finds(&impurities(&read_sources(&files)), &expected);
}
