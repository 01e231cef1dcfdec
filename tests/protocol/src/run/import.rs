//! Imports, request by request: the contact points, the patient as read, the patient as changed.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::appointment::AppointmentStatus;
use retorno_domain::channel::{ChannelSet, Purpose};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::patient::Patient;

use super::count::Fault;
use super::judge::Said;
use super::sim::{Event, Sim};
use crate::people::{appointment, phone};
use crate::table::{ContactKey, PatientItem};
use crate::worker::Order;

/// An import of one patient's news, request by request.
#[derive(Debug, Clone)]
pub(super) struct Import {
    patient: usize,
    news: News,
    /// The patient as read, once read.
    read: Option<Arc<PatientItem>>,
}

/// What an import brings.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    Booking(usize, DateTime<Utc>),
    Outcome(usize, AppointmentStatus),
    OptOut,
    OptIn(ChannelSet),
    SaidToUs,
    Phone(usize),
}

impl Sim {
    pub(super) fn begin(&mut self, fault: Fault, patient: usize, news: News) {
        self.fault(fault);
        self.start(patient, news);
    }

    pub(super) fn start(&mut self, patient: usize, news: News) {
        self.importing.push(Import { patient, news, read: None });
        self.after_ms(1, Event::Import(self.importing.len() - 1));
    }

    fn set_imported(&mut self, patient: usize, item: &Patient, out: bool) {
        for key in ContactKey::all(item) {
            self.table.set_imported_opt_out(key, patient, out);
            let imported = &mut self.judge.points.entry(key).or_default().imported;
            if out {
                imported.insert(patient);
            } else {
                imported.remove(&patient);
            }
        }
    }

    /// An import's next request: an opt-out reaches the contact points first; then the patient is read,
    /// and stored if it still stands as read.
    pub(super) fn import(&mut self, number: usize) {
        let Some(Import { patient, news, read }) = self.importing.get(number).cloned() else { return };
        let Some(item) = self.table.collection(patient).map(|c| Arc::clone(&c.patient)) else { return };
        let ms = self.rng.i64(1..2_000);
        let Some(read) = read else {
            if matches!(news, News::OptOut | News::SaidToUs) {
                self.set_imported(patient, &item.patient, true);
            }
            let crashes = self.chance(self.knobs.step / 4);
            if crashes {
                self.fault(Fault::ImportCrash);
            } else if let Some(import) = self.importing.get_mut(number) {
                import.read = Some(item);
            }
            return self.after_ms(if crashes { 60_000 } else { ms }, Event::Import(number));
        };
        let Some(changed) = self.changed(&read.patient, news) else { return };
        if !self.table.replace_patient(patient, &changed, read.version) {
            if let Some(import) = self.importing.get_mut(number) {
                import.read = None;
            }
            return self.after_ms(ms, Event::Import(number));
        }
        self.say(|| format!("import: patient {patient} {news:?}"));
        self.learn(patient, news, &changed);
        self.order(Order { patient, enrollment: None, step: None }, self.now);
    }

    /// The patient with the news taken in.
    fn changed(&self, read: &Patient, news: News) -> Option<Patient> {
        let mut patient = read.clone();
        let today = self.clinic.date(self.now);
        match news {
            News::Booking(number, start) => {
                let id = format!("b{number}");
                patient.appointments.push(appointment(&id, start, AppointmentStatus::Booked, self.now).ok()?);
            }
            News::Outcome(number, status) => {
                let id = format!("b{number}");
                patient.appointments.iter_mut().find(|a| a.id.as_str() == id)?.status = status;
            }
            News::OptOut => {
                patient.consent.record(Statement::of_all(today, Wish::OptOut, Source::Import));
            }
            News::SaidToUs => {
                patient.consent.record(Statement::of_all(today, Wish::OptOut, Source::Recorded));
            }
            News::OptIn(channels) => {
                patient.consent.record(Statement::of_all(today, Wish::OptIn(channels), Source::Import));
            }
            News::Phone(number) => patient.profile.phone = phone(number),
        }
        Some(patient)
    }

    /// The judge learns what was written, and what follows is scheduled.
    fn learn(&mut self, patient: usize, news: News, changed: &Patient) {
        let today = self.clinic.date(self.now);
        let Some(person) = self.judge.people.get_mut(patient) else { return };
        match news {
            News::Booking(number, start) => {
                person.open.insert(number, start);
                let status = match self.rng.u32(..5) {
                    0 | 1 => Some(AppointmentStatus::Completed),
                    2 => Some(AppointmentStatus::Cancelled),
                    3 => Some(AppointmentStatus::NoShow),
                    _ => None,
                };
                if let Some(status) = status {
                    self.importing.push(Import { patient, news: News::Outcome(number, status), read: None });
                    let after = TimeDelta::hours(self.rng.i64(-30..60));
                    self.at((start + after).max(self.now), Event::Import(self.importing.len() - 1));
                }
            }
            News::Outcome(number, _) => {
                person.open.remove(&number);
            }
            News::OptOut => person.said.push(Said::No(today)),
            News::SaidToUs => person.said.push(Said::NoToUs),
            News::OptIn(channels) => {
                person.said.push(Said::Yes(today, channels));
                if !changed.consent.is_opted_out(Purpose::Marketing, today) {
                    self.set_imported(patient, changed, false);
                }
            }
            News::Phone(_) => {
                if changed.consent.is_opted_out(Purpose::Marketing, today) {
                    self.set_imported(patient, changed, true);
                }
            }
        }
    }
}
