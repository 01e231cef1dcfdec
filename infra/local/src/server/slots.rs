//! The free slots of a clinic as its manager looks at them: which, where they come from, and what a
//! timetable would give before it is saved.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use retorno_cloud::timetable::look;
use retorno_domain::calendar::{local_time, start_of_day};
use retorno_domain::settings::clinic_from_toml;
use retorno_domain::slot::FreeSlot;
use serde::Serialize;
use staff_api::Problem;

use super::import::put_clinic;
use super::system::{OpenClinic, System};
use crate::host::HostError;
use crate::settings_file::with_zone;

/// Days shown when nobody says how many.
pub(crate) const DAYS_DEFAULT: u16 = 28;
const DAYS_MAX: u16 = 400;
/// The key of the timetables in the settings.
pub(crate) const KEY: &str = "timetable";

/// Free slots.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Slots {
    /// The clinic's id.
    pub(crate) clinic: String,
    /// Where they come from: `timetable`, `file`, or nothing while none are known.
    pub(crate) source: Option<&'static str>,
    /// How many.
    pub(crate) free: usize,
    /// By day.
    pub(crate) days: Vec<Day>,
    /// What a timetable that is not saved would change; nothing where these are the slots as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preview: Option<Preview>,
}

/// The slots of a day.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Day {
    /// Which.
    pub(crate) date: NaiveDate,
    /// Earliest first.
    pub(crate) slots: Vec<Slot>,
}

/// Slots of one time and one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Slot {
    /// When, by the clinic's clock: `09:30`.
    pub(crate) time: String,
    /// With whom; empty where the clinic names nobody.
    pub(crate) professional: String,
    /// How long.
    pub(crate) minutes: u32,
    /// How many of them.
    pub(crate) places: usize,
}

/// What a timetable that is not saved would change.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Preview {
    /// Slots that are not free now.
    pub(crate) added: usize,
    /// Slots free now that would be no more.
    pub(crate) removed: usize,
    /// Visits to come that take a place.
    pub(crate) visits: usize,
    /// Visits to come with somebody who has no timetable, by the name in the export.
    pub(crate) without_timetable: BTreeMap<String, usize>,
}

/// The free slots from a day on.
///
/// # Errors
/// [`Problem`].
pub(crate) async fn slots(
    system: &System,
    of: &OpenClinic,
    from: Option<NaiveDate>,
    days: Option<u16>,
) -> Result<Slots, Problem> {
    let (clinic, now) = (&of.clinic, system.host.now());
    let from = from.unwrap_or_else(|| clinic.date(now));
    let days = TimeDelta::days(i64::from(days.unwrap_or(DAYS_DEFAULT).min(DAYS_MAX)));
    let until = from.checked_add_signed(days).unwrap_or(from);
    let (begin, end) = (start_of_day(from, clinic.zone).max(now), start_of_day(until, clinic.zone));
    let source = of.tenant.slots_source().await?;
    // A range that ends before now holds nothing, and is none the table would take.
    let free = if begin < end { of.tenant.free_slots(begin, end, None, now).await? } else { Vec::new() };
    Ok(Slots { clinic: of.id.to_string(), source, free: free.len(), days: by_day(free, clinic.zone), preview: None })
}

/// What the timetables of a settings text would give; nothing is saved. Keys that the text does not
/// name are the clinic's.
///
/// # Errors
/// [`Problem`] says what is wrong with the text.
pub(crate) async fn preview(system: &System, of: &OpenClinic, toml: &str) -> Result<Slots, Problem> {
    let mut all = table(&of.tenant.settings_text().await?)?;
    all.extend(table(toml)?);
    let candidate = clinic_from_toml(of.id.clone(), &all.to_string(), Some(of.clinic.zone)).map_err(HostError::from)?;
    if candidate.timetables.is_empty() {
        return Err(Problem::bad("there is no [[timetable]] in these settings").coded("no_timetable"));
    }
    let now = system.host.now();
    let derived = look(&of.tenant, &candidate, now).await?;
    let free = derived.free.into_iter().filter(|open| open.book_by > now).map(|open| open.slot);
    let free: Vec<FreeSlot> = free.collect();
    let present = of.tenant.slots_ahead(now).await?.into_iter().filter(|slot| slot.known.booked.is_none());
    let present: BTreeSet<String> = present.map(|slot| slot.known.slot.reference()).collect();
    let wanted: BTreeSet<String> = free.iter().map(FreeSlot::reference).collect();
    Ok(Slots {
        clinic: of.id.to_string(),
        source: Some(KEY),
        free: free.len(),
        days: by_day(free, candidate.zone),
        preview: Some(Preview {
            added: wanted.difference(&present).count(),
            removed: present.difference(&wanted).count(),
            visits: derived.visits,
            without_timetable: derived.without_timetable.into_iter().map(|(who, n)| (who.to_string(), n)).collect(),
        }),
    })
}

/// Puts the timetables of a settings text in the place of the clinic's. Without any, it has none any
/// more.
///
/// # Errors
/// [`Problem`] says what is wrong with the text.
pub(crate) async fn save(system: &System, of: &OpenClinic, toml: &str) -> Result<(), Problem> {
    let mut all = table(&of.tenant.settings_text().await?)?;
    let timetables = table(toml)?.remove(KEY).ok_or_else(|| Problem::bad("there is no [[timetable]] in this text"))?;
    all.insert(KEY.to_owned(), timetables);
    put_clinic(system, &of.id, &with_zone(&all.to_string(), of.clinic.zone)?, None).await?;
    Ok(())
}

fn table(toml: &str) -> Result<toml::Table, Problem> {
    toml.parse().map_err(|error| Problem::bad(format!("the settings are not TOML: {error}")))
}

fn by_day(mut slots: Vec<FreeSlot>, zone: Tz) -> Vec<Day> {
    slots.sort();
    let mut days: Vec<Day> = Vec::new();
    for slot in slots {
        let local = local_time(slot.start, zone);
        let time = local.time().format("%H:%M").to_string();
        let slot = Slot { time, professional: slot.professional, minutes: slot.minutes, places: 1 };
        match days.last_mut().filter(|day| day.date == local.date()) {
            Some(day) => add(&mut day.slots, slot),
            None => days.push(Day { date: local.date(), slots: vec![slot] }),
        }
    }
    days
}

/// Several places of one time and one person are one line.
fn add(slots: &mut Vec<Slot>, slot: Slot) {
    let alike = |other: &&mut Slot| {
        (&other.time, &other.professional, other.minutes) == (&slot.time, &slot.professional, slot.minutes)
    };
    match slots.iter_mut().rev().find(alike) {
        Some(other) => other.places += 1,
        None => slots.push(slot),
    }
}
