//! A patient's browser on this machine: it follows the link of the last message, lets itself be told there
//! as a real one does, and shows what it was told.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use chrono::{DateTime, SecondsFormat, Utc};
use form_urlencoded::Serializer;
use patient_pages::PageRequest;
use retorno_cloud::links::{Link, LinkPurpose};
use retorno_cloud::store::Collection;
use retorno_domain::ids::{MessageId, PatientId};
use serde::{Deserialize, Serialize};
use staff_api::Problem;
use staff_api::outbox::{Sent, sent_to};
use staff_api::routes::patient_id;

use super::system::{OpenClinic, System};
use crate::doubles::ShownAlert;

/// What the patient does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BrowserAct {
    /// Presses the button that asks for notifications, in a new browser.
    Subscribe,
    /// Presses the button that ends them.
    Unsubscribe,
    /// Withdraws the permission in the browsers' own settings: their service says that they are gone.
    Withdraw,
}

/// A patient's browsers, and what they show.
#[derive(Serialize)]
pub(crate) struct BrowsersView {
    /// Whether the clinic tells patients by their browsers at all.
    used: bool,
    browsers: Vec<BrowserView>,
    /// The newest first.
    notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct BrowserView {
    /// The push service.
    service: String,
    /// `patient` or `guardian`.
    holder: &'static str,
    since: String,
}

/// A notification.
#[derive(Clone, Serialize)]
pub(crate) struct Notification {
    /// The message that it is.
    pub(crate) message_id: String,
    /// To whom.
    pub(crate) patient_id: String,
    /// When it left, with the patient's offset (RFC 3339).
    pub(crate) at: String,
    /// What the screen shows first.
    pub(crate) title: String,
    /// And below.
    pub(crate) body: String,
    /// Where a touch leads; nothing if no browser of this machine got it.
    pub(crate) open: Option<String>,
    /// Where the button leads that ends them.
    pub(crate) stop: Option<String>,
    /// What its buttons say.
    #[serde(skip)]
    pub(crate) labels: [String; 2],
    #[serde(skip)]
    pub(crate) instant: DateTime<Utc>,
}

/// What notifications became in the browsers of this machine, in their order. One is found by its topic and
/// instant: a browser that is no double's shows it elsewhere.
///
/// # Errors
/// [`Problem`].
pub(crate) fn notifications(system: &System, of: &OpenClinic, sent: &[Sent]) -> Result<Vec<Notification>, Problem> {
    const LOOKED_AT: usize = 500;
    if sent.is_empty() {
        return Ok(Vec::new());
    }
    let shown = system.host.doubles.push().shown(LOOKED_AT)?;
    let of_sent = |sent: &Sent| {
        let topic = PatientId::parse(&sent.patient_id).ok().map(|id| of.tenant.push_topic(&id));
        let is_it = |alert: &&ShownAlert| alert.topic == topic && topic.is_some() && alert.at >= sent.instant;
        let given = shown.iter().filter(is_it).min_by_key(|alert| alert.at).map(|alert| &alert.payload);
        let said = |part: &str, name: &str| Some(given?.get(part)?.get(name)?.as_str()?.to_owned());
        Notification {
            message_id: sent.message_id.clone(),
            patient_id: sent.patient_id.clone(),
            at: sent.at.clone(),
            title: of.clinic.name.clone(),
            body: sent.text.clone(),
            open: said("open", "url"),
            stop: said("stop", "url"),
            labels: ["open", "stop"].map(|part| said(part, "label").unwrap_or_default()),
            instant: sent.instant,
        }
    };
    Ok(sent.iter().map(of_sent).collect())
}

/// The last message of ours, whose links the patient can follow.
fn last_message(collection: &Collection) -> Option<MessageId> {
    let messages = collection.messages.iter().filter_map(|message| Some((message.claimed_at?, message.id)));
    messages.max_by_key(|(at, _)| *at).map(|(_, id)| id)
}

impl System {
    /// The path of the page of preferences, by the last message's link.
    pub(crate) fn preferences_of(&self, of: &OpenClinic, collection: &Collection) -> Option<String> {
        let link =
            Link { clinic: of.id.clone(), message: last_message(collection)?, purpose: LinkPurpose::Preferences };
        Some(format!("/l/{}", self.host.links().token(&link, self.host.now())))
    }

    /// Does in a patient's browser what the patient does, and plays what follows.
    ///
    /// # Errors
    /// [`Problem`] says what is in the way, also when the clock is being moved.
    pub(crate) async fn browse(&self, of: &OpenClinic, id: &PatientId, act: BrowserAct) -> Result<(), Problem> {
        self.check_free()?;
        let collection = self.office.patient(of, id).await?;
        let path = self.preferences_of(of, &collection);
        let path =
            path.ok_or_else(|| Problem::bad("nothing was sent to the patient yet: there is no link to follow"))?;
        match act {
            BrowserAct::Subscribe => {
                let given = self.host.doubles.push().subscribe()?;
                self.send_form(&path, &[("do", "push-on"), ("subscription", &given)], "push-on").await?;
            }
            BrowserAct::Unsubscribe => self.send_form(&path, &[("do", "push-off")], "push-off").await?,
            BrowserAct::Withdraw => {
                for browser in collection.patient.patient.subscriptions.iter() {
                    self.host.doubles.push().withdraw_at(browser.endpoint())?;
                }
            }
        }
        self.take_up_now().await
    }

    /// Sends a form of a patient's page, which then says what came of it.
    async fn send_form(&self, path: &str, fields: &[(&str, &str)], done: &str) -> Result<(), Problem> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        let request = PageRequest {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: vec![kind],
            body: body.into_bytes(),
            ..PageRequest::default()
        };
        let answer = self.host.pages().handle(request).await;
        let is_done = answer.header("location").is_some_and(|to| to.ends_with(&format!("?page={done}")));
        if is_done {
            return Ok(());
        }
        Err(Problem::bad(
            "the page does not offer it: a flow of the clinic needs a step by push, the channel must be among its \
             channels, and the patient must not have stopped everything",
        ))
    }
}

type Answer = Result<Json<BrowsersView>, Problem>;

async fn view(system: &System, of: &OpenClinic, id: &PatientId) -> Result<BrowsersView, Problem> {
    let collection = system.office.patient(of, id).await?;
    let local = |at: DateTime<Utc>| at.with_timezone(&of.clinic.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
    let browser = |known: &retorno_domain::subscription::Subscription| BrowserView {
        service: known.service().to_owned(),
        holder: match known.holder() {
            retorno_domain::subscription::Holder::Patient => "patient",
            retorno_domain::subscription::Holder::Guardian => "guardian",
        },
        since: local(known.since()),
    };
    let mut sent = sent_to(&collection);
    sent.retain(|sent| sent.channel == "push");
    sent.reverse();
    Ok(BrowsersView {
        used: of.clinic.notifies_browsers(),
        browsers: collection.patient.patient.subscriptions.iter().map(browser).collect(),
        notifications: notifications(system, of, &sent)?,
    })
}

/// A patient's browsers.
pub(super) async fn get(State(system): State<System>, Path((clinic, patient)): Path<(String, String)>) -> Answer {
    let of = system.clinic(&clinic).await?;
    Ok(Json(view(&system, &of, &patient_id(&patient)?).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    act: BrowserAct,
}

/// What the patient does.
pub(super) async fn post(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Answer {
    let of = system.clinic(&clinic).await?;
    let patient = patient_id(&patient)?;
    let expected = "send {\"act\": \"subscribe\" | \"unsubscribe\" | \"withdraw\"}";
    let Json(asked) = asked.map_err(|rejection| Problem::new(rejection.status(), expected))?;
    system.browse(&of, &patient, asked.act).await?;
    Ok(Json(view(&system, &of, &patient).await?))
}
