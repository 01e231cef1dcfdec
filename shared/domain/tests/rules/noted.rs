//! A phone that staff noted, against what exports say.

use retorno_domain::contact::{Phone, UnusablePhone};
use retorno_domain::guardian::{Guardian, Told};
use retorno_domain::holiday::Country;
use retorno_domain::patient::{Patient, Report};

use crate::given::{carolina, date, days, lapsed, now, of_age_on};

/// The day on which all of this happens.
fn today() -> chrono::NaiveDate {
    date("2026-03-02")
}

fn phone(last: &str) -> Phone {
    Phone::parse(&format!("+54 9 11 5555-{last}"), Country::Ar).unwrap()
}

/// What an export says so many days later, with this phone.
fn report(of: &Patient, later: i64, said: Result<Phone, UnusablePhone>) -> Report {
    let mut profile = of.profile.clone();
    profile.as_of.0 += days(later);
    profile.phone = said;
    Report {
        profile,
        guardianship: of.guardianship.clone(),
        appointment: of.appointments.first().unwrap().clone(),
        consent: None,
    }
}

#[test]
fn a_noted_phone_stands_until_an_export_brings_another_number() {
    let told = lapsed();
    let mut patient = told.clone();
    patient.note_phone(phone("4321"), now(), today()).unwrap();
    assert_eq!(patient.profile.phone, Ok(phone("4321")));
    let before = patient.clone();
    assert!(!patient.absorb(report(&told, 0, told.profile.phone.clone())).any(), "the same export again");
    assert_eq!(patient, before);
    patient.absorb(report(&told, 1, told.profile.phone.clone()));
    patient.absorb(report(&told, 2, Err(UnusablePhone::Missing)));
    assert_eq!(patient.profile.phone, Ok(phone("4321")), "a newer one brings no other number");
    patient.absorb(report(&told, 3, Ok(phone("9999"))));
    assert_eq!(patient.profile.phone, Ok(phone("9999")), "the clinic's system has the last word");
    assert!(patient.noted.is_some() && !patient.noted_holds());
    assert!(patient.forget_noted() && patient.noted.is_none());
    assert_eq!(patient.profile.phone, Ok(phone("9999")));
}

#[test]
fn the_order_of_an_exports_rows_does_not_matter() {
    let told = lapsed();
    let rows = [report(&told, 1, Ok(phone("9999"))), report(&told, 2, told.profile.phone.clone())];
    let after = |rows: [&Report; 2]| {
        let mut patient = told.clone();
        patient.note_phone(phone("4321"), now(), today()).unwrap();
        for row in rows {
            patient.absorb(row.clone());
        }
        patient
    };
    let [first, second] = &rows;
    assert_eq!(after([first, second]), after([second, first]));
    assert_eq!(after([first, second]).profile.phone, Ok(phone("4321")));
}

#[test]
fn taken_back_what_the_export_says_holds_again() {
    let told = lapsed();
    let mut patient = told.clone();
    patient.note_phone(phone("4321"), now(), today()).unwrap();
    patient.note_phone(phone("8888"), now(), today()).unwrap();
    assert_eq!(patient.profile.phone, Ok(phone("8888")), "the last one noted");
    assert!(patient.forget_noted());
    assert_eq!(patient, told);
    assert!(!patient.forget_noted());
}

#[test]
fn a_minors_is_the_guardians_and_goes_with_them() {
    let of_age = date("2040-01-01");
    let mut alone = of_age_on(of_age, None, lapsed());
    assert!(alone.note_phone(phone("4321"), now(), today()).is_err());
    let mut child = of_age_on(of_age, Some(carolina()), lapsed());
    let own = child.profile.phone.clone();
    child.note_phone(phone("4321"), now(), today()).unwrap();
    assert_eq!(child.through(today()).phone(), Some(&phone("4321")));
    assert_eq!(child.profile.phone, own, "the child's own stays");
    let mut other = report(&child, 1, own);
    let father = Guardian {
        name: Some(retorno_domain::contact::PersonName::parse("Luis Paz").unwrap()),
        phone: Err(UnusablePhone::Missing),
        ..carolina()
    };
    other.guardianship.guardian =
        Some(Told { what: Some(Box::new(father)), as_of: (now(), other.profile.as_of.1.clone()) });
    child.absorb(other);
    assert_eq!(child.through(today()).phone(), None, "her phone is not his");
    assert!(!child.noted_holds());
}
