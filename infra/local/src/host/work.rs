//! What the functions were invoked for, how often, and what that cost at the table: what a bill is
//! made of.

use std::collections::BTreeMap;
use std::ops::Sub;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::engine::RequestUnits;

/// Something that a function is invoked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// `export-importer`: an export.
    Import,
    /// `segment-evaluator`: a morning.
    Evaluation,
    /// `step-dispatcher`: an order other than a sweep.
    Order,
    /// `step-dispatcher`: a sweep.
    Sweep,
    /// `inbound-webhook`: a request to a hook.
    Hook,
    /// `inbound-webhook`: a message of its queue.
    Events,
}

/// How much of it there was.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WorkDone {
    /// Invocations, each with one event.
    pub times: u64,
    /// Request units.
    pub units: RequestUnits,
    /// Requests to the table.
    pub requests: u64,
    /// Time it took here, where the table is in the same process.
    pub took: Duration,
}

impl Sub for WorkDone {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            times: self.times - earlier.times,
            units: self.units - earlier.units,
            requests: self.requests - earlier.requests,
            took: self.took.saturating_sub(earlier.took),
        }
    }
}

#[derive(Debug, Default)]
struct Counted {
    done: BTreeMap<Work, WorkDone>,
    fired: u64,
}

/// The count of everything since the start. Shared by all clones of a host.
#[derive(Debug, Default)]
pub struct WorkCount(Mutex<Counted>);

impl WorkCount {
    pub(super) fn add(&self, work: Work, more: WorkDone) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = counted.done.entry(work).or_default();
        done.times += more.times;
        done.units += more.units;
        done.requests += more.requests;
        done.took += more.took;
    }

    pub(super) fn fired(&self, schedules: usize) {
        let schedules = u64::try_from(schedules).unwrap_or(0);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fired += schedules;
    }

    /// What was done, and how many schedules fired.
    #[must_use]
    pub fn so_far(&self) -> (BTreeMap<Work, WorkDone>, u64) {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (counted.done.clone(), counted.fired)
    }
}
