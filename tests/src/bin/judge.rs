//! The reference by hand: what an export's segments must be, and what a run's messages break.
//!
//! `cargo run -p retorno-tests --bin judge -- EXPORT [--slots FILE] --at 2026-03-01T09:00 --days 30
//! [MESSAGES.jsonl]`. Without messages only the expected segments are printed. Ends with 1 when a
//! rule is broken, with 2 when it could not judge.

use std::collections::BTreeMap;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use chrono::NaiveDateTime;
use retorno_tests::reference::{
    Export, Review, Rule, RunParameters, expected_segments, read_export, read_slots, review,
};

const USAGE: &str = "usage: judge EXPORT [--slots FILE] --at 2026-03-01T09:00 --days 30 [MESSAGES.jsonl]";

/// Violations of one rule printed before the rest are only counted.
const SHOWN_PER_RULE: usize = 5;

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)).and_then(|a| run(&a)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            // Nothing is left to do when even the error cannot be written.
            let _ = writeln!(stderr(), "{why}");
            ExitCode::from(2)
        }
    }
}

struct Arguments {
    export: String,
    messages: Option<String>,
    slots: Option<String>,
    at: NaiveDateTime,
    days: i64,
}

fn arguments(given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut given = given;
    let mut files = Vec::new();
    let mut options = BTreeMap::new();
    while let Some(word) = given.next() {
        if let Some(option) = word.strip_prefix("--") {
            options.insert(option.to_owned(), given.next().ok_or(USAGE)?);
        } else {
            files.push(word);
        }
    }
    let mut files = files.into_iter();
    let at = options.remove("at").ok_or(USAGE)?;
    let days = options.remove("days").unwrap_or_else(|| "30".to_owned());
    let arguments = Arguments {
        export: files.next().ok_or(USAGE)?,
        messages: files.next(),
        slots: options.remove("slots"),
        at: NaiveDateTime::parse_from_str(&at, "%Y-%m-%dT%H:%M").map_err(|e| format!("--at: {e}"))?,
        days: days.parse().map_err(|e| format!("--days: {e}"))?,
    };
    let nothing_left = options.is_empty() && files.next().is_none();
    nothing_left.then_some(arguments).ok_or_else(|| USAGE.to_owned())
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let export = read_export(&bytes(&arguments.export)?)?;
    let parameters = RunParameters::over(&export, arguments.at, arguments.days)?;
    let slots = arguments.slots.as_deref().map(bytes).transpose()?;
    let slots = slots.as_deref().map(read_slots).transpose()?;
    print_export(&export, arguments.at).map_err(|e| e.to_string())?;
    let Some(messages) = &arguments.messages else {
        return Ok(true);
    };
    let messages = String::from_utf8(bytes(messages)?).map_err(|e| e.to_string())?;
    let review = review(&export, slots.as_ref(), &messages, &parameters);
    print_review(&review).map_err(|e| e.to_string())?;
    Ok(review.violations.is_empty())
}

fn bytes(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{path}: {e}"))
}

fn print_export(export: &Export, at: NaiveDateTime) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let rejected = export.rejected.len();
    writeln!(out, "{} rows, {} accepted, {rejected} rejected", export.read, export.accepted)?;
    writeln!(out, "{} patients, {}", export.patients.len(), export.zone)?;
    for (segment, count) in expected_segments(export, at) {
        let (members, eligible) = (count.members, count.eligible);
        writeln!(out, "{segment}: {members} members, {eligible} eligible, excluded {:?}", count.excluded)?;
    }
    Ok(())
}

fn print_review(review: &Review) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "messages {:?}", review.per_channel)?;
    for ((monday, segment), begun) in &review.waves {
        writeln!(out, "week of {monday}, {segment}: {begun} begun")?;
    }
    for note in &review.notes {
        writeln!(out, "note: {note}")?;
    }
    let mut shown: BTreeMap<Rule, usize> = BTreeMap::new();
    for violation in &review.violations {
        let count = shown.entry(violation.rule).or_default();
        *count += 1;
        if *count <= SHOWN_PER_RULE {
            writeln!(out, "{violation}")?;
        }
    }
    writeln!(out, "{} violations {shown:?}, {} notes", review.violations.len(), review.notes.len())
}
