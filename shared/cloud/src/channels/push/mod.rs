//! Web push to the staff's browsers (RFC 8030), encrypted for the one browser (RFC 8291) and signed
//! with the deployment's VAPID key (RFC 8292). For alerts to staff, and for notifications to patients who
//! asked for them: what it says is shown on locked screens.

mod patient;
mod subscription;
mod vapid;
mod wire;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::CloudError;

pub use patient::push_payload;
pub use subscription::{PushSubscription, SubscriptionError};
pub use vapid::VapidKey;
pub use wire::{PushHttp, PushPosted, PushRequest, PushWire};

/// Bytes of a payload: every push service takes so much, encrypted.
pub const PUSH_PAYLOAD_BYTES_MAX: usize = 3_000;
/// Characters of a topic (RFC 8030, section 5.4).
pub const PUSH_TOPIC_CHARS_MAX: usize = 32;
/// How long a service is waited for that asks for patience without saying how much.
const AGAIN_IN: TimeDelta = TimeDelta::minutes(1);
/// No service is waited for longer.
const AGAIN_IN_MAX: TimeDelta = TimeDelta::hours(24);

/// How soon a browser should be woken (RFC 8030, section 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// On power and Wi-Fi.
    VeryLow,
    /// On either.
    Low,
    /// As usual.
    Normal,
    /// Even on low battery.
    High,
}

impl Urgency {
    fn code(self) -> &'static str {
        match self {
            Self::VeryLow => "very-low",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// An alert.
#[derive(Clone, Copy)]
pub struct PushAlert<'a> {
    /// What the browser is given, at most [`PUSH_PAYLOAD_BYTES_MAX`] bytes.
    pub payload: &'a [u8],
    /// An undelivered alert of the same topic is replaced: letters, digits, `-` and `_`, at most
    /// [`PUSH_TOPIC_CHARS_MAX`].
    pub topic: Option<&'a str>,
    /// How soon.
    pub urgency: Urgency,
    /// How long the service keeps it for a browser that is not there, in seconds.
    pub ttl_seconds: u32,
}

impl fmt::Debug for PushAlert<'_> {
    /// The payload's size only: it may tell of a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushAlert")
            .field("payload_bytes", &self.payload.len())
            .field("topic", &self.topic)
            .field("urgency", &self.urgency)
            .finish_non_exhaustive()
    }
}

/// What became of an alert. Sending one twice does no harm where it has a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushOutcome {
    /// The service took it.
    Accepted,
    /// The subscription is over: forget it.
    Gone,
    /// Not taken; not before so long.
    Again(TimeDelta),
    /// The payload or the topic does not fit; it was not sent, or not taken.
    Unfit,
    /// The service refuses our key, or the request, with this status: a person must look.
    Refused(u16),
    /// Nobody knows.
    Unknown,
}

/// A client of the browsers' push services.
#[derive(Debug, Clone)]
pub struct PushChannel {
    wire: Arc<dyn PushWire>,
    key: VapidKey,
}

impl PushChannel {
    /// Over HTTPS, signing with the deployment's key.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new(key: VapidKey) -> Result<Self, CloudError> {
        Ok(Self::over(Arc::new(PushHttp::new()?), key))
    }

    /// Over any wire.
    #[must_use]
    pub fn over(wire: Arc<dyn PushWire>, key: VapidKey) -> Self {
        Self { wire, key }
    }

    /// The public key, in base64url: browsers subscribe with it as `applicationServerKey`.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.key.public_key()
    }

    /// Hands an alert to the service of a subscription, once.
    pub async fn send(
        &self,
        subscription: &PushSubscription,
        alert: &PushAlert<'_>,
        now: DateTime<Utc>,
    ) -> PushOutcome {
        let Some(request) = self.request(subscription, alert, now) else { return PushOutcome::Unfit };
        match self.wire.post(request).await {
            PushPosted::Answered { status, retry_after } => outcome_of(status, retry_after.as_deref(), now),
            PushPosted::NeverConnected => PushOutcome::Again(AGAIN_IN),
            PushPosted::TimedOut | PushPosted::Broken => PushOutcome::Unknown,
        }
    }

    fn request(
        &self,
        subscription: &PushSubscription,
        alert: &PushAlert<'_>,
        now: DateTime<Utc>,
    ) -> Option<PushRequest> {
        let is_topic = |topic: &str| {
            (1..=PUSH_TOPIC_CHARS_MAX).contains(&topic.len())
                && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if !(1..=PUSH_PAYLOAD_BYTES_MAX).contains(&alert.payload.len()) || !alert.topic.is_none_or(is_topic) {
            return None;
        }
        Some(PushRequest {
            url: subscription.endpoint().to_owned(),
            authorization: self.key.authorization(&subscription.origin(), now)?,
            ttl_seconds: alert.ttl_seconds,
            urgency: alert.urgency.code(),
            topic: alert.topic.map(str::to_owned),
            body: subscription.encrypt(alert.payload)?,
        })
    }
}

fn outcome_of(status: u16, retry_after: Option<&str>, now: DateTime<Utc>) -> PushOutcome {
    match status {
        200..=299 => PushOutcome::Accepted,
        404 | 410 => PushOutcome::Gone,
        413 => PushOutcome::Unfit,
        // Windows says 406 where others say 429.
        406 | 429 | 503 => PushOutcome::Again(again_in(retry_after, now)),
        500..=599 => PushOutcome::Unknown,
        status => PushOutcome::Refused(status),
    }
}

/// `Retry-After`: seconds, or a date.
fn again_in(retry_after: Option<&str>, now: DateTime<Utc>) -> TimeDelta {
    let Some(text) = retry_after.map(str::trim) else { return AGAIN_IN };
    let seconds = text.parse::<u32>().ok().map(|seconds| TimeDelta::seconds(i64::from(seconds)));
    let until = || DateTime::parse_from_rfc2822(text).ok().map(|at| at.with_timezone(&Utc) - now);
    seconds.or_else(until).map_or(AGAIN_IN, |wait| wait.clamp(TimeDelta::seconds(1), AGAIN_IN_MAX))
}

#[cfg(test)]
mod tests;
