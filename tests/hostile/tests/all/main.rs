//! The targets over their corpora and over bytes nobody chose; and the rules of time, limits,
//! consent and texts over figures nobody chose, each against a second reading of the rule.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

mod caps;
mod clocks;
mod consent;
mod corpora;
mod given;
mod holidays;
mod targets;
mod templates;
mod waves;
