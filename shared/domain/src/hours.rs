//! Contact hours: when a clinic may write to or call a patient, in the patient's own zone.
//!
//! Hours are wall-clock times; a window of them is a pair of instants. Inside a window the
//! patient's clock never reads a time outside the hours, across gaps and folds too.

mod week;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::calendar::{local_date, resolve_local, resolve_local_last};
use crate::guard;
use crate::holiday::{Country, national_holiday};

pub use week::{ContactHours, NotHours, OpenHours};

/// How many days ahead the next opening is looked for. A clinic closed for longer is told that
/// there is none, instead of a date nobody would wait for.
pub const NEXT_OPENING_DAYS_MAX: u64 = 60;

/// Contact hours together with the dates on which there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactCalendar {
    /// The hours of the week.
    pub hours: ContactHours,
    /// Whose national holidays count; none do without a country.
    pub country: Option<Country>,
    /// Dates the clinic itself closes, such as a decreed day or its summer break.
    pub closed: BTreeSet<NaiveDate>,
    /// Whether to write on national holidays all the same.
    pub open_on_holidays: bool,
}

/// An uninterrupted stretch of contact hours: `opens` belongs to it, `closes` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpenWindow {
    /// Its first instant.
    pub opens: DateTime<Utc>,
    /// The instant it is over.
    pub closes: DateTime<Utc>,
}

impl OpenWindow {
    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.opens <= at && at < self.closes
    }
}

/// Why nobody is contacted on a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClosedDay {
    /// The weekday has no hours.
    Weekday,
    /// A national holiday, with its name in the country's language.
    NationalHoliday(&'static str),
    /// The clinic closed the date.
    ClinicClosed,
}

impl ClosedDay {
    /// Its name in records and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Weekday => "weekday",
            Self::NationalHoliday(_) => "national_holiday",
            Self::ClinicClosed => "clinic_closed",
        }
    }
}

impl ContactCalendar {
    /// The calendar of a country: the hours of its law, its holidays, no dates of the clinic's own.
    #[must_use]
    pub fn for_country(country: Country) -> Self {
        Self { hours: ContactHours::for_country(country), country: Some(country), ..Self::default() }
    }

    /// Why a date is closed; `None` when it has hours. Of several reasons the one that lasts
    /// longest is told: the weekday, then the holiday, then the clinic.
    #[must_use]
    pub fn closed_because(&self, date: NaiveDate) -> Option<ClosedDay> {
        if self.hours.on(date.weekday()).is_none() {
            return Some(ClosedDay::Weekday);
        }
        if let Some(name) = self.holiday(date) {
            return Some(ClosedDay::NationalHoliday(name));
        }
        (self.closed.contains(&date) && !guard::is_off("hours", "closures")).then_some(ClosedDay::ClinicClosed)
    }

    /// The window of a date in the patient's `zone`; `None` when the date is closed, or when a
    /// change of clocks leaves nothing of its hours.
    ///
    /// An opening time that happens twice opens the second time and a closing time that happens
    /// twice closes the first, so that the clock never reads a time outside the hours.
    #[must_use]
    pub fn window_on(&self, date: NaiveDate, zone: Tz) -> Option<OpenWindow> {
        let hours = self.open_hours(date)?;
        let zone = if guard::is_off("hours", "patients_zone") { Tz::UTC } else { zone };
        let opens = resolve_local_last(date.and_time(hours.from()), zone);
        let closes = resolve_local(date.and_time(hours.until()), zone);
        (opens < closes).then_some(OpenWindow { opens, closes })
    }

    /// Whether a patient in `zone` may be contacted at an instant.
    #[must_use]
    pub fn is_open(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        self.window_on(local_date(at, zone), zone).is_some_and(|window| window.contains(at))
    }

    /// The first instant from `at` on at which a patient in `zone` may be contacted: `at` itself if
    /// that is open. `None` when nothing opens within [`NEXT_OPENING_DAYS_MAX`] days.
    #[must_use]
    pub fn next_opening(&self, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        days_from(local_date(at, zone))
            .filter_map(|date| self.window_on(date, zone))
            .find(|window| at < window.closes)
            .map(|window| window.opens.max(at))
    }

    /// The first date from `date` on that has hours; `None` when there is none within
    /// [`NEXT_OPENING_DAYS_MAX`] days.
    #[must_use]
    pub fn next_open_date(&self, date: NaiveDate) -> Option<NaiveDate> {
        days_from(date).find(|date| self.open_hours(*date).is_some())
    }

    /// The length of a date's hours on the wall clock, in whole minutes; 0 when it is closed.
    #[must_use]
    pub fn open_minutes(&self, date: NaiveDate) -> u32 {
        self.open_hours(date).map_or(0, OpenHours::minutes)
    }

    fn open_hours(&self, date: NaiveDate) -> Option<OpenHours> {
        match self.closed_because(date) {
            Some(_) => None,
            None => self.hours.on(date.weekday()),
        }
    }

    fn holiday(&self, date: NaiveDate) -> Option<&'static str> {
        if self.open_on_holidays || guard::is_off("hours", "holidays") {
            return None;
        }
        national_holiday(self.country?, date)
    }
}

/// `first` and the [`NEXT_OPENING_DAYS_MAX`] dates after it, as far as there are any.
fn days_from(first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    (0..=NEXT_OPENING_DAYS_MAX).map_while(move |days| first.checked_add_days(Days::new(days)))
}

#[cfg(test)]
mod tests;
