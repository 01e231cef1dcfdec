//! What happens from outside: time, people, the cloud's own habits.

/// Something that happens.
#[derive(Debug, Clone)]
pub enum Event {
    /// A queued order is handed to a dispatcher.
    Deliver(u64),
    /// A schedule fires.
    Fire(u64),
    /// Six in the morning in a clinic's zone.
    Morning {
        /// Which clinic.
        clinic: usize,
        /// Which try, from 1.
        attempt: u32,
    },
    /// An export lands.
    Export {
        /// Which clinic.
        clinic: usize,
        /// Which version of its facts.
        version: usize,
        /// Which try, from 1.
        attempt: u32,
    },
    /// The sweep's turn.
    Sweep {
        /// Which clinic.
        clinic: usize,
    },
    /// The clinic's world moves on: somebody books, moves, agrees, opts out.
    Life {
        /// Which clinic.
        clinic: usize,
    },
    /// Somebody opts out for a contact point.
    OptOut {
        /// Which clinic.
        clinic: usize,
        /// The contact point's hash.
        contact: String,
        /// Which try, from 1.
        attempt: u32,
    },
    /// Staff takes a patient's conversation, or gives it back.
    Pause {
        /// Which clinic.
        clinic: usize,
        /// Which patient.
        patient: usize,
        /// Taken, or given back.
        paused: bool,
        /// Which try, from 1.
        attempt: u32,
    },
    /// Staff stores settings: halts, goes on, or brings a new version of the flow.
    Settings {
        /// Which clinic.
        clinic: usize,
        /// Halted or not.
        halted: bool,
        /// Which try, from 1.
        attempt: u32,
    },
    /// A message is about to be claimed: the moment in which everything else likes to happen.
    ClaimAhead {
        /// Which clinic.
        clinic: usize,
        /// The contact point's hash.
        contact: String,
        /// Which patient.
        patient: String,
    },
    /// An import about this very patient, or a sweep, while somebody is at work on them.
    ImportAbout {
        /// Which clinic.
        clinic: usize,
        /// Which patient.
        patient: usize,
    },
    /// A task has run longer than its function may.
    TimeOut(u64),
}
