//! One line of the message list a run writes.

use chrono::{DateTime, FixedOffset};
use serde::Deserialize;

/// A way to reach a patient, as far as the reactivation flow uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// WhatsApp.
    Whatsapp,
    /// Email.
    Email,
    /// A call by the clinic's staff.
    Call,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Whatsapp, Self::Email, Self::Call];

    /// The channel of a name; nothing for one this flow does not use (SMS).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// The name in exports and message lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Email => "email",
            Self::Call => "call",
        }
    }
}

/// A step of the reactivation flow, in the order they are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// WhatsApp on the first day.
    D1,
    /// Email two days after.
    D3,
    /// WhatsApp five days after.
    D6,
    /// A call seven days after.
    D8,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 4] = [Self::D1, Self::D3, Self::D6, Self::D8];

    /// The name, the days after the first message, and the channel.
    #[must_use]
    pub fn plan(self) -> (&'static str, u64, Channel) {
        match self {
            Self::D1 => ("d1", 0, Channel::Whatsapp),
            Self::D3 => ("d3", 2, Channel::Email),
            Self::D6 => ("d6", 5, Channel::Whatsapp),
            Self::D8 => ("d8", 7, Channel::Call),
        }
    }
}

#[derive(Deserialize)]
struct Written {
    at: DateTime<FixedOffset>,
    patient_id: String,
    contact: String,
    channel: String,
    segment: String,
    flow: String,
    step: String,
    campaign_id: String,
    message_id: String,
    text: String,
    subject: Option<String>,
}

/// A message or call task as listed. No `Debug`: it holds a patient's contact.
#[derive(Clone)]
pub struct Message {
    /// Its line in the list, from 1.
    pub line: usize,
    /// When it left, with the offset as written.
    pub at: DateTime<FixedOffset>,
    /// The patient's id in the export.
    pub patient_id: String,
    /// E.164 number or email.
    pub contact: String,
    /// How it left.
    pub channel: Channel,
    /// The segment it names.
    pub segment: String,
    /// The step it names.
    pub step: Step,
    /// The campaign it belongs to.
    pub campaign_id: String,
    /// Its own name.
    pub message_id: String,
    /// What the patient reads.
    pub text: String,
    /// The subject of an email.
    pub subject: Option<String>,
}

/// A line read.
///
/// # Errors
/// What is wrong with it, without its content: no such object, channel or step, or an empty id.
pub fn read_line(line: usize, json: &str) -> Result<Message, String> {
    let w: Written = serde_json::from_str(json).map_err(|e| format!("column {}", e.column()))?;
    let channel = Channel::named(&w.channel).ok_or_else(|| format!("channel {}", w.channel))?;
    let step = Step::ALL.into_iter().find(|s| s.plan().0 == w.step);
    let step = step.ok_or_else(|| format!("step {}", w.step))?;
    let ids = [&w.flow, &w.campaign_id, &w.message_id];
    if ids.iter().any(|id| id.trim().is_empty()) {
        return Err("an empty flow, campaign_id or message_id".to_owned());
    }
    Ok(Message {
        line,
        at: w.at,
        patient_id: w.patient_id,
        contact: w.contact,
        channel,
        segment: w.segment,
        step,
        campaign_id: w.campaign_id,
        message_id: w.message_id,
        text: w.text,
        subject: w.subject,
    })
}
