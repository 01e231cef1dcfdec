//! When a schedule is due: `at(…)`, `rate(…)` and a daily or hourly `cron(…)`, in an IANA zone.

use chrono::{
    DateTime, Days, DurationRound, LocalResult, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

/// A schedule expression that this double plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expression {
    /// Once, at a local time.
    At(NaiveDateTime),
    /// Again and again after this long.
    Rate(TimeDelta),
    /// Every day at a local time.
    Daily(NaiveTime),
    /// Every hour at a minute of the local clock.
    Hourly(u32),
}

impl Expression {
    /// Reads `at(2026-03-01T09:00:00)`, `rate(5 minutes)`, `cron(30 6 * * ? *)` or `cron(25 * * * ? *)`;
    /// the message says what is wrong with anything else.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let invalid = || format!("Invalid Schedule Expression {text}.");
        let (kind, inner) = text.strip_suffix(')').and_then(|text| text.split_once('(')).ok_or_else(invalid)?;
        match kind {
            "at" => parse_at(inner).ok_or_else(invalid),
            "rate" => parse_rate(inner).ok_or_else(invalid),
            "cron" => parse_cron(inner)
                .ok_or_else(|| format!("{text} is neither daily nor hourly; this double plays no other cron.")),
            _ => Err(invalid()),
        }
    }

    /// The first time it is due, for a schedule created at `created`: a rate counts from then.
    pub(super) fn first(self, zone: Tz, created: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::At(local) => Some(at_instant(zone, local)),
            Self::Rate(every) => created.checked_add_signed(every),
            Self::Daily(time) => next_day_at(zone, time, created),
            Self::Hourly(minute) => next_hour_at(zone, minute, created),
        }
    }

    /// The first time after `now` it is due again, having been due at `due`.
    pub(super) fn after(self, zone: Tz, due: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::At(_) => None,
            Self::Rate(every) => {
                let missed = (now - due).num_seconds().max(0) / every.num_seconds().max(1);
                let turns = i32::try_from(missed + 1).ok()?;
                due.checked_add_signed(every.checked_mul(turns)?)
            }
            Self::Daily(time) => next_day_at(zone, time, now),
            Self::Hourly(minute) => next_hour_at(zone, minute, now),
        }
    }
}

fn parse_at(inner: &str) -> Option<Expression> {
    // chrono takes one-digit fields too; the service does not.
    let complete = inner.len() == "2026-03-01T09:00:00".len();
    let local = NaiveDateTime::parse_from_str(inner, "%Y-%m-%dT%H:%M:%S").ok()?;
    complete.then_some(Expression::At(local))
}

fn parse_rate(inner: &str) -> Option<Expression> {
    let (count, unit) = inner.split_once(' ')?;
    let count: i64 = count.parse().ok().filter(|count| *count > 0)?;
    let every = match unit.trim_end_matches('s') {
        "minute" => TimeDelta::try_minutes(count)?,
        "hour" => TimeDelta::try_hours(count)?,
        "day" => TimeDelta::try_days(count)?,
        _ => return None,
    };
    Some(Expression::Rate(every))
}

fn parse_cron(inner: &str) -> Option<Expression> {
    let mut fields = inner.split_whitespace();
    let minute: u32 = fields.next()?.parse().ok()?;
    let hour = fields.next()?;
    let rest: Vec<&str> = fields.collect();
    if !matches!(rest.as_slice(), ["*", "*", "?", "*"] | ["?", "*", "*", "*"]) {
        return None;
    }
    if hour == "*" {
        return (minute < 60).then_some(Expression::Hourly(minute));
    }
    NaiveTime::from_hms_opt(hour.parse().ok()?, minute, 0).map(Expression::Daily)
}

/// A local time that occurs twice is due the first time. One that a clock change skips is due by the
/// clock as it was before the change, which is as long after it as the clock was moved.
fn at_instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => {
            let before = local - TimeDelta::days(1);
            let day_before = zone.from_local_datetime(&before).earliest();
            day_before.map_or(local.and_utc(), |at| at.to_utc() + TimeDelta::days(1))
        }
    }
}

/// The next occurrence of a daily time after `after`. As the service documents, a day on which the
/// time is skipped has none, and a day on which it occurs twice has one: the first.
fn next_day_at(zone: Tz, time: NaiveTime, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let today = after.with_timezone(&zone).date_naive();
    (0..4)
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .filter_map(|date| zone.from_local_datetime(&date.and_time(time)).earliest())
        .map(|at| at.to_utc())
        .find(|at| *at > after)
}

/// The next instant after `after` at which the local clock shows this minute.
fn next_hour_at(zone: Tz, minute: u32, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let shown = after.with_timezone(&zone).minute();
    let ahead = (minute + 59 - shown) % 60 + 1;
    let begun = after.duration_trunc(TimeDelta::minutes(1)).ok()?;
    begun.checked_add_signed(TimeDelta::minutes(i64::from(ahead)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn first(expression: &str, zone: Tz) -> Option<DateTime<Utc>> {
        Expression::parse(expression).unwrap().first(zone, utc("2026-03-01T00:00:00Z"))
    }

    #[test]
    fn a_local_time_is_read_in_its_zone() {
        let buenos_aires = first("at(2026-03-01T09:00:00)", chrono_tz::America::Buenos_Aires);
        assert_eq!(buenos_aires, Some(utc("2026-03-01T12:00:00Z")));
    }

    #[test]
    fn a_skipped_local_time_is_due_after_the_change_and_a_repeated_one_the_first_time() {
        let madrid = chrono_tz::Europe::Madrid;
        // 02:30 does not exist on 29 March 2026; the old clock's 02:30 is the new clock's 03:30.
        assert_eq!(first("at(2026-03-29T02:30:00)", madrid), Some(utc("2026-03-29T01:30:00Z")));
        assert_eq!(first("at(2026-10-25T02:30:00)", madrid), Some(utc("2026-10-25T00:30:00Z")));
    }

    #[test]
    fn a_daily_time_follows_the_clock_and_skips_the_day_that_lacks_it() {
        let madrid = chrono_tz::Europe::Madrid;
        let daily = Expression::parse("cron(30 2 * * ? *)").unwrap();
        let after = |now: &str| daily.after(madrid, utc(now), utc(now)).unwrap();
        assert_eq!(after("2026-03-27T12:00:00Z"), utc("2026-03-28T01:30:00Z"));
        assert_eq!(after("2026-03-28T01:30:00Z"), utc("2026-03-30T00:30:00Z"));
        assert_eq!(after("2026-10-25T00:30:00Z"), utc("2026-10-26T01:30:00Z"));
    }

    #[test]
    fn an_hourly_minute_is_the_local_clocks() {
        let hourly = Expression::parse("cron(25 * * * ? *)").unwrap();
        let after = |zone, now: &str| hourly.after(zone, utc(now), utc(now)).unwrap();
        assert_eq!(after(chrono_tz::UTC, "2026-03-01T00:24:59Z"), utc("2026-03-01T00:25:00Z"));
        assert_eq!(after(chrono_tz::UTC, "2026-03-01T00:25:00Z"), utc("2026-03-01T01:25:00Z"));
        assert_eq!(after(chrono_tz::UTC, "2026-03-01T23:40:10Z"), utc("2026-03-02T00:25:00Z"));
        // Half an hour from UTC.
        assert_eq!(after(chrono_tz::Asia::Kolkata, "2026-03-01T00:00:00Z"), utc("2026-03-01T00:55:00Z"));
    }

    #[test]
    fn a_rate_keeps_its_beat_over_missed_turns() {
        let rate = Expression::parse("rate(15 minutes)").unwrap();
        let due = utc("2026-03-01T00:15:00Z");
        let next = |now| rate.after(chrono_tz::UTC, due, utc(now));
        assert_eq!(next("2026-03-01T00:15:00Z"), Some(utc("2026-03-01T00:30:00Z")));
        assert_eq!(next("2026-03-01T02:20:00Z"), Some(utc("2026-03-01T02:30:00Z")));
    }

    #[test]
    fn what_is_not_played_is_refused() {
        for wrong in [
            "at(2026-03-01T09:00)",
            "at(2026-02-30T09:00:00)",
            "rate(0 minutes)",
            "rate(5 weeks)",
            "cron(0 9 ? * MON-FRI *)",
            "cron(60 9 * * ? *)",
            "cron(60 * * * ? *)",
            "cron(* * * * ? *)",
            "every day",
            "at(",
        ] {
            assert!(Expression::parse(wrong).is_err(), "{wrong}");
        }
    }
}
