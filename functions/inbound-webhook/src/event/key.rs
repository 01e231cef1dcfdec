//! The name under which an event is taken up once.

use std::fmt::Write as _;

use retorno_domain::channel::Channel;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Event, InboundMessage, Private, Receipt, Said};

/// Of a SHA-256, enough that two events never share it.
const DIGEST_BYTES: usize = 16;

impl Event {
    /// The name under which the event is taken up once: the same for every repetition, and for the
    /// same message under another address. A digest, since the ids of providers hold phones. It is
    /// unique within a clinic only.
    ///
    /// - A message: channel, receiver and the provider's id (a change or withdrawal also by itself).
    /// - A receipt: the report's own id if it has one, else the message's id, status and instant;
    ///   and an e-mail's recipient, since one report may be about several.
    /// - Anything else: all that it says.
    #[must_use]
    pub fn dedup_key(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Message(message) => message.dedup_key(),
            Self::Receipt(receipt) => digest(kind, &receipt_name(receipt)),
            Self::Echo(echo) => digest(kind, &(&echo.id, change_of(&echo.said))),
            Self::NumberChanged(changed) => digest(kind, &changed.id),
            Self::Preference(preference) => digest(kind, &preference.id),
            Self::Template(news) => digest(kind, news),
            Self::Number(news) => digest(kind, news),
            Self::Account(news) => digest(kind, news),
            Self::Connection(news) => digest(kind, news),
            Self::Ignored(ignored) => digest(kind, ignored),
        }
    }
}

impl InboundMessage {
    /// The name of the event in which it came: see [`Event::dedup_key`].
    #[must_use]
    pub fn dedup_key(&self) -> String {
        digest("message", &message_name(self))
    }

    /// The name under which it is taken up once. A message goes by the provider's id alone, as it always
    /// has: what was taken up is known for a year. A change may bear the id of what it changes, and is
    /// heard besides it.
    #[must_use]
    pub fn event_name(&self) -> String {
        match change_of(&self.said) {
            None => format!("{}#{}", self.channel, self.id.as_str()),
            Some(_) => format!("{}#{}", self.channel, self.dedup_key()),
        }
    }
}

fn message_name(message: &InboundMessage) -> impl Serialize {
    let change = change_of(&message.said).map(|change| (change, message.at));
    (message.channel.code(), &message.received_by, &message.id, change)
}

fn receipt_name(receipt: &Receipt) -> impl Serialize {
    let instant = receipt.report_id.is_none().then_some(receipt.at);
    // A message has one recipient, who may be named in two ways; an e-mail may have several.
    let recipient = receipt.recipient.as_ref().filter(|_| receipt.channel == Channel::Email);
    let status = receipt.status.code();
    (receipt.channel.code(), &receipt.report_id, &receipt.provider_id, status, instant, recipient)
}

/// A change may come under the id of the message that it changes; some gateways give each change of a
/// message one and the same instant, so that its words name it too.
fn change_of(said: &Said) -> Option<(&'static str, Option<&Private>)> {
    match said {
        Said::Edited { text, .. } => Some(("edited", text.as_ref())),
        Said::Revoked { .. } => Some(("revoked", None)),
        Said::Text(_)
        | Said::Button { .. }
        | Said::Choice { .. }
        | Said::Reaction { .. }
        | Said::Media { .. }
        | Said::Contacts
        | Said::Location
        | Said::Order
        | Said::Unsupported { .. } => None,
    }
}

fn digest(kind: &str, name: &impl Serialize) -> String {
    // Only a map with keys that are no texts, or a failing `Serialize`, cannot be written; there is none.
    let name = serde_json::to_vec(name).unwrap_or_default();
    let digest = Sha256::digest(&name);
    let mut key = format!("{kind}.");
    for byte in digest.iter().take(DIGEST_BYTES) {
        // Writing to a String cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}
