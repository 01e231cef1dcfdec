//! A whole file, as it lands: perhaps an export.

use export_importer::export::{ExportReader, ExportRow, Limits, NotAnExport, OPTIONAL_COLUMNS, REQUIRED_COLUMNS};
use export_importer::export::{Refusal, RowCounts};

use crate::pieces::Pieces;
use crate::reading::{Dribble, LIMITS, check_id, check_rows, check_text, lines};

pub(super) type Rows = (Vec<Result<ExportRow, Refusal>>, RowCounts);

/// The first byte chooses the limits, the second how the file arrives; the rest is the file.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let (limits, step) = (pieces.one_of(&LIMITS), usize::from(pieces.byte()));
    let file = pieces.rest();
    let whole = read(file, file.len(), limits);
    match &whole {
        Ok((rows, counts)) => {
            let told = rows.iter().map(|row| match row {
                Ok(row) => (row.line, None),
                Err(refusal) => (refusal.line, Some(refusal)),
            });
            check_rows(file, told, *counts);
            rows.iter().flatten().for_each(check_row);
            if file.starts_with(b"id_cita,") {
                check_lines(file, rows.iter().flatten());
            }
        }
        Err(why) => check_turned_away(why),
    }
    if step % 2 == 1 {
        assert!(whole == read(file, step, limits), "what is read depends on how the file arrives");
    }
}

/// A row is told by the line it begins on: where its first cell stands.
fn check_lines<'a>(file: &[u8], rows: impl Iterator<Item = &'a ExportRow>) {
    let lines = lines(file);
    for row in rows.filter(|row| !row.appointment_id.contains('"')) {
        let line = usize::try_from(row.line).ok().and_then(|line| lines.get(line - 1)).expect("a line that is there");
        let text = String::from_utf8_lossy(line);
        assert!(text.contains(&row.appointment_id) || text.trim() == "\"", "the row of another line");
    }
}

/// Reads all of a file that gives out so many bytes at a time.
pub(super) fn read(file: &[u8], step: usize, limits: Limits) -> Result<Rows, NotAnExport> {
    let mut reader = ExportReader::open(Dribble { bytes: file, step }, limits)?;
    let mut rows = Vec::new();
    for row in reader.by_ref() {
        rows.push(row);
    }
    assert!(reader.next().is_none(), "it goes on after its end");
    assert!(reader.bytes_read() <= (file.len() as u64).min(limits.file_bytes_max), "bytes from nowhere");
    Ok((rows, reader.counts()))
}

/// What holds of any row that was accepted.
pub(super) fn check_row(row: &ExportRow) {
    check_id(&row.appointment_id);
    if let Some(id) = &row.patient_id {
        check_id(id);
    }
    assert!(row.patient_id.is_some() || !row.patient_name.is_empty(), "a row about nobody");
    for text in [&row.patient_name, &row.phone, &row.email, &row.professional, &row.service] {
        check_text(text);
    }
    for text in row.insurer.iter().chain(&row.lead_source) {
        check_text(text);
        assert!(!text.is_empty());
    }
    assert!(row.amount_cents.is_none_or(|cents| (0..=100_000_000_000_000).contains(&cents)));
    assert!(row.session.zip(row.sessions_total).is_none_or(|(session, total)| 1 <= session && session <= total));
}

/// A file that is turned away is named for what it is, without repeating its first line.
pub(super) fn check_turned_away(why: &NotAnExport) {
    let text = why.to_string();
    assert!(text.is_ascii() && text.len() < 600 && !text.contains(|c: char| c.is_control()), "{text}");
    if let NotAnExport::MissingColumns { missing } | NotAnExport::DuplicateColumns { duplicated: missing } = why {
        assert!(!missing.is_empty());
        assert!(missing.iter().all(|name| REQUIRED_COLUMNS.contains(name)
            || OPTIONAL_COLUMNS.contains(name)
            || ["id_hueco", "duracion_min"].contains(name)));
    }
}
