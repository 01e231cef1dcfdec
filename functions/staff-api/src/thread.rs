//! The conversation with one patient, in the order of time: what left, what was answered, what the
//! patient said.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use retorno_cloud::store::{Collection, HeardLine, StoredAnswer};
use retorno_domain::channel::Channel;
use retorno_domain::message::Delivery;
use serde::Serialize;

use crate::office::{Office, OpenClinic};
use crate::outbox::sent_to;
use crate::problem::Problem;

/// Who says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
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
pub struct Button {
    /// What comes back when it is pressed.
    pub payload: String,
    /// What it says.
    pub title: String,
    /// Whether it stands under a template; otherwise under an answer.
    pub template: bool,
}

/// What a telephone received of a message of ours.
#[derive(Clone)]
pub struct OnPhone {
    /// The provider's id.
    pub wamid: String,
    /// What can be pressed under it.
    pub buttons: Vec<Button>,
}

/// One thing that was said.
#[derive(Clone, Serialize)]
pub struct Line {
    /// When, with the patient's offset (RFC 3339).
    pub at: String,
    /// By whom.
    pub by: Speaker,
    /// By which channel.
    pub channel: String,
    /// The words; empty while an answer has not been said.
    pub text: String,
    /// Where it stands, for what we said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why it was not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The step of the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// How it was understood, for what the patient said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Whether that was beyond doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sure: Option<bool>,
    /// What can be pressed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// Our id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The instant.
    #[serde(skip)]
    pub instant: DateTime<Utc>,
    /// The provider's id, on WhatsApp.
    #[serde(skip)]
    pub wamid: Option<String>,
}

/// Everything said with a patient, the oldest first.
///
/// # Errors
/// [`Problem`].
pub async fn lines(office: &Office, of: &OpenClinic, collection: &Collection) -> Result<Vec<Line>, Problem> {
    let patient = &collection.patient.patient;
    let zone = patient.profile.zone;
    let mut lines = Vec::new();
    for sent in sent_to(collection) {
        let received = office.on_the_phone(&of.id, &sent.message_id)?;
        lines.push(Line {
            state: Some(sent.delivery.code().to_owned()),
            step: Some(sent.step),
            wamid: received.as_ref().map(|received| received.wamid.clone()),
            buttons: received.map(|received| received.buttons).unwrap_or_default(),
            message_id: Some(sent.message_id),
            ..Line::new(sent.instant, zone, Speaker::Sequence, &sent.channel, sent.text)
        });
    }
    for stored in &collection.answers {
        lines.push(answer(office, of, zone, stored)?);
    }
    lines.extend(of.tenant.heard(&patient.id).await?.into_iter().map(|heard| said(zone, heard)));
    lines.sort_by_key(|line| (line.instant, line.by));
    Ok(lines)
}

fn answer(office: &Office, of: &OpenClinic, zone: Tz, stored: &StoredAnswer) -> Result<Line, Problem> {
    let answer = &stored.answer;
    let id = answer.id.to_string();
    let received = if answer.channel == Channel::Whatsapp { office.on_the_phone(&of.id, &id)? } else { None };
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
        wamid: received.as_ref().map(|received| received.wamid.clone()),
        buttons: received.map(|received| received.buttons).unwrap_or_default(),
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
    pub fn was_said(&self) -> bool {
        let may_have = ["accepted", "unknown", "undetermined"];
        self.by == Speaker::Patient || self.state.as_deref().is_some_and(|state| may_have.contains(&state))
    }
}
