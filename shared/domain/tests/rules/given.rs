//! What a test begins with: a clinic in Buenos Aires, an instant, somebody with a past.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use retorno_domain::appointment::{Appointment, AppointmentStatus, PlanSession};
use retorno_domain::approval::Lacks;
use retorno_domain::calendar::{IsoWeek, resolve_local};
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Consent, Source, Statement, Wish};
use retorno_domain::contact::{EmailAddress, PersonName, Phone};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::enrollment::{Enrollment, State};
use retorno_domain::entry::EntryCase;
use retorno_domain::flow::Step;
use retorno_domain::guardian::{Guardian, Guardianship, Told};
use retorno_domain::holiday::Country;
use retorno_domain::ids::{AppointmentId, ClinicId, EnrollmentId, PatientId, SegmentId};
use retorno_domain::limits::WhatsappLedger;
use retorno_domain::patient::{Patient, Profile, SendingHistory};
use retorno_domain::segment::{Placement, Thresholds};
use retorno_domain::settings::{SettingsError, clinic_from_toml};
use retorno_domain::standing::placement;
use retorno_domain::step_rules::{CopyProblem, Facts};

pub(crate) const ZONE: Tz = chrono_tz::America::Argentina::Buenos_Aires;

/// A clinic with the default settings and what its own file says otherwise.
pub(crate) fn clinic(own: &str) -> Clinic {
    try_clinic(own).unwrap()
}

pub(crate) fn try_clinic(own: &str) -> Result<Clinic, SettingsError> {
    clinic_from_toml(ClinicId::parse("aurora").unwrap(), own, Some(ZONE))
}

/// The defaults with one text replaced; fails when the defaults do not hold it.
pub(crate) fn clinic_with(from: &str, to: &str) -> Clinic {
    clinic(&preset_with(from, to))
}

/// The text of the defaults with one text replaced.
pub(crate) fn preset_with(from: &str, to: &str) -> String {
    let preset = include_str!("../../presets/clinic.toml");
    assert!(preset.contains(from), "the defaults do not say {from}");
    preset.replacen(from, to, 1)
}

/// An instant by the wall clock of Buenos Aires: `at("2026-03-02 10:00")`.
pub(crate) fn at(local: &str) -> DateTime<Utc> {
    resolve_local(NaiveDateTime::parse_from_str(&format!("{local}:00"), "%Y-%m-%d %H:%M:%S").unwrap(), ZONE)
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn days(n: i64) -> TimeDelta {
    TimeDelta::days(n)
}

/// A Monday in a fortnight without holidays.
pub(crate) fn now() -> DateTime<Utc> {
    at("2026-03-02 10:00")
}

/// Attended so many days before [`now`], at the same time of day.
pub(crate) fn visit(days_ago: i64) -> Appointment {
    Appointment {
        id: AppointmentId::parse("0").unwrap(),
        start: now() - days(days_ago),
        status: AppointmentStatus::Completed,
        professional: "Dra. Lima".into(),
        service: "limpieza".into(),
        amount_cents: None,
        session: None,
        lead_source: None,
        as_of: now() - days(days_ago),
    }
}

pub(crate) fn visit_for(service: &str, days_ago: i64) -> Appointment {
    Appointment { service: service.into(), ..visit(days_ago) }
}

pub(crate) fn paid(amount: i64, days_ago: i64) -> Appointment {
    Appointment { amount_cents: Some(amount * 100), ..visit(days_ago) }
}

pub(crate) fn session(service: &str, done: u16, total: u16, days_ago: i64) -> Appointment {
    Appointment { session: Some(PlanSession { done, total }), ..visit_for(service, days_ago) }
}

/// Booked, so many days from [`now`]; before it, with a negative number.
pub(crate) fn booked(in_days: i64) -> Appointment {
    Appointment { status: AppointmentStatus::Booked, ..visit(-in_days) }
}

/// Somebody with these appointments, reachable by phone and e-mail, who agreed to everything.
pub(crate) fn somebody(appointments: Vec<Appointment>) -> Patient {
    let numbered =
        |(n, appointment)| Appointment { id: AppointmentId::parse(&format!("{n:04}")).unwrap(), ..appointment };
    Patient {
        id: PatientId::parse("p1").unwrap(),
        profile: profile(),
        guardianship: Guardianship::default(),
        consent: agreed_to(ChannelSet::ALL),
        appointments: appointments.into_iter().enumerate().map(numbered).collect(),
        paused: false,
        history: SendingHistory::default(),
        sequence: None,
        subscriptions: retorno_domain::subscription::Subscriptions::default(),
        noted: None,
    }
}

pub(crate) fn profile() -> Profile {
    Profile {
        name: PersonName::parse("Ana Gómez").unwrap(),
        phone: Phone::parse("+54 9 11 5555-1234", Country::Ar),
        email: EmailAddress::parse("ana@example.com"),
        zone: ZONE,
        insurer: None,
        as_of: (now() - days(30), AppointmentId::parse("0").unwrap()),
    }
}

/// The guardian of the tests: Carolina, with a phone and an address that nobody else has.
pub(crate) fn carolina() -> Guardian {
    Guardian {
        name: Some(PersonName::parse("Carolina Paz").unwrap()),
        phone: Phone::parse("+54 9 11 5555-7777", Country::Ar),
        email: EmailAddress::parse("carolina@example.com"),
    }
}

/// Somebody who comes of age that day, with or without a guardian on record.
pub(crate) fn of_age_on(day: NaiveDate, guardian: Option<Guardian>, patient: Patient) -> Patient {
    let as_of = patient.profile.as_of.clone();
    let guardianship = Guardianship {
        of_age: Some(Told { what: day, as_of: as_of.clone() }),
        guardian: Some(Told { what: guardian.map(Box::new), as_of }),
    };
    Patient { consent: patient.consent.of_somebody_of_age(Some(day)), guardianship, ..patient }
}

/// Somebody last seen 200 days ago: a member of `preventivo-6-12m`.
pub(crate) fn lapsed() -> Patient {
    somebody(vec![visit(200)])
}

pub(crate) fn said(on: &str, wish: Wish) -> Statement {
    Statement::of_all(date(on), wish, Source::Import)
}

pub(crate) fn agreed_to(channels: ChannelSet) -> Consent {
    Consent::from_statements(vec![said("2020-01-01", Wish::OptIn(channels))])
}

pub(crate) fn only(channels: &[Channel]) -> ChannelSet {
    channels.iter().copied().collect()
}

/// A ledger with these sendings, one per place.
pub(crate) fn sent(at: &[DateTime<Utc>]) -> WhatsappLedger {
    WhatsappLedger { stamps: at.iter().copied().map(Some).collect(), rest_until: None }
}

pub(crate) fn resting(until: DateTime<Utc>) -> WhatsappLedger {
    WhatsappLedger { stamps: Vec::new(), rest_until: Some(until) }
}

/// The segment that a patient belongs to at an instant.
pub(crate) fn belongs_at(
    clinic: &Clinic,
    patient: &Patient,
    thresholds: &Thresholds,
    now: DateTime<Utc>,
) -> Option<String> {
    let index = placement(clinic, patient, thresholds, now).segment?;
    Some(clinic.segments[index].id.to_string())
}

/// The segment that a patient belongs to now, in a clinic without thresholds.
pub(crate) fn belongs(clinic: &Clinic, appointments: Vec<Appointment>) -> Option<String> {
    belongs_at(clinic, &somebody(appointments), &Thresholds::default(), now())
}

pub(crate) fn placed(clinic: &Clinic, patient: &Patient, now: DateTime<Utc>) -> Placement {
    placement(clinic, patient, &Thresholds::default(), now)
}

/// The question whether a patient may be enrolled.
pub(crate) fn entry<'a>(
    clinic: &'a Clinic,
    patient: &'a Patient,
    points: &'a ContactPoints,
    now: DateTime<Utc>,
) -> EntryCase<'a> {
    static NONE: LazyLock<Lacks> = LazyLock::new(Lacks::default);
    EntryCase { clinic, patient, points, placement: placed(clinic, patient, now), lacks: &NONE, now }
}

/// An enrollment of [`lapsed`], opened now, whose first step is due now.
pub(crate) fn enrolled(clinic: &Clinic, now: DateTime<Utc>) -> Enrollment {
    let (patient, segment) = (PatientId::parse("p1").unwrap(), SegmentId::parse("preventivo-6-12m").unwrap());
    Enrollment {
        id: EnrollmentId::of(&clinic.id, &patient, &segment, clinic.date(now)),
        patient,
        segment,
        flow: clinic.flows[0].id.clone(),
        flow_version: clinic.flows[0].version,
        week: IsoWeek::of(clinic.date(now)),
        seat: 0,
        state: State::Running { step: 0, due: now },
        first_sent_on: None,
        told_at: None,
        wakes: 1,
        epoch: clinic.epoch,
    }
}

pub(crate) fn no_problem(_: &Step) -> Option<CopyProblem> {
    None
}

/// Everything a decision looks at; a test changes what it is about.
pub(crate) fn facts<'a>(
    clinic: &'a Clinic,
    patient: &'a Patient,
    points: &'a ContactPoints,
    now: DateTime<Utc>,
) -> Facts<'a> {
    Facts {
        clinic,
        flow: &clinic.flows[0],
        patient,
        points,
        placement: placed(clinic, patient, now),
        heard_at: None,
        number_full_until: None,
        breakers: &[],
        unlinked: None,
        copy: &no_problem,
    }
}
