//! The channels to patients. Only the dispatcher builds this: it alone holds provider credentials,
//! and nothing but a [`ClearedMessage`] can be handed over.

mod email;
mod whatsapp;
mod whatsapp_errors;

pub use email::{EmailChannel, EmailSettings, email_headers, email_tags};
pub use whatsapp::{GRAPH_URL, Graph, Posted, WhatsappChannel, whatsapp_outcome, whatsapp_request};

use chrono::TimeDelta;
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::language::Language;
use retorno_domain::message::{BreakerScope, ClearedMessage, Outcome};

use crate::secrets::{SecretKey, hex};

/// What a channel needs to know besides the message itself.
#[derive(Debug, Clone, Copy)]
pub struct Dispatch<'a> {
    /// The clinic.
    pub clinic: &'a Clinic,
    /// The message.
    pub message: &'a ClearedMessage,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The template's name at the provider.
    pub template_name: &'a str,
    /// The language the template is written in.
    pub language: Language,
    /// The link to unsubscribe by one click (e-mail).
    pub unsubscribe_url: &'a str,
}

/// All channels.
#[derive(Debug, Clone)]
pub struct Channels {
    whatsapp: WhatsappChannel,
    email: EmailChannel,
    opaque_key: SecretKey,
}

impl Channels {
    /// Over these channels; `opaque_key` signs the id that providers echo in their receipts.
    #[must_use]
    pub fn new(whatsapp: WhatsappChannel, email: EmailChannel, opaque_key: SecretKey) -> Self {
        Self { whatsapp, email, opaque_key }
    }

    /// Hands a claimed message to its provider, once. A call is a task for a person: the claim
    /// itself has created it.
    pub async fn send(&self, dispatch: &Dispatch<'_>) -> Outcome {
        match dispatch.message.intent().channel {
            Channel::Whatsapp => self.whatsapp.send(dispatch, &opaque_id(&self.opaque_key, dispatch)).await,
            Channel::Email => self.email.send(dispatch).await,
            Channel::Call => Outcome::Accepted { provider_id: dispatch.message.intent().message.to_string() },
            // Settings refuse flows with such a step; a message from elsewhere waits for a provider.
            Channel::Sms => Outcome::NotSent {
                code: "no_provider".to_owned(),
                again_in: TimeDelta::days(1),
                breaker: Some(BreakerScope::Channel),
            },
        }
    }
}

/// The id echoed in receipts: `1.<clinic>.<message>.<attempt>.<tag>`, at most 107 characters, nothing
/// personal in it. The tag, made with `key`, keeps a forged receipt from resolving a message.
#[must_use]
pub fn opaque_id(key: &SecretKey, dispatch: &Dispatch<'_>) -> String {
    let plain = format!("1.{}.{}.{}", dispatch.clinic.id, dispatch.message.intent().message, dispatch.attempt);
    let tag = key.mac(&[b"opaque", plain.as_bytes()]);
    format!("{plain}.{}", hex(tag.get(..10).unwrap_or(&tag)))
}
