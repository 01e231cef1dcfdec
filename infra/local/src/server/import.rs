//! Imports into the running system: one at a time, each on a thread of its own, because reading a
//! file blocks and the pages go on meanwhile.

use std::path::PathBuf;

use export_importer::{ImportReport, SlotsReport, Stage, import_slots};
use retorno_domain::ids::ClinicId;
use segment_evaluator::Scope;
use serde::Serialize;
use staff_api::Problem;
use tokio::sync::oneshot;

use super::system::System;
use crate::host::HostError;
use crate::settings_file::{open, with_zone, zone_of_export};

/// The name of every import of this machine. Only one process uses the folder and it imports one
/// file at a time, so an import takes over the lease that a killed one left behind.
pub(super) const IMPORT_ID: &str = "laptop";
/// How often lost wake-ups are looked for.
pub(super) const SWEEP: &str = "rate(15 minutes)";
/// The most rejected rows that an answer names.
const REJECTED_SHOWN_MAX: usize = 1_000;

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct ImportDone {
    /// Into which clinic.
    pub clinic: String,
    /// What came of the export, if there was one.
    pub export: Option<ImportReport>,
    /// What came of the free slots, if there were any.
    pub slots: Option<SlotsReport>,
}

/// Files to import, deleted afterwards.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) export: Option<PathBuf>,
    pub(crate) slots: Option<PathBuf>,
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in self.export.iter().chain(&self.slots) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Begins an import. It runs to its end whether or not anybody waits for the answer.
///
/// # Errors
/// [`Problem`] when something else is under way.
pub(crate) fn begin(
    system: &System,
    clinic: &ClinicId,
    files: Files,
) -> Result<oneshot::Receiver<Result<ImportDone, Problem>>, Problem> {
    system.begin_import(clinic)?;
    let (answer, answered) = oneshot::channel();
    let (worker, id) = (system.clone(), clinic.clone());
    let work = move || {
        let done = on_this_thread(&worker, &id, &files).map_err(Problem::from);
        drop(files);
        worker.end_import(done.clone());
        // Whoever asked may have gone.
        let _ = answer.send(done);
    };
    if let Err(error) = std::thread::Builder::new().name("import".to_owned()).spawn(work) {
        let problem = Problem::from(HostError::Io { what: "starting the import".to_owned(), error });
        system.end_import(Err(problem.clone()));
        return Err(problem);
    }
    Ok(answered)
}

fn on_this_thread(system: &System, clinic: &ClinicId, files: &Files) -> Result<ImportDone, HostError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| HostError::Io { what: "starting the import".to_owned(), error })?;
    runtime.block_on(run(system, clinic, files))
}

async fn run(system: &System, clinic: &ClinicId, files: &Files) -> Result<ImportDone, HostError> {
    let reach = &system.host.reach;
    let mut done = ImportDone { clinic: clinic.to_string(), export: None, slots: None };
    if let Some(path) = &files.slots {
        let mut report = import_slots(reach, clinic, std::io::BufReader::new(open(path)?)).await?;
        report.rejected.truncate(REJECTED_SHOWN_MAX);
        done.slots = Some(report);
    }
    if let Some(path) = &files.export {
        let mut on_progress = |progress: export_importer::Progress| match progress.stage {
            Stage::Reading => {}
            Stage::Writing => system.note_import(clinic, progress.done, progress.total),
        };
        let source = std::io::BufReader::new(open(path)?);
        let mut report = export_importer::import(reach, clinic, IMPORT_ID, source, &mut on_progress).await?;
        report.rejected.truncate(REJECTED_SHOWN_MAX);
        done.export = Some(report);
    }
    // Not left to the next morning: who imports wants to see what follows.
    system.host.evaluate(clinic, Scope::Due).await?;
    system.touch();
    // Counted now, so that the first page after a large import does not keep its reader waiting.
    if let Ok(of) = system.clinic(clinic.as_str()).await {
        let _ = system.count_segments(&of).await;
    }
    Ok(done)
}

/// Sets up a clinic or changes its settings. A zone that the text does not name is the clinic's, or
/// that of the export given.
///
/// # Errors
/// [`HostError`] says what is wrong with the settings.
pub(crate) async fn put_clinic(
    system: &System,
    id: &ClinicId,
    toml: &str,
    export: Option<&std::path::Path>,
) -> Result<(), HostError> {
    let known = system.host.reach.store.of(id).settings(system.host.now()).await;
    let text = match (known, export) {
        (Ok(known), _) => with_zone(toml, known.clinic.zone)?,
        (Err(_), Some(export)) => with_zone(toml, zone_of_export(export)?)?,
        (Err(_), None) => toml.to_owned(),
    };
    let text = match system.host.claim_clinic(id, &text).await {
        // The number that everybody has whose settings name none; on this machine any number will do.
        Err(HostError::NumberTaken(NUMBER)) if !names_a_number(&text) => {
            let text = with_number_of_its_own(&text, id)?;
            system.host.claim_clinic(id, &text).await?;
            text
        }
        claimed => claimed.map(|_| text)?,
    };
    system.folder.list_clinic(id, system.host.now())?;
    system.host.add_clinic(id, &text, SWEEP).await?;
    system.host.follow_timetables(id).await?;
    system.touch();
    Ok(())
}

/// The setting that names a clinic's WhatsApp number.
const NUMBER: &str = "whatsapp_phone_number_id";

fn names_a_number(toml: &str) -> bool {
    toml.parse::<toml::Table>().is_ok_and(|table| table.contains_key(NUMBER))
}

/// The settings with a number that follows from the clinic's id, so that it is the same each time.
fn with_number_of_its_own(toml: &str, id: &ClinicId) -> Result<String, HostError> {
    const DIGITS: u64 = 100_000_000_000_000;
    let fold = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let number = 2 * DIGITS + id.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, fold) % DIGITS;
    let mut table: toml::Table =
        toml.parse().map_err(|e| HostError::User(format!("the clinic's settings are not TOML: {e}")))?;
    table.insert(NUMBER.to_owned(), number.to_string().into());
    Ok(table.to_string())
}
