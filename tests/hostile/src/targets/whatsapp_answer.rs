//! What Meta answers, or whoever stands between us and Meta.

use chrono::{DateTime, TimeDelta};
use retorno_cloud::channels::whatsapp_outcome;
use retorno_domain::message::{Delivery, Outcome, RecipientNews};
use serde::de::IgnoredAny;

use crate::pieces::Pieces;

/// Two bytes for the status, the rest is the body.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let status = 100 + u16::from_be_bytes(pieces.bytes()) % 500;
    let body = pieces.rest();
    let outcome = whatsapp_outcome(status, body);
    let is_success = (200..300).contains(&status);
    match &outcome {
        Outcome::Accepted { provider_id } => {
            assert!(is_success && !provider_id.is_empty(), "accepted without a proof");
        }
        Outcome::NotSent { code, again_in, breaker: _ } => {
            assert!(!is_success && *again_in > TimeDelta::zero(), "called not sent after a success");
            check_code(code);
        }
        Outcome::Refused { code, news } => {
            assert!(!is_success, "called refused after a success");
            check_code(code);
            assert!(*news != RecipientNews::OptedOut || code == "131050", "an opt-out nobody told us");
        }
        Outcome::Ambiguous { code } => check_code(code),
    }
    // Only what is certain may ever be sent again.
    let again = matches!(outcome.delivery(1, DateTime::UNIX_EPOCH), Delivery::Ready { .. });
    assert_eq!(again, matches!(outcome, Outcome::NotSent { .. }));
    if serde_json::from_slice::<IgnoredAny>(body).is_err() && status != 429 {
        assert!(matches!(outcome, Outcome::Ambiguous { .. }), "something was concluded from nothing");
    }
}

/// A code is Meta's number or a word of ours, never text of the answer.
fn check_code(code: &str) {
    let is_number = code.parse::<i64>().is_ok();
    let is_ours =
        code == "unreadable_2xx" || code.strip_prefix("http_").is_some_and(|rest| rest.parse::<u16>().is_ok());
    assert!(is_number || is_ours, "{code}");
}
