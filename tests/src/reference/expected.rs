//! What the product's segment figures must be.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use super::calendar::instant;
use super::export::Export;
use super::segment::{PRECEDENCE, first_segment, threshold};
use super::standing::{blocked_on, why_not};

/// A segment at an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentCount {
    /// Patients for whom it is the first segment in precedence.
    pub members: usize,
    /// Those of them who can be contacted on at least one channel, with no open appointment and
    /// none awaiting its outcome.
    pub eligible: usize,
    /// The others, each counted once by the first reason found.
    pub excluded: BTreeMap<&'static str, usize>,
}

/// Every segment at a local time of the clinic.
#[must_use]
pub fn expected_segments(export: &Export, at: NaiveDateTime) -> BTreeMap<&'static str, SegmentCount> {
    let now = instant(at, export.zone);
    let blocked = blocked_on(export, at.date());
    let threshold = threshold(export, now);
    let mut counts: BTreeMap<_, _> = PRECEDENCE.map(|s| (s, SegmentCount::default())).into();
    for patient in export.patients.values() {
        let segment = first_segment(patient, now, export.zone, threshold);
        let Some(count) = segment.and_then(|s| counts.get_mut(s)) else {
            continue;
        };
        count.members += 1;
        match why_not(patient, now, export.zone, &blocked) {
            None => count.eligible += 1,
            Some(reason) => *count.excluded.entry(reason).or_default() += 1,
        }
    }
    counts
}
