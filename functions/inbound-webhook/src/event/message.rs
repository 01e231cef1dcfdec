//! A message that a person wrote.

use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use serde::{Deserialize, Serialize};

use super::Private;

/// A person wrote to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// By which channel.
    #[serde(with = "super::receipt::channel_code")]
    pub channel: Channel,
    /// The provider's id of the message. Holds personal data on WhatsApp (the id encodes the phone).
    pub id: Private,
    /// Who.
    pub from: Sender,
    /// When, by the provider's clock.
    pub at: DateTime<Utc>,
    /// What.
    pub said: Said,
    /// The provider's id of the message of ours that it answers, where the person quoted one or
    /// pressed its button. May be missing even then.
    pub answers: Option<Private>,
    /// Which number or instance of ours received it: `phone_number_id`, digits, or instance.
    pub received_by: String,
}

/// A person, as the provider names them. WhatsApp may leave out the phone of somebody who has a
/// username; at least one of the two is there in every message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sender {
    /// Digits without the plus, in the provider's spelling (see `E164::aliases`).
    pub phone: Option<Private>,
    /// The business-scoped user id (`CC.…`) of WhatsApp, or a gateway's hidden id (`…@lid`).
    pub user_id: Option<Private>,
}

impl Sender {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phone.is_none() && self.user_id.is_none()
    }
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Words.
    Text(Private),
    /// The quick-reply button of a template. The payload is ours, and not to be trusted unverified.
    Button {
        /// What we gave the button.
        payload: String,
        /// What the button read.
        title: Private,
    },
    /// A reply button or a row of a list, of a message within the window.
    Choice {
        /// What we gave the button or the row.
        id: String,
        /// What it read.
        title: Private,
    },
    /// An emoji on a message.
    Reaction {
        /// The emoji; none when it was taken back.
        emoji: Option<String>,
        /// The provider's id of the message it is on.
        to: Private,
    },
    /// A picture, a recording, a film, a document, a sticker.
    Media {
        /// The provider's word: `image`, `audio`, `video`, `document`, `sticker`.
        kind: String,
        /// The words under it.
        caption: Option<Private>,
    },
    /// Contact cards.
    Contacts,
    /// A place.
    Location,
    /// An order from a catalogue.
    Order,
    /// Something that the provider does not pass on, or that we do not know.
    Unsupported {
        /// The provider's word for it.
        kind: String,
    },
    /// An earlier message was changed. The original stays.
    Edited {
        /// The provider's id of the earlier message.
        of: Private,
        /// How it reads now.
        text: Option<Private>,
    },
    /// An earlier message was taken back. The original stays.
    Revoked {
        /// The provider's id of the earlier message.
        of: Private,
    },
}
