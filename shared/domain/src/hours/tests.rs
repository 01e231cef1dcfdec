#![expect(clippy::unwrap_used, reason = "tests")]

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;

use super::{ClosedDay, ContactCalendar, ContactHours, NEXT_OPENING_DAYS_MAX, NotHours, OpenHours};
use crate::calendar::local_time;
use crate::holiday::Country;

const SAO_PAULO: Tz = Tz::America__Sao_Paulo;
const SANTIAGO: Tz = Tz::America__Santiago;
const MADRID: Tz = Tz::Europe__Madrid;
const BUENOS_AIRES: Tz = Tz::America__Argentina__Buenos_Aires;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn hours(from: &str, until: &str) -> Option<OpenHours> {
    Some(OpenHours::new(from.parse().unwrap(), until.parse().unwrap()).unwrap())
}

/// The same hours every day, without holidays.
fn always(from: &str, until: &str) -> ContactCalendar {
    let hours = hours(from, until);
    ContactCalendar {
        hours: ContactHours { sunday: hours, ..ContactHours::week(hours, hours) },
        ..ContactCalendar::default()
    }
}

#[test]
fn hours_end_after_they_begin() {
    let nine: NaiveTime = "09:00:00".parse().unwrap();
    let ten: NaiveTime = "10:30:00".parse().unwrap();
    assert_eq!(OpenHours::new(ten, nine), Err(NotHours));
    assert_eq!(OpenHours::new(nine, nine), Err(NotHours));
    let open = OpenHours::new(nine, ten).unwrap();
    assert_eq!((open.from(), open.until(), open.minutes()), (nine, ten, 90));
}

#[test]
fn the_default_week_and_the_law_of_colombia() {
    let usual = ContactHours::default();
    assert_eq!(usual.on(Weekday::Mon), hours("09:00:00", "20:00:00"));
    assert_eq!(usual.on(Weekday::Fri), hours("09:00:00", "20:00:00"));
    assert_eq!(usual.on(Weekday::Sat), hours("09:00:00", "14:00:00"));
    assert_eq!(usual.on(Weekday::Sun), None);
    let colombia = ContactHours::for_country(Country::Co);
    assert_eq!(colombia.on(Weekday::Mon), hours("07:00:00", "19:00:00"));
    assert_eq!(colombia.on(Weekday::Sat), hours("08:00:00", "15:00:00"));
    assert_eq!(colombia.on(Weekday::Sun), None);
    for country in Country::ALL.into_iter().filter(|country| *country != Country::Co) {
        assert_eq!(ContactHours::for_country(country), usual);
    }
}

#[test]
fn the_first_wave_leaves_on_monday() {
    let clinic = ContactCalendar::for_country(Country::Ar);
    let sunday_morning = utc("2026-03-01T12:00:00Z");
    assert!(!clinic.is_open(sunday_morning, BUENOS_AIRES));
    assert_eq!(clinic.closed_because(day("2026-03-01")), Some(ClosedDay::Weekday));
    let monday = utc("2026-03-02T12:00:00Z");
    assert_eq!(clinic.next_opening(sunday_morning, BUENOS_AIRES), Some(monday));
    assert_eq!(clinic.next_open_date(day("2026-03-01")), Some(day("2026-03-02")));
}

#[test]
fn a_window_is_half_open() {
    let clinic = ContactCalendar::for_country(Country::Ar);
    let (opens, closes) = (utc("2026-03-02T12:00:00Z"), utc("2026-03-02T23:00:00Z"));
    let window = clinic.window_on(day("2026-03-02"), BUENOS_AIRES).unwrap();
    assert_eq!((window.opens, window.closes), (opens, closes));
    let blink = TimeDelta::nanoseconds(1);
    for (at, open) in [(opens - blink, false), (opens, true), (closes - blink, true), (closes, false)] {
        assert_eq!(clinic.is_open(at, BUENOS_AIRES), open, "{at}");
        assert_eq!(window.contains(at), open, "{at}");
    }
    assert_eq!(clinic.next_opening(opens, BUENOS_AIRES), Some(opens));
    assert_eq!(clinic.next_opening(closes, BUENOS_AIRES), Some(utc("2026-03-03T12:00:00Z")));
}

#[test]
fn holidays_and_bridge_days_are_closed() {
    let clinic = ContactCalendar::for_country(Country::Ar);
    // A bridge Monday and a Tuesday in March: from Saturday afternoon on, Wednesday is next.
    let saturday_afternoon = utc("2026-03-21T17:00:00Z");
    let wednesday = utc("2026-03-25T12:00:00Z");
    assert_eq!(clinic.next_opening(saturday_afternoon, BUENOS_AIRES), Some(wednesday));
    let because = clinic.closed_because(day("2026-03-23"));
    assert_eq!(because, Some(ClosedDay::NationalHoliday("Feriado con fines turísticos")));
    assert_eq!(because.unwrap().code(), "national_holiday");
    assert_eq!(clinic.open_minutes(day("2026-03-24")), 0);
    assert_eq!(clinic.open_minutes(day("2026-03-25")), 660);
    assert_eq!(clinic.open_minutes(day("2026-03-28")), 300);

    let open = ContactCalendar { open_on_holidays: true, ..clinic.clone() };
    assert_eq!(open.closed_because(day("2026-03-23")), None);
    let anywhere = ContactCalendar { country: None, ..clinic };
    assert_eq!(anywhere.closed_because(day("2026-03-23")), None);
}

#[test]
fn the_clinic_closes_dates_of_its_own() {
    let clinic = ContactCalendar {
        closed: [day("2026-03-02"), day("2026-03-03")].into(),
        ..ContactCalendar::for_country(Country::Ar)
    };
    assert_eq!(clinic.closed_because(day("2026-03-02")), Some(ClosedDay::ClinicClosed));
    assert_eq!(clinic.next_open_date(day("2026-03-01")), Some(day("2026-03-04")));
    assert_eq!(clinic.window_on(day("2026-03-03"), BUENOS_AIRES), None);
}

#[test]
fn the_date_is_that_of_the_patient() {
    // Monday 02:00 in Madrid is Sunday 22:00 in Buenos Aires.
    let clinic = always("00:00:00", "23:00:00");
    let weekdays = ContactCalendar { hours: ContactHours { sunday: None, ..clinic.hours }, ..clinic };
    let at = utc("2026-03-02T01:00:00Z");
    assert!(weekdays.is_open(at, MADRID));
    assert!(!weekdays.is_open(at, BUENOS_AIRES));
}

#[test]
fn windows_across_gaps_and_folds() {
    let cases = [
        // Opening or closing inside the gap of São Paulo's last spring, at midnight.
        (SAO_PAULO, "2018-11-04", "00:30:00", "09:00:00", Some(("2018-11-04T03:00:00Z", "2018-11-04T11:00:00Z"))),
        (SAO_PAULO, "2018-11-04", "09:00:00", "20:00:00", Some(("2018-11-04T11:00:00Z", "2018-11-04T22:00:00Z"))),
        (SAO_PAULO, "2018-11-03", "09:00:00", "23:59:59", Some(("2018-11-03T12:00:00Z", "2018-11-04T02:59:59Z"))),
        // Hours wholly inside the gap never happen.
        (SAO_PAULO, "2018-11-04", "00:10:00", "00:50:00", None),
        // 23:00 to 24:00 happens twice: closing the first time, opening the second.
        (SAO_PAULO, "2019-02-16", "09:00:00", "23:30:00", Some(("2019-02-16T11:00:00Z", "2019-02-17T01:30:00Z"))),
        (SAO_PAULO, "2019-02-16", "23:15:00", "23:45:00", None),
        (SAO_PAULO, "2019-02-17", "00:00:00", "09:00:00", Some(("2019-02-17T03:00:00Z", "2019-02-17T12:00:00Z"))),
        (SANTIAGO, "2026-09-06", "00:30:00", "02:00:00", Some(("2026-09-06T04:00:00Z", "2026-09-06T05:00:00Z"))),
        (SANTIAGO, "2026-04-04", "20:00:00", "23:30:00", Some(("2026-04-04T23:00:00Z", "2026-04-05T02:30:00Z"))),
        (MADRID, "2026-03-29", "02:15:00", "09:00:00", Some(("2026-03-29T01:00:00Z", "2026-03-29T07:00:00Z"))),
        (MADRID, "2026-10-25", "02:15:00", "09:00:00", Some(("2026-10-25T01:15:00Z", "2026-10-25T08:00:00Z"))),
        (MADRID, "2026-10-25", "01:00:00", "09:00:00", Some(("2026-10-24T23:00:00Z", "2026-10-25T08:00:00Z"))),
        // A date Apia skipped altogether.
        (Tz::Pacific__Apia, "2011-12-30", "09:00:00", "20:00:00", None),
    ];
    for (zone, date, from, until, expected) in cases {
        let window = always(from, until).window_on(day(date), zone);
        let window = window.map(|window| (window.opens, window.closes));
        let expected = expected.map(|(opens, closes)| (utc(opens), utc(closes)));
        assert_eq!(window, expected, "{from}-{until} on {date} in {zone}");
    }
}

#[test]
fn a_closed_calendar_says_so() {
    let never = ContactCalendar { hours: ContactHours::week(None, None), ..ContactCalendar::default() };
    let at = utc("2026-03-02T12:00:00Z");
    assert_eq!(never.next_opening(at, MADRID), None);
    assert_eq!(never.next_open_date(day("2026-03-02")), None);

    // Sixty closed dates are waited for, sixty-one are not.
    let first = day("2026-03-02");
    let mut clinic = always("09:00:00", "20:00:00");
    clinic.closed = (0..NEXT_OPENING_DAYS_MAX).map(|days| first + Days::new(days)).collect();
    assert_eq!(clinic.next_open_date(first), Some(first + Days::new(NEXT_OPENING_DAYS_MAX)));
    clinic.closed.insert(first + Days::new(NEXT_OPENING_DAYS_MAX));
    assert_eq!(clinic.next_open_date(first), None);
    assert_eq!(clinic.next_opening(at, MADRID), None);
}

#[test]
fn the_ends_of_the_range_do_not_panic() {
    let clinic = always("00:00:00", "23:59:59");
    for zone in TZ_VARIANTS {
        for edge in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let next = clinic.next_opening(edge, zone);
            assert!(next.is_none_or(|next| next >= edge));
        }
        assert_eq!(clinic.next_open_date(NaiveDate::MAX), Some(NaiveDate::MAX));
    }
}

fn any_hours() -> impl Strategy<Value = Option<OpenHours>> {
    (0_u32..86_399, 1_u32..86_400).prop_map(|(from, length)| {
        let time = |seconds: u32| NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0);
        OpenHours::new(time(from)?, time((from + length).min(86_399))?).ok()
    })
}

fn any_calendar() -> impl Strategy<Value = ContactCalendar> {
    let country = prop::option::of(prop::sample::select(&Country::ALL[..]));
    (any_hours(), any_hours(), any_hours(), country).prop_map(|(weekdays, saturday, sunday, country)| ContactCalendar {
        hours: ContactHours { sunday, ..ContactHours::week(weekdays, saturday) },
        country,
        ..ContactCalendar::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_next_opening_is_open_and_nothing_opens_before_it(
        clinic in any_calendar(),
        zone in prop::sample::select(&TZ_VARIANTS[..]),
        seconds in 1_325_376_000_i64..2_208_988_800, // 2012 to 2040
        fraction in 0.0_f64..1.0,
    ) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let Some(next) = clinic.next_opening(at, zone) else {
            prop_assert!(!clinic.is_open(at, zone));
            return Ok(());
        };
        prop_assert!(next >= at);
        prop_assert!(clinic.is_open(next, zone));
        prop_assert_eq!(clinic.is_open(at, zone), next == at);
        prop_assert_eq!(clinic.next_opening(next, zone), Some(next));
        let between = at + (next - at).mul_f64(fraction);
        prop_assert!(between == next || !clinic.is_open(between, zone));
    }

    #[test]
    fn inside_a_window_the_clock_reads_contact_hours(
        clinic in any_calendar(),
        zone in prop::sample::select(&TZ_VARIANTS[..]),
        days in 0_u64..10_000,
        fraction in 0.0_f64..1.0,
    ) {
        let date = day("2012-01-01") + Days::new(days);
        let Some(window) = clinic.window_on(date, zone) else { return Ok(()) };
        let at = window.opens + (window.closes - window.opens).mul_f64(fraction);
        for at in [window.opens, at, window.closes - TimeDelta::nanoseconds(1)] {
            let wall = local_time(at, zone);
            let hours = clinic.hours.on(chrono::Datelike::weekday(&date)).unwrap();
            prop_assert_eq!(wall.date(), date);
            prop_assert!(hours.from() <= wall.time() && wall.time() < hours.until());
        }
    }
}

trait Fraction {
    fn mul_f64(self, fraction: f64) -> Self;
}

impl Fraction for TimeDelta {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "tests")]
    fn mul_f64(self, fraction: f64) -> Self {
        Self::seconds((self.num_seconds() as f64 * fraction) as i64)
    }
}
