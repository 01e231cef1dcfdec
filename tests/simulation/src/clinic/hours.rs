//! When a clinic may write: its own reckoning from the wall clock, beside the product's.

use chrono::{DateTime, Datelike, TimeDelta};
use chrono_tz::Tz;

use super::Clinic;

/// National holidays that never move, by country: enough to notice one that is not kept.
const HOLIDAYS: [(&str, u32, u32); 11] = [
    ("AR", 1, 1),
    ("AR", 5, 25),
    ("AR", 12, 25),
    ("BR", 1, 1),
    ("BR", 9, 7),
    ("BR", 12, 25),
    ("ES", 1, 1),
    ("ES", 1, 6),
    ("ES", 12, 25),
    ("CL", 12, 25),
    ("CL", 9, 18),
];

impl Clinic {
    /// Whether a patient in a zone may be written to at an instant, by the clinic's hours: its own
    /// reckoning from the wall clock. `slack` widens the hours on both sides.
    #[must_use]
    pub fn is_open(&self, at_ms: i64, zone: Tz, slack: TimeDelta) -> bool {
        let Some(at) = DateTime::from_timestamp_millis(at_ms) else { return false };
        [at - slack, at, at + slack].into_iter().any(|at| {
            let local = at.with_timezone(&zone);
            let day = local.date_naive();
            let closes = match local.weekday().number_from_monday() {
                7 => 0,
                6 => 14 * 60,
                _ => 20 * 60,
            };
            let minute = chrono::Timelike::hour(&local) * 60 + chrono::Timelike::minute(&local);
            let holiday =
                HOLIDAYS.iter().any(|(of, month, d)| *of == self.country && (*month, *d) == (day.month(), day.day()));
            (9 * 60..closes).contains(&minute)
                && !self.closed_on.contains(&day)
                && (self.writes_on_holidays || !holiday)
        })
    }
}
