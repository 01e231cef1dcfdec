//! What patients, providers and gateways tell us: verified, read, and taken up once.
//!
//! The wire half ([`event`], and what makes events of bytes) is pure: time and secrets are
//! arguments, and the same bytes give the same events.

pub mod batch;
pub mod entrance;
pub mod event;
pub mod function;
pub mod hook;
pub mod process;
pub mod secrets;
pub mod verify;
pub mod wire;
