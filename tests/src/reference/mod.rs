//! The independent reference: from a clinic's export, who may hear what and when; and a judge of
//! the messages a run produced.
//!
//! It shares no code with the product and favours the obvious over the fast. Everything is
//! recomputed at the instant in question from the rows themselves; nothing is incremental.
//!
//! Where the rules leave room (see the comments at each rule) the judge takes the reading that
//! complains only when every sensible reading would.

pub mod calendar;
pub mod consent;
pub mod contact;
pub mod expected;
pub mod export;
pub mod judge;
mod limits;
mod lines;
pub mod message;
pub mod notes;
pub mod segment;
mod sequences;
pub mod slots;
pub mod standing;
pub mod verdict;
mod waves;

pub use expected::{SegmentCount, expected_segments};
pub use export::{Export, read_export};
pub use judge::{Review, RunParameters, judge, review};
pub use notes::{Note, Shortfall};
pub use slots::{Slots, read_slots};
pub use verdict::{Rule, Violation};

#[cfg(test)]
mod tests;
