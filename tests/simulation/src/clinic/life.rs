//! What becomes of a clinic's people, and the rows that tell it.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{CHANNELS, Clinic, Person, agreement};
use crate::chance::Chance;

/// Of what may become of somebody: a date is taken.
const A_DATE: usize = 3;
/// They agree to be written to.
const AN_AGREEMENT: usize = 1;

impl Clinic {
    /// Something becomes of somebody, one of `about` if any are named: a new version of the facts.
    pub fn live_on(&mut self, now: DateTime<Utc>, about: &[usize], chance: &mut Chance) -> usize {
        self.live_so(now, about, None, chance)
    }

    /// Somebody takes a date at the desk, unless they have one: a new version of the facts.
    pub fn takes_a_date(&mut self, now: DateTime<Utc>, person: usize, chance: &mut Chance) -> usize {
        self.live_so(now, &[person], Some(A_DATE), chance)
    }

    fn live_so(&mut self, now: DateTime<Utc>, about: &[usize], what: Option<usize>, chance: &mut Chance) -> usize {
        let mut people = self.facts.last().cloned().unwrap_or_default();
        let version = self.facts.len();
        // Of two rows written in the same second nobody can say which is the newer.
        self.written = now.timestamp().max(self.written + 1);
        let local = DateTime::from_timestamp(self.written, 0).unwrap_or(now).with_timezone(&self.zone);
        let mut told = BTreeSet::new();
        let (today, updated) = (local.date_naive(), local.format("%Y-%m-%dT%H:%M:%S").to_string());
        let mut rows: Vec<String> = (0..people.len()).filter_map(|n| self.first_row(n, version)).collect();
        // Whoever has come of age is asked anew: what was agreed to was the guardian's word.
        let is_grown = |who: &Person| who.has_outgrown(who.said_on.unwrap_or(self.begins), today);
        let grown = people.iter().position(is_grown).filter(|_| what.is_none() && chance.per_mille(700));
        for turn in 0..chance.between(1, 4) {
            let anybody = chance.below(people.len());
            let (n, what) = match grown.filter(|_| turn == 0) {
                Some(grown) => (grown, Some(AN_AGREEMENT)),
                None => (chance.pick(about, anybody), what),
            };
            let Some(mut person) = people.get(n).filter(|person| person.appears < version).cloned() else { continue };
            if !told.insert(n) {
                continue;
            }
            let row = self.change(n, &mut person, (version, what), today, &updated, now, chance);
            rows.extend(row);
            if let Some(place) = people.get_mut(n) {
                *place = person;
            }
        }
        // The clinic's system learns of what was booked through the product, under a number of its own.
        for (id, n, start) in self.agenda.taken_over(chance) {
            let Some(person) = people.get(n).filter(|person| person.appears < version && told.insert(n)) else {
                continue;
            };
            let at = start.with_timezone(&person.zone.unwrap_or(self.zone)).naive_local();
            rows.push(self.row_at(n, person, &format!("k{id}"), at, "reservado", "", &updated));
        }
        self.rows.resize(version, Vec::new());
        self.rows.push(rows);
        self.facts.push(people);
        version
    }

    #[expect(clippy::too_many_arguments, reason = "everything a change depends on")]
    fn change(
        &self,
        n: usize,
        person: &mut Person,
        (version, what): (usize, Option<usize>),
        today: NaiveDate,
        updated: &str,
        now: DateTime<Utc>,
        chance: &mut Chance,
    ) -> Option<String> {
        let past = self.begins.checked_sub_days(Days::new(person.visit_days_ago))?;
        let may_speak = person.said_on != Some(today);
        let any = chance.below(7);
        match what.unwrap_or(any) {
            0 if may_speak => {
                (person.is_out, person.said_on) = (true, Some(today));
                person.agreed.clear();
                let said = format!("opt-out {today}");
                Some(self.row(n, person, &format!("s{n}x{version}"), past, "cancelado", &said, updated))
            }
            AN_AGREEMENT if may_speak => {
                (person.is_out, person.said_on) = (false, Some(today));
                let channels: &[&str] = chance.pick(&[&CHANNELS[..], &CHANNELS[..1], &CHANNELS[1..2]], &CHANNELS);
                person.agreed = channels.iter().copied().collect();
                let said = agreement(today, &person.agreed);
                Some(self.row(n, person, &format!("s{n}x{version}"), past, "cancelado", &said, updated))
            }
            2 => {
                person.phone = Some(self.phone(100 + n + 40 * (version % 4)));
                Some(self.row(n, person, &format!("v{n}"), past, "completado", "", updated))
            }
            A_DATE if person.booked.is_none_or(|at| at < now.timestamp_millis()) => {
                let day = today.checked_add_days(Days::new(u64::try_from(chance.between(1, 20)).ok()?))?;
                let start =
                    day.and_hms_opt(10, 30, 0)?.and_local_timezone(person.zone.unwrap_or(self.zone)).earliest()?;
                person.booked = Some(start.timestamp_millis());
                Some(self.row(n, person, &format!("b{n}"), day, "reservado", "", updated))
            }
            // Came by today: belongs to no segment any more.
            4 => Some(self.row(n, person, &format!("c{n}x{version}"), today, "completado", "", updated)),
            // Was booked for yesterday, and nobody says whether they came.
            5 => {
                let day = today.pred_opt()?;
                Some(self.row(n, person, &format!("w{n}x{version}"), day, "reservado", "", updated))
            }
            6 if person.booked.is_some() => {
                let start = DateTime::from_timestamp_millis(person.booked?)?;
                person.booked = None;
                let day = start.with_timezone(&person.zone.unwrap_or(self.zone)).date_naive();
                Some(self.row(n, person, &format!("b{n}"), day, "cancelado", "", updated))
            }
            _ => None,
        }
    }
}
