//! The times of a date at which a timetable has slots.
//!
//! They are times of the wall clock: the grid begins where the hours do. A time that a change of clocks
//! leaves out has no slot; one that happens twice has one, the first time. What would begin before the
//! slot before it is over, or end after the hours are, is left out.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::{Timetable, is_closed};
use crate::calendar::{local_time, resolve_local};
use crate::clinic::Clinic;
use crate::hours::OpenHours;
use crate::slot::FreeSlot;

/// The time of a slot: `start` belongs to it, `end` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

impl Window {
    /// Whether a slot overlaps it.
    pub(super) fn meets(self, slot: &FreeSlot) -> bool {
        slot.start < self.end && self.start < slot.start + TimeDelta::minutes(i64::from(slot.minutes))
    }
}

/// The windows of a date, earliest first.
pub(super) fn of(timetable: &Timetable, clinic: &Clinic, date: NaiveDate) -> Vec<Window> {
    if is_closed(timetable, clinic, date) {
        return Vec::new();
    }
    let length = TimeDelta::minutes(i64::from(timetable.slot_minutes.max(1)));
    let mut windows: Vec<Window> = Vec::new();
    for hours in timetable.hours_on(date.weekday()) {
        let closes = resolve_local(date.and_time(hours.until()), clinic.zone);
        for place in 0..places(*hours, timetable.slot_minutes) {
            let local = date.and_time(hours.from()) + length * place;
            let start = resolve_local(local, clinic.zone);
            let window = Window { start, end: start + length };
            let happens = local_time(start, clinic.zone) == local;
            let after_the_last = windows.last().is_none_or(|last| last.end <= start);
            if happens && after_the_last && window.end <= closes {
                windows.push(window);
            }
        }
    }
    windows
}

fn places(hours: OpenHours, minutes: u32) -> i32 {
    i32::try_from(hours.minutes() / minutes.max(1)).unwrap_or(0)
}
