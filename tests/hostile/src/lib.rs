//! Every parser that touches outside bytes, under bytes nobody would send.
//!
//! A [`Target`](targets::Target) takes bytes, hands them to one parser of the product, and holds
//! that what comes back is right: it fails by a panic, whether the parser's own or an assertion's.
//! The tests of this package replay the files of `corpus/<target>`; `fuzz/run` looks for new ones.

#![expect(clippy::expect_used, reason = "a target says what it finds by failing")]

mod clinic;
mod pieces;
mod reading;
pub mod targets;
