//! The clinic's free slots: the file says what is free, and what it does not name is not — unless
//! rows of it could not be read; then slots are only added.

use std::io::Read;

use chrono::{DateTime, Utc};
use retorno_cloud::Reach;
use retorno_cloud::store::FreeSlot;
use retorno_domain::calendar::resolve_local;
use retorno_domain::ids::ClinicId;

use crate::export::{Limits, SlotsReader};
use crate::import::ImportError;
use crate::report::Rejected;

/// What an import of free slots did.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct SlotsReport {
    /// Rows of the file.
    pub read: u64,
    /// Rows that did not land.
    pub rejected: Vec<Rejected>,
    /// Slots that are new or differ.
    pub added: usize,
    /// Slots that are free no longer.
    pub removed: usize,
}

/// Makes the clinic's free slots those of the file. A clinic with timetables takes none.
///
/// # Errors
/// [`ImportError`]; importing the file again finishes the work.
pub async fn import_slots<R: Read>(reach: &Reach, clinic: &ClinicId, source: R) -> Result<SlotsReport, ImportError> {
    // One source: a file beside a timetable would offer what the other knows to be taken.
    if !reach.store.of(clinic).settings(reach.clock.now()).await?.clinic.timetables.is_empty() {
        return Err(ImportError::HasTimetable);
    }
    let mut reader = SlotsReader::open(source, Limits::default())?;
    let (mut slots, mut report) = (Vec::new(), SlotsReport::default());
    for row in reader.by_ref() {
        match row {
            Ok(row) => slots.push(FreeSlot {
                start: start_of(&row.start, row.zone),
                id: row.slot_id,
                professional: row.professional,
                minutes: u32::from(row.minutes),
            }),
            Err(refusal) => report.rejected.push(Rejected::from(&refusal)),
        }
    }
    report.read = reader.rows_read();
    let now = reach.clock.now();
    // A row that could not be read may be a slot that is free: nothing is taken away on such a file.
    let whole = report.rejected.is_empty();
    (report.added, report.removed) = reach.store.of(clinic).put_slots(&slots, whole, now).await?;
    Ok(report)
}

fn start_of(cell: &crate::export::StartCell, zone: chrono_tz::Tz) -> DateTime<Utc> {
    let given = cell.offset.and_then(|offset| cell.local.and_local_timezone(offset).single());
    given.map_or_else(|| resolve_local(cell.local, zone), |at| at.to_utc())
}
