//! Rows of an export, understood: grouped by patient, with phones read as in the clinic's country
//! and instants as in the row's zone.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use retorno_domain::appointment::{Appointment, AppointmentStatus, PlanSession};
use retorno_domain::calendar::resolve_local;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact::{EmailAddress, PersonName, Phone, UnusableName};
use retorno_domain::guardian::{AsOf, Guardian, Guardianship, Told, of_age_on};
use retorno_domain::holiday::Country;
use retorno_domain::ids::{AppointmentId, PatientId};
use retorno_domain::patient::{Patient, Profile, Report};
use retorno_domain::services::fold;

use crate::export::{
    ConsentCell, ConsentChannel, ConsentChannels, ExportReader, ExportRow, GuardianCells, Refusal, RefusalReason,
    StartCell, StatusCell,
};

/// The rows of a file, by patient, and those that did not land.
#[derive(Debug, Default)]
pub(crate) struct Grouped {
    pub(crate) patients: BTreeMap<PatientId, Vec<Report>>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) read: u64,
    pub(crate) accepted: u64,
}

/// A file as a whole, where nothing is stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Understood {
    /// The patients it speaks of, by their ids.
    pub patients: Vec<Patient>,
    /// The rows that did not land.
    pub refusals: Vec<Refusal>,
    /// Rows that landed.
    pub accepted: u64,
}

/// Reads the rest of a file and says what a clinic's first import would make of it, without storing
/// anything. The order of its rows does not matter.
pub fn understood<R: Read>(reader: &mut ExportReader<R>, clinic: &Clinic) -> Understood {
    let grouped = group(reader, clinic, |_, _| {});
    let patient = |(id, reports): (PatientId, Vec<Report>)| patient_of(&id, reports);
    let patients = grouped.patients.into_iter().filter_map(patient).collect();
    Understood { patients, refusals: grouped.refusals, accepted: grouped.accepted }
}

/// The patient that these reports make; nothing when there are none.
pub(crate) fn patient_of(id: &PatientId, reports: Vec<Report>) -> Option<Patient> {
    let mut reports = reports.into_iter();
    let mut patient = Patient::new(id.clone(), reports.next()?);
    for report in reports {
        patient.absorb(report);
    }
    Some(patient)
}

/// The longest name kept, in characters.
const NAME_CHARS_MAX: usize = 200;

/// One text kept once, however many rows repeat it.
#[derive(Default)]
struct Interned(HashSet<Arc<str>>);

impl Interned {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let kept: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&kept));
        kept
    }
}

/// Reads all rows. `on_row` hears how many rows and bytes were read so far.
pub(crate) fn group<R: Read>(
    reader: &mut ExportReader<R>,
    clinic: &Clinic,
    mut on_row: impl FnMut(u64, u64),
) -> Grouped {
    let mut grouped = Grouped::default();
    let mut texts = Interned::default();
    let mut undated: Vec<(PatientId, usize)> = Vec::new();
    let mut newest_outcome: Option<DateTime<Utc>> = None;
    while let Some(row) = reader.next() {
        let understood = row.and_then(|row| {
            let line = row.line;
            let dated = row.updated.is_some();
            understand(row, clinic, &mut texts)
                .map(|(id, report)| (id, report, dated))
                .map_err(|(column, reason)| Refusal { line, column: Some(column), reason })
        });
        match understood {
            Ok((id, report, dated)) => {
                grouped.accepted += 1;
                if report.appointment.status.is_final() {
                    newest_outcome = newest_outcome.max(Some(report.appointment.start));
                }
                let reports = grouped.patients.entry(id.clone()).or_default();
                if !dated {
                    undated.push((id, reports.len()));
                }
                reports.push(report);
            }
            Err(refusal) => grouped.refusals.push(refusal),
        }
        on_row(reader.rows_read(), reader.bytes_read());
    }
    grouped.read = reader.rows_read();
    // A row that does not say when it was written is dated by the newest outcome in its file, which
    // is about when the file was made: so a newer file wins over an older one all the same.
    for (id, index) in undated {
        let report = grouped.patients.get_mut(&id).and_then(|reports| reports.get_mut(index));
        if let (Some(report), Some(as_of)) = (report, newest_outcome) {
            report.appointment.as_of = as_of;
            report.profile.as_of.0 = as_of;
            report.guardianship.date(as_of);
        }
    }
    grouped
}

type RowFault = (&'static str, RefusalReason);

fn instant(cell: StartCell, zone: Tz) -> DateTime<Utc> {
    match cell.offset {
        Some(offset) => cell
            .local
            .and_local_timezone(offset)
            .single()
            .map_or_else(|| resolve_local(cell.local, zone), |at| at.to_utc()),
        None => resolve_local(cell.local, zone),
    }
}

fn understand(row: ExportRow, clinic: &Clinic, texts: &mut Interned) -> Result<(PatientId, Report), RowFault> {
    let name =
        PersonName::parse(&row.patient_name).map_err(|why| ("paciente_nombre", name_fault(why, &row.patient_name)))?;
    let phone = Phone::parse(&row.phone, clinic.country);
    let email = EmailAddress::parse(&row.email);
    let id = match &row.patient_id {
        Some(id) => PatientId::parse(id),
        None => PatientId::parse(&key_of(&row, phone.as_ref().ok(), email.as_ref().ok())),
    };
    let id = id.map_err(|_| ("paciente_id", RefusalReason::IdHasControl))?;
    let start = instant(row.start, row.zone);
    // Replaced by the file's date when the row has none.
    let as_of = row.updated.map_or(DateTime::UNIX_EPOCH, |cell| instant(cell, row.zone));
    let appointment_id =
        AppointmentId::parse(&row.appointment_id).map_err(|_| ("id_cita", RefusalReason::IdHasControl))?;
    let session = match (row.session, row.sessions_total) {
        (Some(done), Some(total)) => Some(PlanSession { done, total }),
        _ => None,
    };
    let consent = row.consent.as_ref().map(statement);
    let appointment = Appointment {
        id: appointment_id.clone(),
        start,
        status: status(row.status),
        professional: texts.get(&row.professional),
        service: texts.get(&row.service),
        amount_cents: row.amount_cents,
        session,
        lead_source: row.lead_source.as_deref().map(|lead| texts.get(lead)),
        as_of,
    };
    let insurer = row.insurer.as_deref().map(|insurer| texts.get(insurer));
    let stamp = (as_of, appointment_id);
    let guardianship = guardianship(row.birth, row.guardian.as_ref(), &stamp, clinic.country)?;
    let profile = Profile { name, phone, email, zone: row.zone, insurer, as_of: stamp };
    Ok((id, Report { profile, guardianship, appointment, consent }))
}

/// What a row says of age and guardian: nothing where the export has no such columns, and no guardian
/// where their cells are empty.
fn guardianship(
    birth: Option<NaiveDate>,
    guardian: Option<&GuardianCells>,
    as_of: &AsOf,
    country: Country,
) -> Result<Guardianship, RowFault> {
    let told = |cells: &GuardianCells| {
        let name = match PersonName::parse(&cells.name) {
            Ok(name) => Some(name),
            Err(UnusableName::Missing) => None,
            Err(UnusableName::TooLong) => return Err(("tutor_nombre", name_fault(UnusableName::TooLong, &cells.name))),
        };
        let guardian =
            Guardian { name, phone: Phone::parse(&cells.phone, country), email: EmailAddress::parse(&cells.email) };
        let what = (!cells.is_empty()).then(|| Box::new(guardian));
        Ok(Told { what, as_of: as_of.clone() })
    };
    let of_age = birth.and_then(|born| of_age_on(born, country));
    Ok(Guardianship {
        of_age: of_age.map(|what| Told { what, as_of: as_of.clone() }),
        guardian: guardian.map(told).transpose()?,
    })
}

fn name_fault(why: UnusableName, name: &str) -> RefusalReason {
    match why {
        UnusableName::TooLong => RefusalReason::TextTooLong { chars: name.chars().count(), max_chars: NAME_CHARS_MAX },
        UnusableName::Missing => RefusalReason::Empty,
    }
}

/// The key of a patient whom the system gives no number: the best contact and the name, so that two
/// people who share a phone stay two.
fn key_of(row: &ExportRow, phone: Option<&Phone>, email: Option<&EmailAddress>) -> String {
    let contact = match (phone, email) {
        (Some(phone), _) => phone.e164.as_str().to_owned(),
        (None, Some(email)) => email.as_str().to_owned(),
        (None, None) => fold(&row.phone),
    };
    let name = uuid::Uuid::new_v5(
        &uuid::Uuid::NAMESPACE_OID,
        format!("{contact}\u{1f}{}", fold(&row.patient_name)).as_bytes(),
    );
    format!("sin-id-{}", name.simple())
}

fn status(cell: StatusCell) -> AppointmentStatus {
    match cell {
        StatusCell::Booked => AppointmentStatus::Booked,
        StatusCell::Confirmed => AppointmentStatus::Confirmed,
        StatusCell::Completed => AppointmentStatus::Completed,
        StatusCell::Cancelled => AppointmentStatus::Cancelled,
        StatusCell::NoShow => AppointmentStatus::NoShow,
    }
}

fn statement(cell: &ConsentCell) -> Statement {
    let channel = |channel: &ConsentChannel| match channel {
        ConsentChannel::Whatsapp => Channel::Whatsapp,
        ConsentChannel::Email => Channel::Email,
        ConsentChannel::Sms => Channel::Sms,
        ConsentChannel::Call => Channel::Call,
        ConsentChannel::Push => Channel::Push,
    };
    let (on, wish) = match cell {
        ConsentCell::OptIn { date, channels: ConsentChannels::All } => (*date, Wish::OptIn(ChannelSet::ADDRESSED)),
        ConsentCell::OptIn { date, channels: ConsentChannels::Only(list) } => {
            (*date, Wish::OptIn(list.iter().map(channel).collect()))
        }
        ConsentCell::OptOut { date } => (*date, Wish::OptOut),
    };
    Statement::of_all(on, wish, Source::Import)
}
