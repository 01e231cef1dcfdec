//! A person wrote: who, what they mean, and what follows.

use chrono::{DateTime, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::channels::read_opaque_id;
use retorno_cloud::desk::{Happening, Visitor};
use retorno_cloud::store::{Collection, ContactKeys, HeardLine, Stranger, TenantStore};
use retorno_domain::calendar::local_date;
use retorno_domain::channel::{ChannelSet, PurposeSet};
use retorno_domain::conversation::stopped;
use retorno_domain::ids::{MessageId, PatientId};
use retorno_domain::reply::{Asked, Intent, Reading, of_button, understand};

use super::{Inbound, Processed, processed};
use crate::event::{InboundMessage, Said, Sender};

/// Of a family that shares a phone so many are looked at.
const FAMILY_MAX: usize = 8;

/// What there is to read in what was said.
enum Words<'a> {
    /// Words of the person's own.
    Text(&'a str),
    /// A button's title.
    Button(&'a str),
    /// Nothing that can be read: a picture, a voice message.
    None,
    /// Nothing that wants an answer.
    Silent,
}

impl Inbound {
    pub(super) async fn message(
        &self,
        tenant: &TenantStore,
        message: &InboundMessage,
    ) -> Result<Processed, CloudError> {
        let words = words_of(&message.said);
        if matches!(words, Words::Silent) {
            return Ok(Processed::Nothing);
        }
        let pressed = self.pressed(tenant, &message.said);
        let Some(patient) = self.who(tenant, message, pressed).await? else {
            return self.stranger(tenant, message, &words).await;
        };
        let event = message.event_name();
        // The word that says so marks the phone before all that follows from it: brought again after a
        // crash in between, it must still come to its end.
        if !says_wrong(&words, self.now())
            && self.is_wrong(tenant, &message.from).await?
            && !tenant.knows_event(&event).await?
        {
            return self.stranger(tenant, message, &words).await;
        }
        let line = HeardLine {
            at: message.at.min(self.now()),
            channel: message.channel.code().to_owned(),
            text: text_of(&message.said),
            intent: String::new(),
            sure: false,
        };
        let happening = Happening {
            event: &event,
            channel: message.channel,
            heard: Some(line),
            said: Some(message.id.as_str()),
            asked_for: true,
            consent_how: "message",
        };
        let done =
            self.desk.answered(tenant, &patient, &happening, |asked, visitor| read(&words, asked, visitor)).await?;
        Ok(processed(&done))
    }

    /// The message of ours whose button was pressed.
    fn pressed(&self, tenant: &TenantStore, said: &Said) -> Option<MessageId> {
        let payload = match said {
            Said::Button { payload, .. } => payload,
            Said::Choice { id, .. } => id,
            Said::Text(_)
            | Said::Reaction { .. }
            | Said::Media { .. }
            | Said::Contacts
            | Said::Location
            | Said::Order
            | Said::Unsupported { .. }
            | Said::Edited { .. }
            | Said::Revoked { .. } => return None,
        };
        let (clinic, message, _) = read_opaque_id(&self.opaque_key, payload)?;
        (clinic == *tenant.clinic()).then_some(message)
    }

    /// Whether somebody said of this phone that it is not the patient's: then whoever writes from it
    /// does not speak for the patient.
    async fn is_wrong(&self, tenant: &TenantStore, from: &Sender) -> Result<bool, CloudError> {
        for phone in self.hashes_of(tenant, from).await? {
            let keys = ContactKeys { phone: Some(phone), ..ContactKeys::default() };
            if tenant.contact_points(&keys).await?.phone.is_wrong() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Who wrote: whose message was answered; else, of those who have the phone, the one in a
    /// sequence, else the one written to last.
    async fn who(
        &self,
        tenant: &TenantStore,
        message: &InboundMessage,
        pressed: Option<MessageId>,
    ) -> Result<Option<PatientId>, CloudError> {
        let family = self.patients_of(tenant, &message.from).await?;
        if let Some(pressed) = pressed
            && let Some(owner) = tenant.owner_of(pressed).await?
            // A button travels with a forwarded message: whoever presses it must have the phone.
            && family.contains(&owner)
        {
            return Ok(Some(owner));
        }
        if let [only] = family.as_slice() {
            return Ok(Some(only.clone()));
        }
        let mut likely: Option<(bool, Option<DateTime<Utc>>, PatientId)> = None;
        for id in family.into_iter().take(FAMILY_MAX) {
            let Some(member) = tenant.collection(&id).await? else { continue };
            if quoted(&member, message) {
                return Ok(Some(id));
            }
            let last = member.messages.iter().filter_map(|message| message.claimed_at).max();
            let said = member.answers.iter().map(|stored| stored.answer.at).max();
            let candidate = (member.patient.patient.sequence.is_some(), last.max(said), id);
            if likely.as_ref().is_none_or(|best| (best.0, best.1) < (candidate.0, candidate.1)) {
                likely = Some(candidate);
            }
        }
        Ok(likely.map(|(_, _, id)| id))
    }

    /// Somebody whom the clinic does not know by this number. An opt-out is honoured all the same.
    async fn stranger(
        &self,
        tenant: &TenantStore,
        message: &InboundMessage,
        words: &Words<'_>,
    ) -> Result<Processed, CloudError> {
        let event = message.event_name();
        // Told again, it undoes nothing that was said since, and is not heard a second time once the
        // clinic knows them.
        if tenant.knows_event(&event).await? {
            return Ok(Processed::Repeated);
        }
        let clinic = tenant.settings(self.now()).await?.clinic;
        let today = clinic.date(self.now());
        let asked = Asked::default();
        let reading = match words {
            Words::Text(text) => understand(text, &asked, today),
            Words::Button(title) => of_button(title, &asked, today),
            Words::None | Words::Silent => Reading { intent: Intent::Unreadable, sure: false },
        };
        let out = stopped(&reading, false, false).unwrap_or(PurposeSet::NONE);
        if !out.is_empty() {
            for hash in self.hashes_of(tenant, &message.from).await? {
                tenant.opt_out(&hash, ChannelSet::ALL, out, self.now()).await?;
            }
        }
        let stranger = Stranger {
            at: message.at,
            phone: message.from.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            user: message.from.user_id.as_ref().map(|user| user.as_str().to_owned()),
            channel: message.channel,
            text: text_of(&message.said),
            intent: reading.intent.code().to_owned(),
            sure: reading.sure,
            stopped: out,
        };
        tenant.keep_stranger(&event, &stranger, self.now()).await?;
        tenant.take_in(&event, self.now()).await?;
        Ok(Processed::Nobodys)
    }
}

/// Whether what was said quotes something that was written to this patient.
fn quoted(member: &Collection, message: &InboundMessage) -> bool {
    let Some(quoted) = &message.answers else { return false };
    let is = |id: &Option<String>| id.as_deref() == Some(quoted.as_str());
    member.messages.iter().any(|message| is(&message.provider_id))
        || member.answers.iter().any(|stored| is(&stored.provider_id))
}

/// Whether it is surely said that the phone is not the patient's; that hangs on nothing that was asked.
fn says_wrong(words: &Words<'_>, now: DateTime<Utc>) -> bool {
    let (asked, today) = (Asked::default(), now.date_naive());
    let reading = match words {
        Words::Text(text) => understand(text, &asked, today),
        Words::Button(title) => of_button(title, &asked, today),
        Words::None | Words::Silent => return false,
    };
    reading.sure && reading.intent == Intent::WrongPerson
}

fn read(words: &Words<'_>, asked: &Asked, visitor: &Visitor) -> Reading {
    let today = local_date(visitor.now, visitor.clinic.clinic.zone);
    match words {
        Words::Text(text) => understand(text, asked, today),
        Words::Button(title) => of_button(title, asked, today),
        Words::None | Words::Silent => Reading { intent: Intent::Unreadable, sure: true },
    }
}

fn words_of(said: &Said) -> Words<'_> {
    match said {
        Said::Text(text) => Words::Text(text.as_str()),
        Said::Button { title, .. } | Said::Choice { title, .. } => Words::Button(title.as_str()),
        Said::Media { caption: Some(caption), .. } => Words::Text(caption.as_str()),
        Said::Media { caption: None, .. }
        | Said::Contacts
        | Said::Location
        | Said::Order
        | Said::Unsupported { .. } => Words::None,
        // A correction counts as said anew; a thumb under a message asks for nothing.
        Said::Edited { text: Some(text), .. } => Words::Text(text.as_str()),
        Said::Edited { text: None, .. } | Said::Revoked { .. } | Said::Reaction { .. } => Words::Silent,
    }
}

/// What was said, as staff reads it.
fn text_of(said: &Said) -> String {
    let bracketed = |kind: &str, caption: Option<&str>| match caption {
        Some(caption) => format!("[{kind}] {caption}"),
        None => format!("[{kind}]"),
    };
    match said {
        Said::Text(text) => text.as_str().to_owned(),
        Said::Button { title, .. } | Said::Choice { title, .. } => title.as_str().to_owned(),
        Said::Reaction { emoji, .. } => emoji.clone().unwrap_or_default(),
        Said::Media { kind, caption } => bracketed(kind, caption.as_ref().map(|caption| caption.as_str())),
        Said::Contacts => bracketed("contacts", None),
        Said::Location => bracketed("location", None),
        Said::Order => bracketed("order", None),
        Said::Unsupported { kind } => bracketed(kind, None),
        Said::Edited { text, .. } => bracketed("edit", text.as_ref().map(|text| text.as_str())),
        Said::Revoked { .. } => bracketed("revoked", None),
    }
}
