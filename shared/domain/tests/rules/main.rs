//! The rules to the letter: every figure of the clinic's rules pinned at its borders, as it stands
//! in `presets/clinic.toml` and once more as a clinic of its own settings has it; and what must hold
//! whatever the patients, the figures and the order of events.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

mod approvals;
mod decide;
mod decide_answers;
mod decide_days;
mod delivery;
mod entry;
mod given;
mod guardian;
mod horizon;
mod import_merge;
mod noted;
mod percentile;
mod purposes;
mod push;
mod segments;
mod settings;
mod settings_figures;
mod settings_senders;
mod steps;
mod steps_caps;
mod timetable;
mod waves;
