//! The channels to patients. Only the dispatcher builds this: it alone holds provider credentials.
//! What Retorno begins of itself is a [`ClearedMessage`], which takes a proof of consent; a
//! [`ReplyDispatch`] answers a person who has just asked.

mod email;
mod gateway;
mod http;
pub mod meta_templates;
pub mod push;
mod reply;
mod sms;
mod sms_errors;
#[cfg(test)]
mod testing;
mod whatsapp;
mod whatsapp_errors;

pub use email::{EmailChannel, EmailSettings, email_headers, email_tags};
pub use gateway::{
    GatewayCall, GatewayChannel, GatewayError, GatewayHttp, GatewayKeys, GatewayMethod, GatewayState, GatewayWire,
    LinkCode, LinkPicture, gateway_text,
};
pub use reply::{
    Attachment, BUTTON_ID_CHARS_MAX, BUTTON_TITLE_CHARS_MAX, BUTTONS_MAX, ReplyButton, ReplyDispatch, ReplyFault,
    TEXT_CHARS_MAX, TEXT_WITH_BUTTONS_CHARS_MAX, whatsapp_reply_request, with_numbered_options,
};
pub use sms::{SMS_CHARS_MAX, SMS_TIME_TO_LIVE_SECONDS, SmsChannel, SmsSettings, sms_body};
pub use whatsapp::{GRAPH_URL, Graph, Posted, WhatsappChannel, whatsapp_outcome, whatsapp_request};

use chrono::TimeDelta;
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{ClinicId, MessageId};
use retorno_domain::language::Language;
use retorno_domain::message::{BreakerScope, ClearedMessage, Outcome, RecipientNews};

use push::PushChannel;

use crate::error::CloudError;
use crate::secrets::{SecretKey, hex};
use crate::vault::Secrets;
use meta_templates::{AccountId, MetaTemplates};

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
    sms: Option<SmsChannel>,
    gateway: Option<GatewayChannel>,
    push: Option<PushChannel>,
    opaque_key: SecretKey,
}

impl Channels {
    /// Over these channels; `opaque_key` signs the id that providers echo in their receipts.
    #[must_use]
    pub fn new(whatsapp: WhatsappChannel, email: EmailChannel, opaque_key: SecretKey) -> Self {
        Self { whatsapp, email, sms: None, gateway: None, push: None, opaque_key }
    }

    /// With text messages, for the clinics that have a sender of them.
    #[must_use]
    pub fn with_sms(self, sms: SmsChannel) -> Self {
        Self { sms: Some(sms), ..self }
    }

    /// With the gateways of clinics that have one in place of the Cloud API.
    #[must_use]
    pub fn with_gateway(self, gateway: GatewayChannel) -> Self {
        Self { gateway: Some(gateway), ..self }
    }

    /// With alerts to staff's browsers.
    #[must_use]
    pub fn with_push(self, push: PushChannel) -> Self {
        Self { push: Some(push), ..self }
    }

    /// With what a function is given besides: `SMS_CONFIGURATION_SET` of the environment for text
    /// messages; the secrets `WHATSAPP_GATEWAY_KEYS` for gateways (see [`GatewayKeys::from_json`]), and
    /// `VAPID_KEY` with `VAPID_CONTACT` of the environment for alerts to staff's browsers.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when the keys are not of their form.
    pub fn with_env(self, config: &aws_types::SdkConfig, secrets: &Secrets) -> Result<Self, CloudError> {
        let mut channels = self;
        if let Ok(configuration_set) = std::env::var("SMS_CONFIGURATION_SET") {
            let settings = SmsSettings { configuration_set, time_to_live_seconds: SMS_TIME_TO_LIVE_SECONDS };
            channels = channels.with_sms(SmsChannel::new(crate::aws::sms(config), settings));
        }
        let gateways = secrets.all("WHATSAPP_GATEWAY_KEYS");
        if !gateways.is_empty() {
            channels = channels.with_gateway(GatewayChannel::new(GatewayKeys::from_json(&gateways)?)?);
        }
        if let (Some(key), Ok(contact)) = (secrets.get("VAPID_KEY"), std::env::var("VAPID_CONTACT")) {
            channels = channels.with_push(PushChannel::new(push::VapidKey::new(key, &contact)?)?);
        }
        Ok(channels)
    }

    /// The way to staff's browsers.
    #[must_use]
    pub fn push(&self) -> Option<&PushChannel> {
        self.push.as_ref()
    }

    /// The clinics' gateways, to be managed.
    #[must_use]
    pub fn gateway(&self) -> Option<&GatewayChannel> {
        self.gateway.as_ref()
    }

    /// The templates of an account at Meta, to be managed; nothing over a wire that knows only messages.
    #[must_use]
    pub fn templates(&self, account: AccountId) -> Option<MetaTemplates> {
        self.whatsapp.templates(account)
    }

    /// The id under which a reply is sent, signed as those of messages are.
    #[must_use]
    pub fn opaque_id(&self, clinic: &ClinicId, message: MessageId, attempt: u32) -> String {
        opaque_id_of(&self.opaque_key, clinic, message, attempt)
    }

    /// Hands a claimed message to its provider, once. A call is a task for a person: the claim
    /// itself has created it.
    pub async fn send(&self, dispatch: &Dispatch<'_>) -> Outcome {
        match dispatch.message.intent().channel {
            Channel::Whatsapp => match (&dispatch.clinic.gateway, &self.gateway) {
                (None, _) => self.whatsapp.send(dispatch, &opaque_id(&self.opaque_key, dispatch)).await,
                (Some(_), Some(gateway)) => gateway.send(dispatch).await,
                (Some(_), None) => no_provider(),
            },
            Channel::Email => self.email.send(dispatch).await,
            Channel::Call => Outcome::Accepted { provider_id: dispatch.message.intent().message.to_string() },
            Channel::Sms => match &self.sms {
                Some(sms) => sms.send(dispatch).await,
                None => no_provider(),
            },
        }
    }

    /// Sends a text by WhatsApp to a number (E.164) that staff gave, to see whether messages go out. By
    /// the Cloud API only within 24 hours of a message from that number; `opaque_id` comes back with its
    /// receipts.
    pub async fn test(&self, clinic: &Clinic, to: &str, opaque_id: &str, body: &str) -> Outcome {
        match (&clinic.gateway, &self.gateway) {
            (None, _) => {
                let (buttons, subject, html, attachment, answers) = (&[][..], None, None, None, None);
                let text = ReplyDispatch { clinic, to, opaque_id, body, buttons, subject, html, attachment, answers };
                self.whatsapp.reply(&text).await
            }
            (Some(_), Some(gateway)) => gateway.test(clinic, to, body).await,
            (Some(_), None) => no_provider(),
        }
    }

    /// Hands a reply to its provider, once. Outside WhatsApp's window the provider refuses it with
    /// `131047`, and nothing was sent. A call cannot be a reply: that is a person's task.
    pub async fn reply(&self, channel: Channel, reply: &ReplyDispatch<'_>) -> Outcome {
        match channel {
            Channel::Whatsapp => match (&reply.clinic.gateway, &self.gateway) {
                (None, _) => self.whatsapp.reply(reply).await,
                (Some(_), Some(gateway)) => gateway.reply(reply).await,
                (Some(_), None) => no_provider(),
            },
            Channel::Email => self.email.reply(reply).await,
            Channel::Sms => match &self.sms {
                Some(sms) => sms.reply(reply).await,
                None => no_provider(),
            },
            Channel::Call => Outcome::Refused { code: "call".to_owned(), news: RecipientNews::None },
        }
    }
}

/// Settings refuse flows with a step nobody carries; a message from elsewhere waits for a provider.
fn no_provider() -> Outcome {
    Outcome::NotSent {
        code: "no_provider".to_owned(),
        again_in: TimeDelta::days(1),
        breaker: Some(BreakerScope::Channel),
    }
}

/// The id echoed in receipts: `1.<clinic>.<message>.<attempt>.<tag>`, at most 107 characters, nothing
/// personal in it. The tag, made with `key`, keeps a forged receipt from resolving a message.
#[must_use]
pub fn opaque_id(key: &SecretKey, dispatch: &Dispatch<'_>) -> String {
    opaque_id_of(key, &dispatch.clinic.id, dispatch.message.intent().message, dispatch.attempt)
}

/// The same for whatever has an id like a message's: a reply, an alert.
#[must_use]
pub fn opaque_id_of(key: &SecretKey, clinic: &ClinicId, message: MessageId, attempt: u32) -> String {
    let plain = format!("1.{clinic}.{message}.{attempt}");
    let tag = key.mac(&[b"opaque", plain.as_bytes()]);
    format!("{plain}.{}", hex(tag.get(..10).unwrap_or(&tag)))
}

/// What an opaque id says, if it is ours: whose, which message, which attempt, and what follows its
/// tag (the number of a button).
#[must_use]
pub fn read_opaque_id(key: &SecretKey, text: &str) -> Option<(ClinicId, MessageId, Option<u8>)> {
    let mut parts = text.split('.');
    let mut next = || parts.next();
    let (version, clinic, message, attempt, tag) = (next()?, next()?, next()?, next()?, next()?);
    let plain = format!("{version}.{clinic}.{message}.{attempt}");
    // Verified before anything is understood; the tag is compared in constant time.
    let tag = unhex(tag)?;
    if version != "1" || tag.len() != 10 || !key.verify(&[b"opaque", plain.as_bytes()], &tag) {
        return None;
    }
    let button = match (next(), next()) {
        (None, _) => None,
        (Some(number), None) => Some(number.parse().ok()?),
        (Some(_), Some(_)) => return None,
    };
    Some((ClinicId::parse(clinic).ok()?, MessageId::parse(message)?, button))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// The context of a reply, as receipts give it back: `m`, `t`, `a` as read from its opaque id; an id
/// of another form is given whole under `o`, in the letters that every provider takes.
fn reply_context(reply: &ReplyDispatch<'_>) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = reply.opaque_id.split('.').collect();
    if let ["1", clinic, message, attempt, _tag] = parts.as_slice() {
        return vec![("m", (*message).to_owned()), ("t", (*clinic).to_owned()), ("a", (*attempt).to_owned())];
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let whole: String = reply.opaque_id.chars().map(plain).take(256).collect();
    vec![("t", reply.clinic.id.to_string()), ("o", whole)]
}
