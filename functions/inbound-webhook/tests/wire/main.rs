//! The wire half from outside: forgeries, recorded payloads, and what holds of any bytes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod forgery;
mod proofs;
mod properties;
mod recorded;
