//! Alerts to staff's browsers. They travel through strangers' services and are shown on locked screens:
//! what they say holds nothing about any patient. Sent again they replace themselves, so a crash costs
//! nothing but a repetition.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use retorno_cloud::CloudError;
use retorno_cloud::channels::push::{PushAlert, PushChannel, PushOutcome, PushSubscription, Urgency};
use retorno_cloud::orders::{AlertAbout, Order};
use retorno_cloud::store::{Browser, TenantStore};
use retorno_domain::channel::Channel;
use retorno_domain::clinic::Clinic;
use retorno_domain::conversation;
use retorno_domain::ids::{ClinicId, PatientId};
use retorno_domain::notices::Notice;
use serde_json::json;

use crate::dispatch::{Dispatcher, Done};

/// A service that asks for patience is tried so often.
const TRIES_MAX: u8 = 5;
/// What is older is no alert any more.
const OF_USE_FOR: TimeDelta = TimeDelta::hours(12);
/// How long a service keeps an alert for a browser that is not there.
const KEPT_SECONDS: u32 = 4 * 60 * 60;

/// An alert, ready to be said.
struct Spoken {
    /// Its name: what was said under it is not said again.
    name: String,
    notice: Notice,
    /// What replaces each other on a screen.
    tag: String,
    page: &'static str,
    urgency: Urgency,
    /// The only browser, if it is for one.
    only: Option<String>,
}

impl Dispatcher {
    /// Tells staff, if there is still something to tell.
    pub(crate) async fn alert(&self, id: &ClinicId, about: &AlertAbout, tries: u8) -> Result<Done, CloudError> {
        let Some(push) = self.channels.push() else { return Ok(Done::Nothing) };
        let tenant = self.reach.store.of(id);
        let now = self.reach.clock.now();
        let clinic = tenant.settings(now).await?.clinic;
        let Some(spoken) = self.still_true(&tenant, &clinic, about, now).await? else { return Ok(Done::Nothing) };
        if tenant.alert_is_out(&spoken.name).await? {
            return Ok(Done::Nothing);
        }
        let Some(payload) = payload(&spoken, &clinic) else { return Ok(Done::Nothing) };
        let browsers = tenant.browsers().await?;
        let untold = browsers.iter().filter(|(browser_id, browser)| {
            let is_other = spoken.only.as_ref().is_some_and(|only| only != browser_id);
            !is_other && browser.last_alert.as_ref() != Some(&spoken.name)
        });
        // All at once: a service that does not answer must keep nobody else from being told.
        let tellings = untold.map(|(id, browser)| tell(push, &tenant, (id, browser), &spoken, &payload, now));
        let mut again_in: Option<TimeDelta> = None;
        for told in join_all(tellings).await {
            if let Some(wait) = told? {
                again_in = Some(again_in.map_or(wait, |other| other.max(wait)));
            }
        }
        match again_in {
            Some(wait) if tries < TRIES_MAX => {
                let order = Order::Alert { clinic: id.to_string(), about: about.clone(), tries: tries + 1 };
                self.reach.orders.wake(&order, u32::from(tries), now, now + wait).await?;
            }
            Some(_) | None => tenant.note_alert_out(&spoken.name, now).await?,
        }
        Ok(Done::Decided)
    }

    /// What is to be said; nothing when it is settled, or long ago.
    async fn still_true(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        about: &AlertAbout,
        now: DateTime<Utc>,
    ) -> Result<Option<Spoken>, CloudError> {
        let is_old = |ms: i64| DateTime::from_timestamp_millis(ms).is_none_or(|at| now - at > OF_USE_FOR);
        Ok(match about {
            AlertAbout::Conversation { patient, since_ms, urgent } => {
                let Ok(patient) = PatientId::parse(patient) else { return Ok(None) };
                let open = tenant.thread(&patient).await?.thread.open;
                let is_it = |open: &conversation::Open| open.since.timestamp_millis() == *since_ms;
                let is_open = open.is_some_and(|open| is_it(&open));
                let name = format!("conversation#{patient}#{since_ms}#{urgent}");
                let (notice, tag, urgency) = if *urgent {
                    (Notice::WaitsUrgent, tenant.hash(&name), Urgency::High)
                } else {
                    (Notice::Waits, "inbox".to_owned(), Urgency::Normal)
                };
                let spoken = Spoken { name, notice, tag, page: "inbox", urgency, only: None };
                // An urgent one waits until somebody has it, however long that takes.
                (is_open && (*urgent || !is_old(*since_ms))).then_some(spoken)
            }
            AlertAbout::Gateway { down_ms } => {
                let Some(gateway) = &clinic.gateway else { return Ok(None) };
                let down = tenant.connection(gateway).await?.and_then(|connection| connection.down_since);
                let is_down = down.is_some_and(|down| down.timestamp_millis() == *down_ms);
                is_down.then(|| Spoken::of_connection(format!("gateway#{down_ms}"), Notice::GatewayDown))
            }
            AlertAbout::Channel { channel } => {
                let Ok(channel) = channel.parse::<Channel>() else { return Ok(None) };
                let breakers = tenant.settings(now).await?.breakers.channels;
                let is_halted = breakers.iter().any(|(of, until)| *of == channel && *until > now);
                // At most once a day, however often it is halted.
                let name = format!("halted#{channel}#{}", clinic.date(now));
                is_halted.then(|| Spoken::of_connection(name, Notice::Halted(channel)))
            }
            AlertAbout::Browser { browser, at_ms } => {
                let name = format!("browser#{browser}#{at_ms}");
                let (notice, tag) = (Notice::PushTest, "test".to_owned());
                let only = Some(browser.clone());
                let spoken = Spoken { name, notice, tag, page: "connections", urgency: Urgency::High, only };
                (!is_old(*at_ms)).then_some(spoken)
            }
        })
    }
}

impl Spoken {
    fn of_connection(name: String, notice: Notice) -> Self {
        Self { name, notice, tag: "connections".to_owned(), page: "connections", urgency: Urgency::High, only: None }
    }
}

/// Tells one browser; how long to wait if its service wants patience.
async fn tell(
    push: &PushChannel,
    tenant: &TenantStore,
    (id, browser): (&str, &Browser),
    spoken: &Spoken,
    payload: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<TimeDelta>, CloudError> {
    let Ok(subscription) = PushSubscription::from_json(&browser.subscription) else {
        tenant.forget_browser(id).await?;
        return Ok(None);
    };
    let topic = spoken.tag.as_str();
    let alert = PushAlert { payload, topic: Some(topic), urgency: spoken.urgency, ttl_seconds: KEPT_SECONDS };
    match push.send(&subscription, &alert, now).await {
        PushOutcome::Accepted => tenant.note_alerted(id, &spoken.name, now).await?,
        PushOutcome::Gone => {
            tracing::info!(clinic = %tenant.clinic(), "a browser wants no alerts any more");
            tenant.forget_browser(id).await?;
        }
        PushOutcome::Again(wait) => return Ok(Some(wait)),
        // It replaces itself, so that it may be said twice.
        PushOutcome::Unknown => return Ok(Some(TimeDelta::minutes(1))),
        PushOutcome::Unfit => tracing::error!(clinic = %tenant.clinic(), "an alert does not fit"),
        PushOutcome::Refused(status) => {
            tracing::error!(clinic = %tenant.clinic(), status, "a push service refuses us: a person must look");
        }
    }
    Ok(None)
}

/// What the browser is given.
fn payload(spoken: &Spoken, clinic: &Clinic) -> Option<Vec<u8>> {
    let text = spoken.notice.text(clinic.language, &clinic.name)?;
    let url = format!("/c/{}/{}", clinic.id, spoken.page);
    let lang = clinic.language.tag();
    let payload = json!({"title": clinic.name, "body": text, "tag": spoken.tag, "url": url, "lang": lang});
    Some(payload.to_string().into_bytes())
}
