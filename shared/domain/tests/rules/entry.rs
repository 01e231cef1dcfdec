//! Who may be enrolled: every reason why not, in the order in which they are looked at, with the
//! instant the answer may change.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::appointment::{Appointment, AppointmentStatus};
use retorno_domain::approval::{Approvals, Fact, Lacks, TemplateStatus, needed};
use retorno_domain::because::{Because, Verdict};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Statement, Wish};
use retorno_domain::contact::UnusablePhone;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::entry::{EntryCase, EntryRule, explain, first_block};
use retorno_domain::ids::PatientId;
use retorno_domain::limits::{CLOCK_MARGIN, Capped};
use retorno_domain::patient::Patient;

use crate::approvals::all_rejected;
use crate::given::{
    agreed_to, at, booked, carolina, clinic, clinic_with, date, days, enrolled, entry, lapsed, now, of_age_on, only,
    resting, said, sent, somebody, visit,
};

/// A case as it is told: the clinic, the patient, the contact points.
#[derive(Clone)]
struct Case {
    clinic: Clinic,
    patient: Patient,
    points: ContactPoints,
    lacks: Lacks,
}

fn eligible() -> Case {
    Case { clinic: clinic(""), patient: lapsed(), points: ContactPoints::default(), lacks: Lacks::default() }
}

impl Case {
    fn patient(patient: Patient) -> Self {
        Self { patient, ..eligible() }
    }

    /// The first reason at an instant, with the instant it may change.
    fn blocked_at(&self, now: DateTime<Utc>) -> Option<(&'static str, Option<DateTime<Utc>>)> {
        first_block(&self.at(now), EntryRule::ALL).map(|finding| (finding.reason, finding.verdict.until()))
    }

    fn at(&self, now: DateTime<Utc>) -> EntryCase<'_> {
        EntryCase { lacks: &self.lacks, ..entry(&self.clinic, &self.patient, &self.points, now) }
    }

    fn blocked(&self) -> Option<(&'static str, Option<DateTime<Utc>>)> {
        self.blocked_at(now())
    }

    fn explained(&self) -> Because {
        explain(&self.at(now()))
    }
}

#[test]
fn a_lapsed_patient_who_agreed_and_can_be_reached_is_enrolled() {
    assert_eq!(eligible().blocked(), None);
    assert!(eligible().explained().findings.iter().all(retorno_domain::because::Finding::passes));
}

/// A rule, its reason, and a change that brings it about.
type Obstacle = (EntryRule, &'static str, fn(&mut Case));

/// One change for each rule that makes it block, in the order of the rules.
fn obstacles() -> [Obstacle; 14] {
    [
        (EntryRule::Running, "clinic_halted", |c| c.clinic.halted = true),
        (EntryRule::Segment, "no_segment", |c| {
            c.patient.appointments.retain(|a| a.status != AppointmentStatus::Completed)
        }),
        (EntryRule::Consent, "channel_not_agreed", |c| c.patient.consent = agreed_to(only(&[Channel::Sms]))),
        (EntryRule::Contact, "no_usable_contact", |c| {
            c.points.phone.unreachable = only(&[Channel::Whatsapp, Channel::Call]);
            c.points.email.unreachable = only(&[Channel::Email]);
        }),
        (EntryRule::SharedOptOut, "shared_opt_out", |c| {
            c.points.phone.suppressed = only(&[Channel::Whatsapp, Channel::Call]);
            c.points.email.suppressed = only(&[Channel::Email]);
        }),
        (EntryRule::OpenAppointment, "open_appointment", |c| c.patient.appointments.push(booked(3))),
        (EntryRule::AwaitingOutcome, "awaiting_outcome", |c| c.patient.appointments.push(booked(-3))),
        (EntryRule::Paused, "paused", |c| c.patient.paused = true),
        (EntryRule::Sequence, "in_sequence", |c| c.patient.sequence = Some(enrolled(&c.clinic, now()).id)),
        (EntryRule::Quiet, "contacted_recently", |c| c.patient.history.last_at = Some(now() - days(1))),
        (EntryRule::Rest, "resting", |c| c.patient.history.whatsapp = resting(now() + days(9))),
        (EntryRule::ContactBusy, "contact_busy", |c| c.points.phone.busy = Some((another(), now() + days(2)))),
        (EntryRule::ContactCap, "contact_resting", |c| {
            c.patient.consent = agreed_to(only(&[Channel::Whatsapp]));
            c.points.phone.whatsapp = resting(now() + days(7));
        }),
        (EntryRule::Templates, "template_rejected", |c| {
            c.clinic.whatsapp_account_id = Some("900".to_owned());
            c.lacks = Lacks::of(&c.clinic, &all_rejected(&c.clinic), now());
        }),
    ]
}

/// Told by Meta: everything approved, and afterwards these facts of the templates whose name fits.
fn told(clinic: &Clinic, fits: fn(&str) -> bool, fact: &Fact) -> Lacks {
    let mut approvals = Approvals::default();
    for template in needed(clinic) {
        let of = (template.wanted.name, template.wanted.language.whatsapp_code().to_owned());
        let fits = fits(&of.0);
        let state = approvals.templates.entry(of).or_default();
        state.learn(now(), Fact::Status(TemplateStatus::Approved));
        if fits {
            state.learn(now(), fact.clone());
        }
    }
    Lacks::of(clinic, &approvals, now())
}

#[test]
fn whoever_is_written_to_through_a_guardian_waits_for_the_guardians_texts_only() {
    let minor = of_age_on(date("2030-01-01"), Some(carolina()), lapsed());
    let disabled = Fact::Status(TemplateStatus::Disabled);
    let guardians: fn(&str) -> bool = |name| name.starts_with("retorno_tutor_");
    let patients: fn(&str) -> bool = |name| !name.starts_with("retorno_tutor_");
    for (fits, adult_waits) in [(guardians, false), (patients, true)] {
        for (patient, waits) in [(lapsed(), adult_waits), (minor.clone(), !adult_waits)] {
            let mut case = Case::patient(patient);
            case.clinic.whatsapp_account_id = Some("900".to_owned());
            case.lacks = told(&case.clinic, fits, &disabled);
            let blocked = case.blocked().map(|(reason, _)| reason);
            assert_eq!(blocked, waits.then_some("template_disabled"), "{adult_waits}");
        }
    }
}

#[test]
fn what_meta_makes_marketing_needs_consent_to_marketing_from_the_beginning() {
    let mut case = Case::patient(lapsed());
    case.clinic.whatsapp_account_id = Some("900".to_owned());
    case.clinic.channels = only(&[Channel::Whatsapp]);
    for step in &mut case.clinic.flows[0].steps {
        step.purpose = Purpose::Care;
    }
    let no_marketing = Statement { purposes: PurposeSet::MARKETING, ..said("2026-02-01", Wish::OptOut) };
    case.patient.consent.record(no_marketing);
    assert_eq!(case.blocked(), None, "as care it may be sent");
    case.lacks = told(&case.clinic, |_| true, &Fact::Category("MARKETING".to_owned()));
    assert_eq!(case.blocked().map(|(reason, _)| reason), Some("opted_out"));
    assert_eq!(case.at(now()).open_channels(), ChannelSet::NONE);
}

fn another() -> PatientId {
    PatientId::parse("p2").unwrap()
}

#[test]
fn each_rule_can_block_and_the_first_in_order_is_the_reason() {
    let all = obstacles();
    assert_eq!(all.each_ref().map(|(rule, _, _)| *rule), EntryRule::ALL);
    for (rule, reason, block) in &all {
        let mut case = eligible();
        block(&mut case);
        assert_eq!(case.blocked().map(|(reason, _)| reason), Some(*reason), "{rule:?} alone");
    }
    // Every pair: the earlier rule is the reason given.
    for (n, (first, reason, block)) in all.iter().enumerate() {
        for (second, _, other) in &all[n + 1..] {
            let mut case = eligible();
            other(&mut case);
            block(&mut case);
            assert_eq!(case.blocked().map(|(reason, _)| reason), Some(*reason), "{first:?} before {second:?}");
        }
    }
}

#[test]
fn the_explanation_looks_at_every_rule_and_agrees_with_the_decision() {
    for (_, _, block) in &obstacles() {
        let mut case = eligible();
        block(&mut case);
        let because = case.explained();
        assert_eq!(because.findings.len(), EntryRule::ALL.len(), "an explanation leaves nothing out");
        let decided = first_block(&case.at(now()), EntryRule::ALL);
        assert_eq!(because.decisive(), decided.as_ref());
        assert_eq!(because.reason(), decided.unwrap().reason);
    }
}

#[test]
fn without_a_segment_it_says_when_there_will_be_one() {
    let soon = Case::patient(somebody(vec![visit(170)]));
    assert_eq!(soon.blocked(), Some(("no_segment", Some(at("2026-03-12 00:00")))), "180 days after 2025-09-13");
    let never = Case::patient(somebody(Vec::new()));
    assert_eq!(never.blocked(), Some(("no_segment", None)));
}

#[test]
fn consent_says_what_is_lacking_and_when_it_begins() {
    let with = |statements| {
        let mut patient = lapsed();
        patient.consent = retorno_domain::consent::Consent::from_statements(statements);
        Case::patient(patient).blocked()
    };
    let all = Wish::OptIn(retorno_domain::channel::ChannelSet::ALL);
    assert_eq!(with(Vec::new()), Some(("consent_unknown", None)));
    assert_eq!(with(vec![said("2026-03-05", all)]), Some(("consent_not_yet", Some(at("2026-03-05 00:00")))));
    assert_eq!(with(vec![said("2026-01-05", all), said("2026-02-05", Wish::OptOut)]), Some(("opted_out", None)));
    assert_eq!(
        with(vec![said("2026-01-05", Wish::OptIn(only(&[Channel::Sms])))]),
        Some(("channel_not_agreed", None)),
        "no step is a text message"
    );
    assert_eq!(with(vec![said("2026-03-02", all)]), None, "from the day it was given");
}

#[test]
fn a_channel_the_clinic_does_not_use_is_no_way_to_reach_anybody() {
    let mut patient = lapsed();
    patient.consent = agreed_to(only(&[Channel::Email]));
    let case = Case { clinic: clinic("channels = [\"whatsapp\", \"call\"]"), ..Case::patient(patient) };
    assert_eq!(case.blocked(), Some(("channel_not_agreed", None)));
}

#[test]
fn one_usable_contact_is_enough_and_no_usable_one_is_said_with_its_state() {
    let mut patient = lapsed();
    patient.profile.phone = Err(UnusablePhone::TooShort);
    assert_eq!(Case::patient(patient.clone()).blocked(), None, "there is the e-mail");
    patient.profile.email = Err(retorno_domain::contact::UnusableEmail::Missing);
    let case = Case::patient(patient);
    assert_eq!(case.blocked(), Some(("no_usable_contact", None)));
    let finding = EntryRule::Contact.check(&entry(&case.clinic, &case.patient, &case.points, now()));
    assert_eq!(finding.figures, "phone=too_short");
}

#[test]
fn an_opt_out_of_a_housemate_closes_that_phone_but_not_the_email() {
    let mut case = eligible();
    case.points.phone.suppressed = retorno_domain::channel::ChannelSet::ALL;
    assert_eq!(case.blocked(), None);
    case.patient.consent = agreed_to(only(&[Channel::Whatsapp, Channel::Call]));
    assert_eq!(case.blocked(), Some(("shared_opt_out", None)));
}

#[test]
fn an_open_appointment_blocks_until_it_begins() {
    let case = Case::patient(somebody(vec![visit(200), booked(9), booked(3)]));
    assert_eq!(case.blocked(), Some(("open_appointment", Some(now() + days(3)))), "the next one");
    let confirmed = Appointment { status: AppointmentStatus::Confirmed, ..booked(3) };
    assert_eq!(Case::patient(somebody(vec![visit(200), confirmed])).blocked().unwrap().0, "open_appointment");
    let cancelled = Appointment { status: AppointmentStatus::Cancelled, ..booked(3) };
    assert_eq!(Case::patient(somebody(vec![visit(200), cancelled])).blocked(), None);
}

#[test]
fn an_appointment_without_outcome_suppresses_for_fourteen_days() {
    // It was on 16 February: 14 days ago.
    let case = Case::patient(somebody(vec![visit(200), booked(-14)]));
    assert_eq!(case.blocked(), Some(("awaiting_outcome", Some(at("2026-03-03 00:00")))));
    assert_eq!(case.blocked_at(at("2026-03-02 23:59")).unwrap().0, "awaiting_outcome", "the whole fourteenth day");
    assert_eq!(case.blocked_at(at("2026-03-03 00:00")), None, "and no longer");
    let shorter = clinic_with("awaiting_outcome_days = 14", "awaiting_outcome_days = 3");
    let within = |ago: i64| {
        Case { clinic: shorter.clone(), ..Case::patient(somebody(vec![visit(200), booked(-ago)])) }.blocked()
    };
    assert_eq!((within(3).is_some(), within(4)), (true, None), "as the clinic sets it");
}

#[test]
fn nobody_is_enrolled_within_thirty_days_of_the_last_message() {
    let mut case = eligible();
    case.patient.history.last_at = Some(now() - days(30) + TimeDelta::seconds(1));
    assert_eq!(case.blocked(), Some(("contacted_recently", Some(now() + TimeDelta::seconds(1)))));
    case.patient.history.last_at = Some(now() - days(30));
    assert_eq!(case.blocked(), None);
    case.clinic = clinic_with("entry_quiet_days = 30", "entry_quiet_days = 45");
    assert_eq!(case.blocked(), Some(("contacted_recently", Some(now() + days(15)))));
    case.clinic = clinic_with("entry_quiet_days = 30", "entry_quiet_days = 0");
    case.patient.history.last_at = Some(now() - TimeDelta::seconds(1));
    assert_eq!(case.blocked(), None);
}

#[test]
fn the_rest_of_the_person_lasts_to_the_instant() {
    let mut case = eligible();
    case.patient.history.whatsapp = resting(now() + TimeDelta::seconds(1));
    assert_eq!(case.blocked(), Some(("resting", Some(now() + TimeDelta::seconds(1)))));
    case.patient.history.whatsapp = resting(now());
    assert_eq!(case.blocked(), None);
}

#[test]
fn one_sequence_at_a_time_for_a_person_and_for_a_contact() {
    let mut case = eligible();
    case.points.phone.busy = Some((another(), now() + days(2)));
    assert_eq!(case.blocked(), Some(("contact_busy", Some(now() + days(2)))));
    assert_eq!(case.blocked_at(now() + days(2)), None, "until it ends");
    case.points.phone.busy = Some((case.patient.id.clone(), now() + days(2)));
    assert_eq!(case.blocked(), None, "one's own sequence is no other's");
    case.points.phone.busy = None;
    case.points.email.busy = Some((another(), now() + days(4)));
    assert_eq!(case.blocked(), Some(("contact_busy", Some(now() + days(4)))), "an e-mail is shared like a phone");
    case.patient.consent = agreed_to(only(&[Channel::Whatsapp]));
    assert_eq!(case.blocked(), None, "one that will not be used does not matter");
}

#[test]
fn a_contact_at_its_cap_leaves_the_other_channels() {
    let mut case = eligible();
    case.points.phone.whatsapp = sent(&[now() - days(3), now() - days(1)]);
    let open = |case: &Case| entry(&case.clinic, &case.patient, &case.points, now()).open_channels();
    assert_eq!((case.blocked(), open(&case)), (None, only(&[Channel::Email, Channel::Call])));
    case.patient.consent = agreed_to(only(&[Channel::Whatsapp]));
    let free = now() + days(27) + CLOCK_MARGIN;
    assert_eq!(case.blocked(), Some(("contact_resting", Some(free))), "until the first of the two is 30 days old");
    assert_eq!(Capped::Window(free).until(), free);
    assert!(
        case.explained()
            .findings
            .iter()
            .any(|finding| matches!(finding.verdict, Verdict::Block(Some(at)) if at == free))
    );
}
