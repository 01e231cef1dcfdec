#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
//! Whole requests to the patient pages, over the embedded table and the production handlers: what is
//! shown, what is changed, and what never is.

mod booking;
mod clinic;
mod refused;
mod wishes;
