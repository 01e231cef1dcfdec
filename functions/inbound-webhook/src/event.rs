//! What came in, in words that belong to no provider. Events travel on a queue as JSON.
//!
//! Values that belong to a person are [`Private`]: their `Debug` says nothing.

mod key;
mod message;
mod news;
mod private;
mod receipt;

use chrono::{DateTime, Utc};
pub use retorno_domain::sender::GatewayKind;
use serde::{Deserialize, Serialize};

pub use message::{InboundMessage, Said, Sender};
pub use news::{
    AccountChange, AccountNews, ConnectionNews, ConnectionState, MessagingLimit, NumberChange, NumberNews, Quality,
    TemplateChange, TemplateNews, is_of_messages,
};
pub use private::Private;
pub use receipt::{ComplaintKind, ErrorCode, Price, Receipt, ReceiptStatus, Tags};

/// An event, and by what its clinic is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routed {
    /// By what the clinic is found.
    pub route: Route,
    /// What came in.
    pub event: Event,
}

/// By what the clinic of an event is found. It says who the provider says it is for; that this is
/// one of our clinics is still to be looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Meta's `phone_number_id` of the clinic's number.
    WhatsappNumber(String),
    /// Meta's id of the WhatsApp business account (WABA).
    WhatsappAccount(String),
    /// A gateway's instance (Evolution) or session (WAHA).
    Gateway {
        /// The kind of gateway.
        kind: GatewayKind,
        /// The name that the hook's address gave, which must be the body's too.
        instance: String,
    },
    /// The number of ours that a text message was sent to, as digits.
    SmsNumber(String),
    /// The clinic's id, from the tags that we gave the message when we sent it.
    Clinic(String),
    /// Nothing names a clinic: only the provider's id of the message may lead to it.
    Unknown,
}

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A person wrote to us.
    Message(Box<InboundMessage>),
    /// What became of a message of ours.
    Receipt(Box<Receipt>),
    /// A person told the provider whether they want marketing messages.
    Preference(Preference),
    /// A person has another number.
    NumberChanged(NumberChanged),
    /// The clinic wrote from its own phone, past us.
    Echo(Box<Echo>),
    /// News of a template.
    Template(TemplateNews),
    /// News of a number: its quality, or how many people it may write to.
    Number(NumberNews),
    /// News of a WhatsApp account: restrictions, bans, disconnection.
    Account(AccountNews),
    /// News of a gateway's connection.
    Connection(ConnectionNews),
    /// Nothing to do, and why.
    Ignored(Ignored),
}

/// A person told the provider whether they want marketing messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// Who; one of the two is there.
    pub from: Sender,
    /// What they want.
    pub wants: Wants,
    /// When they said so.
    pub at: DateTime<Utc>,
    /// Derived from the person, the wish and the instant, since the provider gives none.
    pub id: String,
}

/// What a person wants of marketing messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wants {
    /// No more.
    Stop,
    /// Again (`resume`, or `signup`).
    Resume,
}

/// A person has another number, or another business-scoped id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberChanged {
    /// Who wrote under this so far.
    pub old: Sender,
    /// Who it is now. Empty when only the old one is known to be gone.
    pub new: Sender,
    /// When the provider told.
    pub at: DateTime<Utc>,
    /// The provider's id of the message that told.
    pub id: Private,
}

/// The clinic wrote from its own phone, past us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// To whom.
    pub to: Sender,
    /// The provider's id of the message.
    pub id: Private,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What was written.
    pub said: Said,
    /// Whether it may as well be our own message: some gateways echo those too, so `id` must first
    /// be compared with the ids of what we sent.
    pub perhaps_ours: bool,
}

/// Nothing to do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// Why, in words of ours; nothing personal.
    pub why: String,
    /// The provider's word for what it was (a field, a type, an event); nothing personal.
    pub what: String,
    /// Whether it may concern us and could not be read: then its bytes are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
}

impl Event {
    /// Why it could not be read, if it could not; nothing personal.
    #[must_use]
    pub fn unread(&self) -> Option<String> {
        if let Self::Ignored(ignored) = self
            && ignored.unread
        {
            return Some(format!("{}: {}", ignored.why, ignored.what));
        }
        None
    }

    /// One word for what it is, for logs and counters.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Receipt(_) => "receipt",
            Self::Preference(_) => "preference",
            Self::NumberChanged(_) => "number_changed",
            Self::Echo(_) => "echo",
            Self::Template(_) => "template",
            Self::Number(_) => "number",
            Self::Account(_) => "account",
            Self::Connection(_) => "connection",
            Self::Ignored(_) => "ignored",
        }
    }
}

#[cfg(test)]
mod tests;
