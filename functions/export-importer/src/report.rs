//! What an import did, as staff reads it.

use retorno_cloud::timetable::Followed;
use serde::Serialize;

use crate::export::Refusal;

/// What an import did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImportReport {
    /// Rows of the file.
    pub read: u64,
    /// Rows that landed.
    pub accepted: u64,
    /// Rows that did not, with line, column and reason.
    pub rejected: Vec<Rejected>,
    /// Patients the file speaks of.
    pub patients: u64,
    /// Patients that are new.
    pub added: u64,
    /// Patients that changed.
    pub changed: u64,
    /// Appointments beyond the number kept of one patient.
    pub dropped_appointments: u64,
    /// Agreements and words of people who were not on record, and are now: recorded as theirs.
    #[serde(skip_serializing_if = "is_zero")]
    pub matched: u64,
    /// The same, of which a person must say whose they are.
    #[serde(skip_serializing_if = "is_zero")]
    pub to_match: u64,
    /// Rows of people who were erased: nothing of them is stored.
    #[serde(skip_serializing_if = "is_zero")]
    pub suppressed_after_erasure: u64,
    /// What the clinic's timetables made of the free slots; nothing where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timetable: Option<Followed>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A row that did not land.
#[derive(Debug, Clone, Serialize)]
pub struct Rejected {
    /// Physical line; the header is line 1.
    pub line: u64,
    /// The standard column at fault.
    pub column: Option<&'static str>,
    /// The reason's code.
    pub code: &'static str,
    /// The reason in words, and what to do.
    pub reason: String,
}

impl From<&Refusal> for Rejected {
    fn from(refusal: &Refusal) -> Self {
        Self {
            line: refusal.line,
            column: refusal.column,
            code: refusal.reason.code(),
            reason: refusal.reason.to_string(),
        }
    }
}
