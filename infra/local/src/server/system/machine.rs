//! What answers to staff need to know of this machine: its clinics, what is under way, its clock, and the
//! telephones on it.

use std::sync::Arc;

use axum::extract::FromRef;
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::catalogue::Catalogue;
use retorno_domain::ids::{ClinicId, MessageId};
use staff_api::office::{Later, Tick};
use staff_api::thread::{Button, OnPhone};
use staff_api::why::Steps;
use staff_api::{Office, Premises, Problem};

use super::{Desk, System};
use crate::doubles::{SentMessage, SentTemplate};
use crate::host::Host;
use crate::server::folder::DataFolder;
use crate::server::kept_clock::KeptClock;

/// This machine, to whoever answers staff.
pub(super) struct ThisMachine {
    host: Host,
    folder: Arc<DataFolder>,
    clock: Arc<KeptClock>,
    desk: Arc<Desk>,
}

impl ThisMachine {
    pub(super) fn new(host: &Host, folder: &Arc<DataFolder>, clock: &Arc<KeptClock>, desk: &Arc<Desk>) -> Self {
        Self { host: host.clone(), folder: Arc::clone(folder), clock: Arc::clone(clock), desk: Arc::clone(desk) }
    }
}

impl Premises for ThisMachine {
    fn since(&self, clinic: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let listed = self.folder.clinics()?.into_iter().find(|listed| listed.id == clinic);
        Ok(listed.map(|listed| listed.since))
    }

    fn begin(&self, tick: Tick) -> Result<(), Problem> {
        self.desk.check_free()?;
        let now = self.host.now();
        let next = match tick {
            Tick::Now => return Ok(()),
            Tick::Milli => now + TimeDelta::milliseconds(1),
            Tick::Second => DateTime::from_timestamp(now.timestamp() + 1, 0).unwrap_or(now),
        };
        Ok(self.clock.move_to(next)?)
    }

    fn touch(&self) {
        self.desk.touch();
    }

    fn done(&self) -> Later<'_, Result<(), Problem>> {
        Box::pin(take_up_now(&self.host, &self.clock, &self.desk))
    }

    fn on_the_phone(&self, clinic: &ClinicId, message: &str) -> Result<Option<OnPhone>, Problem> {
        let received = on_the_phone(&self.host, clinic, message)?;
        Ok(received.map(|received| OnPhone { buttons: buttons(&received), wamid: received.wamid }))
    }

    fn steps(&self) -> &dyn Steps {
        &self.host
    }
}

impl FromRef<System> for Office {
    fn from_ref(system: &System) -> Self {
        system.office.clone()
    }
}

/// Takes up at once what has just been asked for.
pub(super) async fn take_up_now(host: &Host, clock: &KeptClock, desk: &Desk) -> Result<(), Problem> {
    // Stored before anything happens at this instant.
    clock.move_to(host.now())?;
    host.settle().await?;
    desk.touch();
    Ok(())
}

/// What the patient's phone received of a message of ours: its last attempt.
pub(crate) fn on_the_phone(host: &Host, clinic: &ClinicId, message: &str) -> Result<Option<SentMessage>, Problem> {
    if MessageId::parse(message).is_none() {
        return Ok(None);
    }
    Ok(host.doubles.whatsapp().sent_as(&format!("1.{clinic}.{message}."))?.pop())
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
