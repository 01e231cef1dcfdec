//! Agreements gathered elsewhere, recorded in bulk by somebody who attests to them. Each row is a turn
//! of its own; the same file a second time records nothing twice.

use export_importer::export::{ConsentRow, ConsentsReader, Limits};
use export_importer::{ImportError, Rejected};
use retorno_cloud::desk::{Desk, StaffDone};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::ids::PatientId;
use serde::Serialize;
use staff_api::Problem;

use super::system::{OpenClinic, System};
use crate::host::HostError;

/// About a hundred thousand agreements.
pub(crate) const CONSENTS_BYTES_MAX: usize = 8 << 20;
/// The longest name of whoever attests.
pub(crate) const NAME_CHARS_MAX: usize = 100;
/// Refusals listed.
const REJECTED_MOST: usize = 1_000;

/// What came of a file.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ConsentsDone {
    /// Rows read.
    pub(crate) read: u64,
    /// Agreements recorded.
    pub(crate) recorded: u64,
    /// Recorded by the same row before.
    pub(crate) repeated: u64,
    /// Rows of which nothing was recorded.
    pub(crate) refused: u64,
    /// Which, and why; the first of them.
    pub(crate) rejected: Vec<Rejected>,
}

/// Who attests.
///
/// # Errors
/// [`Problem`] when that is nobody's name.
pub(crate) fn attester(by: &str) -> Result<&str, Problem> {
    let by = by.trim();
    if by.is_empty() || by.chars().count() > NAME_CHARS_MAX || by.contains(char::is_control) {
        let problem = Problem::bad("say who attests to these agreements: ?attested_by=NAME");
        return Err(problem.coded("attested_by"));
    }
    Ok(by)
}

/// Records a file of agreements.
///
/// # Errors
/// [`Problem`] when it is no such file, or the table fails; sending it again finishes it.
pub(crate) async fn record(
    system: &System,
    of: &OpenClinic,
    text: &str,
    attested_by: &str,
) -> Result<ConsentsDone, Problem> {
    system.check_free()?;
    let reader = ConsentsReader::open(text.as_bytes(), Limits { record_bytes_max: 64 << 10, ..Limits::default() });
    let reader = reader.map_err(|why| Problem::from(HostError::from(ImportError::NotAnExport(why))))?;
    let desk = Desk::new(system.host.reach.clone());
    let mut done = ConsentsDone::default();
    for row in reader {
        done.read += 1;
        let refused = match row {
            Err(refusal) => Some(Rejected::from(&refusal)),
            Ok(row) => turn(&desk, of, &row, attested_by, &mut done).await?,
        };
        if let Some(refused) = refused {
            done.refused += 1;
            if done.rejected.len() < REJECTED_MOST {
                done.rejected.push(refused);
            }
        }
    }
    system.take_up_now().await?;
    Ok(done)
}

async fn turn(
    desk: &Desk,
    of: &OpenClinic,
    row: &ConsentRow,
    attested_by: &str,
    done: &mut ConsentsDone,
) -> Result<Option<Rejected>, Problem> {
    let refused = |column, code, reason: &dyn std::fmt::Display| {
        Ok(Some(Rejected { line: row.line, column: Some(column), code, reason: reason.to_string() }))
    };
    let Ok(patient) = PatientId::parse(&row.patient_id) else {
        return refused("paciente_id", "bad_id", &"not a patient's number");
    };
    let channels: Vec<&str> = row.channels.iter().map(retorno_domain::channel::Channel::code).collect();
    // The row is the event: what it says, and who attests to it.
    let event = format!("attested#{patient}#{}#{}#{}#{attested_by}", channels.join(","), row.on, row.how);
    let how = format!("attested by {attested_by}: {}", row.how);
    let said = Statement::of_all(row.on, Wish::OptIn(row.channels), Source::Recorded);
    match desk.consent(&of.tenant, &patient, &event, &said, &how).await? {
        StaffDone::Done => done.recorded += 1,
        StaffDone::Repeated => done.repeated += 1,
        StaffDone::Nobody => return refused("paciente_id", "no_such_patient", &"there is no such patient"),
        StaffDone::Refused(why) => return refused("fecha", why.code(), &why),
    }
    Ok(None)
}
