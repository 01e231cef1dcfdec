//! A small clinic of our own making, with every kind of dirt an export brings: deterministic, so
//! that a run over it can be judged anywhere.

use chrono::{Days, NaiveDate, NaiveDateTime};

/// Patients of the generated clinic.
pub const PATIENTS: usize = 300;

const HEADER: &str = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,\
    paciente_contacto,paciente_email,profesional,servicio,estado,importe,sesion,sesiones_total,\
    convenio,origen_lead,consentimiento,actualizado,fecha_nacimiento,tutor_nombre,tutor_contacto,tutor_email";

/// Rows that must be left out, each for one cell: a day that does not exist, a state and a zone
/// unknown, and a row cut short.
const BAD_ROWS: [&str; 4] = [
    "bad1,2026-02-30T10:00:00,America/Argentina/Buenos_Aires,90001,Ana Sosa,+5491140000009,,Dra. Lima,limpieza,completado,100.00,,,,,opt-in 2025-01-01,2026-01-01T09:00:00,,,,",
    "bad2,2025-07-30T10:00:00,America/Argentina/Buenos_Aires,90002,Ana Sosa,+5491140000009,,Dra. Lima,limpieza,quizás,100.00,,,,,opt-in 2025-01-01,2026-01-01T09:00:00,,,,",
    "bad3,2025-07-30T10:00:00,Marte/Olympus,90003,Ana Sosa,+5491140000009,,Dra. Lima,limpieza,completado,100.00,,,,,opt-in 2025-01-01,2026-01-01T09:00:00,,,,",
    "bad4,2025-07-30T10:00:00,America/Argentina/Buenos_Aires",
];

/// An export, its free slots, and when to set the clock.
pub struct Generated {
    /// The export, CSV.
    pub export: String,
    /// The free slots, CSV: few enough for the week's wave to be bound by them.
    pub slots: String,
    /// The lines (the header is 1) that must be rejected.
    pub bad_lines: Vec<u64>,
    /// The clock, local to Buenos Aires: a Sunday.
    pub at: NaiveDateTime,
}

/// The generated clinic.
#[must_use]
pub fn clinic() -> Generated {
    let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap_or_default();
    let mut lines = vec![HEADER.to_owned()];
    let mut bad_lines = Vec::new();
    let mut bad = BAD_ROWS.into_iter();
    for i in 0..PATIENTS {
        lines.extend(rows_of(i, today));
        if i % 70 == 69
            && let Some(row) = bad.next()
        {
            lines.push(row.to_owned());
            bad_lines.push(u64::try_from(lines.len()).unwrap_or_default());
        }
    }
    Generated {
        export: lines.join("\n") + "\n",
        slots: slots(today),
        bad_lines,
        at: today.and_hms_opt(9, 0, 0).unwrap_or_default(),
    }
}

/// One visit of a patient's past.
struct Visit {
    days_ago: u64,
    service: &'static str,
    status: &'static str,
    amount: &'static str,
    session: &'static str,
}

fn visit(days_ago: u64, service: &'static str) -> Visit {
    Visit { days_ago, service, status: "completado", amount: "120.50", session: "," }
}

/// The past of the i-th patient: every segment, both sides of every edge, and none at all.
fn past(i: usize) -> Vec<Visit> {
    let cleaning = |days_ago| visit(days_ago, "limpieza");
    let edge = |edges: &[u64]| edges.get(i / 12 % edges.len().max(1)).copied().unwrap_or(200);
    let plan = |days_ago, session| Visit { session, ..visit(days_ago, "kinesiología") };
    let paid = |days_ago, amount| Visit { amount, ..cleaning(days_ago) };
    match i % 12 {
        0 => vec![visit(edge(&[32, 29, 30, 37, 38, 60, 67, 90, 97, 98]), "implante"), cleaning(10)],
        1 => vec![plan(edge(&[50, 30, 31]), "2,6"), plan(80, "1,6")],
        2 => vec![plan(200, "6,6"), plan(230, "5,6")],
        3 => [150, 180, 210, 260].map(|d| paid(d, "900.00")).into(),
        4 => vec![paid(200, "80.00"), paid(220, ""), paid(240, "90.01")],
        5 => vec![cleaning(400)],
        6 => vec![cleaning(600), cleaning(700)],
        7 => vec![cleaning(edge(&[179, 180, 364, 365]))],
        8 => vec![cleaning(edge(&[539, 540, 300]))],
        9 => vec![cleaning(220), cleaning(800)],
        10 => vec![visit(190, "control anual")],
        _ => vec![Visit { status: "no-show", ..paid(200, "") }, Visit { status: "cancelado", ..paid(300, "") }],
    }
}

/// What was said, by the row it was said in: the first rows' cells in turn, then empty ones.
fn statements(i: usize) -> &'static [&'static str] {
    match (i * 5 + i / 12) % 16 {
        0 => &["opt-in 2025-01-10 whatsapp"],
        1 => &["opt-in 2025-01-10 email"],
        2 => &["\"opt-in 2025-01-10 whatsapp,email\""],
        3 => &["opt-out 2025-01-10"],
        4 => &[""],
        5 => &["opt-in 2026-03-10"],
        6 => &["opt-in 2024-05-01", "opt-out 2025-05-01"],
        7 => &["opt-out 2024-05-01", "opt-in 2025-05-01"],
        8 => &["opt-in 2025-05-01", "opt-out 2025-05-01"],
        9 => &["opt-in 2025-01-10 call"],
        10 => &["opt-in 2025-05-01 email", "opt-in 2024-01-10"],
        _ => &["opt-in 2025-01-10"],
    }
}

fn subscriber(i: usize) -> String {
    format!("{}", 40_000_000 + i * 7919)
}

/// The phone as the desk wrote it: three good ways, four useless ones, and a relative's.
fn phone(i: usize) -> String {
    let own = subscriber(i);
    let (a, b) = own.split_at_checked(4).unwrap_or((&own, ""));
    match (i * 7 + i / 10) % 10 {
        0 => "no tiene".to_owned(),
        1 => "15-".to_owned(),
        2 if i % 20 == 2 => "11 4".to_owned(),
        3 if i % 20 == 9 => String::new(),
        4 => format!("+54911{}", subscriber(i.saturating_sub(1))),
        5 => format!("011 15 {a}-{b}"),
        6 => format!("+54911{own}"),
        _ => format!("+54 9 11 {a} {b}"),
    }
}

fn email(i: usize) -> String {
    match i % 7 {
        0 | 3 => String::new(),
        5 if i.is_multiple_of(2) => "sin mail".to_owned(),
        6 => format!("familia{}@example.com", i / 14),
        _ => format!("paciente{i}@example.com"),
    }
}

fn rows_of(i: usize, today: NaiveDate) -> Vec<String> {
    let said = statements(i);
    let mut past = past(i);
    if said.len() > past.len() {
        past.push(Visit { status: "cancelado", amount: "", ..visit(900, "limpieza") });
    }
    let cell = |n: usize| said.get(n).copied().unwrap_or_default();
    let mut rows: Vec<String> = past
        .iter()
        .enumerate()
        .map(|(n, v)| row(i, &format!("c{i}-{n}"), today - Days::new(v.days_ago), v, cell(n), "2026-01-01T09:00:00"))
        .collect();
    let booked = Visit { status: "reservado", amount: "", ..visit(0, "limpieza") };
    let fallen = Visit { status: "cancelado", amount: "", ..visit(0, "limpieza") };
    let (soon, lately) = (today + Days::new(6), today - Days::new(5));
    let again = format!("c{i}-again");
    let (older, newer) = ("2026-02-01T09:00:00", "2026-02-20T09:00:00");
    match i % 36 {
        9 => rows.push(row(i, &again, soon, &booked, "", newer)),
        10 => rows.push(row(i, &again, lately, &booked, "", newer)),
        // The newer row first: what comes later in the file is not what is newer.
        21 => rows.extend([row(i, &again, soon, &fallen, "", newer), row(i, &again, soon, &booked, "", older)]),
        22 => rows.extend([row(i, &again, soon, &fallen, "", newer), row(i, &again, soon, &booked, "", newer)]),
        33 => rows.extend([row(i, &again, soon, &booked, "", newer), row(i, &again, soon, &fallen, "", older)]),
        _ => {}
    }
    rows
}

fn row(i: usize, id: &str, day: NaiveDate, visit: &Visit, said: &str, updated: &str) -> String {
    let Visit { service, status, amount, session, .. } = visit;
    format!(
        "{id},{day}T10:30:00,America/Argentina/Buenos_Aires,{i:05},Paciente Número,{},{},Dra. Lima,\
         {service},{status},{amount},{session},,,{said},{updated},{}",
        phone(i),
        email(i),
        guardian(i)
    )
}

/// Every eighth is a child: some with a guardian who has children of the same phone, some with one who
/// cannot be reached, some with none. And some are grown up, though a guardian is still on record.
fn guardian(i: usize) -> String {
    let shared = subscriber(1_000 + i / 48);
    match (i % 8, i % 3) {
        (3, 0) => format!("2015-06-0{},Carolina Sosa,+54911{shared},", 1 + i % 9),
        (3, 1) => format!("2012-02-29,Luis Sosa,no tiene,tutor{i}@example.com"),
        (3, _) => "2010-11-30,,,".to_owned(),
        (5, 0) => format!("1990-01-31,Carolina Sosa,+54911{shared},"),
        _ => ",,,".to_owned(),
    }
}

/// Two a week, from the first Monday on: four in any fortnight, which call for 26 seats a week.
fn slots(today: NaiveDate) -> String {
    let mut lines = vec!["id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min".to_owned()];
    for week in 0..8 {
        for (n, day) in [2, 4].into_iter().enumerate() {
            let day = today + Days::new(week * 7 + day);
            lines.push(format!("h{week}{n},{day}T11:00:00,America/Argentina/Buenos_Aires,Dra. Lima,30"));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "our own export")]
    use super::*;
    use crate::reference::{expected_segments, read_export};
    use std::collections::BTreeSet;

    #[test]
    fn it_has_every_segment_and_every_reason_to_leave_someone_alone() {
        let clinic = clinic();
        let export = read_export(clinic.export.as_bytes()).unwrap();
        assert_eq!(export.patients.len(), PATIENTS);
        let rejected: Vec<u64> = export.rejected.iter().map(|(line, _)| *line).collect();
        assert_eq!(rejected, clinic.bad_lines);
        assert_eq!(rejected.len(), BAD_ROWS.len());
        let segments = expected_segments(&export, clinic.at);
        assert!(segments.values().all(|s| s.eligible > 0), "{segments:?}");
        let reasons: BTreeSet<_> = segments.values().flat_map(|s| s.excluded.keys().copied()).collect();
        let all = [
            "awaiting-outcome",
            "contact-opted-out",
            "no-consent",
            "no-usable-contact",
            "open-appointment",
            "opted-out",
        ];
        assert_eq!(reasons, all.into());
        for segment in segments.values() {
            assert_eq!(segment.members, segment.eligible + segment.excluded.values().sum::<usize>());
        }
    }
}
