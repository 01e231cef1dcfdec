//! The file of free slots.

use crate::export::{Limits, NotAnExport, SlotsReader};

const HEADER: &str = "id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min\n";

#[test]
fn slots_are_read_and_refused_like_appointments() {
    let text = format!(
        "{HEADER}33001,2026-03-02T08:00:00,America/Lima,Dra. Lima,15\n\
         33002,2026-03-02T08:15:00,America/Lima,,0\n\
         33003,2026-03-02T25:15:00,America/Lima,,15\n\
         33004,2026-03-02T08:30:00,America/Lima,,30\n"
    );
    let mut reader = SlotsReader::open(text.as_bytes(), Limits::default()).unwrap();
    let (slots, refusals): (Vec<_>, Vec<_>) = reader.by_ref().partition(Result::is_ok);
    let slots: Vec<_> =
        slots.into_iter().map(|slot| slot.unwrap()).map(|slot| (slot.line, slot.slot_id, slot.minutes)).collect();
    assert_eq!(slots, [(2, "33001".to_owned(), 15), (5, "33004".to_owned(), 30)]);
    let refusals: Vec<_> = refusals.into_iter().map(|slot| slot.unwrap_err().to_string()).collect();
    assert_eq!(
        refusals,
        [
            "line 3, column duracion_min: not a length in whole minutes from 1 to 1440",
            "line 4, column fecha_hora_inicio: there is no such day or time of day; correct it",
        ]
    );
    assert_eq!(reader.rows_read(), 4);
}

#[test]
fn no_free_slots_is_a_full_agenda_and_another_file_is_not() {
    assert_eq!(SlotsReader::open(HEADER.as_bytes(), Limits::default()).unwrap().count(), 0);
    let appointments = format!("{}\n", super::HEADER);
    let wrong = SlotsReader::open(appointments.as_bytes(), Limits::default()).err().unwrap();
    assert_eq!(wrong, NotAnExport::MissingColumns { missing: vec!["id_hueco", "duracion_min"] });
}
