//! The inbox: conversations that wait for a person, and the numbers that are not on record.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use retorno_cloud::store::{HeardLine, StoredAnswer, Waiting};
use serde::Serialize;

use crate::office::{Office, OpenClinic};
use crate::problem::Problem;
use crate::strangers::{StrangerView, strangers};

/// What waits for a person.
#[derive(Clone, Serialize)]
pub struct Inbox {
    /// Conversations, the most urgent first.
    pub waiting: Vec<WaitingView>,
    /// Numbers that are not on record and wait, the urgent ones first, then the newest.
    pub strangers: Vec<StrangerView>,
}

/// A conversation that waits for a person.
#[derive(Clone, Serialize)]
pub struct WaitingView {
    /// With whom.
    pub patient_id: String,
    /// Their name.
    pub name: String,
    /// `urgent`, `high` or `normal`.
    pub urgency: String,
    /// Why.
    pub reason: String,
    /// Since when (RFC 3339, the clinic's zone).
    pub since: String,
    /// What the patient said last.
    pub last_words: Option<String>,
    /// Whether staff has answered since.
    pub answered: bool,
    /// The same instant.
    #[serde(skip)]
    pub since_at: DateTime<Utc>,
}

/// The inbox of a clinic.
///
/// # Errors
/// [`Problem`].
pub async fn inbox(office: &Office, of: &OpenClinic) -> Result<Inbox, Problem> {
    let zone = of.clinic.zone;
    let mut waiting = Vec::new();
    for open in of.tenant.inbox().await? {
        // Erased meanwhile: the index is a little behind.
        let Some(collection) = of.tenant.collection(&open.patient).await? else { continue };
        let heard = of.tenant.heard(&open.patient).await?;
        let name = collection.patient.patient.profile.name.as_str();
        waiting.push(view(&open, name, zone, heard.last(), &collection.answers));
    }
    let strangers = strangers(office, of).await?.strangers;
    Ok(Inbox { waiting, strangers })
}

fn view(open: &Waiting, name: &str, zone: Tz, last: Option<&HeardLine>, answers: &[StoredAnswer]) -> WaitingView {
    let after = last.map_or(open.open.since, |line| line.at);
    WaitingView {
        patient_id: open.patient.to_string(),
        name: name.to_owned(),
        urgency: open.open.urgency.code().to_owned(),
        reason: open.open.reason.clone(),
        since: local(open.open.since, zone),
        last_words: last.map(|line| line.text.clone()),
        answered: answers.iter().any(|stored| stored.answer.words.is_some() && stored.answer.at >= after),
        since_at: open.open.since,
    }
}

/// An instant as staff reads it: RFC 3339 in a zone.
#[must_use]
pub fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}
