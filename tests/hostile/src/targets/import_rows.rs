//! Rows that contradict each other, in any order and any number of times: the same patients.

use export_importer::export::{ExportReader, OPTIONAL_COLUMNS, REQUIRED_COLUMNS};
use export_importer::{Understood, understood};

use crate::clinic::clinic;
use crate::pieces::Pieces;
use crate::reading::LIMITS;

const IDS: [&str; 4] = ["1", "2", "3", ""];
const STARTS: [&str; 4] = ["2026-01-05T09:00", "2026-01-05T09:00-03:00", "2018-11-04T00:30", "2026-02-30T09:00"];
const ZONES: [&str; 4] = ["America/Argentina/Buenos_Aires", "America/Sao_Paulo", "Europe/Madrid", "Nowhere/None"];
const NAMES: [&str; 4] = ["Ana Gómez", "ana gomez", "Bruno", "\u{200b}"];
const PHONES: [&str; 4] = ["+54 9 11 5555-1234", "11 5555-9876", "", "no tiene"];
const STATUSES: [&str; 4] = ["reservado", "Completada", "no-show", "?"];
const CONSENTS: [&str; 4] = ["", "opt-in 2026-01-01", "opt-in 2026-01-01 email", "opt-out 2026-01-01"];
const PATIENTS: [&str; 4] = ["", "p1", "p2", "P1"];
const EMAILS: [&str; 4] = ["", "a@example.com", "A@EXAMPLE.com", "a@@b"];
const AMOUNTS: [&str; 4] = ["", "10", "10,5", "-1"];
const SESSIONS: [(&str, &str); 4] = [("", ""), ("1", "3"), ("2", "3"), ("4", "3")];
const UPDATED: [&str; 4] = ["", "2026-01-06T10:00", "2026-01-07T10:00Z", "x"];

const BIRTHS: [&str; 4] = ["", "2010-02-28", "1980-01-01", "2012-02-30"];
const GUARDIANS: [[&str; 3]; 4] = [
    ["", "", ""],
    ["Carolina Paz", "+54 9 11 5555-7777", ""],
    ["", "11 5555-8888", "c@example.com"],
    ["Luis Paz", "no tiene", ""],
];

/// Four bytes a row; what is left of the last one says how the rows are told again.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let again = pieces.byte();
    let mut rows = Vec::new();
    while !pieces.is_empty() && rows.len() < 24 {
        rows.push(row(u32::from_be_bytes(pieces.bytes())));
    }
    if rows.is_empty() {
        return;
    }
    let told = read(&rows);
    assert_eq!(told.accepted + told.refusals.len() as u64, rows.len() as u64, "a row was swallowed");
    let mut otherwise = rows.clone();
    otherwise.rotate_left(usize::from(again) % rows.len());
    if again & 1 == 1 {
        otherwise.reverse();
    }
    let repeated = rows.iter().zip(0_u32..).filter(|(_, n)| again.rotate_left(*n) & 2 == 2).map(|(row, _)| row.clone());
    otherwise.extend(repeated);
    assert!(told.patients == read(&otherwise).patients, "the order of rows changed what stands");
    for patient in &told.patients {
        assert!(patient.appointments.is_sorted_by(|a, b| a.id < b.id), "an appointment stands twice");
        let shown = format!("{patient:?}");
        assert!(!shown.contains("5555") && !shown.contains("Paz"), "a person in a log");
    }
}

fn row(choices: u32) -> String {
    let pick = |list: &[&'static str; 4], place: u32| -> &'static str {
        list.get((choices >> (place * 2) & 3) as usize).copied().unwrap_or("")
    };
    let (session, total) = SESSIONS.get((choices >> 20 & 3) as usize).copied().unwrap_or_default();
    let [guardian, their_phone, their_email] = GUARDIANS.get((choices >> 28 & 3) as usize).copied().unwrap_or_default();
    let cells = [
        pick(&IDS, 0),
        pick(&STARTS, 1),
        pick(&ZONES, 2),
        pick(&NAMES, 3),
        pick(&PHONES, 4),
        "Dra. Lima",
        "limpieza",
        pick(&STATUSES, 5),
        "",
        pick(&CONSENTS, 6),
        pick(&PATIENTS, 7),
        pick(&EMAILS, 8),
        pick(&AMOUNTS, 9),
        session,
        total,
        if choices & 1 << 24 == 0 { "" } else { "OSDE" },
        pick(&UPDATED, 11),
        pick(&BIRTHS, 13),
        guardian,
        their_phone,
        their_email,
    ];
    cells.map(|cell| if cell.contains(',') { format!("\"{cell}\"") } else { cell.to_owned() }).join(",")
}

fn read(rows: &[String]) -> Understood {
    let columns: Vec<&str> = REQUIRED_COLUMNS.into_iter().chain(OPTIONAL_COLUMNS).collect();
    let file = format!("{}\n{}\n", columns.join(","), rows.join("\n"));
    let limits = LIMITS.first().copied().expect("generous limits");
    understood(&mut ExportReader::open(file.as_bytes(), limits).expect("a good header"), clinic())
}
