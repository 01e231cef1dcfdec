//! Holidays that move with Easter, reckoned once more; and that none of them is a day to write on.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use retorno_domain::calendar::local_time;
use retorno_domain::holiday::{Country, national_holiday};
use retorno_domain::hours::ContactCalendar;

use crate::given::date;

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
fn easter(year: i32) -> NaiveDate {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let g = (b - (b + 8) / 25 + 1) / 3;
    let h = (19 * a + b - b / 4 - g + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).unwrap(), u32::try_from(n % 31 + 1).unwrap()).unwrap()
}

#[test]
fn good_friday_is_a_holiday_where_it_is_one() {
    assert_eq!(easter(2026), date("2026-04-05"));
    for country in [Country::Ar, Country::Br, Country::Cl, Country::Co, Country::Es, Country::Pe, Country::Uy] {
        for year in 2012..=2040 {
            let friday = easter(year) - Days::new(2);
            assert!(national_holiday(country, friday).is_some(), "{country} {friday}");
        }
    }
}

#[test]
fn carnival_is_a_holiday_where_it_is_one() {
    for country in [Country::Ar, Country::Br, Country::Uy] {
        for year in (2012..=2040).filter(|year| *year != 2021) {
            let tuesday = easter(year) - Days::new(47);
            for day in [tuesday, tuesday - Days::new(1)] {
                assert!(national_holiday(country, day).is_some(), "{country} {day}");
            }
        }
    }
}

#[test]
fn nobody_is_written_to_on_a_holiday_or_outside_the_days_of_the_law() {
    for country in Country::ALL {
        let calendar = ContactCalendar::for_country(country);
        let mut day = date("2012-01-01");
        while day <= date("2040-12-31") {
            let is_free = national_holiday(country, day).is_some() || day.weekday() == Weekday::Sun;
            assert_eq!(calendar.closed_because(day).is_some(), is_free, "{country} {day}");
            assert_eq!(calendar.open_minutes(day) == 0, is_free, "{country} {day}");
            day = day.succ_opt().unwrap();
        }
    }
}

#[test]
fn after_the_longest_run_of_closed_days_there_is_an_open_one() {
    for country in Country::ALL {
        let calendar = ContactCalendar::for_country(country);
        for year in 2012..=2040 {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            for n in 0..365 {
                let day = first + Days::new(n);
                let open = calendar.next_open_date(day).expect("an open day");
                assert!(open - day <= chrono::TimeDelta::days(9), "{country} {day}");
                assert!(national_holiday(country, open).is_none());
            }
        }
    }
    let newest = local_time("2026-12-25T12:00:00Z".parse().unwrap(), chrono_tz::America::Lima).date();
    assert!(national_holiday(Country::Pe, newest).is_some());
}
