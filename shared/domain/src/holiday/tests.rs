#![expect(clippy::unwrap_used, reason = "tests")]

use chrono::{Datelike, NaiveDate};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::{Country, TABLE, UnknownCountry, lines, national_holiday, read};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_table_is_whole() {
    for line in lines() {
        assert!(read(line).is_some(), "{line}");
    }
    assert_eq!(TABLE.len(), lines().count());
    assert!(TABLE.is_sorted_by(|a, b| (a.country, a.date) < (b.country, b.date)));
    for country in Country::ALL {
        for year in 2012..=2040 {
            let days = TABLE.iter().filter(|day| day.country == country && day.date.year() == year).count();
            assert!((7..=22).contains(&days), "{country} {year}: {days}");
            for fixed in ["01-01", "05-01", "12-25"] {
                let date = day(&format!("{year}-{fixed}"));
                let sunday = date.weekday() == chrono::Weekday::Sun;
                // Spain's list leaves out what falls on a Sunday, where nobody is written to anyway.
                assert!(
                    national_holiday(country, date).is_some() || (country == Country::Es && sunday),
                    "{country} {date}"
                );
            }
        }
    }
}

#[test]
fn a_national_holiday_is_known_by_name() {
    for (country, date, name) in [
        (Country::Ar, "2026-03-23", "Feriado con fines turísticos"),
        (Country::Ar, "2026-03-24", "Día Nacional de la Memoria por la Verdad y la Justicia"),
        (Country::Ar, "2022-12-20", "Día de la Victoria de la Copa Mundial de la FIFA 2022"),
        (Country::Br, "2016-12-25", "Natal"),
        (Country::Br, "2026-02-16", "Carnaval"),
        (Country::Br, "2026-02-17", "Carnaval"),
        (Country::Br, "2026-06-04", "Corpus Christi"),
        (Country::Br, "2024-11-20", "Dia Nacional de Zumbi e da Consciência Negra"),
        (Country::Cl, "2026-09-18", "Día de la Independencia"),
        (Country::Co, "2026-03-23", "Día de San José (observado)"),
        (Country::Es, "2026-10-12", "Fiesta Nacional de España"),
        (Country::Mx, "2026-03-16", "Natalicio de Benito Juárez"),
        (Country::Pe, "2026-07-28", "Día de la Independencia"),
        (Country::Uy, "2026-04-03", "Semana de Turismo"),
        (Country::Uy, "2026-08-25", "Declaratoria de la Independencia"),
    ] {
        assert_eq!(national_holiday(country, day(date)), Some(name), "{country} {date}");
    }
}

#[test]
fn an_ordinary_day_is_none() {
    for (country, date) in [
        (Country::Ar, "2026-03-25"),
        (Country::Br, "2026-02-18"), // Ash Wednesday: open in the afternoon
        (Country::Br, "2023-11-20"), // national only since 2024
        (Country::Br, "2026-03-24"), // Argentina's, not Brazil's
        (Country::Es, "2026-05-02"), // Madrid's, not Spain's
        (Country::Ar, "2011-12-25"), // outside the table
        (Country::Ar, "2041-12-25"),
    ] {
        assert_eq!(national_holiday(country, day(date)), None, "{country} {date}");
    }
    assert_eq!(national_holiday(Country::Ar, NaiveDate::MIN), None);
    assert_eq!(national_holiday(Country::Uy, NaiveDate::MAX), None);
}

#[test]
fn a_line_that_is_not_a_holiday_is_left_out() {
    for line in ["", "AR", "AR,2026-01-01", "AR,2026-01-01,", "XX,2026-01-01,x", "AR,2026-02-30,x"] {
        assert_eq!(read(line), None, "{line}");
    }
}

#[test]
fn a_country_is_read_by_its_code() {
    for country in Country::ALL {
        assert_eq!(country.code().parse(), Ok(country));
        assert_eq!(country.to_string().to_lowercase().parse(), Ok(country));
        let json = serde_json::to_string(&country).unwrap();
        assert_eq!(json, format!("\"{}\"", country.code()));
        assert_eq!(serde_json::from_str::<Country>(&json).unwrap(), country);
    }
    for text in ["", "A", "ARG", "PY", " AR"] {
        assert_eq!(text.parse::<Country>(), Err(UnknownCountry));
    }
}

#[test]
fn a_zone_lies_in_its_country() {
    for (zone, country) in [
        ("America/Argentina/Ushuaia", Some(Country::Ar)),
        ("America/Argentina/ComodRivadavia", Some(Country::Ar)),
        ("America/Buenos_Aires", Some(Country::Ar)),
        ("America/Noronha", Some(Country::Br)),
        ("America/Rio_Branco", Some(Country::Br)),
        ("Brazil/East", Some(Country::Br)),
        ("Pacific/Easter", Some(Country::Cl)),
        ("America/Coyhaique", Some(Country::Cl)),
        ("America/Bogota", Some(Country::Co)),
        ("Atlantic/Canary", Some(Country::Es)),
        ("Africa/Ceuta", Some(Country::Es)),
        ("America/Ciudad_Juarez", Some(Country::Mx)),
        ("America/Cancun", Some(Country::Mx)),
        ("America/Lima", Some(Country::Pe)),
        ("America/Montevideo", Some(Country::Uy)),
        ("America/Asuncion", None),
        ("Europe/Lisbon", None),
        ("Europe/Paris", None),
        ("UTC", None),
    ] {
        assert_eq!(Country::of_zone(zone.parse::<Tz>().unwrap()), country, "{zone}");
    }
}

/// Canonical zones per country in the database's `zone.tab` (2025b) and, after the plus, older
/// names of theirs that are still accepted.
#[test]
fn every_zone_of_a_country_is_known() {
    for (country, zones) in [
        (Country::Ar, 12 + 7),
        (Country::Br, 16 + 5),
        (Country::Cl, 4 + 2),
        (Country::Co, 1),
        (Country::Es, 3),
        (Country::Mx, 12 + 5),
        (Country::Pe, 1),
        (Country::Uy, 1),
    ] {
        let known = TZ_VARIANTS.iter().filter(|zone| Country::of_zone(**zone) == Some(country)).count();
        assert_eq!(known, zones, "{country}");
    }
}
