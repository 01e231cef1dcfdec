//! The judge: a run's message list against the export it was made from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::calendar::{Country, instant, monday_of, opening};
use super::export::{Export, Patient};
use super::message::{Message, read_line};
use super::notes::{Note, notes};
use super::segment::{Mean, threshold};
use super::sequences::{self, sequences};
use super::slots::Slots;
use super::standing::{Blocked, blocked_on};
use super::verdict::{Rule, Violation};
use super::{limits, lines, waves};

/// What the run was asked to do.
#[derive(Debug, Clone, Copy)]
pub struct RunParameters {
    /// Where the clock began, local to the clinic.
    pub at: NaiveDateTime,
    /// Days played.
    pub days: i64,
    /// The clinic's zone.
    pub zone: Tz,
    /// The clinic's country.
    pub country: Country,
}

impl RunParameters {
    /// A run over an export, in the zone of its rows.
    ///
    /// # Errors
    /// When the zone lies in a country the reference does not know.
    pub fn over(export: &Export, at: NaiveDateTime, days: i64) -> Result<Self, String> {
        let zone = export.zone;
        let country = Country::of(zone).ok_or_else(|| format!("no reference for {zone}"))?;
        Ok(Self { at, days, zone, country })
    }

    /// The first and the last instant of the run.
    #[must_use]
    pub fn bounds(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let until = self.at + TimeDelta::days(self.days);
        (instant(self.at, self.zone), instant(until, self.zone))
    }

    /// The calendar days the run touches.
    pub(super) fn calendar(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.at.date() + TimeDelta::days(self.days);
        self.at.date().iter_days().take_while(move |d| *d <= last)
    }
}

/// Everything the rules look at.
pub(super) struct Case<'a> {
    pub(super) export: &'a Export,
    pub(super) slots: Option<&'a Slots>,
    pub(super) run: &'a RunParameters,
    /// The lines that could be read, in the order they left.
    pub(super) messages: Vec<Message>,
    blocked: BTreeMap<NaiveDate, Blocked>,
    thresholds: BTreeMap<NaiveDate, Option<Mean>>,
    nothing_blocked: Blocked,
}

impl Case<'_> {
    /// The contact points blocked on a day of the run.
    pub(super) fn blocked(&self, day: NaiveDate) -> &Blocked {
        self.blocked.get(&day).unwrap_or(&self.nothing_blocked)
    }

    /// The threshold of the ISO week an instant lies in: frozen at the week's Monday, or at the
    /// run's beginning when that is later.
    pub(super) fn threshold(&self, now: DateTime<Utc>) -> Option<Mean> {
        let monday = monday_of(now.with_timezone(&self.run.zone).date_naive());
        self.thresholds.get(&monday).copied().flatten()
    }

    pub(super) fn patient(&self, message: &Message) -> Option<&Patient> {
        self.export.patients.get(&message.patient_id)
    }
}

/// What a run deserves to hear.
pub struct Review {
    /// Rules broken.
    pub violations: Vec<Violation>,
    /// Where the run did less than it could have.
    pub notes: Vec<Note>,
    /// Messages per channel.
    pub per_channel: BTreeMap<&'static str, usize>,
    /// Sequences begun per ISO week (its Monday) and segment.
    pub waves: BTreeMap<(NaiveDate, String), usize>,
}

/// Every rule a run's message list (JSON lines) breaks.
#[must_use]
pub fn judge(export: &Export, slots: Option<&Slots>, messages_jsonl: &str, run: &RunParameters) -> Vec<Violation> {
    review(export, slots, messages_jsonl, run).violations
}

/// The judgement, with what the run left undone and the counts a reader wants to see.
#[must_use]
pub fn review(export: &Export, slots: Option<&Slots>, messages_jsonl: &str, run: &RunParameters) -> Review {
    let mut violations = Vec::new();
    let mut messages = Vec::new();
    for (index, json) in messages_jsonl.lines().enumerate() {
        match read_line(index + 1, json) {
            Ok(message) => messages.push(message),
            Err(why) => violations.push(Violation::new(Rule::Readable, index + 1, why)),
        }
    }
    messages.sort_by_key(|m| m.at);
    let case = case(export, slots, messages, run);
    violations.extend(lines::check(&case));
    let sequences = sequences(&case);
    violations.extend(sequences::check(&case, &sequences));
    violations.extend(limits::check(&case));
    violations.extend(waves::check(&case, &sequences));
    violations.sort_by_key(|v| (v.line, v.rule));
    let mut per_channel = BTreeMap::new();
    for message in &case.messages {
        *per_channel.entry(message.channel.name()).or_default() += 1;
    }
    let waves = waves::seats(&case, &sequences).into_iter().map(|(key, lines)| (key, lines.len())).collect();
    Review { violations, notes: notes(&case, &sequences), per_channel, waves }
}

fn case<'a>(export: &'a Export, slots: Option<&'a Slots>, messages: Vec<Message>, run: &'a RunParameters) -> Case<'a> {
    let (start, _) = run.bounds();
    let days: BTreeSet<NaiveDate> = run.calendar().chain(messages.iter().map(|m| m.at.date_naive())).collect();
    let mondays: BTreeSet<NaiveDate> = days.iter().map(|d| monday_of(*d)).collect();
    let frozen = |monday: NaiveDate| threshold(export, opening(monday, run.zone).max(start));
    Case {
        export,
        slots,
        run,
        messages,
        blocked: days.iter().map(|d| (*d, blocked_on(export, *d))).collect(),
        thresholds: mondays.into_iter().map(|m| (m, frozen(m))).collect(),
        nothing_blocked: Blocked::new(),
    }
}
