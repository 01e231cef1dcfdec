//! A clinic's export with the standard columns, read row by row.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use csv::StringRecord;

use super::calendar::{Country, instant};
use super::consent::{Statement, read_cell};
use super::contact;

/// Everything the reference takes from an export.
pub struct Export {
    /// Rows after the header.
    pub read: usize,
    /// Rows taken.
    pub accepted: usize,
    /// Rows left out: the line in the file (the header is 1) and the column at fault.
    pub rejected: Vec<(u64, String)>,
    /// Patients by their id in the export.
    pub patients: BTreeMap<String, Patient>,
    /// The zone most rows are in: the clinic's.
    pub zone: Tz,
}

/// A patient. No `Debug`: it holds contacts.
pub struct Patient {
    /// `paciente_id`.
    pub id: String,
    /// The zone of the newest row.
    pub zone: Tz,
    /// The phone in E.164, where usable; a minor's is the guardian's.
    pub phone: Option<String>,
    /// The email in lower case, where usable; a minor's is the guardian's.
    pub email: Option<String>,
    /// A minor's own contacts: never written to, and blocked for others by an opt-out like any.
    pub unused: Vec<String>,
    /// Every consent stated in some row.
    pub statements: Vec<Statement>,
    /// One per `id_cita`, in its newest state.
    pub appointments: Vec<Appointment>,
}

/// An appointment in its newest state.
#[derive(Debug, Clone)]
pub struct Appointment {
    /// `id_cita`.
    pub id: String,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// `servicio`.
    pub service: String,
    /// `estado`.
    pub status: Status,
    /// `importe`, in hundredths.
    pub amount_cents: Option<i64>,
    /// `sesion` and `sesiones_total`, where both are there.
    pub session: Option<(u32, u32)>,
    updated: Option<NaiveDateTime>,
}

/// `estado`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `reservado` or `confirmado`: no outcome yet.
    Booked,
    /// `completado`.
    Completed,
    /// `cancelado` or `no-show`.
    Fallen,
}

/// The export read whole.
///
/// # Errors
/// When it is no export at all: unreadable CSV or a column missing.
pub fn read_export(csv: &[u8]) -> Result<Export, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    let headers = reader.headers().map_err(|e| e.to_string())?.clone();
    let width = headers.len();
    let columns: HashMap<String, usize> = headers.iter().enumerate().map(|(i, name)| (name.to_owned(), i)).collect();
    for needed in ["id_cita", "fecha_hora_inicio", "zona_horaria", "paciente_id", "estado", "consentimiento"] {
        if !columns.contains_key(needed) {
            return Err(format!("no column {needed}"));
        }
    }
    let mut rows = Vec::new();
    let mut rejected = Vec::new();
    let mut read = 0;
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        read += 1;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = Cells { columns: &columns, record: &record };
        match row(&cells) {
            Ok(row) if record.len() == width => rows.push(row),
            Ok(_) => rejected.push((line, "row".to_owned())),
            Err(column) => rejected.push((line, column.to_owned())),
        }
    }
    let accepted = rows.len();
    let zone = most_frequent_zone(&rows);
    Ok(Export { read, accepted, rejected, patients: patients(rows), zone })
}

struct Cells<'a> {
    columns: &'a HashMap<String, usize>,
    record: &'a StringRecord,
}

impl Cells<'_> {
    /// The trimmed cell; empty where the column is not there.
    fn get(&self, column: &str) -> &str {
        self.columns.get(column).and_then(|i| self.record.get(*i)).unwrap_or_default().trim()
    }
}

struct Row {
    patient_id: String,
    zone: Tz,
    phone: String,
    email: String,
    minor: bool,
    unused: [String; 2],
    statement: Option<Statement>,
    appointment: Appointment,
}

/// A row, or the column at fault.
fn row(cells: &Cells<'_>) -> Result<Row, &'static str> {
    let named = |column: &'static str| match cells.get(column) {
        "" => Err(column),
        value => Ok(value.to_owned()),
    };
    let zone: Tz = cells.get("zona_horaria").parse().map_err(|_| "zona_horaria")?;
    let local: NaiveDateTime = cells.get("fecha_hora_inicio").parse().map_err(|_| "fecha_hora_inicio")?;
    let status = match cells.get("estado") {
        "reservado" | "confirmado" => Status::Booked,
        "completado" => Status::Completed,
        "cancelado" | "no-show" => Status::Fallen,
        _ => return Err("estado"),
    };
    let number = |column: &'static str| match cells.get(column) {
        "" => Ok(None),
        n => n.parse::<u32>().map(Some).map_err(|_| column),
    };
    let updated = match cells.get("actualizado") {
        "" => None,
        at => Some(at.parse().map_err(|_| "actualizado")?),
    };
    let minor = is_minor(cells.get("fecha_nacimiento"), updated).map_err(|()| "fecha_nacimiento")?;
    let if_minor = |contact: String| if minor { contact } else { String::new() };
    let appointment = Appointment {
        id: named("id_cita")?,
        start: instant(local, zone),
        service: cells.get("servicio").to_owned(),
        status,
        amount_cents: cents(cells.get("importe")).map_err(|()| "importe")?,
        session: number("sesion")?.zip(number("sesiones_total")?),
        updated,
    };
    Ok(Row {
        patient_id: named("paciente_id")?,
        zone,
        phone: cells.get(if minor { "tutor_contacto" } else { "paciente_contacto" }).to_owned(),
        email: cells.get(if minor { "tutor_email" } else { "paciente_email" }).to_owned(),
        minor,
        unused: ["paciente_contacto", "paciente_email"].map(|own| cells.get(own).to_owned()).map(if_minor),
        statement: read_cell(cells.get("consentimiento")).map_err(|_| "consentimiento")?,
        appointment,
    })
}

/// Whether somebody born that day was under eighteen when the row was written; nobody's age is known
/// of an empty cell.
fn is_minor(born: &str, updated: Option<NaiveDateTime>) -> Result<bool, ()> {
    if born.is_empty() {
        return Ok(false);
    }
    let born: NaiveDate = born.parse().map_err(|_| ())?;
    let on = updated.ok_or(())?.date();
    Ok(on.years_since(born).is_none_or(|years| years < 18))
}

/// Hundredths of an amount written with a point and at most two decimals.
fn cents(written: &str) -> Result<Option<i64>, ()> {
    if written.is_empty() {
        return Ok(None);
    }
    let (whole, part) = written.split_once('.').unwrap_or((written, ""));
    if part.len() > 2 || !part.chars().all(|c| c.is_ascii_digit()) {
        return Err(());
    }
    let whole: u32 = whole.parse().map_err(|_| ())?;
    let part: i64 = format!("{part:0<2}").parse().map_err(|_| ())?;
    Ok(Some(i64::from(whole) * 100 + part))
}

fn most_frequent_zone(rows: &[Row]) -> Tz {
    let mut seen: BTreeMap<&str, (usize, Tz)> = BTreeMap::new();
    for row in rows {
        seen.entry(row.zone.name()).or_insert((0, row.zone)).0 += 1;
    }
    seen.into_values().max_by_key(|(n, _)| *n).map_or(Tz::UTC, |(_, zone)| zone)
}

/// Rows brought together by patient. Each appointment takes its newest row; contacts are those of
/// the patient's newest row that states one.
fn patients(mut rows: Vec<Row>) -> BTreeMap<String, Patient> {
    // Stable: rows of the same moment keep the file's order, with an outcome after a booking.
    rows.sort_by_key(|r| (r.appointment.updated, r.appointment.status != Status::Booked));
    let mut all: BTreeMap<String, Patient> = BTreeMap::new();
    let mut owner: HashMap<String, String> = HashMap::new();
    for row in rows {
        if let Some(previous) = owner.insert(row.appointment.id.clone(), row.patient_id.clone())
            && let Some(patient) = all.get_mut(&previous)
        {
            patient.appointments.retain(|a| a.id != row.appointment.id);
        }
        let patient = all.entry(row.patient_id.clone()).or_insert_with(|| Patient {
            id: row.patient_id,
            zone: row.zone,
            phone: None,
            email: None,
            unused: Vec::new(),
            statements: Vec::new(),
            appointments: Vec::new(),
        });
        patient.zone = row.zone;
        let [phone, email] = &row.unused;
        let own = [Country::of(row.zone).and_then(|c| contact::phone(phone, c)), contact::email(email)];
        patient.unused.extend(own.into_iter().flatten());
        // A minor has no contact but the guardian's, of the newest row.
        if row.minor || !row.phone.is_empty() {
            patient.phone = Country::of(row.zone).and_then(|c| contact::phone(&row.phone, c));
        }
        if row.minor || !row.email.is_empty() {
            patient.email = contact::email(&row.email);
        }
        patient.statements.extend(row.statement);
        patient.appointments.push(row.appointment);
    }
    all
}
