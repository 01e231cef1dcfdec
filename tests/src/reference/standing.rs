//! Who may be contacted at an instant, and how.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::consent::{self, Standing};
use super::export::{Export, Patient, Status};
use super::message::Channel;

/// Phones and emails of people who opted out: nobody may be reached there for marketing.
pub type Blocked = BTreeSet<String>;

/// The contact points blocked on a day.
#[must_use]
pub fn blocked_on(export: &Export, day: NaiveDate) -> Blocked {
    let out = |p: &&Patient| consent::on(&p.statements, day) == Standing::OptedOut;
    let contacts =
        |p: &Patient| [&p.phone, &p.email].into_iter().flatten().chain(&p.unused).cloned().collect::<Vec<_>>();
    export.patients.values().filter(out).flat_map(contacts).collect()
}

/// The patient's own contact for a channel, where usable.
#[must_use]
pub fn contact(patient: &Patient, channel: Channel) -> Option<&str> {
    match channel {
        Channel::Whatsapp | Channel::Call => patient.phone.as_deref(),
        Channel::Email => patient.email.as_deref(),
    }
}

/// Whether the person agreed to a channel, as it stands on a day.
#[must_use]
pub fn agreed(patient: &Patient, channel: Channel, day: NaiveDate) -> bool {
    match consent::on(&patient.statements, day) {
        Standing::Agreed(channels) => channels.contains(&channel),
        Standing::Unknown | Standing::OptedOut => false,
    }
}

/// Whether a channel is agreed, has a usable contact, and that contact is not blocked.
#[must_use]
pub fn sendable(patient: &Patient, channel: Channel, day: NaiveDate, blocked: &Blocked) -> bool {
    agreed(patient, channel, day) && contact(patient, channel).is_some_and(|c| !blocked.contains(c))
}

/// Whether an appointment without outcome lies ahead.
#[must_use]
pub fn has_open_appointment(patient: &Patient, now: DateTime<Utc>) -> bool {
    patient.appointments.iter().any(|a| a.status == Status::Booked && a.start > now)
}

/// Whether an appointment without outcome lies less than 14 days behind. By the calendar, which
/// ends no later than 14 times 24 hours would.
#[must_use]
pub fn awaits_outcome(patient: &Patient, now: DateTime<Utc>, zone: Tz) -> bool {
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let recent = |at| day(now) - day(at) < TimeDelta::days(14);
    patient.appointments.iter().any(|a| a.status == Status::Booked && a.start <= now && recent(a.start))
}

/// Why a patient cannot be contacted at all at an instant; nothing when some channel is open.
#[must_use]
pub fn why_not(patient: &Patient, now: DateTime<Utc>, zone: Tz, blocked: &Blocked) -> Option<&'static str> {
    let day = now.with_timezone(&patient.zone).date_naive();
    if has_open_appointment(patient, now) {
        return Some("open-appointment");
    }
    if awaits_outcome(patient, now, zone) {
        return Some("awaiting-outcome");
    }
    match consent::on(&patient.statements, day) {
        Standing::OptedOut => Some("opted-out"),
        Standing::Unknown => Some("no-consent"),
        Standing::Agreed(_) if Channel::ALL.into_iter().any(|c| sendable(patient, c, day, blocked)) => None,
        Standing::Agreed(channels) if channels.iter().any(|c| contact(patient, *c).is_some()) => {
            Some("contact-opted-out")
        }
        Standing::Agreed(_) => Some("no-usable-contact"),
    }
}
