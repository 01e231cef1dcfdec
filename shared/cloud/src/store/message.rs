//! Messages: one item each in the patient's collection. Open ones (claimed, or of unknown fate) are
//! also listed in a sparse index, so that the sweep finds what a crash left behind.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::channel::Purpose;
use retorno_domain::ids::{EnrollmentId, MessageId, PatientId};
use retorno_domain::message::{Delivery, EVIDENCE_LASTS, Outcome, UNKNOWN_AFTER};

use super::TenantStore;
use super::commit::{Claim, Claimed};
use super::item::{Item, Reader, ms, n, s};
use super::key::{Keys, patient_of_pk};
use crate::error::{CloudError, sort};

/// A retry that has not happened so long after its time has lost its wake-up.
pub(super) const RETRY_LOST_AFTER: TimeDelta = TimeDelta::minutes(15);

/// A message as stored.
#[derive(Clone)]
pub struct StoredMessage {
    /// Its id.
    pub id: MessageId,
    /// Of which enrollment.
    pub enrollment: EnrollmentId,
    /// Where it stands.
    pub delivery: Delivery,
    /// How often it was claimed.
    pub attempts: u32,
    /// Channel, step and segment, as stored.
    pub labels: (String, String, String),
    /// What it was for.
    pub purpose: Option<Purpose>,
    /// The hash of the contact point that it went to.
    pub contact: Option<String>,
    /// When it was last claimed.
    pub claimed_at: Option<DateTime<Utc>>,
    /// The text that was sent, and the subject of an e-mail.
    pub text: Option<(Option<String>, String)>,
    /// The slots it offers, by reference, in the order of their numbers.
    pub slots: Vec<String>,
    /// The provider's id of it.
    pub provider_id: Option<String>,
    /// What receipts told of it.
    pub receipts: Receipts,
}

/// What receipts told of a message: the first instant of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipts {
    /// Handed over to the network.
    pub sent: Option<DateTime<Utc>>,
    /// Arrived.
    pub delivered: Option<DateTime<Utc>>,
    /// Read, as far as the provider tells.
    pub read: Option<DateTime<Utc>>,
    /// Could not be delivered.
    pub failed: Option<DateTime<Utc>>,
    /// A link of it was opened.
    pub clicked: Option<DateTime<Utc>>,
}

pub(super) fn receipts_of(reader: &Reader<'_>) -> Result<Receipts, CloudError> {
    Ok(Receipts {
        sent: reader.instant_opt("sent_at")?,
        delivered: reader.instant_opt("delivered_at")?,
        read: reader.instant_opt("read_at")?,
        failed: reader.instant_opt("failed_at")?,
        clicked: reader.instant_opt("clicked_at")?,
    })
}

impl std::fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredMessage").field("id", &self.id).field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

/// A message that a crash or a lost answer left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueMessage {
    /// Whose.
    pub patient: PatientId,
    /// Which.
    pub message: MessageId,
    /// Where it stands.
    pub delivery: Delivery,
    /// Of which enrollment.
    pub enrollment: EnrollmentId,
    /// The number of its step.
    pub step: usize,
}

impl StoredMessage {
    pub(super) fn of(item: &Item, _patient: &PatientId) -> Result<Self, CloudError> {
        let reader = Reader { kind: "message", item };
        let label = |name| reader.text_opt(name).unwrap_or("").to_owned();
        let text = reader.text_opt("text").map(|text| (reader.text_opt("subject").map(str::to_owned), text.to_owned()));
        Ok(Self {
            id: reader.parse("sk", |sk| MessageId::parse(sk.strip_prefix("M#")?))?,
            enrollment: reader.parse("enr", EnrollmentId::parse)?,
            delivery: delivery_of(&reader)?,
            attempts: reader.number_opt("att")?.unwrap_or(0),
            labels: (label("channel"), label("step"), label("segment")),
            purpose: reader.text_opt("purpose").and_then(|code| code.parse().ok()),
            contact: reader.text_opt("cp").map(str::to_owned),
            claimed_at: reader.instant_opt("claimed")?,
            text,
            slots: reader.text_opt("slots").unwrap_or("").lines().map(str::to_owned).collect(),
            provider_id: reader.text_opt("prov_id").map(str::to_owned),
            receipts: receipts_of(&reader)?,
        })
    }
}

/// The provider's code of an outcome that has one.
pub(super) fn outcome_code(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { .. } => String::new(),
        Outcome::NotSent { code, .. } | Outcome::Refused { code, .. } | Outcome::Ambiguous { code } => code.clone(),
    }
}

/// From when on a message that is to be tried again has lost its wake-up.
pub(super) fn retry_lost_at(claimed: Claimed, outcome: &Outcome) -> Option<DateTime<Utc>> {
    match outcome {
        Outcome::NotSent { again_in, .. } => Some(claimed.at + *again_in + RETRY_LOST_AFTER),
        Outcome::Accepted { .. } | Outcome::Refused { .. } | Outcome::Ambiguous { .. } => None,
    }
}

pub(super) fn delivery_of(reader: &Reader<'_>) -> Result<Delivery, CloudError> {
    let code = || reader.text_opt("code").unwrap_or("").to_owned();
    Ok(match reader.text("st")? {
        "ready" => Delivery::Ready { attempts: reader.number("att")? },
        "in_flight" => Delivery::InFlight { attempt: reader.number("att")?, claimed_at: reader.instant("claimed")? },
        "accepted" => Delivery::Accepted,
        "failed" => Delivery::Failed(code()),
        "unknown" => Delivery::Unknown { claimed_at: reader.instant("claimed")? },
        "undetermined" => Delivery::Undetermined,
        "dropped" => Delivery::Dropped(code()),
        _ => return Err(reader.corrupt("st")),
    })
}

/// The sort key under which an open message is listed: fifteen digits of milliseconds sort as text.
pub(super) fn listed(until: DateTime<Utc>) -> String {
    format!("{:015}", until.timestamp_millis())
}

/// The item of a message as it is claimed.
pub(super) fn claimed_item(keys: &Keys<'_>, claim: &Claim<'_>) -> Item {
    let intent = claim.message.intent();
    let rendered = claim.message.rendered();
    let mut item = keys.message(&claim.patient.patient.id, intent.message).item();
    let fields = [
        ("st", s("in_flight")),
        ("att", n(claim.attempt)),
        ("claimed", ms(claim.now)),
        ("enr", s(claim.next.id.to_string())),
        ("channel", s(intent.channel.code())),
        ("purpose", s(intent.purpose.code())),
        ("step", s(intent.step_id.as_str())),
        ("step_n", n(intent.step)),
        ("segment", s(claim.next.segment.as_str())),
        ("campaign", s(claim.next.campaign())),
        ("tmpl", s(claim.template.0)),
        ("tmpl_v", n(claim.template.1)),
        ("cp", s(claim.contact)),
        ("text", s(rendered.text.clone())),
        ("g3pk", s(keys.message_pk(intent.message))),
        ("g3sk", s("MESSAGE")),
        ("g1pk", s(keys.open_messages_pk())),
        ("g1sk", s(listed(claim.now + UNKNOWN_AFTER))),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    if !claim.slots.is_empty() {
        item.insert("slots".to_owned(), s(claim.slots.join("\n")));
    }
    if let Some(subject) = &rendered.subject {
        item.insert("subject".to_owned(), s(subject.clone()));
    }
    item
}

impl TenantStore {
    /// Records what became of a claimed message. Only the attempt that was claimed may be recorded,
    /// and evidence that came first (a receipt) stands: then nothing is written.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn record_outcome(
        &self,
        patient: &PatientId,
        message: MessageId,
        claimed: Claimed,
        outcome: &Outcome,
    ) -> Result<(), CloudError> {
        let delivery = outcome.delivery(claimed.attempt, claimed.at);
        let keys = Keys(&self.clinic);
        let mut set = "SET st = :st".to_owned();
        let call = self.client().update_item().table_name(self.table());
        let mut call = call
            .set_key(Some(keys.message(patient, message).item()))
            .condition_expression("st IN (:flying, :unknown) AND att = :att")
            .expression_attribute_values(":st", s(delivery.code()))
            .expression_attribute_values(":flying", s("in_flight"))
            .expression_attribute_values(":unknown", s("unknown"))
            .expression_attribute_values(":att", n(claimed.attempt));
        if let Outcome::Accepted { provider_id } = outcome {
            set.push_str(", prov_id = :id");
            call = call.expression_attribute_values(":id", s(provider_id.clone()));
        }
        if let Outcome::NotSent { code, .. } | Outcome::Refused { code, .. } | Outcome::Ambiguous { code } = outcome {
            set.push_str(", code = :code");
            call = call.expression_attribute_values(":code", s(code.clone()));
        }
        // What is open stays listed, so that the sweep finds it: an unknown fate until evidence comes
        // or its time is over, one to be tried again in case its wake-up is lost.
        let listed_until = match (&delivery, outcome) {
            (Delivery::Unknown { claimed_at }, _) => Some(*claimed_at + EVIDENCE_LASTS),
            (Delivery::Ready { .. }, _) => retry_lost_at(claimed, outcome),
            _ => None,
        };
        let gone = if listed_until.is_some() { ", g1sk = :listed" } else { " REMOVE g1pk, g1sk" };
        if let Some(until) = listed_until {
            call = call.expression_attribute_values(":listed", s(listed(until)));
        }
        match call.update_expression(format!("{set}{gone}")).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem outcome", &e)),
        }
    }

    /// Messages whose claim or whose wait for evidence is over by an instant.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn overdue_messages(&self, now: DateTime<Utc>) -> Result<Vec<OverdueMessage>, CloudError> {
        let bound = Some(("g1sk <= :sk", listed(now)));
        let mut found = Vec::new();
        for item in self.query_index("g1", Keys(&self.clinic).open_messages_pk(), bound, None).await? {
            let reader = Reader { kind: "open message", item: &item };
            let patient = reader.parse("pk", patient_of_pk)?;
            let message = reader.parse("sk", |sk| MessageId::parse(sk.strip_prefix("M#")?))?;
            let enrollment = reader.parse("enr", EnrollmentId::parse)?;
            let step = reader.number("step_n")?;
            found.push(OverdueMessage { patient, message, delivery: delivery_of(&reader)?, enrollment, step });
        }
        Ok(found)
    }

    /// Moves an open message on as time demands, if it still stands as read.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn age_message(&self, open: &OverdueMessage, next: &Delivery) -> Result<(), CloudError> {
        let keys = Keys(&self.clinic);
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(keys.message(&open.patient, open.message).item()))
            .condition_expression("st = :was")
            .expression_attribute_values(":was", s(open.delivery.code()))
            .expression_attribute_values(":st", s(next.code()));
        let call = match next {
            Delivery::Unknown { claimed_at } => call
                .update_expression("SET st = :st, g1sk = :until")
                .expression_attribute_values(":until", s(listed(*claimed_at + EVIDENCE_LASTS))),
            Delivery::Ready { .. }
            | Delivery::InFlight { .. }
            | Delivery::Accepted
            | Delivery::Failed(_)
            | Delivery::Undetermined
            | Delivery::Dropped(_) => call.update_expression("SET st = :st REMOVE g1pk, g1sk"),
        };
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem age", &e)),
        }
    }
}
