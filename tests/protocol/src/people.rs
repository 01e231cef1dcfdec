//! Patients for the model: made of a number, with a phone, an e-mail address and a visit in the past.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use retorno_domain::appointment::{Appointment, AppointmentStatus};
use retorno_domain::channel::ChannelSet;
use retorno_domain::consent::{Consent, Source, Statement, Wish};
use retorno_domain::contact::{E164, EmailAddress, Line, PersonName, Phone, UnusableEmail, UnusablePhone};
use retorno_domain::guardian::Guardianship;
use retorno_domain::ids::{AppointmentId, PatientId};
use retorno_domain::patient::{Patient, Profile, SendingHistory};
use retorno_domain::subscription::Subscriptions;

/// What a patient is made of.
#[derive(Debug, Clone)]
pub struct Making {
    /// The patient's number.
    pub number: usize,
    /// The number of the phone; people with the same share it. Without one, none is usable.
    pub phone: Option<usize>,
    /// The number of the e-mail address, likewise.
    pub email: Option<usize>,
    /// The patient's zone.
    pub zone: Tz,
    /// The visit in the past.
    pub visit: DateTime<Utc>,
    /// The day of the agreement, and to which channels; without it, nothing was said.
    pub agreed: Option<(NaiveDate, ChannelSet)>,
}

/// A phone of that number, as Argentina writes mobiles.
///
/// # Errors
/// When the number makes no phone, which it does below a hundred million.
pub fn phone(number: usize) -> Result<Phone, UnusablePhone> {
    let e164 = E164::parse_strict(&format!("+54911{:08}", 40_000_000 + number)).map_err(|_| UnusablePhone::Invalid)?;
    Ok(Phone { e164, line: Line::Mobile })
}

/// An appointment.
///
/// # Errors
/// When the number makes no identifier, which none does.
pub fn appointment(
    id: &str,
    start: DateTime<Utc>,
    status: AppointmentStatus,
    as_of: DateTime<Utc>,
) -> Result<Appointment, retorno_domain::ids::BadId> {
    Ok(Appointment {
        id: AppointmentId::parse(id)?,
        start,
        status,
        professional: Arc::from("P"),
        service: Arc::from("control"),
        amount_cents: None,
        session: None,
        lead_source: None,
        as_of,
    })
}

/// The patient.
///
/// # Errors
/// When the numbers make no identifier or name, which none does.
pub fn patient(making: &Making) -> Result<Patient, Box<dyn std::error::Error>> {
    let number = making.number;
    let visit = appointment(&format!("v{number}"), making.visit, AppointmentStatus::Completed, making.visit)?;
    let email = |n| EmailAddress::parse(&format!("p{n}@example.org"));
    let statement = |(on, channels)| Statement::of_all(on, Wish::OptIn(channels), Source::Import);
    Ok(Patient {
        id: PatientId::parse(&format!("p{number}"))?,
        profile: Profile {
            name: PersonName::parse("Ana Paz")?,
            phone: making.phone.map_or(Err(UnusablePhone::Missing), phone),
            email: making.email.map_or(Err(UnusableEmail::Missing), email),
            zone: making.zone,
            insurer: None,
            as_of: (making.visit, visit.id.clone()),
        },
        guardianship: Guardianship::default(),
        consent: Consent::from_statements(making.agreed.map(statement).into_iter().collect()),
        appointments: vec![visit],
        paused: false,
        history: SendingHistory::default(),
        sequence: None,
        subscriptions: Subscriptions::default(),
        noted: None,
    })
}
