//! The small scopes: which clinic, which patients, which messages.

use std::sync::Arc;

use chrono::{DateTime, Days, TimeDelta, TimeZone, Utc};
use chrono_tz::America::Argentina::Buenos_Aires;
use retorno_domain::channel::ChannelSet;
use retorno_domain::enrollment::{Enrollment, State};
use retorno_domain::ids::{ClinicId, EnrollmentId, FlowId, SegmentId};
use retorno_domain::settings::clinic_from_toml;

use super::{Bounds, SendModel};
use crate::guard::Off;
use crate::people::{Making, patient};
use crate::table::{ContactKey, NewEnrollment, Table};
use crate::worker::{Order, Protocol};

/// Which two messages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Two messages to one patient.
    OnePatient,
    /// One message to each of two patients who share a phone.
    SharedPhone,
    /// One message to each of two patients, by a number that may write to one person a day.
    FullNumber,
}

/// Instants of the clock, in seconds from the first, which is a Monday at ten: later than a call may
/// begin; later than a claim stays in flight; after contact hours; later than evidence is waited for.
pub(super) const INSTANTS: [i64; 5] = [0, 3, 6 * 60, 11 * 3_600, 9 * 86_400];

/// The instant of that number.
pub(super) fn instant(number: usize) -> DateTime<Utc> {
    let seconds = INSTANTS.get(number).copied().unwrap_or_default();
    // Ten o'clock in Buenos Aires, three hours behind, on Monday 2 March 2026.
    Utc.timestamp_millis_opt(1_772_456_400_000).single().unwrap_or_default() + TimeDelta::seconds(seconds)
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::OnePatient, Self::SharedPhone, Self::FullNumber];

    /// The most messages that may reach the phone, or the people reached by the number in a day.
    #[must_use]
    pub fn accepts_max(self) -> u8 {
        1
    }

    fn settings(self) -> String {
        let steps = match self {
            Self::OnePatient => {
                "{ id = \"a\", offset_days = 0, channel = \"whatsapp\" }, { id = \"b\", offset_days = 0, channel = \"whatsapp\" }"
            }
            Self::SharedPhone | Self::FullNumber => "{ id = \"a\", offset_days = 0, channel = \"whatsapp\" }",
        };
        let (cap, tier) = if self == Self::FullNumber { (2, 1) } else { (1, 250) };
        format!(
            "zone = \"America/Argentina/Buenos_Aires\"\n\
             [limits]\nwhatsapp_max = {cap}\nrest_days = 0\nper_day_max = 2\nwhatsapp_daily_tier = {tier}\n\
             [[segments]]\nid = \"s\"\nflow = \"f\"\nrules = [{{ last_visit_days = {{ min = 1 }} }}]\n\
             [[flows]]\nid = \"f\"\nversion = 1\nclose_after_days = 10\nsteps = [{steps}]\n"
        )
    }

    fn patients(self) -> usize {
        if self == Self::OnePatient { 1 } else { 2 }
    }
}

impl SendModel {
    /// The model of a scope.
    ///
    /// # Errors
    /// When the scope's settings or patients make no sense, which theirs do.
    pub fn new(scope: Scope, protocol: Protocol, off: Off, bounds: Bounds) -> Result<Self, Box<dyn std::error::Error>> {
        let id = ClinicId::parse("model")?;
        let clinic = Arc::new(clinic_from_toml(id.clone(), &scope.settings(), None)?);
        let (now, zone) = (instant(0), Buenos_Aires);
        let today = clinic.date(now);
        let (mut start, mut orders) = (Table::default(), Vec::new());
        for number in 0..scope.patients() {
            let shared = if scope == Scope::SharedPhone { 0 } else { number };
            let agreed = Some((today.checked_sub_days(Days::new(90)).unwrap_or(today), ChannelSet::ALL));
            let visit = now - TimeDelta::days(60);
            let person = patient(&Making { number, phone: Some(shared), email: None, zone, visit, agreed })?;
            let segment = SegmentId::parse("s")?;
            let enrollment = Enrollment {
                id: EnrollmentId::of(&id, &person.id, &segment, today),
                patient: person.id.clone(),
                segment,
                flow: FlowId::parse("f")?,
                flow_version: 1,
                week: clinic.week(now),
                seat: u32::try_from(number)?,
                state: State::Running { step: 0, due: now },
                first_sent_on: None,
                told_at: None,
                wakes: 1,
                epoch: clinic.epoch,
            };
            let enrolled = enrollment.id;
            let patient = start.add_patient(person);
            // An import gave the second the phone of the first after both were enrolled.
            let new =
                NewEnrollment { patient, enrollment, patient_version: 1, contacts: Vec::new(), busy_until: now, now };
            start.enroll(&new).map_err(|_| "not enrolled")?;
            let steps = if scope == Scope::OnePatient { 2 } else { 1 };
            orders.extend((0..steps).map(|step| Order { patient, enrollment: Some(enrolled), step: Some(step) }));
        }
        let first = start.collection(0).ok_or("nobody")?;
        let phone = ContactKey::phone(&first.patient.patient).ok_or("no phone")?;
        orders.push(Order { patient: 0, enrollment: None, step: None });
        Ok(Self { scope, protocol, off, bounds, clinic, start, orders, phone })
    }
}
