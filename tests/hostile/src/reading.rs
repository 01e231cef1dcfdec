//! What holds of every file that is read row by row, whatever is in it.

use std::collections::BTreeSet;
use std::io::Read;

use export_importer::export::{Limits, OPTIONAL_COLUMNS, REQUIRED_COLUMNS, Refusal, RowCounts};

/// Columns of the file of free slots that an export does not have.
const SLOT_COLUMNS: [&str; 2] = ["id_hueco", "duracion_min"];

/// Gives the bytes out a few at a time.
pub(crate) struct Dribble<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) step: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.step.max(1).min(buffer.len());
        let mut some = self.bytes.take(count as u64);
        let read = some.read(buffer)?;
        self.bytes = self.bytes.get(read..).unwrap_or_default();
        Ok(read)
    }
}

/// Limits from generous to so tight that everything meets them.
pub(crate) const LIMITS: [Limits; 4] = [
    limits(16 << 10, 8 << 10, 64, 5_000, 64 << 10),
    limits(512, 64, 20, 50, 4 << 10),
    limits(256, 200, 17, 3, 900),
    limits(300, 16, 40, 1, 400),
];

const fn limits(
    record_bytes_max: usize,
    cell_bytes_max: usize,
    columns_max: usize,
    rows_max: u64,
    file_bytes_max: u64,
) -> Limits {
    Limits { record_bytes_max, cell_bytes_max, columns_max, rows_max, file_bytes_max }
}

/// Holds that all rows are told: each accepted or refused, refusals with their line and reason.
/// Rows are `(line, why it was refused)`.
pub(crate) fn check_rows<'a>(file: &[u8], rows: impl Iterator<Item = (u64, Option<&'a Refusal>)>, counts: RowCounts) {
    let lines = lines(file).len() as u64;
    let (mut accepted, mut rejected, mut before, mut over) = (0, 0, 1, false);
    for (line, refusal) in rows {
        assert!(!over, "a row after the one that ended reading");
        let ends_reading = refusal.is_some_and(|refusal| refusal.reason.ends_reading());
        // Reading may end within a line that was refused.
        let follows = line > before || (line == before && ends_reading);
        assert!(follows && line <= lines, "row of line {line} after line {before} of {lines}");
        before = line;
        match refusal {
            None => accepted += 1,
            Some(refusal) => {
                rejected += 1;
                over = refusal.reason.ends_reading();
                check_refusal(refusal);
            }
        }
    }
    assert_eq!(counts, RowCounts { read: accepted + rejected, accepted, rejected });
    if !over && !file.contains(&b'"') {
        // A line of blanks that is longer than a record may be is refused as one.
        assert!(counts.read >= rows_without_quotes(file), "a row was swallowed");
    }
}

/// A refusal says where and why in plain English, and repeats nothing of the file.
pub(crate) fn check_refusal(refusal: &Refusal) {
    let text = refusal.to_string();
    assert!(text.starts_with(&format!("line {}", refusal.line)), "no line: {text}");
    assert!(text.is_ascii() && !text.contains(|c: char| c.is_control()) && text.len() < 300, "{text}");
    let code = refusal.reason.code();
    assert!(!code.is_empty() && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
    if let Some(column) = refusal.column {
        let known: BTreeSet<&str> = REQUIRED_COLUMNS.into_iter().chain(OPTIONAL_COLUMNS).chain(SLOT_COLUMNS).collect();
        assert!(known.contains(column) && text.contains(column), "{text}");
    }
}

/// Text as a cell keeps it: no control characters, single blanks.
pub(crate) fn check_text(text: &str) {
    assert!(text.chars().count() <= 500 && !text.contains(char::is_control), "not plain");
    assert!(!text.contains("  ") && text.trim() == text, "blanks that nobody wrote on purpose");
}

/// An identifier: 1 to 128 characters, none of control.
pub(crate) fn check_id(id: &str) {
    assert!((1..=128).contains(&id.chars().count()) && !id.contains(char::is_control) && id.trim() == id);
}

/// The physical lines, ended by LF, CR LF or CR.
pub(crate) fn lines(file: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut rest) = (Vec::new(), file);
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let (line, after) = rest.split_at(end);
        lines.push(line);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
    }
    lines.push(rest);
    lines
}

/// Where no quote can join lines, each line that holds anything is a row, but for the header.
fn rows_without_quotes(file: &[u8]) -> u64 {
    let is_blank = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b','));
    let text = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !is_blank(line)).count();
    (lines as u64).saturating_sub(1)
}
