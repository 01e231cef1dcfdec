//! Dates and times as the export writes them: ISO 8601, read strictly.

use std::str::FromStr;

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use super::refusal::RefusalReason;

/// First and last year an appointment or a consent can be of.
pub(super) const YEAR_MIN: i32 = 1990;
/// See [`YEAR_MIN`].
pub(super) const YEAR_MAX: i32 = 2100;
/// First year somebody alive can be born in.
pub(super) const BIRTH_YEAR_MIN: i32 = 1900;

/// An instant as the export writes it: the clock on the wall, and the offset where it was written.
/// Without an offset the zone of the row decides, gaps and folds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StartCell {
    /// Date and time as written, to the second.
    pub local: NaiveDateTime,
    /// Offset from UTC as written; `Z` is zero.
    pub offset: Option<FixedOffset>,
}

impl FromStr for StartCell {
    type Err = RefusalReason;

    /// Reads a cell as the export's own columns of instants are read.
    fn from_str(cell: &str) -> Result<Self, RefusalReason> {
        start(cell)
    }
}

/// ISO 8601 date and time with `T` or a blank between, seconds and offset optional; fractions of a
/// second are dropped.
pub(super) fn start(cell: &str) -> Result<StartCell, RefusalReason> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Err(RefusalReason::Empty);
    }
    let (day, rest) = cell.split_at_checked(10).ok_or(RefusalReason::NotADateTime)?;
    let day = date(day).map_err(|wrong| wrong.unwrap_or(RefusalReason::NotADateTime))?;
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or(RefusalReason::NotADateTime)?;
    let time_end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, offset) = rest.split_at_checked(time_end).ok_or(RefusalReason::NotADateTime)?;
    let time = time_of_day(time.trim_end())?;
    let offset = if offset.is_empty() { None } else { Some(offset_from_utc(offset)?) };
    Ok(StartCell { local: day.and_time(time), offset })
}

/// [`start`], or nothing where the cell is empty.
pub(super) fn optional_start(cell: &str) -> Result<Option<StartCell>, RefusalReason> {
    if cell.trim().is_empty() { Ok(None) } else { start(cell).map(Some) }
}

/// A date of birth, or nothing where the cell is empty.
pub(super) fn birth(cell: &str) -> Result<Option<NaiveDate>, RefusalReason> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Ok(None);
    }
    match date_between(cell, (BIRTH_YEAR_MIN, YEAR_MAX)) {
        Ok(born) => Ok(Some(born)),
        Err(Some(RefusalReason::YearOutOfRange)) => Err(RefusalReason::BirthYear),
        Err(Some(wrong)) => Err(wrong),
        Err(None) => Err(RefusalReason::NotADate),
    }
}

/// `YYYY-MM-DD`. The error holds the reason where it is one of a date, and nothing where the text is
/// none.
pub(super) fn date(text: &str) -> Result<NaiveDate, Option<RefusalReason>> {
    date_between(text, (YEAR_MIN, YEAR_MAX))
}

fn date_between(text: &str, (first, last): (i32, i32)) -> Result<NaiveDate, Option<RefusalReason>> {
    let (year, rest) = text.split_at_checked(4).ok_or(None)?;
    let (month, day) = rest.strip_prefix('-').and_then(|rest| rest.split_once('-')).ok_or(None)?;
    let year = digits(year, 4).ok_or(None)?;
    let month = digits(month, 2).ok_or(None)?;
    let day = digits(day, 2).ok_or(None)?;
    let year = i32::try_from(year).map_err(|_too_large| None)?;
    if !(first..=last).contains(&year) {
        return Err(Some(RefusalReason::YearOutOfRange));
    }
    NaiveDate::from_ymd_opt(year, month, day).ok_or(Some(RefusalReason::ImpossibleDateTime))
}

/// `HH:MM` or `HH:MM:SS`, with fractions of a second.
fn time_of_day(text: &str) -> Result<NaiveTime, RefusalReason> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let mut parts = clock.split(':').map(|part| digits(part, 2));
    let hour = parts.next().flatten().ok_or(RefusalReason::NotADateTime)?;
    let minute = parts.next().flatten().ok_or(RefusalReason::NotADateTime)?;
    let second = parts.next().unwrap_or(Some(0)).ok_or(RefusalReason::NotADateTime)?;
    let fraction_is_digits =
        !fraction.is_empty() && fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || !fraction_is_digits {
        return Err(RefusalReason::NotADateTime);
    }
    NaiveTime::from_hms_opt(hour, minute, second).ok_or(RefusalReason::ImpossibleDateTime)
}

/// `Z`, `-03:00`, `-0300` or `-03`.
fn offset_from_utc(text: &str) -> Result<FixedOffset, RefusalReason> {
    let east = match text.as_bytes().first() {
        Some(b'Z' | b'z') if text.len() == 1 => {
            return FixedOffset::east_opt(0).ok_or(RefusalReason::NotADateTime);
        }
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) | None => return Err(RefusalReason::NotADateTime),
    };
    let body = text.get(1..).unwrap_or_default();
    let (hours, minutes) = body.split_at_checked(2).ok_or(RefusalReason::NotADateTime)?;
    let minutes = match minutes.strip_prefix(':').unwrap_or(minutes) {
        "" if minutes.is_empty() => "00",
        minutes => minutes,
    };
    let hours = digits(hours, 2).ok_or(RefusalReason::NotADateTime)?;
    let minutes = digits(minutes, 2).ok_or(RefusalReason::NotADateTime)?;
    let seconds = i32::try_from(hours * 3600 + minutes * 60).unwrap_or(i32::MAX);
    // The zones in use go from -12:00 to +14:00.
    if minutes > 59 || seconds > 14 * 3600 {
        return Err(RefusalReason::ImpossibleDateTime);
    }
    FixedOffset::east_opt(east * seconds).ok_or(RefusalReason::ImpossibleDateTime)
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let all_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}
