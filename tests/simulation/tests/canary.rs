//! The judge hears what is said about people: a run that never objects must be able to.

#![expect(clippy::panic, reason = "a panic is what is to be heard")]

use retorno_simulation::chance::Chance;
use retorno_simulation::clinic::Clinic;
use retorno_simulation::judge::Judge;
use retorno_simulation::witness;
use retorno_simulation::writes::{Item, Write};

fn judge() -> Judge {
    let begins = chrono::DateTime::UNIX_EPOCH;
    Judge::of(vec![Clinic::draw(0, begins, &mut Chance::of(1))], 0, false)
}

fn objects(said: &str) -> bool {
    let mut judge = judge();
    judge.nothing_personal("a test", said);
    !judge.violations.is_empty()
}

#[test]
fn names_addresses_and_phones_are_heard_and_ids_are_not() {
    let judge = judge();
    let phones = judge.clinics.iter().flat_map(|clinic| clinic.facts.iter().flatten()).filter_map(|p| p.phone.clone());
    let phones: Vec<String> = phones.collect();
    assert!(phones.len() > 3);
    for phone in phones {
        let bare = phone.trim_start_matches('+');
        assert!(objects(&format!("sent to {phone}")) && objects(&format!("to=\"{bare}\"")));
        assert!(objects(bare.get(bare.len() - 8..).unwrap_or_default()), "without what precedes the last eight digits");
    }
    assert!(objects("Zorzalab Zorzal") && objects("ZORZAL12@correo.example"));
    assert!(!objects("enrollment 4777ab4777cd, patient 12, clinic clinica0, 47 figures"));
}

#[test]
fn a_log_line_and_a_panic_are_heard() {
    assert!(witness::listen());
    let _ = witness::heard();
    tracing::info!(target: "retorno_cloud", name = "Zorzal", "a line that should not be");
    let panicked = std::panic::catch_unwind(|| -> () { panic!("Zorzal again") });
    assert!(panicked.is_err());
    let heard = witness::heard();
    assert!(heard.iter().any(|line| line.contains("name=\"Zorzal\"")), "{heard:?}");
    assert!(heard.iter().any(|line| line.starts_with("panic")), "{heard:?}");
}

/// The item of a slot of a timetable that begins then, booked by somebody else.
fn slot(start: i64) -> Write {
    let item = serde_json::json!({
        "start": {"N": start.to_string()}, "min": {"N": "30"}, "src": {"S": "timetable"}, "bk": {"S": "retorno-1"},
        "bk_p": {"S": "999"},
    });
    Write {
        kind: "slot",
        verb: "Update",
        pk: "T#clinica0#SLOTS".to_owned(),
        sk: format!("{start:015}#t"),
        item: item.as_object().cloned().unwrap_or_default(),
        values: Item::new(),
        update: String::new(),
        condition: String::new(),
    }
}

#[test]
fn a_slot_booked_over_a_visit_of_the_clinics_own_is_objected_to() {
    let visit = 1_000_000_000;
    for (start, objects) in
        [(visit, true), (visit - 29 * 60_000, true), (visit - 30 * 60_000, false), (visit + 1, false)]
    {
        let mut judge = judge();
        for clinic in &mut judge.clinics {
            clinic.landed = Some(0);
            clinic.facts.iter_mut().flatten().take(1).for_each(|person| person.booked = Some(visit));
        }
        let taken = slot(start);
        judge.moved(0, "turn", &taken, Some(&Item::new()), Some(&taken.item));
        assert_eq!(!judge.violations.is_empty(), objects, "{start}: {:?}", judge.violations);
    }
}
