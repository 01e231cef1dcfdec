//! The trial as one JSON object, for programs.

use std::collections::{BTreeMap, BTreeSet};

use retorno_domain::calendar::IsoWeek;
use serde::Serialize;

use super::Tried;

/// The object on standard output.
#[derive(Debug, Serialize)]
pub struct Outcome {
    rows: Rows,
    /// What the clinic's timetables made of the free slots; nothing where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    timetable: Option<retorno_cloud::timetable::Followed>,
    patients: u64,
    segments: Vec<Segment>,
    waves: Vec<Wave>,
    messages_total: BTreeMap<String, u64>,
    elapsed_ms: u128,
    request_units: Units,
}

#[derive(Debug, Serialize)]
struct Rows {
    read: u64,
    accepted: u64,
    rejected: Vec<Rejected>,
}

#[derive(Debug, Serialize)]
struct Rejected {
    line: u64,
    column: Option<&'static str>,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Segment {
    id: String,
    members: u32,
    eligible: u32,
    excluded: BTreeMap<&'static str, u32>,
}

/// One segment's part of a week's wave.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Wave {
    /// The segment.
    pub segment: String,
    /// The ISO week, e.g. `2026-W10`.
    pub week: String,
    /// How many sequences began in it: how many first messages left.
    pub size: u32,
    /// How many could have.
    pub capacity: u32,
}

#[derive(Debug, Serialize)]
struct Units {
    read: f64,
    write: f64,
}

impl Outcome {
    /// Puts a trial into the object.
    #[must_use]
    pub fn of(tried: &Tried) -> Self {
        let rejected =
            |r: &export_importer::Rejected| Rejected { line: r.line, column: r.column, reason: r.reason.clone() };
        let segment = |s: &segment_evaluator::SegmentCount| Segment {
            id: s.id.to_string(),
            members: s.members,
            eligible: s.eligible,
            excluded: s.excluded.clone(),
        };
        Self {
            rows: Rows {
                read: tried.import.read,
                accepted: tried.import.accepted,
                rejected: tried.import.rejected.iter().map(rejected).collect(),
            },
            timetable: tried.import.timetable.clone(),
            patients: tried.survey.patients,
            segments: tried.survey.segments.iter().map(segment).collect(),
            waves: waves(tried),
            messages_total: totals(tried),
            elapsed_ms: tried.elapsed.as_millis(),
            request_units: Units { read: tried.units.read, write: tried.units.write },
        }
    }
}

/// Messages by channel.
#[must_use]
pub(super) fn totals(tried: &Tried) -> BTreeMap<String, u64> {
    let mut totals = BTreeMap::new();
    for sent in &tried.sent {
        *totals.entry(sent.channel.clone()).or_default() += 1;
    }
    totals
}

/// The waves, counted by the first message of each sequence.
#[must_use]
pub(super) fn waves(tried: &Tried) -> Vec<Wave> {
    let mut begun = BTreeSet::new();
    let mut sizes: BTreeMap<(IsoWeek, &str), u32> = BTreeMap::new();
    for sent in &tried.sent {
        if begun.insert(&sent.enrollment) {
            *sizes.entry((tried.clinic.week(sent.instant), &sent.segment)).or_default() += 1;
        }
    }
    let wave = |((week, segment), size): ((IsoWeek, &str), u32)| {
        let seats = tried.clinic.segments.iter().find(|s| s.id.as_str() == segment).map_or(0, |s| s.seats_per_week);
        let overall = tried.overall.iter().find(|(of, _)| *of == week).map_or(u32::MAX, |(_, capacity)| *capacity);
        Wave { segment: segment.to_owned(), week: week.to_string(), size, capacity: seats.min(overall) }
    };
    sizes.into_iter().map(wave).collect()
}
