//! Many runs, added up.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::run::Outcome;
use crate::trouble::KINDS;

/// States that a long run must have reached.
pub const SOMETIMES: [&str; 39] = [
    "accepted by whatsapp",
    "accepted by email",
    "accepted by call",
    "accepted by sms",
    "accepted by push",
    "page notified",
    "a browser is gone",
    "accepted for a minor",
    "accepted by who came of age",
    "slot of a timetable taken",
    "rest slot of a timetable",
    "said by sms",
    "called: nobody answered",
    "called: wants nothing any more",
    "called: agreed",
    "called: took a date",
    "text delivered",
    "text failed",
    "message absent to in_flight",
    "message absent to dropped",
    "message in_flight to accepted",
    "message in_flight to failed",
    "message in_flight to ready",
    "message in_flight to unknown",
    "message unknown to accepted",
    "message unknown to undetermined",
    "message ready to in_flight",
    "message ready to dropped",
    "rest accepted",
    "rest failed",
    "rest dropped",
    "rest undetermined",
    "ended no_answer",
    "ended booked",
    "ended opted_out",
    "ended week_over",
    "ended nothing_sendable",
    "ended left_segment",
    "ended awaiting_outcome",
];

/// Runs, added up.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many.
    pub seeds: u64,
    /// Seeds with violations, and what they were.
    pub violations: BTreeMap<u64, Vec<String>>,
    /// The rest, added up; the hash is folded.
    pub all: Outcome,
}

fn add<K: Clone + Ord>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (name, count) in from {
        *to.entry(name.clone()).or_default() += count;
    }
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, run: &Outcome) {
        self.seeds += 1;
        if !run.violations.is_empty() {
            self.violations.insert(run.seed, run.violations.clone());
        }
        // In whatever order runs end, the sum is the same.
        self.all.hash = self.all.hash.wrapping_add(run.hash);
        add(&mut self.all.faults, &run.faults);
        add(&mut self.all.crashes, &run.crashes);
        add(&mut self.all.waits, &run.waits);
        add(&mut self.all.reached, &run.reached);
        self.all.requests += run.requests;
        self.all.invocations += run.invocations;
        self.all.accepts += run.accepts;
        self.all.patient_days += run.patient_days;
    }

    /// Faults of every kind.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.all.faults.values().sum()
    }

    /// What should have come up and did not.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let kinds = KINDS.into_iter().filter(|kind| !self.all.faults.contains_key(kind));
        let states = SOMETIMES.into_iter().filter(|state| !self.all.reached.contains_key(*state));
        kinds.chain(states).collect()
    }

    /// Waits at which an environment died least often, and how often.
    #[must_use]
    pub fn rarest_crashes(&self) -> Vec<(&str, u64)> {
        let count = |wait: &String| self.all.crashes.get(wait).copied().unwrap_or(0);
        let mut waits: Vec<(&str, u64)> = self.all.waits.keys().map(|wait| (wait.as_str(), count(wait))).collect();
        waits.sort_unstable_by_key(|(name, count)| (*count, *name));
        waits
    }

    /// As data.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "seeds": self.seeds, "faults_total": self.faults(), "faults": self.all.faults,
            "requests": self.all.requests, "invocations": self.all.invocations, "accepts": self.all.accepts,
            "patient_years": self.all.patient_days / 365, "violations": self.violations,
            "crash_waits": self.all.waits.len(), "crashes": self.all.crashes, "waits": self.all.waits,
            "reached": self.all.reached, "missing": self.missing(), "hash": format!("{:016x}", self.all.hash),
        })
    }

    /// In a few lines.
    #[must_use]
    pub fn text(&self) -> String {
        let mut said = String::new();
        let rarest = self.rarest_crashes();
        let least = rarest.first().copied().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            said,
            "{} seeds, {} requests, {} faults, {} invocations, {} messages received, {} patient-years",
            self.seeds,
            self.all.requests,
            self.faults(),
            self.all.invocations,
            self.all.accepts,
            self.all.patient_days / 365
        );
        let kinds: Vec<String> = self.all.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let _ = writeln!(said, "faults: {}", kinds.join(", "));
        let _ = writeln!(said, "crashes at {} waits; least often at \"{}\": {}", rarest.len(), least.0, least.1);
        if !self.missing().is_empty() {
            let _ = writeln!(said, "never came up: {}", self.missing().join(", "));
        }
        for (seed, what) in self.violations.iter().take(20) {
            let _ = writeln!(said, "seed {seed}: {}   (replay: simulate replay {seed})", what.join("; "));
        }
        let _ = writeln!(said, "{} seeds with violations", self.violations.len());
        said
    }
}
