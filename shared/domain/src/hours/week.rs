//! The hours of a day and of a week, on the wall clock.

use chrono::{NaiveTime, Weekday};

use crate::holiday::Country;

/// The hours of one day, from the first minute to the one before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpenHours {
    from: NaiveTime,
    until: NaiveTime,
}

/// Hours that do not end after they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("contact hours must end after they begin, within one day")]
pub struct NotHours;

impl OpenHours {
    /// Hours from `from` until `until`, of the same day.
    ///
    /// # Errors
    /// [`NotHours`] unless `from` is before `until`.
    pub fn new(from: NaiveTime, until: NaiveTime) -> Result<Self, NotHours> {
        (from < until).then_some(Self { from, until }).ok_or(NotHours)
    }

    /// When they begin.
    #[must_use]
    pub const fn from(self) -> NaiveTime {
        self.from
    }

    /// When they are over: the first moment that no longer belongs to them.
    #[must_use]
    pub const fn until(self) -> NaiveTime {
        self.until
    }

    /// Their length on the wall clock, in whole minutes.
    #[must_use]
    pub fn minutes(self) -> u32 {
        u32::try_from((self.until - self.from).num_minutes()).unwrap_or(0)
    }

    /// Whole hours of the day; `None` when they are no hours.
    fn between(from: u32, until: u32) -> Option<Self> {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0);
        Self::new(time(from)?, time(until)?).ok()
    }
}

/// The hours of each weekday; a weekday without hours is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContactHours {
    /// Monday.
    pub monday: Option<OpenHours>,
    /// Tuesday.
    pub tuesday: Option<OpenHours>,
    /// Wednesday.
    pub wednesday: Option<OpenHours>,
    /// Thursday.
    pub thursday: Option<OpenHours>,
    /// Friday.
    pub friday: Option<OpenHours>,
    /// Saturday.
    pub saturday: Option<OpenHours>,
    /// Sunday.
    pub sunday: Option<OpenHours>,
}

impl Default for ContactHours {
    /// Monday to Friday 9 to 20, Saturday 9 to 14, closed on Sunday: inside what the countries we
    /// know allow or are used to, where no law says otherwise.
    fn default() -> Self {
        Self::week(OpenHours::between(9, 20), OpenHours::between(9, 14))
    }
}

impl ContactHours {
    /// The hours the law of a country sets, or the default.
    ///
    /// Colombia: Monday to Friday 7 to 19, Saturday 8 to 15, none on Sundays and holidays
    /// (Ley 2300 de 2023, article 3).
    #[must_use]
    pub fn for_country(country: Country) -> Self {
        match country {
            Country::Co => Self::week(OpenHours::between(7, 19), OpenHours::between(8, 15)),
            Country::Ar | Country::Br | Country::Cl | Country::Es | Country::Mx | Country::Pe | Country::Uy => {
                Self::default()
            }
        }
    }

    /// The same hours from Monday to Friday, others on Saturday, none on Sunday.
    #[must_use]
    pub const fn week(weekdays: Option<OpenHours>, saturday: Option<OpenHours>) -> Self {
        Self {
            monday: weekdays,
            tuesday: weekdays,
            wednesday: weekdays,
            thursday: weekdays,
            friday: weekdays,
            saturday,
            sunday: None,
        }
    }

    /// Sets the hours of a weekday; none closes it.
    pub fn set(&mut self, weekday: Weekday, hours: Option<OpenHours>) {
        let day = match weekday {
            Weekday::Mon => &mut self.monday,
            Weekday::Tue => &mut self.tuesday,
            Weekday::Wed => &mut self.wednesday,
            Weekday::Thu => &mut self.thursday,
            Weekday::Fri => &mut self.friday,
            Weekday::Sat => &mut self.saturday,
            Weekday::Sun => &mut self.sunday,
        };
        *day = hours;
    }

    /// The hours of a weekday.
    #[must_use]
    pub const fn on(&self, weekday: Weekday) -> Option<OpenHours> {
        match weekday {
            Weekday::Mon => self.monday,
            Weekday::Tue => self.tuesday,
            Weekday::Wed => self.wednesday,
            Weekday::Thu => self.thursday,
            Weekday::Fri => self.friday,
            Weekday::Sat => self.saturday,
            Weekday::Sun => self.sunday,
        }
    }
}
