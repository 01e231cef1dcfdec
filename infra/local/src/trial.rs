//! The main job as a command: a clinic's export into a fresh system in memory, the clock set, the
//! waves enrolled and the days played by the production handlers, with patients who receive
//! everything and never answer. Nothing leaves the machine.

mod outcome;
mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use export_importer::{ImportReport, Progress, SlotsReport, Stage, import, import_slots};
use indicatif::{ProgressBar, ProgressStyle};
use retorno_cloud::Clock;
use retorno_domain::calendar::resolve_local;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::ClinicId;
use retorno_domain::settings::clinic_from_toml;
use segment_evaluator::{Scope, Survey, survey};
use staff_api::outbox::{Sent, sent_between};

use crate::host::{Host, HostError, HostKeys, Played};
use crate::settings_file::{open, with_zone, zone_of_export};

pub use outcome::Outcome;
pub use report::report;

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The export.
    pub export: PathBuf,
    /// The free slots.
    pub slots: Option<PathBuf>,
    /// The clinic's own settings.
    pub clinic: Option<PathBuf>,
    /// The instant at which it begins, in the clinic's zone; now when absent.
    pub at: Option<NaiveDateTime>,
    /// How many days are played.
    pub days: u16,
}

/// What came of it.
pub struct Tried {
    /// The clinic as understood.
    pub clinic: Clinic,
    /// When it began.
    pub began: DateTime<Utc>,
    /// The import.
    pub import: ImportReport,
    /// The import of free slots.
    pub slots: Option<SlotsReport>,
    /// The segments at the beginning.
    pub survey: Survey,
    /// What was played.
    pub played: Played,
    /// For how many days.
    pub days: u16,
    /// Everything that was sent, in order.
    pub sent: Vec<Sent>,
    /// The most that could be enrolled in a week over all segments, by week, where slots are known.
    pub overall: Vec<(retorno_domain::calendar::IsoWeek, u32)>,
    /// Request units used.
    pub units: crate::engine::RequestUnits,
    /// How long it took.
    pub elapsed: Duration,
}

/// The seed of a trial's keys: the same run gives the same links, byte for byte. They lead nowhere.
const TRIAL_SEED: &[u8] = b"retorno trial: links made here open nothing";
/// A trial loses no wake-ups: the sweep looks seldom.
const TRIAL_SWEEP: &str = "rate(12 hours)";
/// Where links of a trial point.
const TRIAL_PAGES: &str = "https://citas.example";

/// Plays a trial. `quiet` hides the progress bars.
///
/// # Errors
/// [`HostError`] says what is wrong with a file, and where.
pub async fn run(trial: &Trial, quiet: bool) -> Result<Tried, HostError> {
    let started = started();
    let own = match &trial.clinic {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| HostError::Io { what: format!("cannot read {}", path.display()), error })?,
        None => String::new(),
    };
    let settings = with_zone(&own, zone_of_export(&trial.export)?)?;
    let id = ClinicId::parse("try").map_err(|e| HostError::User(e.to_string()))?;
    let clinic = clinic_from_toml(id.clone(), &settings, None)?;
    let began = trial.at.map_or_else(now_in_seconds, |at| resolve_local(at, clinic.zone));
    let host = Host::in_memory(Clock::movable(began), &HostKeys::from_seed(TRIAL_SEED)?, TRIAL_PAGES).await?;
    host.add_clinic(&id, &settings, TRIAL_SWEEP).await?;
    let mut slots = None;
    if let Some(path) = &trial.slots {
        slots = Some(import_slots(&host.reach, &id, open(path)?).await?);
    }
    let import = import_with_bar(&host, &id, &trial.export, quiet).await?;
    let survey = survey(&host.reach, &id).await?;
    host.evaluate(&id, Scope::Due).await?;
    let until = began + TimeDelta::days(i64::from(trial.days));
    let played = play_with_bar(&host, began, until, quiet).await?;
    let tenant = host.reach.store.of(&id);
    let sent = sent_between(&tenant, began.date_naive(), until.date_naive()).await?;
    let mut overall = Vec::new();
    let mut week = clinic.week(began);
    while week <= clinic.week(until) {
        if let Some(capacity) = tenant.capacity(week).await? {
            overall.push((week, capacity));
        }
        week = week.next();
    }
    let units = host.engine.units();
    tracing::debug!(operations = ?host.engine.units_by_operation(), "request units by operation");
    Ok(Tried {
        clinic,
        began,
        import,
        slots,
        survey,
        played,
        days: trial.days,
        sent,
        overall,
        units,
        elapsed: started.elapsed(),
    })
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch for the person who waits, not a decision")]
fn started() -> std::time::Instant {
    std::time::Instant::now()
}

fn now_in_seconds() -> DateTime<Utc> {
    let now = Clock::System.now();
    DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now)
}

fn bar(length: u64, template: &str, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

/// Imports an export with a bar: bytes while reading, patients while writing.
///
/// # Errors
/// [`HostError`].
pub async fn import_with_bar(
    host: &Host,
    clinic: &ClinicId,
    path: &Path,
    quiet: bool,
) -> Result<ImportReport, HostError> {
    let file = open(path)?;
    let size = file.metadata().map(|meta| meta.len()).unwrap_or(0);
    let reading = bar(size, "{wide_bar} {bytes}/{total_bytes}", quiet);
    let writing = bar(0, "{wide_bar} {pos}/{len} ({eta})", quiet);
    let mut on_progress = |progress: Progress| match progress.stage {
        Stage::Reading => reading.set_position(progress.done),
        Stage::Writing => {
            reading.finish_and_clear();
            writing.set_length(progress.total.unwrap_or(progress.done));
            writing.set_position(progress.done);
        }
    };
    let name = format!("import-{}", host.now().timestamp_millis());
    let report = import(&host.reach, clinic, &name, std::io::BufReader::new(file), &mut on_progress).await?;
    reading.finish_and_clear();
    writing.finish_and_clear();
    Ok(report)
}

async fn play_with_bar(
    host: &Host,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    quiet: bool,
) -> Result<Played, HostError> {
    let minutes = |span: TimeDelta| u64::try_from(span.num_minutes()).unwrap_or(0);
    let progress = bar(minutes(until - from), "{wide_bar} {percent}% {msg}", quiet);
    let played = host
        .advance_to(until, |at, played| {
            progress.set_position(minutes(at - from));
            progress.set_message(format!("{} · {}", at.date_naive(), played.sent));
            true
        })
        .await?;
    progress.finish_and_clear();
    Ok(played)
}
