//! What reports make of a patient: whatever the order in which they arrive, and however often.

use chrono::TimeDelta;
use proptest::prelude::*;
use retorno_domain::appointment::{Appointment, AppointmentStatus, PlanSession};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact::{EmailAddress, PersonName, Phone, UnusableEmail, UnusablePhone};
use retorno_domain::guardian::{Guardian, Guardianship, Told};
use retorno_domain::holiday::Country;
use retorno_domain::ids::{AppointmentId, PatientId};
use retorno_domain::patient::{APPOINTMENTS_MAX, Changes, Patient, Profile, Report};

use crate::given::{carolina, date, days, now, only, profile, said, visit};

fn number(n: usize) -> AppointmentId {
    AppointmentId::parse(&format!("{n:05}")).unwrap()
}

/// A row about an appointment, as of so many days after the first file.
fn row(n: usize, status: AppointmentStatus, as_of: i64) -> Report {
    let as_of = now() + days(as_of);
    Report {
        profile: Profile { as_of: (as_of, number(n)), ..profile() },
        guardianship: Guardianship::default(),
        appointment: Appointment { id: number(n), status, as_of, ..visit(10) },
        consent: None,
    }
}

fn absorbed(reports: impl IntoIterator<Item = Report>) -> Patient {
    let mut reports = reports.into_iter();
    let mut patient = Patient::new(PatientId::parse("p1").unwrap(), reports.next().unwrap());
    reports.for_each(|report| {
        patient.absorb(report);
    });
    patient
}

#[test]
fn the_newer_report_wins_and_at_a_tie_a_final_state_wins_over_reservado() {
    use AppointmentStatus::{Booked, Cancelled, Completed, Confirmed, NoShow};
    let outcome = |first, second| absorbed([first, second]).appointments[0].status;
    assert_eq!(outcome(row(1, Booked, 1), row(1, Completed, 2)), Completed);
    assert_eq!(outcome(row(1, Completed, 2), row(1, Booked, 1)), Completed, "an older file after a newer one");
    assert_eq!(outcome(row(1, Completed, 1), row(1, Booked, 2)), Booked, "newer wins, whatever it says");
    for open in [Booked, Confirmed] {
        for last in [Completed, NoShow, Cancelled] {
            assert_eq!(outcome(row(1, open, 1), row(1, last, 1)), last);
            assert_eq!(outcome(row(1, last, 1), row(1, open, 1)), last);
        }
    }
}

#[test]
fn a_report_says_what_it_changed() {
    let mut patient = absorbed([row(1, AppointmentStatus::Booked, 1)]);
    assert_eq!(patient.absorb(row(1, AppointmentStatus::Booked, 1)), Changes::default(), "the same again");
    assert!(!Changes::default().any());
    let older = patient.absorb(row(1, AppointmentStatus::Completed, 0));
    assert!(!older.any(), "an older one");
    let newer = patient.absorb(row(1, AppointmentStatus::Completed, 2));
    assert_eq!(newer, Changes { appointments: true, profile: true, consent: false });
    let another = patient.absorb(row(2, AppointmentStatus::Booked, 0));
    assert_eq!(another, Changes { appointments: true, ..Changes::default() }, "an older row about something new");
    let word = Report { consent: Some(said("2026-01-01", Wish::OptOut)), ..row(2, AppointmentStatus::Booked, 0) };
    assert_eq!(patient.absorb(word.clone()), Changes { consent: true, ..Changes::default() });
    assert!(!patient.absorb(word).any());
}

/// A visit booked through us, at the instant of [`row`]'s.
fn ours(n: usize, status: AppointmentStatus, as_of: i64) -> Appointment {
    let id = AppointmentId::parse(&format!("retorno-{n:032x}")).unwrap();
    Appointment { id, status, as_of: now() + days(as_of), ..visit(10) }
}

fn standing(patient: &Patient) -> Vec<(&str, AppointmentStatus)> {
    patient.appointments.iter().map(|visit| (visit.id.as_str(), visit.status)).collect()
}

#[test]
fn a_slot_given_up_and_taken_again_is_one_visit_under_the_clinics_number() {
    use AppointmentStatus::{Booked, Cancelled};
    let mut patient = absorbed([row(1, AppointmentStatus::Completed, 0)]);
    patient.appointments.clear();
    patient.put_visit(ours(1, Cancelled, 2));
    patient.put_visit(ours(2, Booked, 3));
    assert!(patient.absorb(row(7, Booked, 4)).appointments);
    assert_eq!(standing(&patient), [("00007", Booked)]);
}

#[test]
fn a_report_known_before_is_not_of_a_booking_made_after_it() {
    use AppointmentStatus::{Booked, Cancelled};
    let mut patient = absorbed([row(7, Booked, 1)]);
    let mut given_up = patient.appointments[0].clone();
    (given_up.status, given_up.as_of) = (Cancelled, now() + days(2));
    patient.put_visit(given_up);
    let again = ours(1, Booked, 3);
    patient.put_visit(again.clone());
    assert!(!patient.absorb(row(7, Booked, 1)).appointments, "the same file once more");
    assert_eq!(standing(&patient), [("00007", Cancelled), (again.id.as_str(), Booked)]);
    assert!(patient.absorb(row(7, Cancelled, 4)).appointments, "the clinic's system enters that it was given up");
    assert_eq!(standing(&patient), [("00007", Cancelled), (again.id.as_str(), Booked)]);
    assert!(patient.absorb(row(8, Booked, 5)).appointments);
    assert_eq!(standing(&patient), [("00007", Cancelled), ("00008", Booked)]);
}

#[test]
fn an_empty_consent_cell_never_revokes() {
    let agreed = Report {
        consent: Some(said("2026-01-01", Wish::OptIn(ChannelSet::ALL))),
        ..row(1, AppointmentStatus::Completed, 1)
    };
    let patient = absorbed([agreed, row(1, AppointmentStatus::Completed, 5), row(2, AppointmentStatus::Booked, 9)]);
    assert!(patient.consent.agreed(Purpose::Marketing, date("2026-03-02")).is_ok());
}

#[test]
fn an_import_never_lifts_an_opt_out_recorded_by_us() {
    let mut patient = absorbed([row(1, AppointmentStatus::Completed, 1)]);
    patient.consent.record(Statement::of_all(date("2026-02-01"), Wish::OptOut, Source::Recorded));
    patient.absorb(Report {
        consent: Some(said("2026-03-01", Wish::OptIn(ChannelSet::ALL))),
        ..row(1, AppointmentStatus::Completed, 9)
    });
    assert!(patient.consent.is_opted_out(Purpose::Care, date("2026-03-02")));
}

#[test]
fn of_two_profiles_of_one_instant_the_one_with_a_usable_contact_stands() {
    let usable = row(1, AppointmentStatus::Completed, 1);
    let mut lost = usable.clone();
    lost.profile.phone = Err(UnusablePhone::Missing);
    for pair in [[usable.clone(), lost.clone()], [lost, usable.clone()]] {
        assert_eq!(absorbed(pair).profile.phone, usable.profile.phone);
    }
}

#[test]
fn beyond_a_thousand_appointments_the_oldest_go_and_it_is_said_how_many() {
    let with_start = |n: usize| {
        let mut report = row(n, AppointmentStatus::Completed, 1);
        report.appointment.start = now() - days(i64::try_from(n).unwrap());
        report
    };
    let mut patient = absorbed((0..APPOINTMENTS_MAX + 3).map(with_start));
    assert_eq!((patient.trim(), patient.appointments.len(), patient.trim()), (3, 1_000, 0));
    assert_eq!(patient.appointments.last().unwrap().id, number(999), "the latest stay, in the order of their numbers");
    assert!(patient.appointments.is_sorted_by(|a, b| a.id < b.id));
}

/// Rows that contradict each other about few appointments at few instants.
fn report() -> impl Strategy<Value = Report> {
    let appointment =
        (0usize..3, 0usize..5, 0i64..3, 0i64..2, prop::option::of(0i64..2), prop::option::of((1u16..3, 2u16..4)));
    let family = (prop::option::of(0i64..3), prop::option::of(prop::option::of(any::<bool>())));
    let person = (0usize..3, 0usize..4, 0usize..3, any::<bool>(), family);
    let consent = prop::option::of((0i64..3, prop::option::of(0usize..3)));
    (appointment, person, consent).prop_map(
        |(
            (n, status, as_of, hour, amount_cents, session),
            (name, phone, email, insured, (born, guardian)),
            consent,
        )| {
            let mut report = row(n, AppointmentStatus::ALL[status], as_of);
            report.appointment.start += TimeDelta::hours(hour);
            report.appointment.amount_cents = amount_cents;
            report.appointment.session = session.map(|(done, total)| PlanSession { done, total });
            let names = ["Ana", "Ana Gómez", "Bruno"];
            let phones = [
                Phone::parse("+54 9 11 5555-1234", Country::Ar),
                Phone::parse("+54 9 11 5555-9876", Country::Ar),
                Err(UnusablePhone::Missing),
                Err(UnusablePhone::TooShort),
            ];
            let emails =
                [EmailAddress::parse("a@example.com"), Err(UnusableEmail::Missing), Err(UnusableEmail::Malformed)];
            report.profile.name = PersonName::parse(names[name]).unwrap();
            (report.profile.phone, report.profile.email) = (phones[phone].clone(), emails[email].clone());
            report.profile.insurer = insured.then(|| "OSDE".into());
            report.profile.zone = if insured { chrono_tz::America::Bogota } else { chrono_tz::America::Lima };
            let as_of = report.profile.as_of.clone();
            let of = |reached: bool| {
                let phone = if reached { carolina().phone } else { Err(UnusablePhone::Missing) };
                Box::new(Guardian { phone, ..carolina() })
            };
            report.guardianship = Guardianship {
                of_age: born.map(|day| Told { what: date("2026-01-01") + days(day), as_of: as_of.clone() }),
                guardian: guardian.map(|guardian| Told { what: guardian.map(of), as_of }),
            };
            let sets = [ChannelSet::ALL, only(&[Channel::Email]), ChannelSet::NONE];
            report.consent = consent.map(|(day, yes)| Statement {
                on: date("2026-01-01") + days(day),
                wish: yes.map_or(Wish::OptOut, |set| Wish::OptIn(sets[set])),
                source: Source::Import,
                purposes: PurposeSet::ALL,
            });
            report
        },
    )
}

/// Reports, and the same ones in another order with some of them repeated.
fn told_twice() -> impl Strategy<Value = (Vec<Report>, Vec<Report>)> {
    prop::collection::vec(report(), 1..9).prop_flat_map(|reports| {
        let again = prop::collection::vec(0..reports.len(), 0..6);
        (Just(reports), again).prop_flat_map(|(reports, again)| {
            let all: Vec<Report> =
                reports.iter().cloned().chain(again.into_iter().map(|n| reports[n].clone())).collect();
            (Just(reports), Just(all).prop_shuffle())
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_stands_depends_only_on_which_reports_there_were((reports, otherwise) in told_twice()) {
        prop_assert_eq!(absorbed(reports), absorbed(otherwise));
    }

    #[test]
    fn replaying_what_was_taken_in_changes_nothing(reports in prop::collection::vec(report(), 1..9)) {
        let mut patient = absorbed(reports.clone());
        let before = patient.clone();
        for report in reports {
            prop_assert!(!patient.absorb(report).any());
        }
        prop_assert_eq!(patient, before);
    }

    /// An export of all appointments, and a later one of the same: the older one after it is no news.
    #[test]
    fn an_older_export_after_a_newer_one_changes_nothing(
        rows in prop::collection::vec((0usize..5, 0usize..5), 1..8), age in 1i64..100,
    ) {
        let file = |second: bool, as_of: i64| -> Vec<Report> {
            let all = rows.iter().enumerate();
            all.map(|(n, (old, new))| row(n, AppointmentStatus::ALL[if second { *new } else { *old }], as_of)).collect()
        };
        let mut patient = absorbed(file(true, 0));
        let newer = patient.clone();
        for report in file(false, -age) {
            prop_assert!(!patient.absorb(report).any());
        }
        prop_assert_eq!(&patient, &newer);
        let both = absorbed(file(false, -age).into_iter().chain(file(true, 0)));
        prop_assert_eq!(both, newer, "in their proper order they give the same");
    }
}
