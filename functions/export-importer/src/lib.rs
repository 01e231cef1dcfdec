//! When an export lands, turn its rows into patients and appointments, and start what their changes
//! start.

pub mod export;
mod import;
mod rows;
mod slots_import;

pub use import::{ImportError, ImportReport, Progress, Rejected, Stage, import};
pub use rows::{Understood, understood};
pub use slots_import::{SlotsReport, import_slots};

/// The secrets that the function needs.
pub const SECRETS: &[retorno_cloud::vault::SecretGroup] = &[retorno_cloud::vault::SecretGroup::Contact];
