//! What the API tells and is told about the system as a whole.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How the clock is to be moved.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum AdvanceBy {
    /// By a span such as `3h`, `1d`, `2w`, or `next`: until the next message.
    By {
        /// The span.
        by: String,
    },
    /// To an instant: RFC 3339, or local to the clinic (the first one when absent).
    To {
        /// The instant.
        to: String,
        /// The clinic.
        #[serde(default)]
        clinic: Option<String>,
    },
}

/// What is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "doing", rename_all = "snake_case")]
pub enum Work {
    /// The clock is being moved, and everything on the way played.
    Advance(Advanced),
    /// A file is being imported.
    Import {
        /// Of which clinic.
        clinic: String,
        /// Patients written so far.
        done: u64,
        /// Of how many, once the file has been read.
        total: Option<u64>,
    },
}

/// How far a move of the clock has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advanced {
    /// Which one, counted from 1 since the system was started.
    pub number: u64,
    /// Where it began.
    pub from: DateTime<Utc>,
    /// Where it ends at the latest.
    pub to: DateTime<Utc>,
    /// The instant reached.
    pub at: DateTime<Utc>,
    /// Messages handed to a provider.
    pub sent: u64,
    /// Events taken up.
    pub events: u64,
    /// Events that failed and are taken up again.
    pub failed: u64,
    /// Whether somebody stopped it on the way.
    pub cancelled: bool,
    /// What ended it, if not its end.
    pub error: Option<String>,
}

/// The state of the system.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The clock.
    pub now: DateTime<Utc>,
    /// The next event, if there is any to come.
    pub next_event: Option<DateTime<Utc>>,
    /// The clinics.
    pub clinics: Vec<ClinicState>,
    /// What is under way.
    pub work: Option<Work>,
    /// The last move of the clock that is over.
    pub last_advance: Option<Advanced>,
}

/// A clinic, for whoever chooses one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClinicState {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// The language of its messages.
    pub language: String,
}
