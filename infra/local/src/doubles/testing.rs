//! What the doubles' tests share: a clock on a string.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use super::{Clock, Doubles};

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(super) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(super) fn at(text: &str) -> Self {
        Self(Arc::new(AtomicI64::new(utc(text).timestamp_micros())))
    }

    pub(super) fn clock(&self) -> Clock {
        let hand = self.clone();
        Arc::new(move || hand.now())
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::Relaxed)).unwrap()
    }

    pub(super) fn set(&self, text: &str) {
        self.0.store(utc(text).timestamp_micros(), Ordering::Relaxed);
    }

    pub(super) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

pub(super) fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Doubles in memory at 09:00 on 1 March 2026, UTC, and their clock.
pub(super) fn doubles() -> (Doubles, Hand) {
    let hand = Hand::at("2026-03-01T09:00:00Z");
    (Doubles::in_memory(hand.clock()).unwrap(), hand)
}
