//! Importing: rows a second, and the most memory the process held.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use export_importer::export::{ExportReader, Limits};
use retorno_domain::calendar::resolve_local;
use serde::{Deserialize, Serialize};

use super::figures::{Figure, Target};
use super::made_up::{Population, export};
use super::stage::{Stage, monday_and, settings};
use super::{Rate, Stopwatch, count_of};
use crate::host::HostError;
use crate::settings_file::open;

/// An export on disk, and the instant at which it is imported.
pub(super) struct Export {
    path: PathBuf,
    made_up: bool,
}

impl Export {
    /// The file given, or a made-up one written into the folder.
    pub(super) fn ready(given: Option<&Path>, patients: u32, folder: &Path) -> Result<Self, HostError> {
        if let Some(path) = given {
            return Ok(Self { path: path.to_owned(), made_up: false });
        }
        let path = folder.join("export.csv");
        std::fs::write(&path, export(patients, Population::Mixed, monday_and(0)))
            .map_err(|error| HostError::Io { what: format!("cannot write {}", path.display()), error })?;
        Ok(Self { path, made_up: true })
    }

    fn name(&self) -> &'static str {
        if self.made_up { "a made-up export" } else { "the export given" }
    }
}

/// What one import in a process of its own took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PeakMemory {
    /// Rows of the file.
    pub rows: u64,
    /// The most memory the process held (`VmHWM`), in bytes; nothing where the system does not tell.
    pub bytes: Option<u64>,
}

/// Imports a file into a fresh system in memory and says how much memory this process held at most.
/// To be called in a process of its own.
///
/// # Errors
/// [`HostError`].
pub async fn import_once(path: &Path) -> Result<PeakMemory, HostError> {
    let stage = stage_for(path, None).await?;
    let source = std::io::BufReader::new(open(path)?);
    let report = export_importer::import(&stage.host.reach, &stage.id, "bench", source, &mut |_| {}).await?;
    Ok(PeakMemory { rows: report.read, bytes: peak() })
}

fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

/// A system whose clock stands just after the last appointment with an outcome, in the file's zone.
async fn stage_for(path: &Path, folder: Option<&Path>) -> Result<Stage, HostError> {
    let reader = ExportReader::open(open(path)?, Limits::default()).map_err(export_importer::ImportError::from)?;
    let mut zone = None;
    let mut last: Option<DateTime<Utc>> = None;
    for row in reader.flatten() {
        zone.get_or_insert(row.zone);
        if row.amount_cents.is_some() {
            last = last.max(Some(resolve_local(row.start.local, row.zone)));
        }
    }
    let zone = zone.ok_or_else(|| HostError::User(format!("{}: no row could be read", path.display())))?;
    let now = last.unwrap_or_else(|| super::stage::at(monday_and(0), 8, 0)) + chrono::TimeDelta::hours(12);
    Stage::set(&settings(zone.name(), "")?, folder, now).await
}

/// Imports into memory; gives the system too.
pub(super) async fn in_memory(export: &Export) -> Result<(Stage, Figure), HostError> {
    let (stage, rate, note) = timed(export, None).await?;
    let figure = Figure::speed("import_memory", "import, in memory", rate, "rows/s");
    Ok((stage, figure.target(Target::AtLeast(5_000.0)).note(note)))
}

/// Imports into a file.
pub(super) async fn on_file(export: &Export, folder: &Path) -> Result<Figure, HostError> {
    let (_, rate, note) = timed(export, Some(&folder.join("import"))).await?;
    Ok(Figure::speed("import_file", "import, on a file", rate, "rows/s").note(note))
}

async fn timed(export: &Export, folder: Option<&Path>) -> Result<(Stage, Rate, String), HostError> {
    let stage = stage_for(&export.path, folder).await?;
    let csv = std::fs::read(&export.path)
        .map_err(|error| HostError::Io { what: format!("cannot read {}", export.path.display()), error })?;
    let stopwatch = Stopwatch::start();
    let report = stage.import(&csv).await?;
    let rate = stopwatch.rate(report.read);
    let note = format!(
        "{} rows ({} accepted), {} patients of {} in {:.1} s, from CSV bytes to committed items",
        report.read,
        report.accepted,
        report.patients,
        export.name(),
        rate.seconds
    );
    Ok((stage, rate, note))
}

/// Imports the same file into memory in a process of its own.
pub(super) async fn peak_memory(export: &Export) -> Figure {
    let child = in_a_process_of_its_own(&export.path).await;
    let megabytes = child.and_then(|peak| peak.bytes).map(|bytes| count_of(bytes) / 1_048_576.0);
    let figure = Figure::new("import_memory_peak", "peak memory of an import in memory", megabytes, "MB");
    let rows = child.map_or_else(|| "not measured".to_owned(), |peak| format!("{} rows", peak.rows));
    figure.target(Target::AtMost(300.0)).note(format!("{rows}, in a process of its own (VmHWM; 1 MB is 2^20 bytes)"))
}

async fn in_a_process_of_its_own(path: &Path) -> Option<PeakMemory> {
    let program = std::env::current_exe().ok()?;
    let path = path.to_owned();
    let run = move || std::process::Command::new(program).arg("bench-memory").arg(path).output();
    let output = tokio::task::spawn_blocking(run).await.ok()?.ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
