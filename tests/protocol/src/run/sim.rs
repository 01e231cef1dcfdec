//! The simulation: events in the order of their instants, on a clock that jumps from one to the next.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Days, TimeDelta, Utc};
use fastrand::Rng;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::segment::Thresholds;

use super::clinic::{found, morning};
use super::count::{Counts, Fault};
use super::import::Import;
use super::judge::{Judge, Person, Said};
use super::knobs::Knobs;
use super::work::Working;
use crate::guard::Off;
use crate::people::{Making, patient};
use crate::table::{NewEnrollment, Overdue, Table};
use crate::worker::Order;

/// What became of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Counts.
    pub counts: Counts,
    /// What was violated.
    pub violations: Vec<String>,
    /// Of all events in order: the same for the same seed.
    pub hash: u64,
    /// The events, if they were asked for.
    pub log: Vec<String>,
}

/// Something that happens at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// An order reaches a worker; how often it was received.
    Deliver(Order, u8),
    /// A worker takes its next step.
    Step(usize),
    /// The sweep reads.
    Sweep,
    /// The sweep moves a message on.
    Age(usize),
    /// The day's evaluation.
    Morning(u32),
    /// Somebody is enrolled.
    Enroll(usize),
    /// Something happens at the clinic.
    Happening,
    /// Something happens to a patient who is being written to.
    Strike(usize),
    /// An import's next request.
    Import(usize),
    /// Staff releases a conversation.
    Unpause(usize),
    /// The clinic sends again.
    Unhalt,
}

/// A run in progress.
pub(super) struct Sim {
    pub(super) rng: Rng,
    pub(super) knobs: Knobs,
    pub(super) table: Table,
    pub(super) clinic: Arc<Clinic>,
    pub(super) clinic_before: Arc<Clinic>,
    pub(super) clinic_changed: DateTime<Utc>,
    pub(super) thresholds: Thresholds,
    pub(super) judge: Judge,
    pub(super) now: DateTime<Utc>,
    pub(super) ends: DateTime<Utc>,
    pub(super) working: Vec<Option<Working>>,
    pub(super) ageing: Vec<Overdue>,
    pub(super) enrolling: Vec<NewEnrollment>,
    pub(super) importing: Vec<Import>,
    pub(super) counts: Counts,
    /// Workers at work.
    pub(super) at_work: usize,
    /// Schedules that stand: asking for one again gives the same one.
    pub(super) schedules: BTreeSet<(DateTime<Utc>, Order, u32)>,
    first: DateTime<Utc>,
    heap: BinaryHeap<Reverse<(DateTime<Utc>, u64, Event)>>,
    scheduled: u64,
    sweeps: BTreeSet<DateTime<Utc>>,
    hash: u64,
    log: Option<Vec<String>>,
}

/// Plays the run of a seed; with `log`, keeps what happened.
#[must_use]
pub fn play(seed: u64, log: bool) -> Outcome {
    play_without(Off::default(), seed, log)
}

/// Plays the run of a seed with conditions switched off: whether their lack is noticed says what the
/// runs are worth.
#[must_use]
pub fn play_without(off: Off, seed: u64, log: bool) -> Outcome {
    match Sim::new(off, seed, log) {
        Ok(sim) => sim.run(),
        Err(error) => {
            Outcome { violations: vec![format!("the run could not be set up: {error}")], ..Outcome::default() }
        }
    }
}

/// The simulator of settings and sweeps looks every five minutes, as the schedule of the sweep does.
const SWEEP_EVERY_S: i64 = 300;
/// After its end a run has this long to come to rest.
const REST_WITHIN_DAYS: i64 = 60;

/// More workers than this at once do not suffer faults.
const AT_WORK_MAX: usize = 16;
/// A run of a year has a twentieth of this; more is a storm of orders that feed each other.
const EVENTS_MAX: u64 = 2_000_000;

impl Sim {
    fn new(off: Off, seed: u64, log: bool) -> Result<Self, Box<dyn std::error::Error>> {
        let mut rng = Rng::with_seed(seed);
        let knobs = Knobs::draw(&mut rng);
        let founded = found(&mut rng, knobs.days)?;
        let zone = founded.rules.zone;
        let first = morning(founded.first_day, zone, 0);
        let clinic = Arc::new(founded.clinic);
        let mut sim = Self {
            table: Table { off, ..Table::default() },
            clinic_before: Arc::clone(&clinic),
            clinic,
            clinic_changed: first - TimeDelta::days(1),
            thresholds: Thresholds::default(),
            judge: Judge::new(founded.rules),
            now: first,
            ends: first + TimeDelta::days(knobs.days),
            working: Vec::new(),
            ageing: Vec::new(),
            enrolling: Vec::new(),
            importing: Vec::new(),
            counts: Counts::default(),
            at_work: 0,
            schedules: BTreeSet::new(),
            first,
            heap: BinaryHeap::new(),
            scheduled: 0,
            sweeps: BTreeSet::new(),
            hash: seed,
            log: log.then(Vec::new),
            rng,
            knobs,
        };
        sim.settle_patients()?;
        sim.at(first + TimeDelta::minutes(1), Event::Happening);
        sim.at(first, Event::Morning(0));
        sim.counts.patient_days = u64::try_from(sim.knobs.days)? * u64::try_from(sim.knobs.patients)?;
        Ok(sim)
    }

    fn settle_patients(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let clinic_zone = self.judge.rules.zone;
        for number in 0..self.knobs.patients {
            let zone = match self.rng.u32(..8) {
                0 => chrono_tz::Tz::America__Santiago,
                1 => chrono_tz::Tz::Europe__Madrid,
                _ => clinic_zone,
            };
            let today = self.first.with_timezone(&clinic_zone).date_naive();
            let of = |rng: &mut Rng, per: usize| (rng.u32(..12) > 0).then(|| rng.usize(..2 + number / per));
            let channels: ChannelSet = Channel::ALL.into_iter().filter(|_| self.rng.u32(..6) > 0).collect();
            let since = today.checked_sub_days(Days::new(self.rng.u64(..400))).unwrap_or(today);
            // Some agree only from a day to come.
            let on =
                if self.rng.u32(..12) == 0 { today.checked_add_days(Days::new(20)).unwrap_or(today) } else { since };
            let agreed = (self.rng.u32(..15) > 0).then_some((on, channels));
            let making = Making {
                number,
                phone: of(&mut self.rng, self.knobs.per_phone),
                email: of(&mut self.rng, self.knobs.per_phone),
                zone,
                visit: self.first - TimeDelta::hours(self.rng.i64(24 * 10..24 * 400)),
                agreed,
            };
            self.table.add_patient(patient(&making)?);
            let mut person = Person::new(zone);
            person.said.extend(agreed.map(|(on, channels)| Said::Yes(on, channels)));
            self.judge.people.push(person);
        }
        Ok(())
    }

    fn run(mut self) -> Outcome {
        let stops = self.ends + TimeDelta::days(REST_WITHIN_DAYS);
        while let Some(Reverse((at, _, event))) = self.heap.pop() {
            if at > stops {
                break;
            }
            self.now = self.now.max(at);
            self.counts.events += 1;
            if self.counts.events > EVENTS_MAX {
                self.judge.violations.push(format!("does not come to rest: {} under way", self.heap.len()));
            }
            self.mix(u64::try_from(at.timestamp_millis()).unwrap_or(0));
            self.take(event);
            if !self.judge.violations.is_empty() {
                break;
            }
        }
        if self.judge.violations.is_empty() {
            self.rest();
        }
        let log = self.log.take().unwrap_or_default();
        Outcome { counts: self.counts, violations: self.judge.violations, hash: self.hash, log }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Deliver(order, receives) => self.deliver(order, receives),
            Event::Step(slot) => self.step(slot),
            Event::Sweep => self.sweep(),
            Event::Age(open) => self.age(open),
            Event::Morning(day) => self.evaluate(day),
            Event::Enroll(new) => self.enroll(new),
            Event::Happening => self.happen(),
            Event::Strike(patient) => self.strike_at(patient),
            Event::Import(import) => self.import(import),
            Event::Unpause(patient) => self.table.set_paused(patient, false),
            Event::Unhalt => self.unhalt(),
        }
    }

    /// Schedules an event.
    pub(super) fn at(&mut self, at: DateTime<Utc>, event: Event) {
        self.scheduled += 1;
        self.heap.push(Reverse((at.max(self.now), self.scheduled, event)));
    }

    /// Schedules an event in so many milliseconds.
    pub(super) fn after_ms(&mut self, ms: i64, event: Event) {
        self.at(self.now + TimeDelta::milliseconds(ms), event);
    }

    /// The sweep runs every five minutes; only those runs are played that may find something.
    pub(super) fn sweep_from(&mut self, at: DateTime<Utc>) {
        let seconds = at.max(self.now).timestamp() / SWEEP_EVERY_S * SWEEP_EVERY_S + SWEEP_EVERY_S;
        // And the one after it: by the clock of whoever wrote the time, it may not have come yet.
        for seconds in [seconds, seconds + SWEEP_EVERY_S] {
            let at = DateTime::from_timestamp(seconds, 0).unwrap_or(at);
            if self.sweeps.insert(at) {
                self.at(at, Event::Sweep);
            }
        }
    }

    /// A sweep begins: what is past need not be remembered.
    pub(super) fn sweep_begun(&mut self) {
        while self.schedules.first().is_some_and(|(at, ..)| *at < self.now) {
            self.schedules.pop_first();
        }
        self.sweeps = self.sweeps.split_off(&(self.now + TimeDelta::milliseconds(1)));
    }

    /// Whether so many orders are at work at once that nothing more goes wrong with them for now: each
    /// order given back asks for wake-ups again, and with enough faults they would feed each other.
    pub(super) fn is_crowded(&self) -> bool {
        self.at_work > AT_WORK_MAX
    }

    /// Whether a chance (in thousandths) comes up.
    pub(super) fn chance(&mut self, of_1000: u32) -> bool {
        self.rng.u32(..1_000) < of_1000
    }

    /// Counts a fault, and makes it part of the history.
    pub(super) fn fault(&mut self, fault: Fault) {
        self.counts.fault(fault);
        self.mix(fault as u64 + 1_000);
        self.say(|| format!("  fault: {fault:?}"));
    }

    /// Makes something part of the history by which two runs are compared.
    pub(super) fn mix(&mut self, value: u64) {
        self.hash = (self.hash.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// Keeps a line of what happens, if it was asked for.
    pub(super) fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            let mut line = String::new();
            // Writing to a text does not fail.
            let _ = write!(line, "{} {}", self.now.format("%Y-%m-%d %H:%M:%S%.3f"), what());
            log.push(line);
        }
    }
}
