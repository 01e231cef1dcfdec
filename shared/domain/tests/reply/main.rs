//! Replies as patients write them, and what they mean: a labelled set measured against the rules,
//! the times in them, and what must hold of any text at all.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod any_text;
mod buttons;
mod labelled;
mod scope;
mod wishes;

use chrono::NaiveDate;
use retorno_domain::reply::{Asked, Intent};

/// A Tuesday.
fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 10).unwrap()
}

/// Whether it asks for messages to end, at least those of marketing.
fn is_opt_out(intent: &Intent) -> bool {
    matches!(intent, Intent::OptOut | Intent::StopAll)
}

/// What had been asked, from its short form in the tables: the number of slots, `b` for a booked
/// visit, `c` for a confirmation asked, `-` for nothing.
fn asked(short: &str) -> Asked {
    let options = short.chars().find_map(|c| c.to_digit(10)).map_or(0, |digit| u8::try_from(digit).unwrap());
    Asked { options, booked: short.contains('b'), confirm: short.contains('c') }
}
