//! A clinic's settings as a TOML file: the defaults of `presets/clinic.toml` with the clinic's own
//! file laid over them. The file is what is stored; [`Clinic`] is what it means.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::Deserialize;

use crate::channel::Channel;
use crate::clinic::{Clinic, Prices, Retention, WaveSettings};
use crate::contact::E164;
use crate::flow::{Flow, GUARDIANS};
use crate::from_toml::from_table;
use crate::holiday::Country;
use crate::hours::{ContactCalendar, ContactHours, OpenHours};
use crate::ids::ClinicId;
use crate::language::Language;
use crate::limits::Limits;
use crate::sender::{SmsFile, WhatsappFile};
use crate::services::ServiceLists;
use crate::settings_rules::{FlowSettings, SegmentSettings};
use crate::settings_timetable::{TimetableFile, timetables};

const DEFAULTS: &str = include_str!("../presets/clinic.toml");

/// What is wrong with a settings file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML, or not of the documented shape; says where.
    #[error("the clinic's settings cannot be read: {0}")]
    Toml(String),
    /// A value that does not make sense.
    #[error("{key}: {why}")]
    Value {
        /// Which setting.
        key: String,
        /// What is wrong with it, and what is expected.
        why: String,
    },
}

pub(crate) fn wrong(key: impl Into<String>, why: impl ToString) -> SettingsError {
    SettingsError::Value { key: key.into(), why: why.to_string() }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: String,
    agent: String,
    contact: String,
    zone: Option<String>,
    country: Option<String>,
    language: Option<String>,
    channels: Vec<String>,
    clinical_detail: bool,
    halted: bool,
    epoch: u64,
    email_from: String,
    whatsapp_phone_number_id: String,
    whatsapp_number: Option<String>,
    whatsapp_account_id: Option<String>,
    #[serde(default)]
    whatsapp: WhatsappFile,
    #[serde(default)]
    sms: SmsFile,
    #[serde(default)]
    hours: BTreeMap<String, String>,
    closures: Closures,
    #[serde(default)]
    timetable: Vec<TimetableFile>,
    limits: LimitSettings,
    wave: WaveFile,
    retention: RetentionFile,
    prices: PriceSettings,
    services: BTreeMap<String, Vec<String>>,
    segments: Vec<SegmentSettings>,
    flows: Vec<FlowSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closures {
    dates: Vec<String>,
    write_on_holidays: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitSettings {
    whatsapp_max: u8,
    whatsapp_window_days: u16,
    rest_days: u16,
    entry_quiet_days: u16,
    per_day_max: u8,
    awaiting_outcome_days: u16,
    whatsapp_daily_tier: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaveFile {
    slots_horizon_days: u16,
    booking_percent: u16,
    tier_share_percent: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionFile {
    messages_days: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceSettings {
    currency: String,
    email: f64,
    sms: f64,
    call: f64,
    whatsapp: BTreeMap<String, f64>,
}

/// Reads a clinic's settings. `zone` is the clinic's zone when the file names none.
///
/// # Errors
/// [`SettingsError`] names the setting and what is expected of it.
pub fn clinic_from_toml(id: ClinicId, own: &str, zone: Option<Tz>) -> Result<Clinic, SettingsError> {
    let table = |text: &str| text.parse::<toml::Table>().map_err(|e| SettingsError::Toml(e.to_string()));
    let mut merged = table(DEFAULTS)?;
    merge(&mut merged, table(own)?);
    let settings = from_table::<Settings>(merged).map_err(|e| SettingsError::Toml(e.to_string()))?;
    build(id, settings, zone)
}

fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn build(id: ClinicId, settings: Settings, zone: Option<Tz>) -> Result<Clinic, SettingsError> {
    let zone = match &settings.zone {
        Some(name) => Tz::from_str(name).map_err(|_| wrong("zone", "is not an IANA zone, e.g. America/Bogota"))?,
        None => zone.ok_or_else(|| wrong("zone", "is missing: give the clinic's IANA zone"))?,
    };
    let country = match &settings.country {
        Some(code) => Country::from_str(code).map_err(|_| wrong("country", "is not one of AR BR CL CO ES MX PE UY"))?,
        None => Country::of_zone(zone).ok_or_else(|| wrong("country", "does not follow from the zone: give it"))?,
    };
    let language = match &settings.language {
        Some(tag) => Language::from_str(tag)
            .map_err(|_| wrong("language", "is not one of es-AR es-ES es-MX es-CL es-CO pt-BR"))?,
        None => language_of(country),
    };
    let services = ServiceLists::new(settings.services);
    let sms = settings.sms.read()?;
    let flow = |flow: FlowSettings| flow.read(sms.is_some());
    let flows = settings.flows.into_iter().map(flow).collect::<Result<Vec<Flow>, _>>()?;
    let read = |segment: SegmentSettings| segment.read(&services, &flows);
    let segments = settings.segments.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    no_two_alike("flows", flows.iter().map(|flow| flow.id.as_str()))?;
    no_two_alike("segments", segments.iter().map(|segment| segment.id.as_str()))?;
    if segments.iter().any(|segment| segment.id.as_str() == GUARDIANS) {
        return Err(wrong(format!("segments.{GUARDIANS}"), "is the name of the copies for guardians; choose another"));
    }
    let parse_channel = |name: &String| {
        name.parse::<Channel>().map_err(|()| wrong("channels", "are whatsapp, email, sms, call and push"))
    };
    Ok(Clinic {
        id,
        name: text("name", settings.name)?,
        agent: text("agent", settings.agent)?,
        contact: text("contact", settings.contact)?,
        zone,
        language,
        country,
        calendar: calendar(settings.hours, &settings.closures, country)?,
        timetables: timetables(settings.timetable)?,
        limits: limits(&settings.limits)?,
        channels: settings.channels.iter().map(parse_channel).collect::<Result<_, _>>()?,
        segments,
        flows,
        services,
        wave: wave(&settings.wave)?,
        retention: retention(&settings.retention)?,
        prices: prices(&settings.prices, country)?,
        clinical_detail: settings.clinical_detail,
        whatsapp_phone_number_id: digits("whatsapp_phone_number_id", settings.whatsapp_phone_number_id)?,
        whatsapp_number: settings.whatsapp_number.as_deref().map(e164).transpose()?,
        whatsapp_account_id: settings.whatsapp_account_id.map(|id| digits("whatsapp_account_id", id)).transpose()?,
        gateway: settings.whatsapp.read()?,
        sms,
        email_from: crate::contact::EmailAddress::parse(&settings.email_from)
            .map_err(|_| wrong("email_from", "is not an e-mail address"))?
            .as_str()
            .to_owned(),
        halted: settings.halted,
        epoch: settings.epoch,
    })
}

/// A sequence needs its own messages for weeks, and an answer may come months later.
fn retention(given: &RetentionFile) -> Result<Retention, SettingsError> {
    if !(30..=3_650).contains(&given.messages_days) {
        return Err(wrong("retention.messages_days", "must be 30 to 3650 days"));
    }
    Ok(Retention { messages_days: given.messages_days })
}

fn no_two_alike<'a>(key: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), SettingsError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(wrong(format!("{key}.{id}"), "is there twice"));
        }
    }
    Ok(())
}

/// The language in which clinics of a country write.
#[must_use]
pub fn language_of(country: Country) -> Language {
    match country {
        Country::Ar | Country::Uy => Language::EsAr,
        Country::Br => Language::PtBr,
        Country::Es => Language::EsEs,
        Country::Mx => Language::EsMx,
        Country::Cl => Language::EsCl,
        Country::Co | Country::Pe => Language::EsCo,
    }
}

fn text(key: &str, value: String) -> Result<String, SettingsError> {
    let value = value.trim().to_owned();
    if value.is_empty() || value.chars().count() > 200 || value.contains(char::is_control) {
        return Err(wrong(key, "must be 1 to 200 printable characters"));
    }
    Ok(value)
}

fn digits(key: &str, value: String) -> Result<String, SettingsError> {
    if value.is_empty() || value.len() > 20 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong(key, "must be 1 to 20 digits"));
    }
    Ok(value)
}

fn e164(text: &str) -> Result<E164, SettingsError> {
    E164::parse_strict(text).map_err(|_| wrong("whatsapp_number", "must be like +5491155550100 (E.164)"))
}

pub(crate) const WEEKDAYS: [(&str, chrono::Weekday); 7] = [
    ("monday", chrono::Weekday::Mon),
    ("tuesday", chrono::Weekday::Tue),
    ("wednesday", chrono::Weekday::Wed),
    ("thursday", chrono::Weekday::Thu),
    ("friday", chrono::Weekday::Fri),
    ("saturday", chrono::Weekday::Sat),
    ("sunday", chrono::Weekday::Sun),
];

fn calendar(
    given: BTreeMap<String, String>,
    closures: &Closures,
    country: Country,
) -> Result<ContactCalendar, SettingsError> {
    let mut hours = ContactHours::for_country(country);
    for (day, span) in given {
        let Some((_, weekday)) = WEEKDAYS.into_iter().find(|(name, _)| *name == day) else {
            return Err(wrong(format!("hours.{day}"), "is not a weekday (monday … sunday)"));
        };
        hours.set(weekday, open_hours(&span).map_err(|why| wrong(format!("hours.{day}"), why))?);
    }
    let date = |text: &String| text.parse().map_err(|_| wrong("closures.dates", "must be dates such as 2026-12-24"));
    let closed = closures.dates.iter().map(date).collect::<Result<_, _>>()?;
    Ok(ContactCalendar { hours, country: Some(country), closed, open_on_holidays: closures.write_on_holidays })
}

pub(crate) fn open_hours(span: &str) -> Result<Option<OpenHours>, &'static str> {
    const EXPECTED: &str = "must be like \"09:00-20:00\", or \"closed\"";
    if span == "closed" {
        return Ok(None);
    }
    let (from, until) = span.split_once('-').ok_or(EXPECTED)?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| EXPECTED);
    OpenHours::new(time(from)?, time(until)?).map(Some).map_err(|_| "must open before it closes")
}

fn at_least_one(key: &str, value: u32) -> Result<(), SettingsError> {
    if value == 0 { Err(wrong(key, "must be at least 1")) } else { Ok(()) }
}

fn limits(file: &LimitSettings) -> Result<Limits, SettingsError> {
    at_least_one("limits.per_day_max", u32::from(file.per_day_max))?;
    if file.whatsapp_max > 16 {
        return Err(wrong("limits.whatsapp_max", "must be at most 16"));
    }
    Ok(Limits {
        whatsapp_max: file.whatsapp_max,
        whatsapp_window_days: file.whatsapp_window_days,
        rest_days: file.rest_days,
        entry_quiet_days: file.entry_quiet_days,
        per_day_max: file.per_day_max,
        awaiting_outcome_days: file.awaiting_outcome_days,
        whatsapp_daily_tier: file.whatsapp_daily_tier,
    })
}

fn wave(file: &WaveFile) -> Result<WaveSettings, SettingsError> {
    at_least_one("wave.booking_percent", u32::from(file.booking_percent))?;
    if file.tier_share_percent > 100 {
        return Err(wrong("wave.tier_share_percent", "must be at most 100"));
    }
    Ok(WaveSettings {
        slots_horizon_days: file.slots_horizon_days,
        booking_percent: file.booking_percent,
        tier_share_percent: file.tier_share_percent,
    })
}

fn prices(file: &PriceSettings, country: Country) -> Result<Prices, SettingsError> {
    let micros = |key: &str, amount: f64| {
        if !(0.0..=1_000.0).contains(&amount) {
            return Err(wrong(format!("prices.{key}"), "must be between 0 and 1000"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0..=1000")]
        Ok((amount * 1_000_000.0).round() as u64)
    };
    let mut whatsapp_micros = 0;
    for (code, amount) in &file.whatsapp {
        let key = format!("whatsapp.{code}");
        let of = Country::from_str(code).map_err(|e| wrong(format!("prices.{key}"), format!("is {e}")))?;
        let price = micros(&key, *amount)?;
        if of == country {
            whatsapp_micros = price;
        }
    }
    Ok(Prices {
        currency: text("prices.currency", file.currency.clone())?,
        whatsapp_micros,
        email_micros: micros("email", file.email)?,
        sms_micros: micros("sms", file.sms)?,
        call_micros: micros("call", file.call)?,
    })
}
