#![expect(clippy::unwrap_used, reason = "tests")]

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use super::{IsoWeek, NotAWeek, local_date, local_time, resolve_local, resolve_local_last, start_of_day};

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_local_time_has_one_instant() {
    let cases = [
        // Ordinary days.
        ("America/Argentina/Buenos_Aires", "2026-03-01T09:00:00", "2026-03-01T12:00:00Z"),
        ("America/Sao_Paulo", "2016-12-15T09:00:00", "2016-12-15T11:00:00Z"),
        ("Asia/Kathmandu", "2026-03-01T09:00:00", "2026-03-01T03:15:00Z"),
        // São Paulo's last summer begins at midnight: 00:00 to 00:59 do not exist.
        ("America/Sao_Paulo", "2018-11-03T23:59:59", "2018-11-04T02:59:59Z"),
        ("America/Sao_Paulo", "2018-11-04T00:00:00", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T00:30:00", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T01:00:00", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T01:00:01", "2018-11-04T03:00:01Z"),
        // And ends by repeating 23:00 of the date before.
        ("America/Sao_Paulo", "2019-02-16T23:30:00", "2019-02-17T01:30:00Z"),
        ("America/Sao_Paulo", "2019-02-17T00:00:00", "2019-02-17T03:00:00Z"),
        // Chile: the first Sundays of September and April.
        ("America/Santiago", "2026-09-06T00:30:00", "2026-09-06T04:00:00Z"),
        ("America/Santiago", "2026-04-04T23:30:00", "2026-04-05T02:30:00Z"),
        ("Pacific/Easter", "2026-09-05T22:30:00", "2026-09-06T04:00:00Z"),
        // Spain: 02:00 to 03:00 and back.
        ("Europe/Madrid", "2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
        ("Europe/Madrid", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("Atlantic/Canary", "2026-03-29T01:30:00", "2026-03-29T01:00:00Z"),
        // A whole date that never was.
        ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00Z"),
    ];
    for (zone, at, instant) in cases {
        let zone: Tz = zone.parse().unwrap();
        assert_eq!(resolve_local(local(at), zone), utc(instant), "{at} in {zone}");
    }
}

#[test]
fn the_later_instant_of_a_fold_can_be_asked_for() {
    let madrid = Tz::Europe__Madrid;
    let twice = local("2026-10-25T02:30:00");
    assert_eq!(resolve_local_last(twice, madrid), utc("2026-10-25T01:30:00Z"));
    let never = local("2026-03-29T02:30:00");
    assert_eq!(resolve_local_last(never, madrid), resolve_local(never, madrid));
    let once = local("2026-06-01T02:30:00");
    assert_eq!(resolve_local_last(once, madrid), resolve_local(once, madrid));
}

#[test]
fn a_date_starts_at_its_first_instant() {
    let cases = [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2019-02-17", "2019-02-17T03:00:00Z"),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"),
        ("America/Santiago", "2026-04-05", "2026-04-05T04:00:00Z"),
        // Havana repeats 00:00 to 00:59 itself: the first of the two.
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"),
        ("Europe/Madrid", "2026-03-29", "2026-03-28T23:00:00Z"),
    ];
    for (zone, date, instant) in cases {
        let zone: Tz = zone.parse().unwrap();
        let start = start_of_day(day(date), zone);
        assert_eq!(start, utc(instant), "{date} in {zone}");
        assert_eq!(local_date(start, zone), day(date));
        let before = start - TimeDelta::seconds(1);
        assert_eq!(local_date(before, zone), day(date).pred_opt().unwrap());
    }
}

#[test]
fn an_instant_has_the_date_of_its_zone() {
    let late = utc("2026-03-01T02:59:59Z");
    assert_eq!(local_date(late, Tz::America__Argentina__Buenos_Aires), day("2026-02-28"));
    assert_eq!(local_date(late, Tz::Europe__Madrid), day("2026-03-01"));
}

#[test]
fn the_ends_of_the_range_do_not_panic() {
    for zone in TZ_VARIANTS {
        for edge in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            let at = resolve_local(edge, zone);
            assert!((at.naive_utc() - edge).abs() <= TimeDelta::hours(16));
            assert_eq!(resolve_local_last(edge, zone), at);
        }
        for edge in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let wall = local_time(edge, zone);
            assert!((wall - edge.naive_utc()).abs() <= TimeDelta::hours(16));
        }
        for date in [NaiveDate::MIN, NaiveDate::MAX] {
            let week = IsoWeek::of(date);
            assert!(week.ends(zone).naive_utc() >= NaiveDateTime::MIN);
            assert!(week.next() >= week || date == NaiveDate::MAX);
        }
    }
}

#[test]
fn a_week_belongs_to_the_year_of_its_thursday() {
    for (date, week, monday) in [
        ("2026-03-01", "2026-W09", "2026-02-23"),
        ("2026-03-02", "2026-W10", "2026-03-02"),
        ("2026-12-31", "2026-W53", "2026-12-28"),
        ("2027-01-03", "2026-W53", "2026-12-28"),
        ("2027-01-04", "2027-W01", "2027-01-04"),
        ("2024-12-30", "2025-W01", "2024-12-30"),
    ] {
        let of = IsoWeek::of(day(date));
        assert_eq!(of.to_string(), week);
        assert_eq!(week.parse(), Ok(of));
        assert_eq!(of.monday(), day(monday));
    }
    assert_eq!("2026-W53".parse::<IsoWeek>().unwrap().next().to_string(), "2027-W01");
    assert!("2026-W53".parse::<IsoWeek>().unwrap() < "2027-W01".parse().unwrap());
}

#[test]
fn a_week_is_over_when_its_zone_says_so() {
    let week: IsoWeek = "2018-W44".parse().unwrap();
    assert_eq!(week.ends(Tz::America__Sao_Paulo), utc("2018-11-05T02:00:00Z"));
    assert_eq!(week.ends(Tz::Europe__Madrid), utc("2018-11-04T23:00:00Z"));
}

#[test]
fn what_is_not_a_week_is_refused() {
    for text in [
        "",
        "2026",
        "2026-10",
        "2026-W",
        "2026-W1",
        "2026-W00",
        "2025-W53",
        "2026-W54",
        "26-W10",
        "2026-w10",
        "+026-W10",
        "2026-W+1",
        " 2026-W10",
        "2026-W10 ",
        "２０２６-W10",
    ] {
        assert_eq!(text.parse::<IsoWeek>(), Err(NotAWeek), "{text:?}");
    }
}

#[test]
fn a_week_travels_as_its_text() {
    let week: IsoWeek = "2026-W10".parse().unwrap();
    let json = serde_json::to_string(&week).unwrap();
    assert_eq!(json, "\"2026-W10\"");
    assert_eq!(serde_json::from_str::<IsoWeek>(&json).unwrap(), week);
    assert!(serde_json::from_str::<IsoWeek>("\"2026-W99\"").is_err());
}

proptest! {
    #[test]
    fn resolving_is_the_inverse_of_reading_the_clock(
        zone in prop::sample::select(&TZ_VARIANTS[..]),
        seconds in 0_i64..2_208_988_800, // 1970 to 2040
    ) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let wall = local_time(at, zone);
        // In a fold `at` is either of the two.
        prop_assert!([resolve_local(wall, zone), resolve_local_last(wall, zone)].contains(&at));
        prop_assert!(resolve_local(wall, zone) <= at);
        prop_assert!(start_of_day(wall.date(), zone) <= at);
    }

    #[test]
    fn no_text_makes_the_week_panic(text in any::<String>()) {
        prop_assert_eq!(text.parse::<IsoWeek>().map(|week| week.to_string()).unwrap_or(text.clone()), text);
    }
}
