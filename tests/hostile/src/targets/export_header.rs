//! Columns in any order, written in any way, some missing, some twice, some of others.

use export_importer::export::{ExportReader, NotAnExport, OPTIONAL_COLUMNS, REQUIRED_COLUMNS};

use super::export_file;
use crate::pieces::Pieces;
use crate::reading::LIMITS;

/// What a good row has in each column, required ones first.
const CELLS: [&str; 17] = [
    "7",
    "2026-03-02T09:00",
    "America/Lima",
    "Ana",
    "999",
    "Dra. Lima",
    "limpieza",
    "completado",
    "web",
    "opt-in 2026-01-01",
    "p1",
    "a@example.com",
    "12,50",
    "1",
    "3",
    "OSDE",
    "2026-03-03T08:00",
];

/// One byte per column: which it is, and how it is written.
pub fn run(bytes: &[u8]) {
    let known: Vec<&str> = REQUIRED_COLUMNS.into_iter().chain(OPTIONAL_COLUMNS).collect();
    let mut pieces = Pieces::of(bytes);
    let (mut header, mut row, mut found) = (Vec::new(), Vec::new(), vec![0; known.len()]);
    while !pieces.is_empty() && header.len() < 64 {
        let byte = pieces.byte();
        let at = usize::from(byte & 0x1F);
        let (name, cell) = match known.get(at) {
            Some(name) => (*name, CELLS.get(at).copied().unwrap_or("")),
            None => ("otra columna", "x"),
        };
        if let Some(count) = found.get_mut(at) {
            *count += 1;
        }
        header.push(match byte >> 5 {
            0 => name.to_owned(),
            1 => format!(" {name} "),
            2 => name.to_uppercase(),
            3 => format!("\"{name}\""),
            4 => format!("\"\n {name}\t\""),
            _ => format!("\" {name}\""),
        });
        row.push(if cell.contains(',') { format!("\"{cell}\"") } else { cell.to_owned() });
    }
    let file = format!("{}\r\n{}", header.join(","), row.join(","));
    check(&file, &known, &found);
}

fn check(file: &str, known: &[&str], found: &[usize]) {
    let with = |count: fn(usize) -> bool| -> Vec<&str> {
        known.iter().zip(found).filter(|(_, found)| count(**found)).map(|(name, _)| *name).collect()
    };
    let missing: Vec<&str> =
        with(|count| count == 0).into_iter().filter(|name| REQUIRED_COLUMNS.contains(name)).collect();
    let duplicated = with(|count| count > 1);
    match ExportReader::open(file.as_bytes(), *LIMITS.first().expect("generous limits")) {
        Ok(mut reader) => {
            assert!(missing.is_empty() && duplicated.is_empty(), "a header that cannot be understood was");
            let row = reader.next().expect("a row").expect("a good one");
            assert!(reader.next().is_none());
            export_file::check_row(&row);
            let has = |name: &str| with(|count| count == 1).contains(&name);
            assert_eq!(
                (row.appointment_id.as_str(), row.patient_name.as_str(), row.phone.as_str()),
                ("7", "Ana", "999")
            );
            assert_eq!(row.patient_id.as_deref(), has("paciente_id").then_some("p1"));
            assert_eq!(row.amount_cents, has("importe").then_some(1250));
            assert_eq!(row.insurer.as_deref(), has("convenio").then_some("OSDE"));
            assert_eq!(row.email, if has("paciente_email") { "a@example.com" } else { "" });
        }
        Err(NotAnExport::MissingColumns { missing: said }) => assert_eq!(said, missing),
        Err(NotAnExport::DuplicateColumns { duplicated: mut said }) => {
            let mut expected = duplicated;
            said.sort_unstable();
            expected.sort_unstable();
            assert!(missing.is_empty() && said == expected);
        }
        Err(why) => {
            export_file::check_turned_away(&why);
            assert!(!(missing.is_empty() && duplicated.is_empty()), "{why}");
        }
    }
}
