//! Local time, decided in one place.
//!
//! A wall-clock time is not an instant: clocks jump forward (a *gap*, times that never happen) and
//! back (a *fold*, times that happen twice). In Brazil until 2018, in Chile, Paraguay and Cuba the
//! gap begins at midnight, so even "00:00 of a date" may not exist. Everything that turns a local
//! time into an instant, or an instant into a local date, goes through this module.

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc, Weekday,
};
use chrono_tz::{GapInfo, Tz};
use serde::{Deserialize, Serialize};

/// The instant of a wall-clock time in `zone`.
///
/// In a gap: the first instant after it, which is the instant the clocks moved. In a fold: the
/// earlier of the two. Total: at the ends of the representable range, where the zone's offset
/// cannot be subtracted, the local time is read as UTC.
#[must_use]
pub fn resolve_local(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.to_utc(),
        MappedLocalTime::None => end_of_gap(local, zone),
    }
}

/// As [`resolve_local`], but in a fold the later of the two instants: from it on, the wall clock
/// does not go back behind `local`.
#[must_use]
pub fn resolve_local_last(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(_, at) => at.to_utc(),
        MappedLocalTime::None => end_of_gap(local, zone),
    }
}

/// The wall-clock time of an instant in `zone`. Total: at the ends of the representable range,
/// where the offset cannot be added, the UTC time.
#[must_use]
pub fn local_time(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let utc = at.naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix();
    utc.checked_add_offset(offset).unwrap_or(utc)
}

/// The calendar date of an instant in `zone`.
#[must_use]
pub fn local_date(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    local_time(at, zone).date()
}

/// The first instant of a date in `zone`: midnight, or the end of the gap where midnight does not
/// exist. A date that a zone skipped altogether (Apia, 30 December 2011) starts where the next one
/// does.
#[must_use]
pub fn start_of_day(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    resolve_local(date.and_time(NaiveTime::MIN), zone)
}

/// An ISO 8601 week, Monday to Sunday: the unit in which waves are counted and thresholds frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IsoWeek {
    year: i32,
    week: u32,
}

/// A text that is not an ISO week such as `2026-W10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO week such as 2026-W10")]
pub struct NotAWeek;

impl IsoWeek {
    /// The week a date belongs to. Its year may differ from the date's: 2027-01-01 is in 2026-W53.
    #[must_use]
    pub fn of(date: NaiveDate) -> Self {
        let week = date.iso_week();
        Self { year: week.year(), week: week.week() }
    }

    /// The ISO year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// The week of the ISO year, 1 to 53.
    #[must_use]
    pub const fn week(self) -> u32 {
        self.week
    }

    /// Its first day.
    #[must_use]
    pub fn monday(self) -> NaiveDate {
        NaiveDate::from_isoywd_opt(self.year, self.week, Weekday::Mon).unwrap_or(NaiveDate::MIN)
    }

    /// The week after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::of(self.next_monday())
    }

    /// The instant it is over in `zone`: the start of the next Monday.
    #[must_use]
    pub fn ends(self, zone: Tz) -> DateTime<Utc> {
        start_of_day(self.next_monday(), zone)
    }

    fn next_monday(self) -> NaiveDate {
        let monday = self.monday();
        monday.checked_add_days(Days::new(7)).unwrap_or(monday)
    }
}

impl fmt::Display for IsoWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.week)
    }
}

impl FromStr for IsoWeek {
    type Err = NotAWeek;

    /// Reads exactly what `Display` writes, for the years 0 to 9999.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (year, week) = text.split_once("-W").ok_or(NotAWeek)?;
        let digits = |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(week, 2) {
            return Err(NotAWeek);
        }
        let year = year.parse().map_err(|_| NotAWeek)?;
        let week = week.parse().map_err(|_| NotAWeek)?;
        // Only this knows whether the year has a week 53.
        NaiveDate::from_isoywd_opt(year, week, Weekday::Mon).map(|_| Self { year, week }).ok_or(NotAWeek)
    }
}

impl TryFrom<String> for IsoWeek {
    type Error = NotAWeek;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<IsoWeek> for String {
    fn from(week: IsoWeek) -> Self {
        week.to_string()
    }
}

fn end_of_gap(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let gap = GapInfo::new(&local, &zone);
    // Where the gap begins, at the offset that ended there, is the instant the clocks moved.
    let moved = gap.and_then(|gap| gap.begin).and_then(|(begin, before)| begin.checked_sub_offset(before.fix()));
    moved.unwrap_or(local).and_utc()
}

#[cfg(test)]
mod independent_table;
#[cfg(test)]
mod tests;
