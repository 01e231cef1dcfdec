//! The agenda of what was booked through us: by day, and as files for the clinic's own system.

use std::collections::{BTreeMap, HashMap};

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use retorno_cloud::store::{Booking, BookingStatus, StoredPatient, Waiter, WaiterState};
use retorno_domain::appointment::AppointmentStatus;
use retorno_domain::calendar::{local_time, start_of_day};
use retorno_domain::ics::{CalendarEntry, feed, uid};
use retorno_domain::ids::PatientId;
use retorno_domain::reply::Wish;
use serde::Serialize;

use crate::inbox::local;
use crate::office::{Office, OpenClinic};
use crate::problem::Problem;

/// A page of the agenda has so many days.
pub const DAYS: i64 = 28;
/// Files reach so far ahead.
const AHEAD: TimeDelta = TimeDelta::days(400);

/// The columns of the file, as an export of an appointment system has them.
pub const COLUMNS: [&str; 9] = [
    "id_cita",
    "fecha_hora_inicio",
    "zona_horaria",
    "paciente_nombre",
    "paciente_contacto",
    "profesional",
    "servicio",
    "estado",
    "origen_lead",
];

/// A part of the agenda.
#[derive(Clone, Serialize)]
pub struct Agenda {
    /// The first day.
    pub from: NaiveDate,
    /// The day after the last.
    pub until: NaiveDate,
    /// Visits booked through us, earliest first, cancelled ones included.
    pub bookings: Vec<BookingView>,
    /// Slots still free, by day; nothing when the clinic never reported any.
    pub free_slots: Option<BTreeMap<NaiveDate, usize>>,
    /// Who would come if a slot were free, who asked first first.
    pub waitlist: Vec<WaiterView>,
}

/// A visit booked through us.
#[derive(Clone, Serialize)]
pub struct BookingView {
    /// Our number for it.
    pub id: String,
    /// The number that the clinic's system gave it.
    pub clinic_number: Option<String>,
    /// When it begins (RFC 3339, the clinic's zone).
    pub start: String,
    /// How long, in minutes; 0 when not known.
    pub minutes: u32,
    /// Whose.
    pub patient_id: String,
    /// Their name.
    pub patient: String,
    /// Their phone, or e-mail address.
    pub contact: String,
    /// With whom.
    pub professional: String,
    /// `reservado`, `confirmado` or `cancelado`.
    pub status: String,
    /// Where it came from.
    pub lead_source: Option<String>,
    /// By which channel it was made.
    pub via: String,
    /// When it was made (RFC 3339, the clinic's zone).
    pub made_at: String,
    /// The same instant as `start`.
    #[serde(skip)]
    pub start_at: DateTime<Utc>,
    /// How often it was changed.
    #[serde(skip)]
    sequence: u32,
}

/// Somebody on the waitlist.
#[derive(Clone, Serialize)]
pub struct WaiterView {
    /// Who.
    pub patient_id: String,
    /// Their name.
    pub patient: String,
    /// Since when (RFC 3339, the clinic's zone).
    pub since: String,
    /// Until when a slot is held for them, if one is (RFC 3339, the clinic's zone).
    pub offered_until: Option<String>,
    /// When they would rather come.
    #[serde(skip)]
    pub wish: Wish,
    /// The same instant as `since`.
    #[serde(skip)]
    pub since_at: DateTime<Utc>,
}

/// The agenda from a day on.
///
/// # Errors
/// [`Problem`].
pub async fn agenda(office: &Office, of: &OpenClinic, from: Option<NaiveDate>) -> Result<Agenda, Problem> {
    let (clinic, now) = (&of.clinic, office.now());
    let from = from.unwrap_or_else(|| clinic.date(now));
    let until = from.checked_add_signed(TimeDelta::days(DAYS)).unwrap_or(from);
    let (begin, end) = (start_of_day(from, clinic.zone), start_of_day(until, clinic.zone));
    let free_slots = if of.tenant.slots_are_known().await? {
        let mut by_day: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        for slot in of.tenant.free_slots(begin.max(now), end, None, now).await? {
            *by_day.entry(clinic.date(slot.start)).or_default() += 1;
        }
        Some(by_day)
    } else {
        None
    };
    let bookings = bookings(of, (begin, end), now).await?;
    Ok(Agenda { from, until, bookings, free_slots, waitlist: waitlist(of).await? })
}

async fn bookings(
    of: &OpenClinic,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<Vec<BookingView>, Problem> {
    let bookings = of.tenant.bookings(from, until).await?;
    let people = people(of, bookings.iter().map(|booking| &booking.patient)).await?;
    let today = of.clinic.date(now);
    Ok(bookings.iter().map(|booking| view(of, booking, people.get(&booking.patient), today)).collect())
}

async fn waitlist(of: &OpenClinic) -> Result<Vec<WaiterView>, Problem> {
    let waiters = of.tenant.waitlist().await?;
    let people = people(of, waiters.iter().map(|waiter| &waiter.patient)).await?;
    let zone = of.clinic.zone;
    let view = |waiter: Waiter| WaiterView {
        patient: name(people.get(&waiter.patient)),
        patient_id: waiter.patient.to_string(),
        since: local(waiter.since, zone),
        offered_until: match waiter.state {
            WaiterState::Waiting => None,
            WaiterState::Offered { until, .. } => Some(local(until, zone)),
        },
        wish: waiter.wish,
        since_at: waiter.since,
    };
    Ok(waiters.into_iter().map(view).collect())
}

async fn people<'a>(
    of: &OpenClinic,
    ids: impl Iterator<Item = &'a PatientId>,
) -> Result<HashMap<PatientId, StoredPatient>, Problem> {
    let mut ids: Vec<PatientId> = ids.cloned().collect();
    ids.sort();
    ids.dedup();
    let stored = of.tenant.patients(&ids, false).await?;
    Ok(stored.into_iter().map(|stored| (stored.patient.id.clone(), stored)).collect())
}

fn name(patient: Option<&StoredPatient>) -> String {
    patient.map(|stored| stored.patient.profile.name.as_str().to_owned()).unwrap_or_default()
}

fn view(of: &OpenClinic, booking: &Booking, patient: Option<&StoredPatient>, today: NaiveDate) -> BookingView {
    let contact = patient.map(|stored| stored.patient.through(today)).and_then(|through| {
        let phone = through.phone().map(|phone| phone.e164.as_str());
        phone.or_else(|| through.email().map(|email| email.as_str()))
    });
    let status = match booking.status {
        BookingStatus::Booked => AppointmentStatus::Booked,
        BookingStatus::Confirmed => AppointmentStatus::Confirmed,
        BookingStatus::Cancelled => AppointmentStatus::Cancelled,
    };
    BookingView {
        id: booking.id.to_string(),
        clinic_number: booking.clinic_number.as_ref().map(ToString::to_string),
        start: local(booking.start, of.clinic.zone),
        minutes: booking.minutes,
        patient_id: booking.patient.to_string(),
        patient: name(patient),
        contact: contact.unwrap_or_default().to_owned(),
        professional: booking.professional.clone(),
        status: status.code().to_owned(),
        lead_source: booking.lead_source.clone(),
        via: booking.via.clone(),
        made_at: local(booking.made_at, of.clinic.zone),
        start_at: booking.start,
        sequence: booking.sequence,
    }
}

/// Everything booked through us since the clinic was added.
async fn everything(office: &Office, of: &OpenClinic) -> Result<Vec<BookingView>, Problem> {
    let now = office.now();
    bookings(of, (of.since, now + AHEAD), now).await
}

/// The agenda as a CSV file for the clinic's system.
///
/// # Errors
/// [`Problem`].
pub async fn csv(office: &Office, of: &OpenClinic) -> Result<Vec<u8>, Problem> {
    let failed = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the file could not be written");
    let mut file = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // As in the export of an appointment system, but for what patients agreed to.
    file.write_record(COLUMNS).map_err(failed)?;
    let zone = of.clinic.zone;
    for booking in everything(office, of).await? {
        let start = local_time(booking.start_at, zone).format("%Y-%m-%dT%H:%M").to_string();
        let id = booking.clinic_number.as_ref().unwrap_or(&booking.id);
        let lead = booking.lead_source.as_deref().unwrap_or("");
        let cells = [
            id.as_str(),
            &start,
            zone.name(),
            &booking.patient,
            &booking.contact,
            &booking.professional,
            "",
            &booking.status,
            lead,
        ];
        file.write_record(cells.map(harmless)).map_err(failed)?;
    }
    file.into_inner().map_err(|_| Problem::bad("the file could not be written"))
}

/// A cell that no spreadsheet takes for a formula: an apostrophe before what would begin one. A phone
/// with its plus computes nothing and stays as it is.
fn harmless(cell: &str) -> String {
    let is_phone = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if formula && !cell.strip_prefix('+').is_some_and(is_phone) { format!("'{cell}") } else { cell.to_owned() }
}

/// The agenda as a feed that a calendar subscribes to.
///
/// # Errors
/// [`Problem`].
pub async fn calendar(office: &Office, of: &OpenClinic) -> Result<String, Problem> {
    let now = office.now();
    let entry = |booking: BookingView| {
        let lines = [booking.contact.as_str(), &booking.professional, booking.lead_source.as_deref().unwrap_or("")];
        let description = lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        let entry = CalendarEntry {
            uid: uid(&booking.id, &of.id),
            sequence: booking.sequence,
            stamp: now,
            start: booking.start_at,
            minutes: booking.minutes,
            summary: booking.patient,
            location: String::new(),
            description,
            invitation: None,
        };
        (entry, booking.status == AppointmentStatus::Cancelled.code())
    };
    let entries: Vec<(CalendarEntry, bool)> = everything(office, of).await?.into_iter().map(entry).collect();
    Ok(feed(&of.clinic.name, entries.iter().map(|(entry, cancelled)| (entry, *cancelled))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1", "+54 11", "+", "＝1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["", "Ana", "+5491155550100", "reactivación-higiene", "2026-03-05T10:00"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
