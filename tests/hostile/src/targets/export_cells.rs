//! One cell of an otherwise good row.

use export_importer::export::{
    ExportReader, ExportRow, NotAnExport, OPTIONAL_COLUMNS, REQUIRED_COLUMNS, RefusalReason,
};

use super::export_file;
use crate::reading::{LIMITS, check_refusal};

/// What a good row has in each column, required ones first.
const CELLS: [&str; 21] = [
    "7",
    "2026-03-02T09:00",
    "America/Lima",
    "Ana",
    "999",
    "Dra. Lima",
    "limpieza",
    "completado",
    "web",
    "",
    "p1",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
];

/// The first byte chooses the column, the rest is the cell.
pub fn run(bytes: &[u8]) {
    let Some((choice, cell)) = bytes.split_first() else { return };
    let columns: Vec<&str> = REQUIRED_COLUMNS.into_iter().chain(OPTIONAL_COLUMNS).collect();
    let at = usize::from(*choice) % columns.len();
    let mut file = columns.join(",").into_bytes();
    for (position, good) in CELLS.iter().enumerate() {
        file.push(if position == 0 { b'\n' } else { b',' });
        if position == at {
            quote(cell, &mut file);
        } else {
            file.extend(good.as_bytes());
        }
    }
    let limits = LIMITS.first().copied().expect("generous limits");
    let mut reader = match ExportReader::open(file.as_slice(), limits) {
        // So many NULs look like another encoding.
        Err(NotAnExport::Utf16) if cell.contains(&0) => return,
        opened => opened.expect("a good header"),
    };
    let column = columns.get(at).copied().unwrap_or_default();
    match reader.next().expect("a row") {
        Ok(row) => {
            export_file::check_row(&row);
            check_log(&row);
            check_value(column, &String::from_utf8_lossy(cell), &row);
        }
        Err(refusal) => {
            check_refusal(&refusal);
            assert_eq!(refusal.line, 2);
            let is_of_the_row = matches!(refusal.reason, RefusalReason::NulByte | RefusalReason::RecordTooLong { .. });
            assert!(is_of_the_row || refusal.column == Some(column), "{refusal}");
        }
    }
    assert!(reader.next().is_none());
}

/// What is logged of a row does not depend on who the patient is.
fn check_log(row: &ExportRow) {
    let nobody = String::new;
    let bare = ExportRow {
        patient_name: nobody(),
        phone: nobody(),
        email: nobody(),
        patient_id: None,
        birth: None,
        guardian: None,
        ..row.clone()
    };
    assert_eq!(format!("{row:?}"), format!("{bare:?}"));
}

fn quote(cell: &[u8], file: &mut Vec<u8>) {
    file.push(b'"');
    for byte in cell {
        file.extend(if *byte == b'"' { &b"\"\""[..] } else { std::slice::from_ref(byte) });
    }
    file.push(b'"');
}

fn check_value(column: &str, cell: &str, row: &ExportRow) {
    let cell = cell.trim();
    match column {
        "id_cita" => assert_eq!(row.appointment_id, cell),
        "paciente_id" => assert_eq!(row.patient_id.as_deref().unwrap_or(""), cell),
        "importe" => assert_eq!(row.amount_cents.map(i128::from), cents(cell)),
        "sesion" => assert_eq!(row.session.map(u64::from), cell.parse().ok()),
        "sesiones_total" => assert_eq!(row.sessions_total.map(u64::from), cell.parse().ok()),
        "zona_horaria" => assert_eq!(row.zone.name(), cell),
        "fecha_nacimiento" => {
            assert_eq!(row.birth.map(|born| born.to_string()).unwrap_or_default(), cell);
            assert!(row.birth.is_none_or(|born| born <= row.start.local.date()));
        }
        "convenio" if row.insurer.is_none() => assert!(!cell.contains(char::is_alphanumeric)),
        _ => {}
    }
}

/// The amount by digits alone, for what was accepted.
fn cents(cell: &str) -> Option<i128> {
    let (units, decimals) = cell.split_once([',', '.']).unwrap_or((cell, ""));
    let digits = format!("{units}{decimals:0<2}");
    if cell.is_empty() { None } else { Some(digits.parse().expect("digits only")) }
}
