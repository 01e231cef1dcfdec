//! What happens from outside: time, people, the cloud's own habits.

/// What somebody says on the telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallSaid {
    /// Nobody answers.
    Nothing,
    /// They want nothing any more.
    Out,
    /// They agree to be called, and to be written to on WhatsApp.
    Agreed,
    /// They take a date, which staff enters in the clinic's own system.
    Date,
    /// They want to speak with somebody: staff has the conversation from now on.
    Later,
}

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
    /// Somebody's words or a provider's report are handed over.
    TakeIn {
        /// Which.
        id: u64,
        /// Which try, from 1.
        attempt: u32,
    },
    /// Somebody opens a link.
    Visit {
        /// Which clinic.
        clinic: usize,
        /// The link's token.
        token: String,
        /// Whose mailbox it came to.
        person: Option<usize>,
        /// Which try, from 1.
        attempt: u32,
    },
    /// The file of free slots lands.
    Slots {
        /// Which clinic.
        clinic: usize,
        /// Which try, from 1.
        attempt: u32,
    },
    /// Staff takes a patient's conversation.
    TakeOver {
        /// Which clinic.
        clinic: usize,
        /// Which patient.
        patient: usize,
        /// Which try, from 1.
        attempt: u32,
    },
    /// Staff hands a patient's conversation back.
    HandBack {
        /// Which clinic.
        clinic: usize,
        /// Which patient.
        patient: usize,
        /// Which try, from 1.
        attempt: u32,
    },
    /// Staff has called somebody of the list, and enters what came of it.
    Called {
        /// Which clinic.
        clinic: usize,
        /// Which patient.
        patient: usize,
        /// What came of it.
        said: CallSaid,
        /// When that was first entered, in ms.
        begun: i64,
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
