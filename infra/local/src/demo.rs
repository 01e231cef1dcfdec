//! Two clinics to look at before trying one's own export: made up, the same on every machine, and
//! dated from the day given, so that every segment always has members.
//!
//! What is in them on purpose: the six segments; open appointments, some just passed without an
//! outcome; no-shows and cancellations; families who share a phone; every kind of consent, some
//! withdrawn later; phones and addresses that are missing, old or wrong. Addresses end in
//! example.com or example.org, which nobody can own. Neither country sets phone numbers aside for
//! fiction, so all are in one block of Buenos Aires or São Paulo; nothing may be sent to them.

mod history;
mod people;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;
use std::fmt::Write;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use self::history::{Status, Visit, before, history, starts};
use self::people::Person;
use self::words::{Draw, Words};

/// Patients of each clinic.
const PATIENTS: u64 = 1000;
/// Days after today for which there are free slots.
const SLOT_DAYS: usize = 21;
/// Length of a slot and of an appointment, in minutes.
const SLOT_MINUTES: u16 = 30;

/// A made-up clinic, as its appointment system would export it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoClinic {
    /// Identifier, `a-z` only.
    pub id: &'static str,
    /// Name as patients know it.
    pub name: &'static str,
    /// IANA zone; all times of the files are local to it.
    pub zone: &'static str,
    /// Language of its messages, BCP 47.
    pub language: &'static str,
    /// Appointments in the standard columns, UTF-8, in order of time.
    pub export_csv: String,
    /// Free slots of the three weeks after today, in order of time.
    pub slots_csv: String,
}

/// Both clinics as they stand on the evening of the day before `today`: one in Buenos Aires with few
/// free slots, so that capacity limits its waves, and one in São Paulo with many.
#[must_use]
pub fn demo_clinics(today: NaiveDate) -> Vec<DemoClinic> {
    let aurora = Clinic {
        id: "aurora",
        name: "Clínica Aurora",
        zone: "America/Argentina/Buenos_Aires",
        language: "es-AR",
        seed: 0xA0,
        words: Words::parse(include_str!("../demo/aurora.csv")),
        free_percent: 2,
    };
    let ipe = Clinic {
        id: "ipe",
        name: "Clínica Ipê",
        zone: "America/Sao_Paulo",
        language: "pt-BR",
        seed: 0x1E,
        words: Words::parse(include_str!("../demo/ipe.csv")),
        free_percent: 6,
    };
    vec![aurora.on(today), ipe.on(today)]
}

/// What a clinic is made from.
struct Clinic {
    id: &'static str,
    name: &'static str,
    zone: &'static str,
    language: &'static str,
    seed: u64,
    words: Words,
    /// Share of the slots left over that are free, in percent.
    free_percent: u64,
}

/// What a row says beside the person and the visit.
struct Cells<'w> {
    /// Of the patient's appointments, from 1.
    number: usize,
    professional: &'w str,
    consent: String,
    updated: NaiveDateTime,
}

/// Who is with whom already, so that nobody is booked twice.
type Taken<'w> = BTreeSet<(NaiveDateTime, &'w str)>;

impl Clinic {
    fn on(&self, today: NaiveDate) -> DemoClinic {
        let mut taken = Taken::new();
        let mut rows: Vec<(NaiveDateTime, String)> = Vec::new();
        for number in 0..PATIENTS {
            let mut draw = Draw::new(self.seed, number);
            let person = Person::new(&self.words, self.language, self.seed, number);
            let visits = history(&self.words, today, &mut draw);
            let first_day = visits.iter().map(|visit| visit.start.date()).min().unwrap_or(today);
            let consent = person.consent(first_day, today, &mut draw);
            for (index, visit) in visits.iter().enumerate() {
                let professional = self.free_professional(visit.start, &mut taken, &mut draw);
                let cells = Cells {
                    number: index + 1,
                    professional,
                    consent: consent.on(visit.start.date()),
                    updated: updated(visit, today, &mut draw),
                };
                rows.push((visit.start, self.row(&person, visit, &cells, &mut draw)));
            }
        }
        rows.sort();
        DemoClinic {
            id: self.id,
            name: self.name,
            zone: self.zone,
            language: self.language,
            export_csv: export(rows),
            slots_csv: self.slots(today, &taken),
        }
    }

    /// Somebody who is free then; where nobody is, the appointment is squeezed in.
    fn free_professional<'w>(&'w self, start: NaiveDateTime, taken: &mut Taken<'w>, draw: &mut Draw) -> &'w str {
        let all = &self.words.professionals;
        let first = draw.index(all.len());
        let mut from_first = all.iter().cycle().skip(first).take(all.len());
        let free = from_first.find(|name| !taken.contains(&(start, name.as_str())));
        let chosen = free.or(all.get(first)).map_or("", String::as_str);
        taken.insert((start, chosen));
        chosen
    }

    fn row(&self, person: &Person, visit: &Visit<'_>, cells: &Cells<'_>, draw: &mut Draw) -> String {
        let amount = match visit.status {
            Status::Completed if !draw.percent(8) => {
                let cents = visit.service.amount * draw.between(85, 115);
                format!("{}.{:02}", cents / 100, cents % 100)
            }
            Status::Completed | Status::Cancelled | Status::NoShow | Status::Booked | Status::Confirmed => {
                String::new()
            }
        };
        let session = visit.session.map(|session| session.to_string()).unwrap_or_default();
        let sessions = if visit.service.sessions == 0 { String::new() } else { visit.service.sessions.to_string() };
        let cells = [
            &format!("{}{:02}", person.id, cells.number),
            &visit.start.format("%Y-%m-%dT%H:%M:%S").to_string(),
            self.zone,
            &person.id,
            &person.name,
            &person.phone,
            &person.email,
            cells.professional,
            &visit.service.name,
            visit.status.word(),
            &amount,
            &session,
            &sessions,
            &person.insurer,
            &person.lead_source,
            &cells.consent,
            &cells.updated.format("%Y-%m-%dT%H:%M:%S").to_string(),
        ];
        cells.map(quoted).join(",")
    }

    fn slots(&self, today: NaiveDate, taken: &Taken<'_>) -> String {
        let mut csv = "id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min\n".to_owned();
        let mut draw = Draw::new(self.seed, PATIENTS);
        let mut number = 0;
        for day in today.iter_days().skip(1).take(SLOT_DAYS) {
            for start in starts(day) {
                for professional in &self.words.professionals {
                    // Drawn for every one, so that one booking moves no other slot.
                    let free = draw.percent(self.free_percent);
                    if free && !taken.contains(&(start, professional.as_str())) {
                        number += 1;
                        let start = start.format("%Y-%m-%dT%H:%M:%S");
                        // Writing to a String cannot fail.
                        let _ = writeln!(csv, "H{number:05},{start},{},{professional},{SLOT_MINUTES}", self.zone);
                    }
                }
            }
        }
        csv
    }
}

/// When the appointment system last changed the row: never after the evening before today.
fn updated(visit: &Visit<'_>, today: NaiveDate, draw: &mut Draw) -> NaiveDateTime {
    let day = visit.start.date();
    let days_before = draw.between(1, 6);
    let day = match visit.status {
        Status::Completed | Status::NoShow => day,
        Status::Cancelled => before(day, days_before),
        Status::Booked | Status::Confirmed => before(day.min(today), days_before),
    };
    // The clinic closes its day at eight.
    day.and_time(NaiveTime::from_hms_opt(20, 0, 0).unwrap_or_default())
}

fn export(rows: Vec<(NaiveDateTime, String)>) -> String {
    let mut csv = "id_cita,fecha_hora_inicio,zona_horaria,paciente_id,paciente_nombre,paciente_contacto,\
                   paciente_email,profesional,servicio,estado,importe,sesion,sesiones_total,convenio,\
                   origen_lead,consentimiento,actualizado\n"
        .to_owned();
    for (_, row) in rows {
        csv.push_str(&row);
        csv.push('\n');
    }
    csv
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}
