//! Weekly waves: a sequence takes a seat of the ISO week, in the clinic's zone, of its first message.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};

use super::calendar::{instant, monday_of, opening};
use super::judge::Case;
use super::sequences::Sequence;
use super::slots::Slots;
use super::verdict::{Rule, Violation};

/// Seats per segment and week.
pub(super) const SEATS: usize = 200;

type Sequences<'a> = BTreeMap<&'a str, Vec<Sequence<'a>>>;

/// The lines of the first messages per week (its Monday) and segment, in the order they left.
pub(super) fn seats(case: &Case<'_>, sequences: &Sequences<'_>) -> BTreeMap<(NaiveDate, String), Vec<usize>> {
    let mut firsts: Vec<_> = sequences.values().flatten().map(|s| s.first).collect();
    firsts.sort_by_key(|m| (m.at, m.line));
    let mut seats: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for first in firsts {
        let monday = monday_of(first.at.with_timezone(&case.run.zone).date_naive());
        seats.entry((monday, first.segment.clone())).or_default().push(first.line);
    }
    seats
}

/// Every week against its seats.
pub(super) fn check(case: &Case<'_>, sequences: &Sequences<'_>) -> Vec<Violation> {
    let seats = seats(case, sequences);
    let mut found = Vec::new();
    let mut weeks: BTreeMap<NaiveDate, (usize, usize)> = BTreeMap::new();
    for ((monday, segment), lines) in &seats {
        if let Some(line) = lines.get(SEATS) {
            let figures = format!("{segment}, week of {monday}: {} begun, {SEATS} seats", lines.len());
            found.push(Violation::new(Rule::SegmentSeats, *line, figures));
        }
        let week = weeks.entry(*monday).or_default();
        *week = (week.0 + lines.len(), week.1.max(lines.last().copied().unwrap_or_default()));
    }
    for (monday, (begun, line)) in weeks {
        let allowed = slot_seats(case, monday).unwrap_or(usize::MAX);
        if begun > allowed {
            let figures = format!("week of {monday}: {begun} begun, {allowed} called for by free slots");
            found.push(Violation::new(Rule::SlotSeats, line, figures));
        }
    }
    found
}

/// How many sequences a week's free slots call for, at an expected booking rate of 0.15; nothing
/// where the slots are unknown. The week may be read on its Monday, at midnight or when contact
/// opens, or where the run begins when that lies within the week or the one before; the reading
/// that allows most counts.
pub(super) fn slot_seats(case: &Case<'_>, monday: NaiveDate) -> Option<usize> {
    let slots: &Slots = case.slots?;
    let (start, _) = case.run.bounds();
    let midnight = instant(monday.and_time(chrono::NaiveTime::MIN), case.run.zone);
    let mut readings = vec![midnight.max(start), opening(monday, case.run.zone).max(start)];
    if (midnight - start).abs() <= TimeDelta::days(7) {
        readings.push(start);
    }
    let most = readings.into_iter().map(|at| slots.within_a_fortnight(at)).max()?;
    Some(most * 100 / 15)
}
