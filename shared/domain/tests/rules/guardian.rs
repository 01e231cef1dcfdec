//! Minors: until when somebody is one, through whom they are contacted, and what ends on the day of
//! coming of age.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use retorno_domain::because::Verdict;
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::consent::{NoConsent, Wish};
use retorno_domain::contact::{UnusableEmail, UnusablePhone};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::decide::{Command, Event, decide};
use retorno_domain::entry::{EntryRule, first_block};
use retorno_domain::guardian::{self, Guardian, Guardianship, Told, age_of_majority};
use retorno_domain::holiday::Country;
use retorno_domain::ids::AppointmentId;
use retorno_domain::patient::Patient;
use retorno_domain::segment::Thresholds;
use retorno_domain::standing::standing;
use retorno_domain::step_rules::{StepCase, StepRule};

use crate::given::{agreed_to, at, carolina, clinic, date, days, enrolled, entry, facts, lapsed, now, of_age_on, said};

#[test]
fn a_person_is_of_age_from_the_eighteenth_birthday_on_in_all_countries() {
    for country in Country::ALL {
        assert_eq!(age_of_majority(country), 18);
        assert_eq!(guardian::of_age_on(date("2008-03-02"), country), Some(date("2026-03-02")));
        assert_eq!(guardian::of_age_on(date("2008-02-29"), country), Some(date("2026-03-01")), "no such day in 2026");
        assert_eq!(guardian::of_age_on(date("1984-02-29"), country), Some(date("2002-03-01")));
        assert_eq!(guardian::of_age_on(date("2000-12-31"), country), Some(date("2018-12-31")));
    }
    assert_eq!(guardian::of_age_on(NaiveDate::MAX, Country::Ar), None);
}

#[test]
fn the_day_is_the_clinics_and_begins_at_its_midnight() {
    let minor = of_age_on(date("2026-03-02"), Some(carolina()), lapsed());
    let reached = |clinic: &retorno_domain::clinic::Clinic, at: DateTime<Utc>| {
        minor.address(Channel::Whatsapp, clinic.date(at)).unwrap().as_str().to_owned()
    };
    let (own, guardians) = ("+5491155551234", "+5491155557777");
    let here = clinic("");
    assert_eq!(reached(&here, at("2026-03-02 00:00") - TimeDelta::seconds(1)), guardians);
    assert_eq!(reached(&here, at("2026-03-02 00:00")), own);
    // The same instant is still the day before in a clinic further west, whatever the patient's zone.
    let mexico = clinic("zone = \"America/Mexico_City\"");
    assert_eq!(reached(&mexico, at("2026-03-02 00:00")), guardians);
    assert_eq!(reached(&mexico, at("2026-03-02 03:00")), own);
}

#[test]
fn every_channel_of_a_minor_is_the_guardians_and_nothing_else_is_used() {
    let day = date("2026-03-02");
    let minor = of_age_on(date("2030-01-01"), Some(carolina()), lapsed());
    for channel in ChannelSet::ADDRESSED.iter() {
        let to = minor.address(channel, day).unwrap();
        assert_eq!(
            to.as_str(),
            if channel == Channel::Email { "carolina@example.com" } else { "+5491155557777" },
            "{channel}"
        );
    }
    let no_email = Guardian { email: Err(UnusableEmail::Missing), ..carolina() };
    let minor = of_age_on(date("2030-01-01"), Some(no_email), lapsed());
    assert!(minor.address(Channel::Email, day).is_none(), "never the minor's own");
    for nobody in [None, Some(Guardian { name: None, ..carolina() })] {
        let minor = of_age_on(date("2030-01-01"), nobody, lapsed());
        assert!(Channel::ALL.into_iter().all(|channel| minor.address(channel, day).is_none()));
        assert!(minor.address(Channel::Call, date("2030-01-01")).is_some(), "of age");
    }
    assert!(lapsed().address(Channel::Call, day).is_some(), "without a date of birth");
}

#[test]
fn a_guardian_is_not_shown() {
    let minor = of_age_on(date("2030-01-01"), Some(carolina()), lapsed());
    let shown = format!("{minor:?} {:?}", minor.through(date("2026-03-02")));
    assert!(!shown.contains("Carolina") && !shown.contains("carolina") && !shown.contains("7777"), "{shown}");
    assert!(!shown.contains("2030"), "nor a date of birth: {shown}");
}

fn blocked(patient: &Patient) -> Option<(&'static str, Option<DateTime<Utc>>, String)> {
    let (clinic, points) = (clinic(""), ContactPoints::default());
    let case = entry(&clinic, patient, &points, now());
    first_block(&case, EntryRule::ALL).map(|f| (f.reason, f.verdict.until(), f.figures))
}

#[test]
fn a_minor_without_a_guardian_who_can_be_reached_is_not_enrolled_and_it_says_what_to_fill_in() {
    let of = |guardian| blocked(&of_age_on(date("2026-05-01"), guardian, lapsed()));
    assert_eq!(of(Some(carolina())), None);
    let until = Some(at("2026-05-01 00:00"));
    assert_eq!(of(None), Some(("minor_no_guardian", until, "fill=tutor_nombre,tutor_contacto".to_owned())));
    let nameless = Guardian { name: None, ..carolina() };
    assert_eq!(of(Some(nameless)), Some(("minor_no_guardian", until, "fill=tutor_nombre".to_owned())));
    let lost = Guardian { phone: Err(UnusablePhone::TooShort), email: Err(UnusableEmail::Missing), ..carolina() };
    assert_eq!(of(Some(lost)), Some(("guardian_no_contact", until, "guardian_phone=too_short".to_owned())));
    let grown = of_age_on(date("2026-03-02"), None, lapsed());
    assert_eq!(
        blocked(&grown).unwrap().0,
        "consent_ended_of_age",
        "what was agreed to in 2020 was the guardian's word"
    );
}

#[test]
fn the_standing_wakes_on_the_day_of_coming_of_age() {
    let clinic = clinic("");
    let stands = |patient: &Patient, now| standing(&clinic, patient, &Thresholds::default(), None, now);
    let day = date("2026-03-20");
    for guardian in [None, Some(carolina())] {
        let waits = guardian.is_some();
        let patient = of_age_on(day, guardian, lapsed());
        let before = stands(&patient, now());
        assert_eq!((before.due, before.waits.is_some()), (Some(day), waits));
        let after = stands(&patient, at("2026-03-20 06:00"));
        assert!(after.due.is_none_or(|due| due > day) && after.waits.is_none(), "consent of their own is lacking");
    }
}

#[test]
fn an_agreement_of_the_guardians_ends_at_majority_and_an_opt_out_stays() {
    let day = date("2026-03-20");
    let of_age = |wishes: Vec<_>| {
        let consent = retorno_domain::consent::Consent::from_statements(wishes);
        consent.of_somebody_of_age(Some(day))
    };
    let all = Wish::OptIn(ChannelSet::ALL);
    let agreed = of_age(vec![said("2025-01-01", all)]);
    assert!(agreed.prove(Channel::Email, Purpose::Care, date("2026-03-19")).is_ok());
    assert_eq!(agreed.agreed(Purpose::Marketing, day), Err(NoConsent::CameOfAge(day)));
    assert_eq!(NoConsent::CameOfAge(day).code(), "consent_ended_of_age");
    let own = of_age(vec![said("2025-01-01", all), said("2026-03-20", all)]);
    assert_eq!(own.agreed(Purpose::Care, day), Ok((day, ChannelSet::ALL)), "said on the day itself is their own");
    let out = of_age(vec![said("2025-01-01", Wish::OptOut)]);
    let is_out = |on| out.is_opted_out(Purpose::Marketing, date(on)) && out.is_opted_out(Purpose::Care, date(on));
    assert!(is_out("2026-03-19") && is_out("2027-01-01"));
    let never_revived = of_age(vec![said("2024-01-01", Wish::OptOut), said("2025-01-01", all)]);
    assert_eq!(never_revived.agreed(Purpose::Marketing, day), Err(NoConsent::CameOfAge(day)));
}

#[test]
fn a_running_sequence_is_decided_by_who_is_contacted_on_the_day_of_the_step() {
    let (clinic, points) = (clinic(""), ContactPoints::default());
    let says = |patient: &Patient, rule: StepRule, at: DateTime<Utc>| {
        let (facts, enrollment) = (facts(&clinic, patient, &points, at), enrolled(&clinic, at));
        let finding =
            StepCase { facts: &facts, enrollment: &enrollment, step: &facts.flow.steps[0], now: at }.check(rule);
        (finding.reason, finding.verdict)
    };
    let minor = of_age_on(date("2026-03-20"), Some(carolina()), lapsed());
    assert_eq!(says(&minor, StepRule::Contact, now()).1, Verdict::Pass);
    assert_eq!(says(&minor, StepRule::Consent, at("2026-03-20 10:00")), ("consent_ended_of_age", Verdict::Skip));
    let removed = of_age_on(date("2026-03-20"), None, lapsed());
    assert_eq!(says(&removed, StepRule::Contact, now()), ("minor_no_guardian", Verdict::Skip));
    let silent = Guardian { phone: Err(UnusablePhone::Invalid), ..carolina() };
    let silent = of_age_on(date("2026-03-20"), Some(silent), lapsed());
    assert_eq!(says(&silent, StepRule::Contact, now()), ("guardian_no_contact", Verdict::Skip));
}

#[test]
fn a_guardian_reads_the_copies_for_guardians() {
    let (clinic, points) = (clinic(""), ContactPoints::default());
    let template = |patient: &Patient| {
        let due = Event::StepDue { step: 0, message: None };
        let decision = decide(&enrolled(&clinic, now()), &due, now(), &facts(&clinic, patient, &points, now()));
        decision
            .commands
            .into_iter()
            .find_map(|c| if let Command::Send(intent) = c { Some(intent.template) } else { None })
    };
    assert_eq!(template(&lapsed()).as_deref(), Some("preventivo-6-12m/d1"));
    let minor = of_age_on(date("2026-03-20"), Some(carolina()), lapsed());
    assert_eq!(template(&minor).as_deref(), Some("tutor/d1"));
    assert_eq!(template(&of_age_on(date("2026-03-20"), None, lapsed())), None);
}

/// What one row says, as of so many days ago.
fn row(ago: i64, born: Option<&str>, guardian: Option<Option<Guardian>>) -> Guardianship {
    let as_of = (now() - days(ago), AppointmentId::parse("1").unwrap());
    let told = |day: &str| guardian::of_age_on(date(day), Country::Ar).unwrap();
    Guardianship {
        of_age: born.map(|day| Told { what: told(day), as_of: as_of.clone() }),
        guardian: guardian.map(|what| Told { what: what.map(Box::new), as_of }),
    }
}

#[test]
fn a_newer_export_is_followed_and_one_that_says_nothing_takes_nothing_back() {
    let mut known = row(10, Some("2010-05-05"), Some(Some(carolina())));
    let first = known.clone();
    assert!(!known.absorb(row(20, Some("1990-05-05"), Some(None))), "older");
    assert!(!known.absorb(row(1, None, None)), "an export without these columns");
    assert!(!known.absorb(first), "the same again");
    let other = Guardian { phone: Err(UnusablePhone::Missing), ..carolina() };
    assert!(known.absorb(row(5, None, Some(Some(other.clone())))), "another guardian");
    assert_eq!(known.guardian.as_ref().unwrap().what.as_deref(), Some(&other));
    assert!(known.absorb(row(4, None, Some(None))), "removed");
    assert_eq!(known.guardian.as_ref().unwrap().what, None);
    assert_eq!(known.of_age.as_ref().unwrap().what, date("2028-05-05"), "an emptied cell unsays no birth");
    assert!(known.absorb(row(3, Some("2011-05-05"), None)) && known.of_age.unwrap().what == date("2029-05-05"));
}

proptest! {
    #[test]
    fn whoever_is_born_is_a_minor_until_the_day_of_coming_of_age_and_never_after(
        born in 0i64..60_000, later in 0i64..40_000,
    ) {
        let born = date("1900-01-01") + days(born);
        let day = guardian::of_age_on(born, Country::Br).unwrap();
        prop_assert!((6_574..=6_576).contains(&(day - born).num_days()), "{} {}", born, day);
        let patient = of_age_on(day, Some(carolina()), lapsed());
        let today = born + days(later);
        prop_assert_eq!(patient.is_minor(today), today < day);
        prop_assert_eq!(patient.through(today).guardian().is_some(), today < day);
    }

    /// Whatever is agreed to while a minor, nothing of it is left on the day.
    #[test]
    fn nothing_agreed_to_for_a_minor_outlives_minority(agreed in 1i64..3_000, after in 0i64..3_000) {
        let day = date("2026-03-20");
        let mut patient = of_age_on(day, Some(carolina()), lapsed());
        patient.consent = agreed_to(ChannelSet::NONE).of_somebody_of_age(Some(day));
        let on = day - days(agreed);
        patient.consent.record(said(&on.to_string(), Wish::OptIn(ChannelSet::ALL)));
        let proved = |today| patient.consent.prove(Channel::Whatsapp, Purpose::Marketing, today).is_ok();
        prop_assert_eq!(proved(day - days(1)), on > date("2020-01-01"));
        prop_assert!(!proved(day + days(after)));
    }
}
