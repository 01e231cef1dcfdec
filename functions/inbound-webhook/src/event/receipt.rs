//! What became of a message of ours.

use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use serde::{Deserialize, Serialize};

use super::Private;

/// What became of a message of ours, by the provider's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The channel it went by.
    #[serde(with = "channel_code")]
    pub channel: Channel,
    /// The provider's id of the message. Holds personal data on WhatsApp (the id encodes the phone).
    pub provider_id: Private,
    /// The signed id that we gave WhatsApp with the message; its signature is still to be verified.
    pub opaque: Option<String>,
    /// The tags that we gave an e-mail or a text message.
    pub tags: Tags,
    /// What became of it.
    pub status: ReceiptStatus,
    /// When, by the provider's clock.
    pub at: DateTime<Utc>,
    /// Whom it was for: digits, or an e-mail address.
    pub recipient: Option<Private>,
    /// The recipient's business-scoped user id (WhatsApp), or a gateway's hidden id.
    pub recipient_user_id: Option<Private>,
    /// What it costs.
    pub price: Option<Price>,
    /// Why it failed; at most ten.
    pub errors: Vec<ErrorCode>,
    /// The provider's id of this very report, where it has one (SES `feedbackId`).
    pub report_id: Option<String>,
    /// Whether the provider says that no later report follows (text messages).
    pub is_final: bool,
}

/// What became of a message. Reports come in any order and more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// The provider has it, and nothing more is known.
    Accepted,
    /// On its way to the recipient.
    Sent,
    /// On the recipient's device, or taken by the recipient's mail server.
    Delivered,
    /// Read (or played).
    Read,
    /// Not delivered, and it will not be.
    Failed {
        /// The provider's first code.
        code: String,
    },
    /// An e-mail came back.
    Bounced {
        /// Whether the address is bad for good.
        permanent: bool,
        /// The provider's subtype: `NoEmail`, `MailboxFull`, `OnAccountSuppressionList`…
        code: String,
    },
    /// The recipient complained about an e-mail.
    Complained {
        /// What kind of complaint.
        kind: ComplaintKind,
    },
    /// The recipient unsubscribed with the provider.
    Unsubscribed,
    /// A link of an e-mail was fetched, perhaps by a scanner.
    Clicked,
    /// The picture of an e-mail was fetched, perhaps by a proxy.
    Opened,
    /// The provider refused the content.
    Rejected {
        /// Why, in the provider's words.
        code: String,
    },
    /// Not delivered yet; the provider goes on trying.
    Delayed {
        /// Why, in the provider's words.
        code: String,
    },
}

/// What kind of complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintKind {
    /// Unwanted, or no kind given.
    Abuse,
    /// The recipient said that it is not spam.
    NotSpam,
    /// Not sent at all: the address is on the account's suppression list after a complaint.
    Suppressed,
    /// Another kind of feedback: `fraud`, `virus`, `auth-failure`, `other`.
    Other(String),
}

impl ReceiptStatus {
    /// One word for it, for keys, logs and counters.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed { .. } => "failed",
            Self::Bounced { .. } => "bounced",
            Self::Complained { .. } => "complained",
            Self::Unsubscribed => "unsubscribed",
            Self::Clicked => "clicked",
            Self::Opened => "opened",
            Self::Rejected { .. } => "rejected",
            Self::Delayed { .. } => "delayed",
        }
    }
}

/// The tags that we gave a message: which one it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tags {
    /// The clinic's id (`t`).
    pub clinic: Option<String>,
    /// The message's id (`m`).
    pub message: Option<String>,
    /// The number of the attempt (`a`).
    pub attempt: Option<u32>,
}

/// What a message costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// WhatsApp: the category it is billed as, to be looked up in the clinic's rates.
    Whatsapp {
        /// `marketing`, `utility`, `authentication`, `service`… It may not be the one asked for.
        category: String,
        /// Whether it is billed at all.
        billable: bool,
        /// `PMP` (per message) or `CBP` (per conversation).
        model: String,
        /// `regular`, `free_customer_service`, `free_entry_point`.
        kind: Option<String>,
    },
    /// A text message.
    Sms {
        /// Into how many parts it was split.
        parts: u32,
        /// In millionths of a US dollar, all parts together.
        usd_micros: Option<u64>,
    },
}

/// A provider's error: its number or word, and nothing of its text, which may repeat what we sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(pub String);

/// A channel by its word.
pub(super) mod channel_code {
    use retorno_domain::channel::Channel;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(channel: &Channel, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(channel.code())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Channel, D::Error> {
        let code = String::deserialize(from)?;
        code.parse().map_err(|()| D::Error::custom("a channel is expected"))
    }
}
