#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
//! Whole requests to the patient pages, over the embedded table and the production handlers: what is
//! shown, what is changed, and what never is.

mod booking;
mod clinic;
mod push;
mod refused;
mod wishes;
