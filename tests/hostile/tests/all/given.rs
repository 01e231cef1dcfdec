//! What the properties are tried on.

use chrono::{DateTime, NaiveDate, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;

/// Zones of the countries we know, and those whose clocks do the oddest things.
pub(crate) const ZONES: [Tz; 20] = [
    chrono_tz::America::Argentina::Buenos_Aires,
    chrono_tz::America::Argentina::San_Luis,
    chrono_tz::America::Sao_Paulo,
    chrono_tz::America::Campo_Grande,
    chrono_tz::America::Santiago,
    chrono_tz::Pacific::Easter,
    chrono_tz::America::Bogota,
    chrono_tz::Europe::Madrid,
    chrono_tz::Atlantic::Canary,
    chrono_tz::America::Mexico_City,
    chrono_tz::America::Tijuana,
    chrono_tz::America::Cancun,
    chrono_tz::America::Lima,
    chrono_tz::America::Montevideo,
    chrono_tz::America::Asuncion,
    chrono_tz::America::Havana,
    chrono_tz::America::St_Johns,
    chrono_tz::Pacific::Apia,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::Africa::Casablanca,
];

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A clinic with the defaults, and these settings of its own.
pub(crate) fn clinic(own: &str) -> Clinic {
    clinic_from_toml(ClinicId::parse("aurora").unwrap(), own, Some(ZONES[0])).unwrap()
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// Every instant from 2012 to 2030 at which a zone's clocks were or will be changed, to the second.
pub(crate) fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let first = Utc.with_ymd_and_hms(2011, 12, 20, 0, 0, 0).unwrap();
    let days = (0..365 * 19).map(|n| first + TimeDelta::days(n));
    let changed = days.filter(|day| offset(zone, *day) != offset(zone, *day + TimeDelta::days(1)));
    changed
        .map(|day| {
            let before = offset(zone, day);
            let (mut low, mut high) = (0_i64, 86_400_i64);
            while high - low > 1 {
                let middle = (low + high) / 2;
                let same = offset(zone, day + TimeDelta::seconds(middle)) == before;
                (low, high) = if same { (middle, high) } else { (low, middle) };
            }
            day + TimeDelta::seconds(high)
        })
        .collect()
}

/// A zone, and an instant within some hours of a change of its clocks where there is one.
pub(crate) fn near_a_change() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    let seconds = -4_i64 * 3600..2 * 3600;
    (prop::sample::select(&ZONES[..]), any::<prop::sample::Index>(), seconds).prop_map(|(zone, which, seconds)| {
        let mut all = changes(zone);
        all.push(Utc.with_ymd_and_hms(2026, 3, 2, 12, 0, 0).unwrap());
        (zone, all[which.index(all.len())] + TimeDelta::seconds(seconds))
    })
}
