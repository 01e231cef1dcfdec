//! A clinic's agenda: the slots it reports as free, and what patients booked through the product.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::chance::Chance;

/// A clinic's agenda.
#[derive(Debug, Clone, Default)]
pub struct Agenda {
    /// When each slot begins, by the clinic's clock; none where the clinic reports none.
    free: BTreeSet<NaiveDateTime>,
    /// Whether the clinic reports its slots at all.
    pub is_reported: bool,
    /// What was booked through the product, as its table has it: by its number, whose and when.
    booked: BTreeMap<String, (usize, i64)>,
    exported: BTreeSet<String>,
    /// Visits of the clinic's own that patients called off through the product: whose and when.
    called_off: BTreeSet<(usize, i64)>,
}

impl Agenda {
    /// Draws an agenda: none, a few slots, or many.
    #[must_use]
    pub fn draw(begins: NaiveDate, chance: &mut Chance) -> Self {
        let most = chance.pick(&[0, 6, 14, 60], 0);
        let mut agenda = Self { is_reported: most > 0, ..Self::default() };
        for _ in 0..most {
            agenda.add(begins, chance);
        }
        agenda
    }

    fn add(&mut self, from: NaiveDate, chance: &mut Chance) {
        let day = from.checked_add_days(Days::new(u64::try_from(chance.between(1, 24)).unwrap_or(1)));
        let hour = u32::try_from(chance.between(9, 18)).unwrap_or(9);
        let time = NaiveTime::from_hms_opt(hour, 15 * u32::try_from(chance.below(4)).unwrap_or(0), 0);
        if let (Some(day), Some(time)) = (day, time) {
            self.free.insert(day.and_time(time));
        }
    }

    /// The clinic looks at its agenda again: something is gone, something is new.
    pub fn moves_on(&mut self, today: NaiveDate, chance: &mut Chance) {
        for _ in 0..chance.between(0, 3) {
            let at = chance.below(self.free.len());
            if let Some(gone) = self.free.iter().nth(at).copied() {
                self.free.remove(&gone);
            }
            self.add(today, chance);
        }
    }

    /// The file of free slots.
    #[must_use]
    pub fn file(&self, zone: Tz) -> String {
        let mut lines = vec!["id_hueco,fecha_hora_inicio,zona_horaria,profesional,duracion_min".to_owned()];
        let row = |at: &NaiveDateTime| {
            format!("h{},{},{},Dra. Lima,30", at.and_utc().timestamp(), at.format("%Y-%m-%dT%H:%M:%S"), zone.name())
        };
        lines.extend(self.free.iter().map(row));
        lines.join("\n") + "\n"
    }

    /// A booking stands in the table, or stands no longer.
    pub fn stands(&mut self, id: &str, booked: Option<(usize, i64)>) {
        match booked {
            Some(booked) => {
                self.booked.insert(id.to_owned(), booked);
            }
            None => {
                self.booked.remove(id);
            }
        }
    }

    /// A patient called a visit off.
    pub fn call_off(&mut self, person: usize, start_ms: i64) {
        self.called_off.insert((person, start_ms));
    }

    /// Whether a patient called that visit off, whatever the clinic's export still says.
    #[must_use]
    pub fn is_called_off(&self, person: usize, start_ms: i64) -> bool {
        self.called_off.contains(&(person, start_ms))
    }

    /// Whether somebody has a visit, booked through the product, after an instant.
    #[must_use]
    pub fn is_booked(&self, person: usize, after_ms: i64) -> bool {
        self.booked.values().any(|(who, start)| *who == person && *start > after_ms)
    }

    /// Bookings that the clinic's system takes over now: the number, whose, and when.
    pub fn taken_over(&mut self, chance: &mut Chance) -> Vec<(usize, usize, DateTime<Utc>)> {
        let mut found = Vec::new();
        for (id, (person, start)) in &self.booked {
            if self.exported.contains(id) || !chance.per_mille(500) {
                continue;
            }
            self.exported.insert(id.clone());
            if let Some(start) = DateTime::from_timestamp_millis(*start) {
                found.push((self.exported.len(), *person, start));
            }
        }
        found
    }
}
