//! Every kind of item, and what erasing a person does to it.

/// What erasing a person does to the items of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtErasure {
    /// The person's are deleted.
    Deleted,
    /// What names the person is taken out; the item stays.
    Cleared,
    /// They name no patient, and stay.
    Stays,
}

/// A kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What the store's README and `docs/privacy.md` call it.
    pub name: &'static str,
    /// The part of the partition key after the clinic: `P` of `T#c#P#1`; empty for the clinic's own.
    pub space: &'static str,
    /// How its sort keys begin.
    pub sk: &'static str,
    /// What erasing a person does.
    pub at_erasure: AtErasure,
}

const fn kind(name: &'static str, space: &'static str, sk: &'static str, at_erasure: AtErasure) -> Kind {
    Kind { name, space, sk, at_erasure }
}

/// All kinds; the first that fits is an item's.
pub const KINDS: &[Kind] = &[
    // Whatever lies under a patient goes with them, known here or not.
    kind("patient", "P", "", AtErasure::Deleted),
    kind("visits ahead", "AHEAD", "", AtErasure::Deleted),
    kind("booking", "AGENDA", "", AtErasure::Deleted),
    kind("waiter", "WAITLIST", "", AtErasure::Deleted),
    kind("stranger", "STRANGERS", "", AtErasure::Deleted),
    kind("messenger's id", "USER", "", AtErasure::Deleted),
    kind("sent id", "SENT", "", AtErasure::Deleted),
    kind("agreement", "AGREED", "", AtErasure::Deleted),
    kind("call task", "CALLS", "", AtErasure::Deleted),
    kind("erasure under way", "ERASING", "", AtErasure::Deleted),
    kind("slot", "SLOTS", "", AtErasure::Cleared),
    kind("contact point", "CP", "", AtErasure::Cleared),
    kind("seat", "WAVE", "SEAT#", AtErasure::Cleared),
    kind("week", "WAVE", "WEEK", AtErasure::Stays),
    // Its orders do not say about whom they are.
    kind("event", "EVENT", "", AtErasure::Stays),
    // Under a name that only the patient's own items could resolve.
    kind("audit record", "AUDIT", "", AtErasure::Stays),
    kind("digest", "LEDGER", "", AtErasure::Stays),
    kind("mark of somebody erased", "ERASED", "", AtErasure::Stays),
    kind("tombstone", "TOMBSTONES", "", AtErasure::Stays),
    kind("tier place", "TIER", "", AtErasure::Stays),
    kind("account and template at Meta", "TEMPLATES", "", AtErasure::Stays),
    kind("news", "NEWS", "", AtErasure::Stays),
    kind("link code", "LINK", "", AtErasure::Stays),
    // Of staff.
    kind("test message", "TESTS", "", AtErasure::Stays),
    kind("browser", "BROWSERS", "", AtErasure::Stays),
    kind("alert", "ALERT", "", AtErasure::Stays),
    kind("clinic", "", "CLINIC", AtErasure::Stays),
    kind("flow", "", "FLOW#", AtErasure::Stays),
    kind("halt", "", "CLOSED#", AtErasure::Stays),
    kind("connection", "", "CONNECTION", AtErasure::Stays),
    kind("thresholds", "", "THRESHOLD#", AtErasure::Stays),
    kind("settings evaluated", "", "EVALUATED", AtErasure::Stays),
    kind("slots mark", "", "SLOTS", AtErasure::Stays),
    kind("timetable mark", "", "TIMETABLE", AtErasure::Stays),
    kind("import lease", "", "LEASE#", AtErasure::Stays),
    // Lines, columns and reasons, no cells.
    kind("import report", "", "IMPORT#", AtErasure::Stays),
];

/// Kinds that are no clinic's: how their partition keys begin. A route names none; a parked body may name
/// anybody, nobody can tell whom, and it goes after 30 days.
pub const OF_NO_CLINIC: &[&str] = &["ROUTE#", "PARKED"];

/// The kind of a clinic's item.
#[must_use]
pub fn kind_of(pk: &str, sk: &str) -> Option<&'static Kind> {
    let within = pk.strip_prefix("T#")?.split_once('#').map_or("", |(_, rest)| rest);
    let space = within.split('#').next().unwrap_or("");
    KINDS.iter().find(|kind| kind.space == space && sk.starts_with(kind.sk))
}
