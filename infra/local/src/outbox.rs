//! Everything that was sent, as one list: read from the record of commitments, so that it is what
//! the system itself holds to be true.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::store::{Collection, TenantStore};
use retorno_domain::channel::Channel;
use retorno_domain::ids::PatientId;
use retorno_domain::message::Delivery;
use serde::Serialize;

/// One message or call task that left.
#[derive(Clone, Serialize)]
pub struct Sent {
    /// When it was committed, with the patient's offset (RFC 3339).
    pub at: String,
    /// To whom.
    pub patient_id: String,
    /// The phone (E.164) or e-mail address.
    pub contact: String,
    /// `whatsapp`, `email` or `call`.
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
    let mut known: HashMap<PatientId, Collection> = HashMap::new();
    let mut list = Vec::new();
    for day in from.iter_days().take_while(|day| *day <= until) {
        for commitment in tenant.commitments(day).await? {
            if !known.contains_key(&commitment.patient) {
                if let Some(collection) = tenant.collection(&commitment.patient).await? {
                    known.insert(commitment.patient.clone(), collection);
                }
            }
            let Some(collection) = known.get(&commitment.patient) else { continue };
            list.extend(sent(collection, &commitment));
        }
    }
    list.sort_by(|a: &Sent, b: &Sent| (a.instant, &a.message_id).cmp(&(b.instant, &b.message_id)));
    Ok(list)
}

fn sent(collection: &Collection, commitment: &retorno_cloud::store::Commitment) -> Option<Sent> {
    let message = collection.messages.iter().find(|message| message.id == commitment.message)?;
    let left = matches!(message.delivery, Delivery::Accepted | Delivery::Unknown { .. } | Delivery::Undetermined);
    if !left || message.attempts != commitment.attempt {
        return None;
    }
    let enrollment = collection.enrollments.iter().find(|stored| stored.enrollment.id == commitment.enrollment)?;
    let patient = &collection.patient.patient;
    let (channel, step, segment) = message.labels.clone();
    let contact = channel.parse::<Channel>().ok().and_then(|channel| patient.address(channel))?;
    let (subject, text) = message.text.clone()?;
    let local = commitment.at.with_timezone(&patient.profile.zone);
    Some(Sent {
        at: local.to_rfc3339_opts(SecondsFormat::Secs, false),
        patient_id: patient.id.to_string(),
        contact: contact.as_str().to_owned(),
        channel,
        segment,
        flow: enrollment.enrollment.flow.to_string(),
        step,
        campaign_id: enrollment.enrollment.campaign(),
        message_id: message.id.to_string(),
        text,
        subject,
        instant: commitment.at,
        enrollment: enrollment.enrollment.id.to_string(),
        delivery: message.delivery.clone(),
    })
}
