//! Contact hours and open days: Monday to Friday 9 to 20, Saturday 9 to 14, never on a Sunday or a
//! national holiday.

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono::{TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;

/// A country whose numbers and holidays the reference knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Country {
    /// Argentina.
    Argentina,
    /// Brazil.
    Brazil,
}

impl Country {
    /// The country a zone of the trial exports lies in.
    #[must_use]
    pub fn of(zone: Tz) -> Option<Self> {
        match zone.name() {
            "America/Sao_Paulo" => Some(Self::Brazil),
            name if name.starts_with("America/Argentina/") => Some(Self::Argentina),
            _ => None,
        }
    }

    /// National holidays, and non-working days fixed by decree, within the periods the trials run
    /// over. Argentina, March and April 2026: the bridge of 23 March, Memory day, Malvinas day
    /// (which falls on Holy Thursday) and Good Friday. Brazil, December 2016 and January 2017:
    /// Christmas and New Year's day, both Sundays.
    fn holidays(self) -> &'static [(i32, u32, u32)] {
        match self {
            Self::Argentina => &[(2026, 3, 23), (2026, 3, 24), (2026, 4, 2), (2026, 4, 3)],
            Self::Brazil => &[(2016, 12, 25), (2017, 1, 1)],
        }
    }

    /// Whether a day is a holiday here.
    #[must_use]
    pub fn is_holiday(self, day: NaiveDate) -> bool {
        self.holidays().contains(&(day.year(), day.month(), day.day()))
    }
}

/// The hour contact opens on every open day.
pub const OPENING_HOUR: u32 = 9;

/// The hour contact closes on a weekday, whatever the holidays; nothing on a Sunday.
#[must_use]
pub fn closing_hour(day: NaiveDate) -> Option<u32> {
    match day.weekday() {
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => Some(20),
        Weekday::Sat => Some(14),
        Weekday::Sun => None,
    }
}

/// Whether a local moment lies within the hours of its weekday. The closing second is outside.
#[must_use]
pub fn within_hours(local: NaiveDateTime) -> bool {
    closing_hour(local.date()).is_some_and(|closing| (OPENING_HOUR..closing).contains(&local.hour()))
}

/// Whether patients may be contacted at some moment of a day.
#[must_use]
pub fn is_open(day: NaiveDate, country: Country) -> bool {
    closing_hour(day).is_some() && !country.is_holiday(day)
}

/// The first open day at or after `day`, and then `further` open days more.
#[must_use]
pub fn open_day(day: NaiveDate, further: usize, country: Country) -> NaiveDate {
    day.iter_days().filter(|d| is_open(*d, country)).nth(further).unwrap_or(day)
}

/// The instant of a local time: the earlier of two in a fold; in a gap, as if the clocks had not
/// yet changed.
#[must_use]
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => zone
            .from_local_datetime(&(local - TimeDelta::hours(3)))
            .earliest()
            .map_or_else(|| local.and_utc(), |at| at.to_utc() + TimeDelta::hours(3)),
    }
}

/// The instant contact opens on a day.
#[must_use]
pub fn opening(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let time = NaiveTime::from_hms_opt(OPENING_HOUR, 0, 0).unwrap_or_default();
    instant(day.and_time(time), zone)
}

/// The Monday a day's ISO week begins with.
#[must_use]
pub fn monday_of(day: NaiveDate) -> NaiveDate {
    let since = u64::from(day.weekday().num_days_from_monday());
    day.checked_sub_days(Days::new(since)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "fixed dates")]
    use super::*;

    fn day(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    #[test]
    fn the_day_opens_at_nine_and_closes_by_weekday() {
        let at = |d: NaiveDate, h, m| within_hours(d.and_hms_opt(h, m, 0).unwrap());
        let friday = day(2026, 3, 6);
        assert!(!at(friday, 8, 59) && at(friday, 9, 0) && at(friday, 19, 59) && !at(friday, 20, 0));
        let saturday = day(2026, 3, 7);
        assert!(at(saturday, 13, 59) && !at(saturday, 14, 0));
        assert!(!at(day(2026, 3, 8), 11, 0));
    }

    #[test]
    fn open_days_step_over_sundays_and_the_long_weekend_of_march() {
        let saturday = day(2026, 3, 21);
        assert_eq!(open_day(saturday, 0, Country::Argentina), saturday);
        assert_eq!(open_day(day(2026, 3, 22), 0, Country::Argentina), day(2026, 3, 25));
        assert_eq!(open_day(saturday, 2, Country::Argentina), day(2026, 3, 26));
        assert_eq!(open_day(day(2026, 3, 22), 0, Country::Brazil), day(2026, 3, 23));
    }

    #[test]
    fn vitoria_keeps_daylight_saving_in_december_and_austral_has_none() {
        let noon = day(2016, 12, 15).and_hms_opt(12, 0, 0).unwrap();
        assert_eq!(instant(noon, chrono_tz::America::Sao_Paulo).hour(), 14);
        assert_eq!(instant(noon, chrono_tz::America::Argentina::Buenos_Aires).hour(), 15);
        // 2016-10-16 00:30 does not exist in São Paulo: the clocks went from 0 to 1.
        let gap = day(2016, 10, 16).and_hms_opt(0, 30, 0).unwrap();
        assert_eq!(instant(gap, chrono_tz::America::Sao_Paulo).hour(), 3);
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(monday_of(day(2026, 3, 1)), day(2026, 2, 23));
        assert_eq!(monday_of(day(2026, 3, 2)), day(2026, 3, 2));
    }
}
