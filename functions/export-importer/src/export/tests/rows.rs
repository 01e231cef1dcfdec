//! Rows that land, and rows refused beside them.

use super::{HEADER, file, good_row, outcomes, read};
use crate::export::ConsentCell;
use crate::export::{ConsentChannels, StatusCell};

#[test]
fn a_full_row() {
    let rows = read(
        "\u{feff}Actualizado,nota,id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,\
         paciente_email,profesional,servicio,estado,importe,sesion,sesiones_total,convenio,origen_lead,consentimiento\r\n\
         2022-12-30T09:00:00Z,\"a, \"\"b\"\"\",000244,2023-01-02T08:00:00,America/Argentina/Buenos_Aires,09870,\
         \" Ana \"\"Anita\"\" Sosa\",011 15 5555,ana@example.com,Dra. Lima,peeling,completado,49569.00,1,4,OSDE,\
         web,opt-in 2022-12-19\r\n",
    );
    let row = rows.first().unwrap().as_ref().unwrap();
    assert_eq!((row.line, row.appointment_id.as_str()), (2, "000244"));
    assert_eq!(row.start.local.to_string(), "2023-01-02 08:00:00");
    assert_eq!(row.start.offset, None);
    assert_eq!(row.zone, chrono_tz::America::Argentina::Buenos_Aires);
    assert_eq!(row.patient_id.as_deref(), Some("09870"));
    assert_eq!(row.patient_name, "Ana \"Anita\" Sosa");
    assert_eq!((row.phone.as_str(), row.email.as_str()), ("011 15 5555", "ana@example.com"));
    assert_eq!((row.professional.as_str(), row.service.as_str()), ("Dra. Lima", "peeling"));
    assert_eq!(row.status, StatusCell::Completed);
    assert_eq!((row.amount_cents, row.session, row.sessions_total), (Some(4_956_900), Some(1), Some(4)));
    assert_eq!((row.insurer.as_deref(), row.lead_source.as_deref()), (Some("OSDE"), Some("web")));
    assert!(matches!(row.consent, Some(ConsentCell::OptIn { channels: ConsentChannels::All, .. })));
    assert_eq!(row.updated.unwrap().offset.unwrap().local_minus_utc(), 0);
    assert_eq!(rows.len(), 1);
}

#[test]
fn the_required_columns_are_enough() {
    let rows = read(&file(&[&good_row("1")]));
    let row = rows.first().unwrap().as_ref().unwrap();
    assert_eq!((row.patient_id.as_ref(), row.amount_cents, row.updated), (None, None, None));
    assert_eq!((row.email.as_str(), row.insurer.as_ref()), ("", None));
}

#[test]
fn a_bad_cell_is_refused_with_its_line_and_column_and_the_rest_lands() {
    let good = good_row("1");
    for (from, to, expected) in [
        ("1,2026", ",2026", "3 id_cita empty"),
        ("2026-03-02T09:00", "2026-02-30T09:00", "3 fecha_hora_inicio impossible_date_time"),
        ("America/Lima", "Lima", "3 zona_horaria unknown_zone"),
        (",Ana,", ", ,", "3 paciente_nombre empty"),
        ("completado", "hecho", "3 estado unknown_status"),
        ("opt-in 2026-01-01", "opt-in", "3 consentimiento consent_without_date"),
        (",Ana,", ",Ana,,", "3 - wrong_cell_count"),
        (",Ana,", ",", "3 - wrong_cell_count"),
        (",Ana,", ",A\0na,", "3 - nul_byte"),
        (",Ana,", ",\"Ana\" Sosa,", "3 paciente_nombre quote_misplaced"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let rows = read(&file(&[&good_row("a"), &bad, &good_row("b")]));
        assert_eq!(outcomes(&rows), ["2 a", expected, "4 b"], "{bad}");
    }
}

#[test]
fn a_date_of_birth_and_a_guardian_are_read_where_the_file_has_them() {
    let header = format!("{HEADER},fecha_nacimiento,tutor_nombre,tutor_contacto,tutor_email\n");
    let one = |cells: &str| read(&format!("{header}{},{cells}\n", good_row("1"))).pop().unwrap();
    let row = one("2014-03-02,Carolina Paz,11 5555 0000,c@example.com").unwrap();
    assert_eq!(row.birth.unwrap().to_string(), "2014-03-02");
    let guardian = row.guardian.clone().unwrap();
    assert_eq!((guardian.name.as_str(), guardian.phone.as_str()), ("Carolina Paz", "11 5555 0000"));
    assert_eq!(guardian.email, "c@example.com");
    assert!(!format!("{row:?} {guardian:?}").contains("Carolina"));
    let nobody = one(",,,").unwrap();
    assert!(nobody.birth.is_none() && nobody.guardian.unwrap().is_empty());
    let row = read(&file(&[&good_row("1")])).pop().unwrap().unwrap();
    assert!(row.birth.is_none() && row.guardian.is_none(), "a file without the columns says nothing");
    for (cells, expected) in [
        ("02/03/2014,,,", "2 fecha_nacimiento not_a_date"),
        ("2014-02-30,,,", "2 fecha_nacimiento impossible_date_time"),
        ("1899-12-31,,,", "2 fecha_nacimiento birth_year"),
        ("2026-03-03,,,", "2 fecha_nacimiento birth_after_visit"),
    ] {
        let rows = read(&format!("{header}{},{cells}\n", good_row("1")));
        assert_eq!(outcomes(&rows), [expected], "{cells}");
    }
    assert!(one("2026-03-02,,,").is_ok(), "born on the day");
    let long = format!(",{},,", "n".repeat(501));
    assert_eq!(one(&long).unwrap_err().column, Some("tutor_nombre"));
}

#[test]
fn sessions_are_checked_against_their_plan() {
    let header = format!("{HEADER},sesion,sesiones_total\n");
    let cases =
        [("3,6", "2 1"), ("6,6", "2 1"), (",12", "2 1"), ("3,", "2 1"), ("7,6", "2 sesion session_after_total")];
    for (cells, expected) in cases {
        let rows = read(&format!("{header}{},{cells}\n", good_row("1")));
        assert_eq!(outcomes(&rows), [expected], "{cells}");
    }
}

#[test]
fn line_breaks_within_quotes_are_counted_and_every_line_end_is_known() {
    for end in ["\n", "\r\n", "\r"] {
        let name = format!("\"Ana{end}María\"");
        let long = good_row("a").replace("Ana", &name);
        let blank = " ,,\t,,,,,,,";
        let text = [HEADER, &long, &good_row("b"), "", blank, &good_row("c")].join(end);
        let rows = read(&text);
        assert_eq!(outcomes(&rows), ["2 a", "4 b", "7 c"], "{end:?}");
        let names: Vec<_> = rows.iter().map(|row| row.as_ref().unwrap().patient_name.clone()).collect();
        assert_eq!(names, ["Ana María", "Ana", "Ana"]);
    }
}

#[test]
fn quotes_within_quotes_and_empty_quotes() {
    let rows = read(&file(&[
        &good_row("a").replace("Ana", "\"Ana \r\n\"\"ha\"\" \nSosa, B.\""),
        &good_row("b").replace("Ana,,", "\"Ana\",\"\","),
        &good_row("c").replace("Ana", "O\"Brien"),
    ]));
    let names: Vec<_> = rows.iter().map(|row| row.as_ref().unwrap().patient_name.as_str()).collect();
    assert_eq!(names, ["Ana \"ha\" Sosa, B.", "Ana", "O\"Brien"]);
}

#[test]
fn no_row_or_refusal_shows_the_patient() {
    let secret = good_row("1").replace("Ana,,", "Zoraida,+54 9 11 5555 1234,");
    let rows =
        read(&file(&[&secret, &secret.replace("completado", "Zoraida"), &secret.replace("Zoraida", "Zor\"a,b\n")]));
    assert_eq!(rows.iter().filter(|row| row.is_err()).count(), 3);
    for row in &rows {
        let shown = match row {
            Ok(row) => format!("{row:?}"),
            Err(refusal) => format!("{refusal:?} {refusal}"),
        };
        assert!(!shown.contains("Zor") && !shown.contains("5555"), "{shown}");
    }
}
