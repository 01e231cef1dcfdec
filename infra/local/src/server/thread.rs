//! The conversation with one patient, in the order of time: what left, what was answered, what the
//! patient said.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use retorno_cloud::store::{Collection, HeardLine, StoredAnswer};
use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::Channel;
use retorno_domain::ids::MessageId;
use retorno_domain::message::Delivery;
use serde::Serialize;

use super::problem::Problem;
use super::system::{OpenClinic, System};
use crate::doubles::{SentMessage, SentTemplate};
use crate::outbox::sent_to;

/// Who says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Speaker {
    /// The automation, as a step of a sequence.
    Sequence,
    /// The patient.
    Patient,
    /// The automation, answering.
    Answer,
    /// A person of the clinic.
    Staff,
}

/// A button under a line.
#[derive(Clone, Serialize)]
pub(crate) struct Button {
    /// What comes back when it is pressed.
    pub(crate) payload: String,
    /// What it says.
    pub(crate) title: String,
    /// Whether it stands under a template; otherwise under an answer.
    pub(crate) template: bool,
}

/// One thing that was said.
#[derive(Clone, Serialize)]
pub(crate) struct Line {
    /// When, with the patient's offset (RFC 3339).
    pub(crate) at: String,
    /// By whom.
    pub(crate) by: Speaker,
    /// By which channel.
    pub(crate) channel: String,
    /// The words; empty while an answer has not been said.
    pub(crate) text: String,
    /// Where it stands, for what we said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Why it was not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The step of the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<String>,
    /// How it was understood, for what the patient said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<String>,
    /// Whether that was beyond doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sure: Option<bool>,
    /// What can be pressed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) buttons: Vec<Button>,
    /// Our id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// The instant.
    #[serde(skip)]
    pub(crate) instant: DateTime<Utc>,
    /// The provider's id, on WhatsApp.
    #[serde(skip)]
    pub(crate) wamid: Option<String>,
}

/// Everything said with a patient, the oldest first.
///
/// # Errors
/// [`Problem`].
pub(crate) async fn lines(system: &System, of: &OpenClinic, collection: &Collection) -> Result<Vec<Line>, Problem> {
    let patient = &collection.patient.patient;
    let zone = patient.profile.zone;
    let mut lines = Vec::new();
    for sent in sent_to(collection) {
        let received = on_the_phone(system, of, &sent.message_id)?;
        lines.push(Line {
            state: Some(sent.delivery.code().to_owned()),
            step: Some(sent.step),
            buttons: received.as_ref().map(buttons).unwrap_or_default(),
            wamid: received.map(|received| received.wamid),
            message_id: Some(sent.message_id),
            ..Line::new(sent.instant, zone, Speaker::Sequence, &sent.channel, sent.text)
        });
    }
    for stored in &collection.answers {
        lines.push(answer(system, of, zone, stored)?);
    }
    lines.extend(of.tenant.heard(&patient.id).await?.into_iter().map(|heard| said(zone, heard)));
    lines.sort_by_key(|line| (line.instant, line.by));
    Ok(lines)
}

fn answer(system: &System, of: &OpenClinic, zone: Tz, stored: &StoredAnswer) -> Result<Line, Problem> {
    let answer = &stored.answer;
    let id = answer.id.to_string();
    let received = if answer.channel == Channel::Whatsapp { on_the_phone(system, of, &id)? } else { None };
    let by = if answer.words.is_some() { Speaker::Staff } else { Speaker::Answer };
    let text = stored.text.as_ref().map(|text| text.0.clone()).or_else(|| answer.words.clone()).unwrap_or_default();
    let reason = match &stored.delivery {
        Delivery::Dropped(why) => Some(why.clone()),
        Delivery::Ready { .. }
        | Delivery::InFlight { .. }
        | Delivery::Accepted
        | Delivery::Failed(_)
        | Delivery::Unknown { .. }
        | Delivery::Undetermined => None,
    };
    Ok(Line {
        state: Some(stored.delivery.code().to_owned()),
        reason,
        buttons: received.as_ref().map(buttons).unwrap_or_default(),
        wamid: received.map(|received| received.wamid),
        message_id: Some(id),
        ..Line::new(answer.at, zone, by, answer.channel.code(), text)
    })
}

fn said(zone: Tz, heard: HeardLine) -> Line {
    Line {
        intent: Some(heard.intent),
        sure: Some(heard.sure),
        ..Line::new(heard.at, zone, Speaker::Patient, &heard.channel, heard.text)
    }
}

impl Line {
    fn new(instant: DateTime<Utc>, zone: Tz, by: Speaker, channel: &str, text: String) -> Self {
        Self {
            at: instant.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false),
            by,
            channel: channel.to_owned(),
            text,
            state: None,
            reason: None,
            step: None,
            intent: None,
            sure: None,
            buttons: Vec::new(),
            message_id: None,
            instant,
            wamid: None,
        }
    }

    /// Whether the patient has it, or may have it.
    pub(crate) fn was_said(&self) -> bool {
        let may_have = ["accepted", "unknown", "undetermined"];
        self.by == Speaker::Patient || self.state.as_deref().is_some_and(|state| may_have.contains(&state))
    }
}

/// What the patient's phone received of a message of ours: its last attempt.
pub(crate) fn on_the_phone(system: &System, of: &OpenClinic, message: &str) -> Result<Option<SentMessage>, Problem> {
    if MessageId::parse(message).is_none() {
        return Ok(None);
    }
    Ok(system.host.doubles.whatsapp().sent_as(&format!("1.{}.{message}.", of.id))?.pop())
}

/// The buttons under what the phone received.
fn buttons(received: &SentMessage) -> Vec<Button> {
    let choice = |(payload, title): &(String, String)| Button {
        payload: payload.clone(),
        title: title.clone(),
        template: false,
    };
    let mut buttons: Vec<Button> = received.replies.iter().map(choice).collect();
    if let Some(template) = &received.template {
        let titles = titles(template);
        let pressed = template.buttons.iter().filter(|button| button.sub_type == "quick_reply").zip(titles);
        buttons.extend(pressed.map(|(button, title)| Button { payload: button.value.clone(), title, template: true }));
    }
    buttons
}

/// The labels of a template's buttons, from our catalogue: the provider is sent payloads only.
pub(crate) fn titles(template: &SentTemplate) -> Vec<String> {
    let is_it = |of: &&retorno_domain::template::Template| {
        of.whatsapp_name() == template.name && of.language.whatsapp_code() == template.language
    };
    let known = Catalogue::embedded().templates().iter().find(is_it);
    known.map(|template| template.buttons.clone()).unwrap_or_default()
}
