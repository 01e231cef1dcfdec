//! Everything that was sent, as one list: read from the record of commitments, so that it is what
//! the system itself holds to be true.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::store::{Collection, Commitment, StoredMessage, TenantStore};
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::message::Delivery;
use serde::Serialize;

/// One message or call task that left.
#[derive(Clone, Serialize)]
pub struct Sent {
    /// When it was committed, with the patient's offset (RFC 3339).
    pub at: String,
    /// To whom.
    pub patient_id: String,
    /// The phone (E.164) or e-mail address, or a browser's push service; empty when the record has none
    /// any more.
    pub contact: String,
    /// `whatsapp`, `email`, `sms`, `call` or `push`.
    pub channel: String,
    /// As a member of which segment.
    pub segment: String,
    /// In which flow.
    pub flow: String,
    /// As which step.
    pub step: String,
    /// Segment and week.
    pub campaign_id: String,
    /// The message's id.
    pub message_id: String,
    /// The text.
    pub text: String,
    /// The subject of an e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The instant, for whoever sorts or counts.
    #[serde(skip)]
    pub instant: DateTime<Utc>,
    /// The enrollment, for whoever counts sequences.
    #[serde(skip)]
    pub enrollment: String,
    /// Where the message stands.
    #[serde(skip)]
    pub delivery: Delivery,
}

/// What was committed from one day to another (dates of UTC, both included), in the order of time.
/// Messages that the provider refused are left out; one whose fate is unknown is listed.
///
/// # Errors
/// [`CloudError`].
pub async fn sent_between(tenant: &TenantStore, from: NaiveDate, until: NaiveDate) -> Result<Vec<Sent>, CloudError> {
    let mut known = Known::default();
    let mut list = Vec::new();
    for day in from.iter_days().take_while(|day| *day <= until) {
        for commitment in tenant.commitments(day).await? {
            let Some(collection) = known.called(tenant, &commitment.who).await? else { continue };
            list.extend(sent(collection, &commitment));
        }
    }
    list.sort_by(|a: &Sent, b: &Sent| (a.instant, &a.message_id).cmp(&(b.instant, &b.message_id)));
    Ok(list)
}

/// The last messages of some channels up to a day (of UTC), the newest first; days before `since` are
/// not looked at.
///
/// # Errors
/// [`CloudError`].
pub async fn latest(
    tenant: &TenantStore,
    channels: ChannelSet,
    (since, until): (NaiveDate, NaiveDate),
    most: usize,
) -> Result<Vec<Sent>, CloudError> {
    let (mut list, mut known): (Vec<Sent>, Known) = (Vec::new(), Known::default());
    let mut day = Some(until);
    while let Some(date) = day.filter(|date| *date >= since && list.len() < most) {
        let mut commitments = tenant.commitments(date).await?;
        commitments.reverse();
        for commitment in commitments {
            if list.len() >= most {
                break;
            }
            if !channels.contains(commitment.channel) {
                continue;
            }
            if let Some(collection) = known.called(tenant, &commitment.who).await? {
                list.extend(sent(collection, &commitment));
            }
        }
        day = date.pred_opt();
    }
    Ok(list)
}

/// Everything that left for one patient, in the order of time.
#[must_use]
pub fn sent_to(collection: &Collection) -> Vec<Sent> {
    let left = |message: &StoredMessage| left(collection, message, message.claimed_at?);
    let mut list: Vec<Sent> = collection.messages.iter().filter_map(left).collect();
    list.sort_by(|a, b| (a.instant, &a.message_id).cmp(&(b.instant, &b.message_id)));
    list
}

/// Patients read already, by their names in the records; nobody where the person was erased.
#[derive(Default)]
struct Known(HashMap<String, Option<Collection>>);

impl Known {
    async fn called(&mut self, tenant: &TenantStore, who: &str) -> Result<Option<&Collection>, CloudError> {
        if !self.0.contains_key(who) {
            let collection = match tenant.patient_called(who).await? {
                Some(patient) => tenant.collection(&patient).await?,
                None => None,
            };
            self.0.insert(who.to_owned(), collection);
        }
        Ok(self.0.get(who).and_then(Option::as_ref))
    }
}

fn sent(collection: &Collection, commitment: &Commitment) -> Option<Sent> {
    let alias = collection.patient.alias.as_ref()?;
    let message = collection.messages.iter().find(|message| alias.message(message.id) == commitment.message)?;
    (message.attempts == commitment.attempt).then(|| left(collection, message, commitment.at)).flatten()
}

fn left(collection: &Collection, message: &StoredMessage, at: DateTime<Utc>) -> Option<Sent> {
    if !matches!(message.delivery, Delivery::Accepted | Delivery::Unknown { .. } | Delivery::Undetermined) {
        return None;
    }
    let enrollment = collection.enrollments.iter().find(|stored| stored.enrollment.id == message.enrollment)?;
    let patient = &collection.patient.patient;
    let (channel, step, segment) = message.labels.clone();
    let local = at.with_timezone(&patient.profile.zone);
    // As on the day on which it left: a minor's message went to the guardian. One whose contact is gone
    // from the record has left all the same.
    let contact = patient.address(channel.parse::<Channel>().ok()?, local.date_naive());
    let (subject, text) = message.text.clone()?;
    Some(Sent {
        at: local.to_rfc3339_opts(SecondsFormat::Secs, false),
        patient_id: patient.id.to_string(),
        contact: contact.map(|contact| contact.shown().to_owned()).unwrap_or_default(),
        channel,
        segment,
        flow: enrollment.enrollment.flow.to_string(),
        step,
        campaign_id: enrollment.enrollment.campaign(),
        message_id: message.id.to_string(),
        text,
        subject,
        instant: at,
        enrollment: enrollment.enrollment.id.to_string(),
        delivery: message.delivery.clone(),
    })
}
