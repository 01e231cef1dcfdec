//! When somebody would rather come.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Timelike, Weekday};

/// The hour at which an afternoon begins.
const AFTERNOON_HOUR: u32 = 12;
/// The hour at which an evening begins.
const EVENING_HOUR: u32 = 18;

/// A day or an hour that was asked for. What is empty does not matter; all empty means any other
/// time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Days of the week that would do, Monday first, each once.
    pub weekdays: Vec<Weekday>,
    /// The one date that would do.
    pub date: Option<NaiveDate>,
    /// The part of the day.
    pub part: Option<DayPart>,
    /// The first full hour that would do, 0 to 23.
    pub from_hour: Option<u8>,
    /// The full hour before which a visit must begin, 1 to 24.
    pub until_hour: Option<u8>,
    /// The week, Monday to Sunday, counted from today's: 0 is this one, 1 the next.
    pub weeks_ahead: Option<u8>,
}

/// A part of the day, by when a visit begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayPart {
    /// Before 12.
    Morning,
    /// From 12 to 20: an afternoon in Spanish and Portuguese ends late.
    Afternoon,
    /// From 18.
    Evening,
}

impl Wish {
    /// Whether nothing is said but that it should be another time.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a free slot, by the clinic's local time, fits. The week is not judged, since it
    /// counts from the day of the text: see [`Wish::fits_from`].
    #[must_use]
    pub fn fits(&self, local_start: NaiveDateTime) -> bool {
        let day = self.weekdays.is_empty() || self.weekdays.contains(&local_start.weekday());
        let date = self.date.is_none_or(|date| date == local_start.date());
        let hour = local_start.hour();
        let from = self.from_hour.is_none_or(|from| u32::from(from) <= hour);
        let until = self.until_hour.is_none_or(|until| hour < u32::from(until));
        day && date && from && until && self.part.is_none_or(|part| part.contains(hour))
    }

    /// The same, with the week: `today` is the date of the text.
    #[must_use]
    pub fn fits_from(&self, today: NaiveDate, local_start: NaiveDateTime) -> bool {
        self.fits(local_start)
            && self.week(today).is_none_or(|(first, last)| {
                let date = local_start.date();
                first <= date && date <= last
            })
    }

    /// Monday and Sunday of the week asked for; `None` when none was, or the calendar ends before.
    #[must_use]
    pub fn week(&self, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let weeks = u64::from(self.weeks_ahead?);
        let monday = today.checked_sub_days(Days::new(u64::from(today.weekday().num_days_from_monday())))?;
        let first = monday.checked_add_days(Days::new(7 * weeks))?;
        Some((first, first.checked_add_days(Days::new(6))?))
    }
}

impl DayPart {
    /// Whether a visit that begins in this hour, 0 to 23, is in it.
    #[must_use]
    pub const fn contains(self, hour: u32) -> bool {
        match self {
            Self::Morning => hour < AFTERNOON_HOUR,
            Self::Afternoon => AFTERNOON_HOUR <= hour && hour < 20,
            Self::Evening => EVENING_HOUR <= hour,
        }
    }
}
