//! Messages: what is to be sent, the proof without which nothing can be sent, and the states a
//! message passes through.
//!
//! ```text
//! (absent) ──claim──► InFlight ──► Accepted
//!    ▲                  │  │  └──► Failed
//!    │ proven not sent  │  └─────► Unknown ──evidence──► Accepted
//!  Ready ◄──────────────┘             └──7 days 1 h────► Undetermined
//!    └──► Dropped (a rule forbids it now)
//! ```
//! `InFlight` is never taken over by anybody: a message whose fate cannot be proved becomes
//! `Unknown` and is not sent again.
//!
//! Only a cleared message can be handed to a channel, and clearing one takes a proof of consent:
//! ```compile_fail
//! use retorno_domain::message::ClearedMessage;
//! fn forge(intent: retorno_domain::message::Intent) -> ClearedMessage {
//!     ClearedMessage { intent, given_on: todo!(), to: todo!(), browser: todo!(), rendered: todo!() }
//! }
//! ```

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::channel::{Channel, Purpose};
use crate::consent::ConsentProof;
use crate::guard;
use crate::ids::{MessageId, StepId};
use crate::limits::FreePlace;
use crate::patient::Address;
use crate::subscription::Subscription;
use crate::template::Rendered;

/// A message that the rules allow, before it is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id.
    pub message: MessageId,
    /// The step of the flow (its number).
    pub step: usize,
    /// The step's id.
    pub step_id: StepId,
    /// By which channel.
    pub channel: Channel,
    /// For which purpose.
    pub purpose: Purpose,
    /// The key of its template.
    pub template: String,
    /// It must be claimed before this instant: the end of contact hours, or of its longest delay.
    pub claim_before: DateTime<Utc>,
    /// The place it takes in the contact point's ledger, and in the person's (marketing WhatsApp only).
    pub places: Option<(FreePlace, FreePlace)>,
}

/// Why a message could not be cleared: the proof is for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof of consent is for another channel or purpose")]
pub struct WrongProof;

/// A message that may be handed to a channel.
pub struct ClearedMessage {
    intent: Intent,
    given_on: NaiveDate,
    to: String,
    browser: Option<Box<Subscription>>,
    rendered: Rendered,
}

impl ClearedMessage {
    /// Clears a message for sending.
    ///
    /// # Errors
    /// [`WrongProof`] when the proof is for another channel or purpose.
    pub fn new(intent: Intent, proof: ConsentProof, to: Address<'_>, rendered: Rendered) -> Result<Self, WrongProof> {
        if proof.channel() != intent.channel || proof.purpose() != intent.purpose {
            return Err(WrongProof);
        }
        let browser = match to {
            Address::Browser(browser) => Some(Box::new(browser.clone())),
            Address::Phone(_) | Address::Email(_) => None,
        };
        Ok(Self { intent, given_on: proof.given_on(), to: to.as_str().to_owned(), browser, rendered })
    }

    /// What the rules allowed.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// The day of the consent it rests on.
    #[must_use]
    pub fn consent_given_on(&self) -> NaiveDate {
        self.given_on
    }

    /// The address: E.164, e-mail, or a browser's at its push service.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The browser it goes to, if it is a notification.
    #[must_use]
    pub fn browser(&self) -> Option<&Subscription> {
        self.browser.as_deref()
    }

    /// The text and its parts.
    #[must_use]
    pub fn rendered(&self) -> &Rendered {
        &self.rendered
    }
}

impl fmt::Debug for ClearedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClearedMessage").field("intent", &self.intent).finish_non_exhaustive()
    }
}

/// How long a claim gives the call to begin: a call that has not begun by then is not made.
pub const CLAIM_LASTS: TimeDelta = TimeDelta::seconds(10);
/// How long after its claim a message without a result is held to be unknown.
pub const UNKNOWN_AFTER: TimeDelta = TimeDelta::minutes(5);
/// How long evidence is waited for.
pub const EVIDENCE_LASTS: TimeDelta = TimeDelta::hours(7 * 24 + 1);
/// How often a message proven not sent is tried.
pub const ATTEMPTS_MAX: u32 = 3;

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Proven not sent; may be tried again.
    Ready {
        /// Attempts so far.
        attempts: u32,
    },
    /// Claimed; the provider is being called.
    InFlight {
        /// Which attempt, from 1.
        attempt: u32,
        /// When it was claimed.
        claimed_at: DateTime<Utc>,
    },
    /// The provider took it.
    Accepted,
    /// The provider refused it for good, with this code.
    Failed(String),
    /// Nobody knows; not sent again.
    Unknown {
        /// When it was claimed.
        claimed_at: DateTime<Utc>,
    },
    /// Nobody will ever know; reported as such.
    Undetermined,
    /// Left out before it was sent, for this reason.
    Dropped(String),
}

impl Delivery {
    /// The state's word in data.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::InFlight { .. } => "in_flight",
            Self::Accepted => "accepted",
            Self::Failed(_) => "failed",
            Self::Unknown { .. } => "unknown",
            Self::Undetermined => "undetermined",
            Self::Dropped(_) => "dropped",
        }
    }

    /// What the passing of time alone makes of the state.
    #[must_use]
    pub fn aged(&self, now: DateTime<Utc>) -> Option<Self> {
        match self {
            Self::InFlight { claimed_at, .. } if now >= *claimed_at + UNKNOWN_AFTER => {
                Some(Self::Unknown { claimed_at: *claimed_at })
            }
            Self::Unknown { claimed_at } if now >= *claimed_at + EVIDENCE_LASTS => Some(Self::Undetermined),
            Self::Ready { .. }
            | Self::InFlight { .. }
            | Self::Accepted
            | Self::Failed(_)
            | Self::Unknown { .. }
            | Self::Undetermined
            | Self::Dropped(_) => None,
        }
    }
}

/// What must stop beyond this one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerScope {
    /// Everything by this channel: the account or the number is in trouble.
    Channel,
    /// Everything by this template.
    Template,
}

/// What is to be remembered of the recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientNews {
    /// Nothing.
    None,
    /// Not reachable on this channel.
    Unreachable,
    /// Opted out of marketing at the provider.
    OptedOut,
}

/// What became of a call to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted, under the provider's own id.
    Accepted {
        /// The provider's id of the message.
        provider_id: String,
    },
    /// Certainly not sent; may be tried again after a while.
    NotSent {
        /// The provider's code, or ours.
        code: String,
        /// Not before so long.
        again_in: TimeDelta,
        /// What must stop meanwhile.
        breaker: Option<BreakerScope>,
    },
    /// Refused for good.
    Refused {
        /// The provider's code.
        code: String,
        /// What it says of the recipient.
        news: RecipientNews,
    },
    /// Perhaps sent, perhaps not.
    Ambiguous {
        /// The provider's code, or ours.
        code: String,
    },
}

impl Outcome {
    /// The state a claimed message passes to. The third refusal that proves nothing was sent is a failure.
    #[must_use]
    pub fn delivery(&self, attempt: u32, claimed_at: DateTime<Utc>) -> Delivery {
        match self {
            Self::Accepted { .. } => Delivery::Accepted,
            Self::NotSent { .. } if attempt < ATTEMPTS_MAX => Delivery::Ready { attempts: attempt },
            Self::NotSent { code, .. } | Self::Refused { code, .. } => Delivery::Failed(code.clone()),
            Self::Ambiguous { .. } if guard::is_off("send", "unknown_is_not_sent_again") => {
                Delivery::Ready { attempts: attempt }
            }
            Self::Ambiguous { .. } => Delivery::Unknown { claimed_at },
        }
    }
}
