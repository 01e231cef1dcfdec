//! News that concern no single message: of templates, numbers, accounts and connections.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Private;

/// News of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateNews {
    /// The template's name.
    pub name: String,
    /// Its language as Meta writes it (`es_AR`).
    pub language: String,
    /// Meta's id of the template.
    pub id: String,
    /// What changed.
    pub change: TemplateChange,
    /// When Meta told.
    pub at: DateTime<Utc>,
}

/// What changed about a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateChange {
    /// It may be sent (also `REINSTATED`, after a pause or an appeal).
    Approved,
    /// It was refused.
    Rejected {
        /// Meta's word: `INCORRECT_CATEGORY`, `ABUSIVE_CONTENT`…
        reason: String,
    },
    /// It is being looked at.
    Pending,
    /// It may not be sent until it is approved again.
    Paused {
        /// Meta's title: `FIRST_PAUSE`, `SECOND_PAUSE`…
        reason: Option<String>,
    },
    /// It can never be sent again under this name.
    Disabled,
    /// It will be disabled unless its quality improves.
    Flagged,
    /// Its deletion is under way, or done.
    Deleted,
    /// It is locked, cannot be edited, or is in another state that we do not act on.
    Other {
        /// Meta's word.
        event: String,
    },
    /// Its category changes, and with it the price and the limits.
    Category {
        /// The category so far.
        old: Option<String>,
        /// The category to come, or already valid.
        new: String,
        /// Whether it is announced; otherwise it is done.
        announced: bool,
    },
    /// Its quality changed.
    Quality {
        /// Before.
        old: Quality,
        /// Now.
        new: Quality,
    },
}

/// Meta's judgement of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Good.
    Green,
    /// Falling.
    Yellow,
    /// Bad.
    Red,
    /// Not judged.
    Unknown,
}

/// News of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberNews {
    /// The number as Meta shows it, digits only; none for news of the whole business.
    pub number: Option<Private>,
    /// What changed.
    pub change: NumberChange,
    /// How many people a day may be written to now, if it was told.
    pub limit: Option<MessagingLimit>,
    /// When Meta told.
    pub at: DateTime<Utc>,
}

/// What changed about a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberChange {
    /// Its quality is low.
    Flagged,
    /// Its quality is no longer low.
    Unflagged,
    /// It was taken up.
    Onboarding,
    /// It may write to more people.
    Upgrade,
    /// It may write to fewer people.
    Downgrade,
    /// It may write faster.
    ThroughputUpgrade,
    /// The limit of the business was told.
    Capability,
    /// Something else, in Meta's word.
    Other(String),
}

/// How many people may be written to in 24 hours, outside of conversations they began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessagingLimit {
    /// So many.
    PerDay(u32),
    /// Any number.
    Unlimited,
}

/// News of a WhatsApp account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountNews {
    /// The account's id (WABA), also where the news came for the whole business.
    pub account: String,
    /// What changed.
    pub change: AccountChange,
    /// When Meta told.
    pub at: DateTime<Utc>,
}

/// What changed about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// Something is forbidden for a while.
    Restricted {
        /// Meta's words: `RESTRICTED_BIZ_INITIATED_MESSAGING`…
        what: Vec<String>,
        /// Until when, the latest of those that concern messages; of all where none does.
        until: Option<DateTime<Utc>>,
    },
    /// A rule was violated.
    Violated {
        /// Meta's word for the violation.
        what: String,
    },
    /// Disabled, announced to be, or allowed again.
    Ban {
        /// Meta's word: `SCHEDULE_FOR_DISABLE`, `DISABLE`, `REINSTATE`.
        state: String,
    },
    /// Deleted.
    Deleted,
    /// The clinic's phone has left us (coexistence), or the account was taken off.
    Disconnected {
        /// Meta's word for why.
        reason: Option<String>,
    },
    /// It is with us again.
    Reconnected,
    /// A new account, number or permission was shared with us.
    Shared {
        /// Meta's word: `PARTNER_ADDED`, `PARTNER_APP_INSTALLED`…
        event: String,
    },
    /// Something else, in Meta's word.
    Other(String),
}

/// Whether a restriction, in Meta's word, is one of messages: others only forbid adding numbers.
#[must_use]
pub fn is_of_messages(restriction: &str) -> bool {
    restriction.contains("MESSAGING")
}

/// News of a gateway's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionNews {
    /// How it stands.
    pub state: ConnectionState,
    /// What the clinic's phone is to scan, as the text that the picture encodes.
    pub qr: Option<Private>,
    /// What the clinic may type on its phone instead.
    pub pairing_code: Option<Private>,
    /// The number that is linked, as digits.
    pub number: Option<Private>,
    /// Why, in the gateway's word or number.
    pub reason: Option<String>,
    /// When the gateway told.
    pub at: DateTime<Utc>,
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Messages come and go.
    Open,
    /// It is being made, or made again.
    Connecting,
    /// It is gone; the gateway tries again by itself.
    Closed,
    /// It waits for the clinic's phone to scan a code.
    NeedsQr,
    /// It waits for a passkey of the clinic's phone.
    NeedsPasskey,
    /// The phone logged out, or WhatsApp refuses it: only a new code helps.
    LoggedOut,
    /// It was stopped, or failed and must be started by somebody.
    Stopped,
}
