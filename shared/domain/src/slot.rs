//! Free slots of the agenda, and which of them to offer.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// A free slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FreeSlot {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// The clinic's number for it.
    pub id: String,
    /// Who is free.
    pub professional: String,
    /// How long, in minutes.
    pub minutes: u32,
}

/// Slots are offered from so long after the message on: nobody rearranges a day in an hour.
pub const SLOT_NOTICE: TimeDelta = TimeDelta::hours(24);

impl FreeSlot {
    /// The slot's name within its clinic: its instant in fifteen digits of milliseconds, `#`, its id.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{:015}#{}", self.start.timestamp_millis(), self.id)
    }

    /// When it begins on the wall of a zone.
    #[must_use]
    pub fn local(&self, zone: Tz) -> NaiveDateTime {
        self.start.with_timezone(&zone).naive_local()
    }
}

/// Two slots to offer: the first that fits, and one on another day, or else at another time. One
/// alone where only one fits; none where none does.
#[must_use]
pub fn two(slots: &[FreeSlot], zone: Tz, fits: impl Fn(&FreeSlot) -> bool) -> Vec<FreeSlot> {
    let fitting: Vec<&FreeSlot> = slots.iter().filter(|slot| fits(slot)).collect();
    let Some(first) = fitting.first() else { return Vec::new() };
    let day = |slot: &FreeSlot| slot.local(zone).date();
    let another_day = fitting.iter().find(|slot| day(slot) != day(first));
    let another_time = fitting.iter().rev().find(|slot| slot.start != first.start);
    another_day
        .or(another_time)
        .map_or_else(|| vec![(*first).clone()], |second| vec![(*first).clone(), (*second).clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(hours: i64, id: &str) -> FreeSlot {
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::hours(hours);
        FreeSlot { start, id: id.to_owned(), professional: "Dra. Lima".to_owned(), minutes: 30 }
    }
    fn offered(slots: &[FreeSlot]) -> Vec<String> {
        two(slots, chrono_tz::UTC, |_| true).into_iter().map(|slot| slot.id).collect()
    }

    #[test]
    fn two_are_on_different_days_where_there_are() {
        assert_eq!(offered(&[slot(9, "a"), slot(10, "b"), slot(33, "c")]), ["a", "c"]);
        assert_eq!(offered(&[slot(9, "a"), slot(9, "b"), slot(10, "c")]), ["a", "c"], "not two at one time");
        assert_eq!(offered(&[slot(9, "a")]), ["a"]);
        assert!(offered(&[]).is_empty());
        assert!(two(&[slot(9, "a")], chrono_tz::UTC, |_| false).is_empty());
    }

    #[test]
    fn references_sort_as_time_does() {
        assert!(slot(9, "z").reference() < slot(10, "a").reference());
    }
}
