//! Every hour, chain and sign what was recorded, so that it can be proved later.
//!
//! What reads and writes ([`seal`], [`export`]) stands apart from what can be done without a network
//! ([`verify`]): whoever is handed a file and a public key needs nothing else.

pub mod anchor;
pub mod key;
pub mod seal;
pub mod verify;

pub use retorno_cloud::ledger::{digest, export};
