//! A clinic's agenda: the slots it reports as free, and what patients booked through the product.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::chance::Chance;
use crate::judge::Judge;
use crate::wire::tenant_of;
use crate::writes::{Item, number, text};

/// A clinic's agenda.
#[derive(Debug, Clone, Default)]
pub struct Agenda {
    /// When each slot begins, by the clinic's clock; none where the clinic reports none.
    free: BTreeSet<NaiveDateTime>,
    /// Whether the clinic reports its slots at all.
    pub is_reported: bool,
    /// Length of a slot in minutes, where the clinic has a timetable in place of a file.
    pub timetable: Option<u32>,
    /// What was booked through the product, as its table has it: by its number, whose and when.
    booked: BTreeMap<String, (usize, i64)>,
    exported: BTreeSet<String>,
    /// Visits of the clinic's own that patients called off through the product: whose and when.
    called_off: BTreeSet<(usize, i64)>,
}

impl Agenda {
    /// Draws an agenda: a timetable, or a file of no, a few or many slots.
    #[must_use]
    pub fn draw(begins: NaiveDate, chance: &mut Chance) -> Self {
        if chance.per_mille(300) {
            return Self { timetable: Some(chance.pick(&[30, 60], 30)), ..Self::default() };
        }
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

impl Judge {
    /// Whether somebody else surely has a visit of the clinic's own within a slot's time: one that every
    /// export has told since the last that landed, and that nobody called off.
    fn is_somebodys(&self, clinic: usize, start: i64, ms: i64, booked_by: Option<usize>) -> bool {
        let Some(of) = self.clinics.get(clinic).filter(|of| of.landed.is_some()) else { return false };
        let versions = of.landed.unwrap_or(0)..=of.told;
        let people = of.facts.first().map_or(0, Vec::len);
        (0..people).filter(|n| Some(*n) != booked_by).any(|n| {
            let mut told = versions.clone().map(|version| of.known(version, n).and_then(|who| who.booked));
            let Some(Some(at)) = told.next() else { return false };
            (start..start + ms).contains(&at) && told.all(|other| other == Some(at)) && !of.agenda.is_called_off(n, at)
        })
    }

    /// A slot is taken: of a timetable, not over a visit that the clinic's own system has.
    pub(crate) fn takes_a_slot(&mut self, clinic: usize, slot: &Item) {
        self.reach("slot taken");
        let (start, minutes) = (number(slot, "start").unwrap_or(0), number(slot, "min").unwrap_or(0));
        if text(slot, "src").is_none() {
            return;
        }
        self.reach("slot of a timetable taken");
        let by = text(slot, "bk_p").and_then(|id| id.parse().ok());
        if self.is_somebodys(clinic, start, minutes * 60_000, by) {
            self.object("a slot was booked over a visit of the clinic's own");
        }
    }

    /// At rest a timetable's free slot is nobody's.
    pub(crate) fn rests_free(&mut self, now: i64, slot: &Item) {
        let clinic = self.clinic_of(tenant_of(text(slot, "pk").unwrap_or(""))).unwrap_or(usize::MAX);
        let (start, minutes) = (number(slot, "start").unwrap_or(0), number(slot, "min").unwrap_or(0));
        if text(slot, "src").is_none() || start <= now {
            return;
        }
        self.reach("rest slot of a timetable");
        if self.is_somebodys(clinic, start, minutes * 60_000, None) {
            self.object("at rest: a slot is offered over a visit of the clinic's own");
        }
    }
}
