//! The commit-to-send: one transaction before the provider is called. It claims the message and, in
//! the same breath, proves that everything the decision rested on still stands — the enrollment and
//! the patient unchanged, nobody opted out at the contact point, a place free under both caps and in
//! the number's daily tier. Whatever happens afterwards, a claimed message is never claimed again
//! unless it is proven that it was not sent.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use retorno_domain::enrollment::Enrollment;
use retorno_domain::limits::FreePlace;
use retorno_domain::message::ClearedMessage;
use retorno_domain::patient::Patient;

use super::audit::audit_item;
use super::contact_point::{NOT_WRONG, not_suppressed};
use super::enrollment::{Dropped, StoredEnrollment, advance, put_item};
use super::item::{Item, ms, n, s};
use super::key::{Key, Keys};
use super::message::claimed_item;
use super::patient::day_count;
use super::{StoredPatient, TenantStore};
use crate::error::{CloudError, sort};

/// Everything a claim rests on.
#[derive(Debug)]
pub struct Claim<'a> {
    /// The message.
    pub message: &'a ClearedMessage,
    /// The enrollment as read, and as it stands once the message is claimed.
    pub from: &'a StoredEnrollment,
    /// The enrollment afterwards.
    pub next: &'a Enrollment,
    /// Why, in one line.
    pub because: &'a str,
    /// The patient as read.
    pub patient: &'a StoredPatient,
    /// The hash of the contact point.
    pub contact: &'a str,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The WhatsApp number and the place taken in its daily tier.
    pub tier: Option<(&'a str, u32)>,
    /// The slots that the text offers, by reference.
    pub slots: &'a [String],
    /// Steps left out on the way to this one.
    pub drops: &'a [Dropped<'a>],
    /// The table's epoch by the settings; the enrollment must be of it.
    pub epoch: u64,
    /// Template name and version, for the record.
    pub template: (&'a str, u32),
    /// The instant of the claim.
    pub now: DateTime<Utc>,
}

/// A claim that stands.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    /// When.
    pub at: DateTime<Utc>,
    /// Which attempt.
    pub attempt: u32,
}

/// Why a claim does not stand. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ClaimRefused {
    /// Somebody claimed the message before, or it is over.
    #[error("the message is claimed already")]
    AlreadyClaimed,
    /// The number's daily tier has no such place any more.
    #[error("the place in the number's tier is taken")]
    TierTaken,
    /// The enrollment, the patient or the contact point changed: read again and decide again.
    #[error("something changed meanwhile")]
    Changed,
    /// The table could not be reached.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

pub(super) fn update(tenant: &TenantStore, key: &Key) -> UpdateBuilder {
    Update::builder().table_name(tenant.table()).set_key(Some(key.item()))
}

pub(super) fn put(tenant: &TenantStore, item: Item, condition: &str) -> Result<TransactWriteItem, CloudError> {
    let put = Put::builder().table_name(tenant.table()).set_item(Some(item)).condition_expression(condition);
    Ok(TransactWriteItem::builder().put(put_item(put)?).build())
}

pub(super) fn cancelled(error: &TransactWriteItemsError) -> Option<Vec<String>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return None };
    Some(cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None").to_owned()).collect())
}

pub(super) fn is_cancelled(error: &TransactWriteItemsError) -> bool {
    cancelled(error).is_some()
}

fn built(builder: UpdateBuilder) -> Result<TransactWriteItem, CloudError> {
    let update = builder.build();
    let update =
        update.map_err(|_| CloudError::Permanent { operation: "TransactWriteItems", code: "update".to_owned() })?;
    Ok(TransactWriteItem::builder().update(update).build())
}

impl TenantStore {
    /// Claims a message for sending. Items, in order: message, enrollment, patient, contact point,
    /// audit record, and for WhatsApp the place in the number's tier; a call's task and the name in the
    /// records of somebody who has none yet are one more each.
    ///
    /// # Errors
    /// [`ClaimRefused`]; in every case nothing was written.
    pub async fn claim(&self, claim: &Claim<'_>) -> Result<Claimed, ClaimRefused> {
        const OPERATION: &str = "TransactWriteItems claim";
        let keys = Keys(&self.clinic);
        let intent = claim.message.intent();
        // Absent, or proven not sent in the attempt before.
        let unclaimed = if claim.attempt == 1 { "attribute_not_exists(pk)" } else { "st = :ready AND att = :before" };
        let mut message_item = claimed_item(&keys, claim);
        message_item.insert("ttl".to_owned(), self.ttl_of(claim.now));
        let message =
            Put::builder().table_name(self.table()).set_item(Some(message_item)).condition_expression(unclaimed);
        let message = if claim.attempt == 1 {
            message
        } else {
            message
                .expression_attribute_values(":ready", s("ready"))
                .expression_attribute_values(":before", n(claim.attempt - 1))
        };
        let (alias, new_alias) = self.alias_for(&claim.patient.patient.id, claim.patient.alias.as_ref())?;
        let audit = put(self, audit_item(&keys, &alias, claim), "attribute_not_exists(pk)")?;
        let mut writes = vec![
            TransactWriteItem::builder().put(put_item(message)?).build(),
            TransactWriteItem::builder().update(self.enrollment_part(claim)?).build(),
            built(self.patient_part(&keys, claim))?,
            built(self.contact_part(&keys, claim))?,
            audit,
        ];
        if let Some((number, place)) = claim.tier {
            writes.push(built(self.tier_part(&keys.tier(number, place), claim.now))?);
        }
        if intent.channel == Channel::Call {
            writes.push(put(self, call_item(&keys, claim), "attribute_not_exists(pk)")?);
        }
        writes.extend(self.drop_writes(claim.next, claim.drops, claim.now)?);
        writes.extend(new_alias);
        let call = self.client().transact_write_items().set_transact_items(Some(writes));
        // The SDK gives each call a token of its own and repeats it when it tries again: a lost answer
        // is not a lost claim. A token made of the message would let two claims of one instant pass as one.
        match call.send().await {
            Ok(_) => Ok(Claimed { at: claim.now, attempt: claim.attempt }),
            Err(e) => Err(e
                .as_service_error()
                .and_then(cancelled)
                .map_or_else(|| sort(OPERATION, &e).into(), |r| refusal(&r, claim.tier.is_some()))),
        }
    }

    /// The enrollment unchanged since it was read, and of the table's present epoch.
    fn enrollment_part(&self, claim: &Claim<'_>) -> Result<Update, CloudError> {
        let mut part = advance(self, claim.from, claim.next, claim.because)?;
        part.condition_expression =
            part.condition_expression.map(|condition| format!("{condition} AND epoch = :epoch"));
        part.expression_attribute_values
            .get_or_insert_with(Default::default)
            .insert(":epoch".to_owned(), n(claim.epoch));
        Ok(part)
    }

    fn patient_part(&self, keys: &Keys<'_>, claim: &Claim<'_>) -> UpdateBuilder {
        let patient: &Patient = &claim.patient.patient;
        let count = day_count(&patient.history, claim.now, patient.profile.zone);
        let builder = update(self, &keys.patient(&patient.id))
            .condition_expression("ver = :ver AND seq = :e")
            .expression_attribute_values(":ver", n(claim.patient.version))
            .expression_attribute_values(":e", s(claim.next.id.to_string()))
            .expression_attribute_values(":now", ms(claim.now))
            .expression_attribute_values(":count", n(count))
            .expression_attribute_values(":one", n(1));
        let set = "last_at = :now, last_n = :count";
        ledger_part(builder, set, claim.message.intent().places.map(|(_, person)| person))
    }

    fn contact_part(&self, keys: &Keys<'_>, claim: &Claim<'_>) -> UpdateBuilder {
        let intent = claim.message.intent();
        let open = not_suppressed([intent.channel].into_iter().collect(), intent.purpose);
        let mut condition = format!("{open} AND {NOT_WRONG}");
        let mut builder = update(self, &keys.contact_point(claim.contact))
            .expression_attribute_values(":now", ms(claim.now))
            .expression_attribute_values(":one", n(1));
        if let Some((place, _)) = intent.places {
            let stamp = format!("wa{}", place.place);
            condition.push_str(" AND (attribute_not_exists(rest) OR rest <= :now) AND ");
            match place.previous {
                Some(previous) => {
                    condition.push_str(&format!("{stamp} = :prev"));
                    builder = builder.expression_attribute_values(":prev", ms(previous));
                }
                None => condition.push_str(&format!("attribute_not_exists({stamp})")),
            }
        }
        let builder = builder.condition_expression(condition);
        ledger_part(builder, "last_at = :now", intent.places.map(|(contact, _)| contact))
    }

    fn tier_part(&self, key: &Key, now: DateTime<Utc>) -> UpdateBuilder {
        update(self, key)
            .update_expression("SET used_at = :now")
            .condition_expression("attribute_not_exists(used_at) OR used_at <= :cut")
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":cut", ms(now - super::wave::TIER_WINDOW))
    }
}

/// Stamps a ledger's place, and begins the rest that the sending brings.
fn ledger_part(builder: UpdateBuilder, set: &str, place: Option<FreePlace>) -> UpdateBuilder {
    let mut set = set.to_owned();
    let mut builder = builder;
    if let Some(place) = place {
        set.push_str(&format!(", wa{} = :now", place.place));
        if let Some(rest) = place.rest_until {
            set.push_str(", rest = :rest");
            builder = builder.expression_attribute_values(":rest", ms(rest));
        }
    }
    builder.update_expression(format!("SET {set} ADD ver :one"))
}

impl TenantStore {
    /// Puts a patient on the list of those to call, on top: they opened the link. Once per sequence.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn call_soon(&self, enrollment: &Enrollment, now: DateTime<Utc>) -> Result<(), CloudError> {
        let event = format!("call-soon#{}", enrollment.id);
        let id = retorno_domain::ids::MessageId::answering(&self.clinic, &enrollment.patient, &event);
        let mut item = Keys(&self.clinic).call(id).item();
        let fields = [
            ("patient", s(enrollment.patient.as_str())),
            ("enr", s(enrollment.id.to_string())),
            ("segment", s(enrollment.segment.as_str())),
            ("at", ms(now)),
            ("st", s("open")),
            ("why", s("high_intent")),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        // There already, or the person was erased since: either way there is nothing to do.
        let task = put(self, item, "attribute_not_exists(pk)")?;
        self.finish(vec![task, self.is_there(&enrollment.patient)?]).await.map(|_| ())
    }
}

fn call_item(keys: &Keys<'_>, claim: &Claim<'_>) -> Item {
    let mut item = keys.call(claim.message.intent().message).item();
    let fields = [
        ("patient", s(claim.patient.patient.id.as_str())),
        ("enr", s(claim.next.id.to_string())),
        ("segment", s(claim.next.segment.as_str())),
        ("at", ms(claim.now)),
        ("st", s("open")),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    item
}

fn refusal(reasons: &[String], has_tier: bool) -> ClaimRefused {
    let failed = |at: usize| reasons.get(at).is_some_and(|reason| reason == "ConditionalCheckFailed");
    if failed(0) {
        ClaimRefused::AlreadyClaimed
    } else if (1..4).any(failed) {
        ClaimRefused::Changed
    } else if has_tier && failed(5) {
        ClaimRefused::TierTaken
    } else if failed(4) {
        ClaimRefused::AlreadyClaimed
    } else if reasons.iter().any(|reason| reason == "ConditionalCheckFailed") {
        ClaimRefused::Changed
    } else {
        let code = reasons.iter().find(|reason| *reason != "None").cloned().unwrap_or_else(|| "cancelled".to_owned());
        CloudError::Retryable { operation: "TransactWriteItems claim", code }.into()
    }
}
