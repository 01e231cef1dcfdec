//! What the panels of the sandbox show: messages as the system recorded them, with what the provider
//! received.

use crate::server::system::{on_the_phone, titles};
use chrono::{DateTime, Days, Utc};
use retorno_cloud::store::Collection;
use retorno_domain::channel::{Channel, ChannelSet};
use staff_api::Problem;
use staff_api::outbox::{Sent, latest as latest_of, sent_to};

use crate::server::system::{OpenClinic, System};

/// Messages by channel, the newest first.
#[derive(Default)]
pub(super) struct Panels {
    pub(super) whatsapp: Vec<Bubble>,
    pub(super) email: Vec<Sent>,
    pub(super) calls: Vec<Sent>,
    pub(super) push: Vec<Sent>,
}

/// A WhatsApp message on the phone.
pub(super) struct Bubble {
    pub(super) sent: Sent,
    /// The labels of its buttons.
    pub(super) buttons: Vec<String>,
    /// When the provider took it; nothing when its fate is unknown.
    pub(super) accepted: Option<DateTime<Utc>>,
}

/// Shown of each channel.
const MOST: usize = 12;
/// Looked at so many days back.
const DAYS_BACK: u64 = 21;

/// The last messages of a clinic.
pub(super) async fn latest(system: &System, of: &OpenClinic) -> Result<Panels, Problem> {
    let until = system.host.now().date_naive();
    let since = until.checked_sub_days(Days::new(DAYS_BACK)).map_or(until, |day| day.max(of.since.date_naive()));
    let mut panels = Panels::default();
    let of_channel = async |channel: Channel| {
        let only: ChannelSet = [channel].into_iter().collect();
        latest_of(&of.tenant, only, (since, until), MOST).await
    };
    for sent in of_channel(Channel::Whatsapp).await? {
        panels.whatsapp.push(bubble(system, of, sent)?);
    }
    panels.email = of_channel(Channel::Email).await?;
    panels.calls = of_channel(Channel::Call).await?;
    panels.push = of_channel(Channel::Push).await?;
    Ok(panels)
}

/// The mails, notifications and call tasks of one patient; what WhatsApp brought is part of the conversation.
pub(super) fn to(collection: &Collection) -> Panels {
    let mut panels = Panels::default();
    for sent in sent_to(collection).into_iter().rev() {
        match sent.channel.parse() {
            Ok(Channel::Email) => panels.email.push(sent),
            Ok(Channel::Call) => panels.calls.push(sent),
            Ok(Channel::Push) => panels.push.push(sent),
            Ok(Channel::Whatsapp | Channel::Sms) | Err(()) => {}
        }
    }
    panels
}

fn bubble(system: &System, of: &OpenClinic, sent: Sent) -> Result<Bubble, Problem> {
    let received = on_the_phone(&system.host, &of.id, &sent.message_id)?;
    let accepted = received.as_ref().map(|received| received.at);
    let buttons = received.and_then(|received| received.template).map(|template| titles(&template));
    Ok(Bubble { sent, buttons: buttons.unwrap_or_default(), accepted })
}
