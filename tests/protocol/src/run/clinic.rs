//! The clinic of a run: its settings as a text, and what the simulator itself knows of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use fastrand::Rng;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;

/// What the simulator knows of the rules, from the settings it wrote.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// The clinic's zone.
    pub(super) zone: Tz,
    /// Minutes of the day at which hours begin and end, Monday first.
    pub(super) hours: [Option<(u32, u32)>; 7],
    /// Days on which the clinic is closed.
    pub(super) closed: BTreeSet<NaiveDate>,
    /// Marketing WhatsApp messages in 30 days.
    pub(super) cap: usize,
}

/// A zone, its country, and days to begin on.
type Place = (Tz, &'static str, &'static [(i32, u32, u32)]);

/// Zones, each with its country and first days that lie shortly before the clocks change.
const ZONES: [Place; 6] = [
    (Tz::America__Santiago, "CL", &[(2026, 3, 20), (2026, 8, 20)]),
    (Tz::Europe__Madrid, "ES", &[(2026, 3, 10), (2026, 10, 10)]),
    (Tz::America__Sao_Paulo, "BR", &[(2018, 2, 1), (2018, 10, 20), (2017, 10, 1)]),
    (Tz::America__Argentina__Buenos_Aires, "AR", &[(2026, 1, 5), (2026, 6, 1)]),
    (Tz::Europe__Lisbon, "ES", &[(2026, 3, 15), (2026, 10, 15)]),
    (Tz::America__Bogota, "CO", &[(2026, 2, 2)]),
];

/// Flows: what the sequences of a clinic look like.
const FLOWS: [&[(u32, &str)]; 6] = [
    &[(0, "whatsapp"), (2, "email"), (5, "whatsapp"), (7, "call")],
    &[(0, "whatsapp"), (1, "whatsapp"), (2, "whatsapp")],
    &[(0, "email"), (0, "whatsapp"), (1, "call")],
    &[(0, "whatsapp"), (7, "whatsapp")],
    &[(0, "call"), (1, "email"), (2, "whatsapp"), (3, "email")],
    &[(0, "whatsapp")],
];

/// A clinic, the first day of its run, and what is known of it.
pub(super) struct Founded {
    pub(super) clinic: Clinic,
    pub(super) rules: Rules,
    pub(super) first_day: NaiveDate,
}

pub(super) fn found(rng: &mut Rng, days: i64) -> Result<Founded, Box<dyn std::error::Error>> {
    let (zone, country, firsts) = *ZONES.get(rng.usize(..ZONES.len())).ok_or("no zone")?;
    let (year, month, day) = *firsts.get(rng.usize(..firsts.len())).ok_or("no day")?;
    let first_day = NaiveDate::from_ymd_opt(year, month, day).ok_or("no such day")?;
    let mut toml = format!("zone = \"{}\"\ncountry = \"{country}\"\n", zone.name());
    let (cap, tier) = (rng.usize(1..4), *[2_u32, 6, 250].get(rng.usize(..3)).unwrap_or(&250));
    let (rest, quiet) = (rng.u32(0..60), rng.u32(0..30));
    let mut hours = [None; 7];
    for (weekday, hours) in hours.iter_mut().enumerate() {
        let opens = 60 * rng.u32(7..12) + 30 * rng.u32(0..2);
        let closes = opens + 60 * rng.u32(1..10);
        *hours = (weekday < 5 || rng.u32(..3) > 0).then_some((opens, closes.min(21 * 60)));
    }
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    toml.push_str("[hours]\n");
    for (name, hours) in names.into_iter().zip(hours) {
        match hours {
            Some((from, until)) => {
                writeln!(toml, "{name} = \"{:02}:{:02}-{:02}:{:02}\"", from / 60, from % 60, until / 60, until % 60)?;
            }
            None => writeln!(toml, "{name} = \"closed\"")?,
        }
    }
    let closed: BTreeSet<NaiveDate> = (0..rng.usize(0..8))
        .filter_map(|_| first_day.checked_add_days(Days::new(rng.u64(..u64::try_from(days).unwrap_or(30)))))
        .collect();
    let dates: Vec<String> = closed.iter().map(|date| format!("\"{date}\"")).collect();
    writeln!(toml, "[closures]\ndates = [{}]\nwrite_on_holidays = {}", dates.join(", "), rng.bool())?;
    writeln!(
        toml,
        "[limits]\nwhatsapp_max = {cap}\nwhatsapp_window_days = 30\nrest_days = {rest}\nentry_quiet_days = {quiet}\n\
         whatsapp_daily_tier = {tier}\n[services]\nprocedimiento = []\n[[segments]]\nid = \"s\"\nflow = \"f\"\n\
         seats_per_week = 500\nrules = [{{ last_visit_days = {{ min = {} }} }}]\n[[flows]]\nid = \"f\"\nversion = 1\n\
         close_after_days = 10",
        rng.u32(5..40)
    )?;
    let steps = FLOWS.get(rng.usize(..FLOWS.len())).ok_or("no flow")?.iter().zip(0..);
    let delay = *[6, 24, 96].get(rng.usize(..3)).unwrap_or(&96);
    let steps: Vec<String> = steps
        .map(|((offset, channel), n)| {
            format!("{{ id = \"s{n}\", offset_days = {offset}, channel = \"{channel}\", delay_hours_max = {delay} }}")
        })
        .collect();
    writeln!(toml, "steps = [{}]", steps.join(", "))?;
    let clinic = clinic_from_toml(ClinicId::parse("run")?, &toml, None)?;
    Ok(Founded { clinic, rules: Rules { zone, hours, closed, cap }, first_day })
}

impl Rules {
    /// Whether the patient's wall clock reads a time within the hours of an open day, computed from
    /// the text of the settings alone (holidays aside).
    pub(super) fn is_open(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        let local = at.with_timezone(&zone);
        let day = usize::try_from(local.weekday().num_days_from_monday()).unwrap_or(0);
        let minute = local.hour() * 60 + local.minute();
        let within = |(from, until): (u32, u32)| from <= minute && minute < until;
        !self.closed.contains(&local.date_naive()) && self.hours.get(day).copied().flatten().is_some_and(within)
    }

    /// Whether the clocks of a zone change on the day of an instant.
    pub(super) fn clocks_change(at: DateTime<Utc>, zone: Tz) -> bool {
        let offset = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local() - at.naive_utc();
        offset(at - TimeDelta::hours(24)) != offset(at)
    }
}

/// The instant at which a day begins for the simulator: its first minute that exists.
pub(super) fn morning(date: NaiveDate, zone: Tz, minute: u32) -> DateTime<Utc> {
    let local = date.and_hms_opt(minute / 60, minute % 60, 0).unwrap_or_default();
    zone.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |at| at.to_utc())
}
