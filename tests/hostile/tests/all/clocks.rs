//! Local time and contact hours where clocks are changed, minute by minute.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use retorno_domain::calendar::{local_date, local_time, resolve_local, resolve_local_last, start_of_day};
use retorno_domain::holiday::Country;
use retorno_domain::hours::{ContactCalendar, ContactHours, OpenHours};

use crate::given::{ZONES, changes, near_a_change};

#[test]
fn there_are_changes_to_look_at() {
    let all: usize = ZONES.iter().map(|zone| changes(*zone).len()).sum();
    assert!(all > 300, "{all}");
    assert_eq!(changes(chrono_tz::America::Lima), [] as [DateTime<Utc>; 0]);
}

/// Hours of quarters, mostly beginning or ending around midnight, where clocks are changed.
fn hours() -> impl Strategy<Value = Option<OpenHours>> {
    let (from, length) = (prop_oneof![2 => 0_u32..14, 1 => 88_u32..96, 1 => 0_u32..96], 1_u32..96);
    (from, length).prop_map(|(from, length)| {
        let time =
            |quarter: u32| NaiveTime::from_num_seconds_from_midnight_opt((quarter * 900).min(86_399), 0).unwrap();
        OpenHours::new(time(from), time((from + length).min(96))).ok()
    })
}

fn calendar() -> impl Strategy<Value = ContactCalendar> {
    let country = prop::option::of(prop::sample::select(&Country::ALL[..]));
    (hours(), hours(), hours(), country, any::<bool>()).prop_map(
        |(week, saturday, sunday, country, open_on_holidays)| {
            let hours = ContactHours { sunday, ..ContactHours::week(week, saturday) };
            ContactCalendar { hours, country, open_on_holidays, ..ContactCalendar::default() }
        },
    )
}

/// Whether the wall clock of a zone reads a contact hour, by the letter of the rule alone.
fn reads_an_hour(calendar: &ContactCalendar, at: DateTime<Utc>, zone: Tz) -> bool {
    let wall = at.with_timezone(&zone).naive_local();
    let hours = calendar.hours.on(wall.weekday()).filter(|_| calendar.closed_because(wall.date()).is_none());
    hours.is_some_and(|hours| hours.from() <= wall.time() && wall.time() < hours.until())
}

/// Whether clocks are changed within three hours, where an hour may be left out for safety's sake.
fn is_near_a_change(at: DateTime<Utc>, zone: Tz) -> bool {
    static CHANGES: LazyLock<BTreeMap<&str, Vec<DateTime<Utc>>>> =
        LazyLock::new(|| ZONES.iter().map(|zone| (zone.name(), changes(*zone))).collect());
    CHANGES[zone.name()].iter().any(|change| (*change - at).abs() <= TimeDelta::hours(3))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Nobody is written to outside the hours on their own clock; and inside them everybody may be,
    /// but for the hours that a change of clocks makes doubtful.
    #[test]
    fn open_means_that_the_clock_on_the_wall_reads_contact_hours(
        calendar in calendar(), (zone, at) in near_a_change(), minutes in 1_i64..15,
    ) {
        for n in 0..60 {
            let at = at + TimeDelta::minutes(minutes * n);
            let open = calendar.is_open(at, zone);
            prop_assert!(!open || reads_an_hour(&calendar, at, zone), "open at {} in {}", at, zone);
            prop_assert!(open || !reads_an_hour(&calendar, at, zone) || is_near_a_change(at, zone), "{} in {}", at, zone);
        }
    }

    #[test]
    fn the_next_opening_is_the_first_open_minute(calendar in calendar(), (zone, at) in near_a_change()) {
        // On the minute, since hours begin on one.
        let at = DateTime::from_timestamp(at.timestamp() / 60 * 60, 0).unwrap();
        let first = (0..60 * 24 * 2).map(|n| at + TimeDelta::minutes(n)).find(|at| calendar.is_open(*at, zone));
        let next = calendar.next_opening(at, zone);
        match first {
            // The instant of a change need not be on a minute of ours, so the opening may be sooner.
            Some(first) => prop_assert!(next.is_some_and(|next| first - TimeDelta::minutes(1) < next && next <= first)),
            None => prop_assert!(next.is_none_or(|next| next >= at + TimeDelta::days(2) - TimeDelta::minutes(1))),
        }
    }

    #[test]
    fn local_times_go_there_and_back((zone, at) in near_a_change(), seconds in 0_i64..7_200) {
        let wall = local_time(at, zone);
        prop_assert_eq!(wall, at.with_timezone(&zone).naive_local());
        let (first, last) = (resolve_local(wall, zone), resolve_local_last(wall, zone));
        prop_assert!(first == at || last == at, "an instant is one of those its own clock reads");
        // Later on the clock is never earlier in time.
        let later = wall + TimeDelta::seconds(seconds);
        prop_assert!(resolve_local(later, zone) >= first && resolve_local_last(later, zone) >= last);
    }

    #[test]
    fn a_day_begins_with_its_first_instant((zone, at) in near_a_change()) {
        let day = local_date(at, zone);
        let start = start_of_day(day, zone);
        prop_assert!(start <= at && local_date(start, zone) == day);
        prop_assert!(local_date(start - TimeDelta::seconds(1), zone) < day);
        let next = start_of_day(day.succ_opt().unwrap(), zone);
        prop_assert!(at < next && next - start <= TimeDelta::hours(28), "a day of {}", next - start);
    }
}
