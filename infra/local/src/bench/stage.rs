//! A system to be measured: in memory or on a file, with a clinic whose limits are out of the way.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use retorno_cloud::Clock;
use retorno_domain::calendar::resolve_local;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;

use super::made_up::ZONE;
use crate::host::{Host, HostError, HostKeys};

/// The seed of the keys; nothing leaves the machine.
const SEED: &[u8] = b"retorno bench: links made here open nothing";
/// Where links point.
const PAGES: &str = "https://citas.example";
/// The sweep stays out of the way.
const SWEEP: &str = "rate(300 days)";

/// A system with one clinic.
pub(super) struct Stage {
    pub(super) host: Host,
    pub(super) id: ClinicId,
    pub(super) clinic: Clinic,
}

impl Stage {
    /// A system whose clock stands at `at`, in memory, or in a folder.
    pub(super) async fn set(settings: &str, folder: Option<&Path>, at: DateTime<Utc>) -> Result<Self, HostError> {
        let keys = HostKeys::from_seed(SEED)?;
        let host = match folder {
            Some(folder) => {
                std::fs::create_dir_all(folder)
                    .map_err(|error| HostError::Io { what: format!("cannot make {}", folder.display()), error })?;
                Host::open(folder, Clock::movable(at), &keys, PAGES).await?
            }
            None => Host::in_memory(Clock::movable(at), &keys, PAGES).await?,
        };
        let id = ClinicId::parse("bench").map_err(|e| HostError::User(e.to_string()))?;
        host.add_clinic(&id, settings, SWEEP).await?;
        let clinic = clinic_from_toml(id.clone(), settings, None)?;
        Ok(Self { host, id, clinic })
    }

    /// Imports an export.
    pub(super) async fn import(&self, csv: &[u8]) -> Result<export_importer::ImportReport, HostError> {
        Ok(export_importer::import(&self.host.reach, &self.id, "bench", csv, &mut |_| {}).await?)
    }
}

/// Settings in which no limit of waves or of the number binds, and each segment has these seats.
pub(super) fn settings(zone: &str, more: &str) -> Result<String, HostError> {
    const SEATS: i64 = 100_000;
    let defaults = include_str!("../../../../shared/domain/presets/clinic.toml");
    let wrong = |e: &dyn std::fmt::Display| HostError::User(format!("the benchmark's settings: {e}"));
    let defaults: toml::Table = defaults.parse().map_err(|e: toml::de::Error| wrong(&e))?;
    let mut table: toml::Table = more.parse().map_err(|e: toml::de::Error| wrong(&e))?;
    let mut segments = defaults.get("segments").cloned().unwrap_or(toml::Value::Array(Vec::new()));
    for segment in segments.as_array_mut().into_iter().flatten() {
        if let Some(segment) = segment.as_table_mut() {
            segment.insert("seats_per_week".to_owned(), toml::Value::Integer(SEATS));
        }
    }
    table.insert("zone".to_owned(), toml::Value::String(zone.to_owned()));
    table.insert("segments".to_owned(), segments);
    let limits: toml::Table = toml::Table::from_iter([("whatsapp_daily_tier".to_owned(), toml::Value::Integer(SEATS))]);
    table.insert("limits".to_owned(), toml::Value::Table(limits));
    let wave = toml::Table::from_iter([("tier_share_percent".to_owned(), toml::Value::Integer(100))]);
    table.insert("wave".to_owned(), toml::Value::Table(wave));
    toml::to_string(&table).map_err(|e| wrong(&e))
}

/// An instant of the made-up clinic's zone.
pub(crate) fn at(day: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    let zone = ZONE.parse().unwrap_or(chrono_tz::Tz::UTC);
    resolve_local(day.and_hms_opt(hour, minute, 0).unwrap_or_default(), zone)
}

/// Monday, 2 March 2026, and the days after it: an ordinary week in Argentina, without a holiday.
pub(crate) fn monday_and(days: u64) -> NaiveDate {
    let monday = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap_or_default();
    monday.checked_add_days(chrono::Days::new(days)).unwrap_or(monday)
}
