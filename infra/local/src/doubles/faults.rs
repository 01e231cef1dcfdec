//! Scripted trouble at the wire. It lives here alone: nothing above the wire knows of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A service that has a double.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Amazon SQS.
    Sqs,
    /// Amazon EventBridge Scheduler.
    Scheduler,
    /// Amazon SES v2.
    Ses,
    /// WhatsApp Cloud API: messages.
    Whatsapp,
    /// WhatsApp Cloud API: an account's templates and apps.
    Templates,
}

/// What the next request to a provider meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Refused for its rate, in the provider's own words (HTTP 429 or its equivalent); not stored.
    Throttle,
    /// Refused for good with this error code (HTTP 400); not stored. For WhatsApp the number of the
    /// error (`"131026"`), for the others the name of the exception (`"MessageRejected"`).
    Reject(String),
    /// Stored, and the connection is closed without an answer.
    AcceptThenDrop,
    /// HTTP 503 before anything is stored.
    Unavailable,
    /// Stored at once and answered only after this many milliseconds.
    Slow(u64),
}

#[derive(Debug, Default)]
pub(super) struct FaultScript {
    pending: Mutex<BTreeMap<Provider, VecDeque<Fault>>>,
}

impl FaultScript {
    pub(super) fn push(&self, provider: Provider, fault: Fault) {
        self.pending().entry(provider).or_default().push_back(fault);
    }

    pub(super) fn pop(&self, provider: Provider) -> Option<Fault> {
        self.pending().get_mut(&provider)?.pop_front()
    }

    fn pending(&self) -> MutexGuard<'_, BTreeMap<Provider, VecDeque<Fault>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
