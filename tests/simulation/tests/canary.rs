//! The judge hears what is said about people: a run that never objects must be able to.

#![expect(clippy::panic, reason = "a panic is what is to be heard")]

use retorno_simulation::chance::Chance;
use retorno_simulation::clinic::Clinic;
use retorno_simulation::judge::Judge;
use retorno_simulation::witness;

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
