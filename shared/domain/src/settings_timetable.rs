//! Timetables as they stand in a clinic's settings file.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta, Weekday};
use serde::Deserialize;

use crate::hours::OpenHours;
use crate::services::fold;
use crate::settings::{SettingsError, WEEKDAYS, open_hours, wrong};
use crate::timetable::{Timetable, most_slots};

/// Timetables of one clinic.
const TIMETABLES_MAX: usize = 200;
/// All its slots within the horizons: they are read and compared every morning.
const SLOTS_MAX: u64 = 20_000;
const HORIZON_DAYS_MAX: u16 = 180;
const CAPACITY_MAX: u32 = 50;
const NOTICE_HOURS_MAX: u16 = 24 * 30;

fn default_minutes() -> u32 {
    30
}
fn default_capacity() -> u32 {
    1
}
fn default_horizon() -> u16 {
    28
}
fn default_notice() -> u16 {
    2
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimetableFile {
    #[serde(default)]
    professional: String,
    hours: BTreeMap<String, String>,
    #[serde(default = "default_minutes")]
    slot_minutes: u32,
    #[serde(default = "default_capacity")]
    capacity: u32,
    #[serde(default)]
    closed: Vec<String>,
    #[serde(default)]
    open_on_holidays: bool,
    #[serde(default = "default_horizon")]
    horizon_days: u16,
    #[serde(default = "default_notice")]
    notice_hours: u16,
}

/// Reads the timetables; they are named in errors by their place, counted from 1.
pub(crate) fn timetables(files: Vec<TimetableFile>) -> Result<Vec<Timetable>, SettingsError> {
    if files.len() > TIMETABLES_MAX {
        return Err(wrong("timetable", format!("is there more than {TIMETABLES_MAX} times")));
    }
    let mut read: Vec<Timetable> = Vec::new();
    for (place, file) in files.into_iter().enumerate() {
        let key = format!("timetable.{}", place + 1);
        let timetable = file.read(&key)?;
        if let Some((other, weekday)) = overlapping(&read, &timetable) {
            let why = format!("overlaps with timetable {} of the same professional: join them", other + 1);
            return Err(wrong(format!("{key}.hours.{}", name_of(weekday)), why));
        }
        read.push(timetable);
    }
    let slots: u64 = read.iter().map(most_slots).sum();
    if slots > SLOTS_MAX {
        let why = format!("gives {slots} slots, more than {SLOTS_MAX}: shorten horizon_days or lengthen slot_minutes");
        return Err(wrong("timetable", why));
    }
    Ok(read)
}

impl TimetableFile {
    fn read(self, key: &str) -> Result<Timetable, SettingsError> {
        let key = |name: &str| format!("{key}.{name}");
        let between = |name: &str, value: u32, least: u32, most: u32| {
            let why = || wrong(key(name), format!("must be between {least} and {most}"));
            (least..=most).contains(&value).then_some(()).ok_or_else(why)
        };
        between("slot_minutes", self.slot_minutes, 5, 720)?;
        between("capacity", self.capacity, 1, CAPACITY_MAX)?;
        between("horizon_days", u32::from(self.horizon_days), 1, u32::from(HORIZON_DAYS_MAX))?;
        between("notice_hours", u32::from(self.notice_hours), 0, u32::from(NOTICE_HOURS_MAX))?;
        let professional = self.professional.trim().to_owned();
        if professional.chars().count() > 200 || professional.contains(char::is_control) {
            return Err(wrong(key("professional"), "must be at most 200 printable characters"));
        }
        let hours = week(&key("hours"), &self.hours)?;
        let longest = hours.iter().flatten().map(|hours| hours.minutes()).max();
        match longest {
            None => return Err(wrong(key("hours"), "has no hours on any day: give some, or take the timetable out")),
            Some(longest) if longest < self.slot_minutes => {
                return Err(wrong(key("slot_minutes"), "is longer than any of its hours: there would be no slot"));
            }
            Some(_) => {}
        }
        let closed = self.closed.iter().map(|text| dates(&key("closed"), text)).collect::<Result<_, _>>()?;
        Ok(Timetable {
            professional,
            hours,
            slot_minutes: self.slot_minutes,
            capacity: self.capacity,
            closed,
            open_on_holidays: self.open_on_holidays,
            horizon_days: self.horizon_days,
            notice: TimeDelta::hours(i64::from(self.notice_hours)),
        })
    }
}

fn week(key: &str, given: &BTreeMap<String, String>) -> Result<[Vec<OpenHours>; 7], SettingsError> {
    let mut week: [Vec<OpenHours>; 7] = Default::default();
    for (day, text) in given {
        let Some((_, weekday)) = WEEKDAYS.into_iter().find(|(name, _)| name == day) else {
            return Err(wrong(format!("{key}.{day}"), "is not a weekday (monday … sunday)"));
        };
        let hours = day_hours(text).map_err(|why| wrong(format!("{key}.{day}"), why))?;
        if let Some(place) = week.get_mut(usize::try_from(weekday.num_days_from_monday()).unwrap_or(0)) {
            *place = hours;
        }
    }
    Ok(week)
}

/// "09:00-13:00, 15:00-19:00", or "closed".
fn day_hours(text: &str) -> Result<Vec<OpenHours>, &'static str> {
    const EXPECTED: &str = "must be like \"09:00-13:00, 15:00-19:00\", or \"closed\"";
    if text.trim() == "closed" {
        return Ok(Vec::new());
    }
    let mut hours = Vec::new();
    for part in text.split(',') {
        let part = open_hours(part.trim()).map_err(|why| if why.contains("before") { why } else { EXPECTED })?;
        hours.push(part.ok_or(EXPECTED)?);
    }
    hours.sort_by_key(|hours| hours.from());
    let overlap = hours.iter().zip(hours.iter().skip(1)).any(|(one, next)| next.from() < one.until());
    if overlap { Err("has hours that overlap") } else { Ok(hours) }
}

/// "2026-12-24", or "2026-12-24/2027-01-05" with both ends.
fn dates(key: &str, text: &str) -> Result<(NaiveDate, NaiveDate), SettingsError> {
    let date = |text: &str| {
        let why = || wrong(key, "must be dates such as 2026-12-24, or ranges such as 2026-12-24/2027-01-05");
        text.trim().parse::<NaiveDate>().map_err(|_| why())
    };
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    let (first, last) = (date(first)?, date(last)?);
    if last < first {
        return Err(wrong(key, format!("has a range that ends before it begins: {first}/{last}")));
    }
    Ok((first, last))
}

/// The first timetable of the same professional that has hours at the same time, and on which weekday.
fn overlapping(others: &[Timetable], timetable: &Timetable) -> Option<(usize, Weekday)> {
    let name = fold(&timetable.professional);
    let same = others.iter().enumerate().filter(|(_, other)| fold(&other.professional) == name);
    let on = |other: &Timetable, weekday: Weekday| {
        let meets = |a: &OpenHours, b: &OpenHours| a.from() < b.until() && b.from() < a.until();
        let theirs = other.hours_on(weekday);
        timetable.hours_on(weekday).iter().any(|ours| theirs.iter().any(|theirs| meets(ours, theirs)))
    };
    same.into_iter().find_map(|(place, other)| {
        let day = WEEKDAYS.into_iter().map(|(_, weekday)| weekday).find(|weekday| on(other, *weekday));
        day.map(|day| (place, day))
    })
}

fn name_of(weekday: Weekday) -> &'static str {
    WEEKDAYS.into_iter().find(|(_, day)| *day == weekday).map_or("", |(name, _)| name)
}
