//! Segments: who is due, and why, as rules that can be analysed. From a patient's summary the core
//! says not only whether a rule holds today but on which day the answer may change, so that a daily
//! evaluation touches only those whose day has come.

use chrono::NaiveDate;

use crate::ids::{FlowId, SegmentId};
use crate::summary::{Summary, day_number};

/// A day as a number (days from the common era), which is what rules compare.
pub type Day = i32;

/// A threshold on the mean amount of a patient's visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountAtLeast {
    /// An amount in hundredths of the clinic's currency.
    Cents(i64),
    /// The clinic's percentile (1–100, nearest rank) as frozen for the ISO week.
    Percentile(u8),
}

/// One condition of a segment. All counts of days are local calendar dates in the clinic's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The last visit was between `min` and `max` days ago (both included).
    LastVisit {
        /// At least so many days ago.
        min: u32,
        /// At most so many days ago; no bound when absent.
        max: Option<u32>,
    },
    /// A visit for a service on the clinic's list of that number was a number of days ago that lies
    /// in one of the windows (both ends included).
    ServiceDone {
        /// Which of the clinic's service lists (its place in the settings).
        list: u8,
        /// Windows of days ago.
        windows: Vec<(u32, u32)>,
    },
    /// Of some service with a plan, the latest completed session is k < n and was more than this
    /// many days ago.
    PlanPending {
        /// More than so many days ago.
        more_than_days: u32,
    },
    /// Between `min` and `max` visits in all.
    Visits {
        /// At least so many.
        min: u32,
        /// At most so many; no bound when absent.
        max: Option<u32>,
    },
    /// The mean amount over the visits that have one.
    MeanAmount(AmountAtLeast),
    /// The last visit's service is on the clinic's list of that number.
    LastService {
        /// Which of the clinic's service lists.
        list: u8,
    },
    /// The last visit was with one of these professionals.
    Professional(Vec<String>),
    /// The patient's insurer is one of these; an empty text stands for none.
    Insurer(Vec<String>),
}

/// A segment of a clinic, in the order of precedence in which the clinic lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// All of these must hold.
    pub all: Vec<Condition>,
    /// The flow its members are enrolled in.
    pub flow: FlowId,
    /// The most patients enrolled in an ISO week.
    pub seats_per_week: u32,
    /// Whether it is evaluated at all.
    pub active: bool,
    /// What the segment is to achieve, for the people who read the figures.
    pub goal: String,
}

/// A mean amount as an exact fraction, so that equal means compare equal.
#[derive(Debug, Clone, Copy, Eq)]
pub struct Mean {
    /// The sum, in hundredths of the clinic's currency.
    pub sum_cents: i64,
    /// Over how many visits; at least 1.
    pub count: u32,
}

impl PartialEq for Mean {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Ord for Mean {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (a, b) = (i128::from(self.sum_cents), i128::from(other.sum_cents));
        (a * i128::from(other.count)).cmp(&(b * i128::from(self.count)))
    }
}

impl PartialOrd for Mean {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The visits from which a patient's mean counts towards the clinic's percentile.
pub const PERCENTILE_VISITS_MIN: u32 = 3;

/// The clinic-wide figures frozen for one ISO week.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thresholds {
    /// For each percentile that a segment uses: the mean at it; absent when no patient has three visits.
    pub percentiles: Vec<(u8, Mean)>,
}

impl Thresholds {
    /// The thresholds of these percentiles over the means of all patients with three visits or more:
    /// the nearest rank, i.e. the ⌈p/100 · N⌉-th smallest.
    #[must_use]
    pub fn over(mut means: Vec<Mean>, percentiles: &[u8]) -> Self {
        means.sort_unstable();
        let at = |percentile: &u8| {
            let rank = (usize::from(*percentile) * means.len()).div_ceil(100).max(1);
            means.get(rank - 1).map(|mean| (*percentile, *mean))
        };
        Self { percentiles: percentiles.iter().filter_map(at).collect() }
    }

    /// The mean at a percentile.
    #[must_use]
    pub fn percentile(&self, percentile: u8) -> Option<Mean> {
        self.percentiles.iter().find(|(p, _)| *p == percentile).map(|(_, mean)| *mean)
    }
}

/// Where a patient belongs, and until when that is sure to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The first segment (its place in the clinic's order) whose conditions all hold.
    pub segment: Option<usize>,
    /// The first later day on which that may change with time alone.
    pub next_change: Option<Day>,
    /// The last day on which the patient surely belongs to the segment, if it has an end.
    pub leaves: Option<Day>,
}

/// Finds the first active segment that the patient belongs to on a day.
#[must_use]
pub fn place(segments: &[Segment], summary: &Summary<'_>, thresholds: &Thresholds, today: Day) -> Placement {
    let mut next_change = Horizon::default();
    for (index, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.active) {
        let mut own = Horizon::default();
        let mut holds = true;
        for condition in &segment.all {
            let (met, change) = check(condition, summary, thresholds, today);
            holds &= met;
            own.note(change);
            // A condition that time cannot make true settles the segment for good.
            if !met && change.is_none() {
                own = Horizon::default();
                break;
            }
        }
        next_change.note(own.0);
        if holds {
            return Placement { segment: Some(index), next_change: next_change.0, leaves: own.0.map(|day| day - 1) };
        }
    }
    Placement { segment: None, next_change: next_change.0, leaves: None }
}

/// The earliest of the days noted.
#[derive(Default)]
struct Horizon(Option<Day>);

impl Horizon {
    fn note(&mut self, day: Option<Day>) {
        self.0 = match (self.0, day) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Whether a condition holds on a day, and the next day on which time alone may change that.
#[must_use]
pub fn check(condition: &Condition, summary: &Summary<'_>, thresholds: &Thresholds, today: Day) -> (bool, Option<Day>) {
    match condition {
        Condition::LastVisit { min, max } => match summary.last_visit {
            Some(last) => within(last, *min, *max, today),
            None => (false, None),
        },
        Condition::ServiceDone { list, windows } => {
            let mut found = false;
            let mut change = Horizon::default();
            for (_, day) in summary.listed.iter().filter(|(of, _)| of == list) {
                for (from, until) in windows {
                    let (met, next) = within(*day, *from, Some(*until), today);
                    found |= met;
                    change.note(next);
                }
            }
            (found, change.0)
        }
        Condition::PlanPending { more_than_days } => {
            let mut found = false;
            let mut change = Horizon::default();
            for plan in summary.plans.iter().filter(|plan| plan.session.done < plan.session.total) {
                let (met, next) = within(plan.day, more_than_days.saturating_add(1), None, today);
                found |= met;
                change.note(next);
            }
            (found, change.0)
        }
        Condition::Visits { min, max } => (summary.visits >= *min && max.is_none_or(|max| summary.visits <= max), None),
        Condition::MeanAmount(least) => (mean_reaches(*least, summary, thresholds), None),
        Condition::LastService { list } => (summary.last_lists & list_bit(*list) != 0, None),
        Condition::Professional(names) => {
            (summary.last_professional.is_some_and(|name| names.iter().any(|n| n == name)), None)
        }
        Condition::Insurer(names) => {
            let insurer = summary.insurer.unwrap_or("");
            (names.iter().any(|name| name == insurer), None)
        }
    }
}

/// The bit that stands for a service list in [`Summary::last_lists`]; lists beyond 64 share none.
#[must_use]
pub fn list_bit(list: u8) -> u64 {
    1u64.checked_shl(u32::from(list)).unwrap_or(0)
}

fn mean_reaches(least: AmountAtLeast, summary: &Summary<'_>, thresholds: &Thresholds) -> bool {
    let Some(mean) = summary.mean() else { return false };
    match least {
        AmountAtLeast::Cents(cents) => mean >= Mean { sum_cents: cents, count: 1 },
        AmountAtLeast::Percentile(percentile) => {
            thresholds.percentile(percentile).is_some_and(|threshold| mean >= threshold)
        }
    }
}

fn within(since: Day, min: u32, max: Option<u32>, today: Day) -> (bool, Option<Day>) {
    let from = since.saturating_add_unsigned(min);
    let until = max.map(|max| since.saturating_add_unsigned(max));
    if today < from {
        (false, Some(from))
    } else if until.is_none_or(|until| today <= until) {
        (true, until.map(|until| until.saturating_add(1)))
    } else {
        (false, None)
    }
}

/// The percentiles that these segments compare with.
#[must_use]
pub fn percentiles_used(segments: &[Segment]) -> Vec<u8> {
    let mut used: Vec<u8> = segments
        .iter()
        .flat_map(|segment| &segment.all)
        .filter_map(|condition| match condition {
            Condition::MeanAmount(AmountAtLeast::Percentile(p)) => Some(*p),
            Condition::MeanAmount(AmountAtLeast::Cents(_))
            | Condition::LastVisit { .. }
            | Condition::ServiceDone { .. }
            | Condition::PlanPending { .. }
            | Condition::Visits { .. }
            | Condition::LastService { .. }
            | Condition::Professional(_)
            | Condition::Insurer(_) => None,
        })
        .collect();
    used.sort_unstable();
    used.dedup();
    used
}

/// The date of a day number.
#[must_use]
pub fn date_of(day: Day) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(day)
}

/// The day number of a date.
#[must_use]
pub fn day_of(date: NaiveDate) -> Day {
    day_number(date)
}
