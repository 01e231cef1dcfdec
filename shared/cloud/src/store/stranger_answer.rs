//! What staff answers somebody who is not on record: claimed before it is said and never claimed
//! twice, like every message. It has no patient, and nothing of it is tried again by itself.

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use chrono::{DateTime, Utc};
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::contact::E164;
use retorno_domain::ids::MessageId;
use retorno_domain::message::{Delivery, Outcome, UNKNOWN_AFTER};

use super::TenantStore;
use super::answer::{ORDER_LOST_AFTER, SaidText};
use super::audit::stranger_audit_item;
use super::commit::{cancelled, put, update};
use super::contact_point::not_suppressed;
use super::enrollment::wrap;
use super::item::{Item, Reader, ms, n, s};
use super::key::{Keys, STRANGER_ANSWER_SK};
use super::message::{delivery_of, listed};
use super::receipt::Told;
use super::stranger::STRANGERS_KEPT;
use crate::error::{CloudError, sort};

/// The only claim there is of each.
const ATTEMPT: u32 = 1;

/// An answer to be said.
#[derive(Debug, Clone)]
pub struct NewStrangerAnswer {
    /// Its id, by the event that asked for it.
    pub id: MessageId,
    /// To whom; [`TenantStore::stranger_of`].
    pub who: String,
    /// The phone.
    pub to: E164,
    /// Staff's words.
    pub words: SaidText,
    /// When they were written.
    pub at: DateTime<Utc>,
    /// After this they are not said any more.
    pub not_after: DateTime<Utc>,
}

/// An answer as stored.
#[derive(Debug, Clone)]
pub struct StrangerAnswer {
    /// Its id.
    pub id: MessageId,
    /// To whom.
    pub who: String,
    /// The phone.
    pub to: E164,
    /// Staff's words.
    pub words: SaidText,
    /// When they were written.
    pub at: DateTime<Utc>,
    /// After this they are not said any more.
    pub not_after: DateTime<Utc>,
    /// Where it stands.
    pub delivery: Delivery,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When the provider said that it could not be delivered.
    pub failed_at: Option<DateTime<Utc>>,
}

/// What a claim rests on.
#[derive(Debug, Clone, Copy)]
pub struct StrangerClaim<'a> {
    /// The answer as read.
    pub answer: &'a StrangerAnswer,
    /// The hashes of the contact point, one for each spelling of the number.
    pub contacts: &'a [String],
    /// Now.
    pub now: DateTime<Utc>,
}

impl StrangerAnswer {
    pub(super) fn of(item: &Item) -> Result<Self, CloudError> {
        let reader = Reader { kind: "answer to a stranger", item };
        Ok(Self {
            id: reader.parse("sk", |sk| MessageId::parse(sk.strip_prefix(STRANGER_ANSWER_SK)?))?,
            who: reader.text("who")?.to_owned(),
            to: reader.parse("to", |text| E164::parse_strict(text).ok())?,
            words: SaidText(reader.text("words")?.to_owned()),
            at: reader.instant("at")?,
            not_after: reader.instant("not_after")?,
            delivery: delivery_of(&reader)?,
            delivered_at: reader.instant_opt("delivered_at")?.or(reader.instant_opt("read_at")?),
            failed_at: reader.instant_opt("failed_at")?,
        })
    }

    /// Whether the person has it, or may have it.
    #[must_use]
    pub fn is_said(&self) -> bool {
        let told = matches!(
            self.delivery,
            Delivery::InFlight { .. } | Delivery::Accepted | Delivery::Unknown { .. } | Delivery::Undetermined
        );
        told && self.failed_at.is_none()
    }
}

impl TenantStore {
    /// Keeps an answer to be said; says whether it is new.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn put_stranger_answer(&self, answer: &NewStrangerAnswer) -> Result<bool, CloudError> {
        let keys = Keys(&self.clinic);
        let mut item = keys.stranger_answer(answer.id).item();
        let fields = [
            ("st", s("ready")),
            ("att", n(0)),
            ("who", s(answer.who.clone())),
            ("to", s(answer.to.as_str())),
            ("words", s(answer.words.0.clone())),
            ("at", ms(answer.at)),
            ("not_after", ms(answer.not_after)),
            ("g1pk", s(keys.open_answers_pk())),
            ("g1sk", s(listed(answer.at + ORDER_LOST_AFTER))),
            ("ttl", n((answer.at + STRANGERS_KEPT).timestamp())),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("PutItem answer to a stranger", &e)),
        }
    }

    /// One answer, strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn stranger_answer(&self, id: MessageId) -> Result<Option<StrangerAnswer>, CloudError> {
        let item = self.get("GetItem answer to a stranger", Keys(&self.clinic).stranger_answer(id).item()).await?;
        item.as_ref().map(StrangerAnswer::of).transpose()
    }

    /// Claims an answer for saying; says whether it did. It does not when it was claimed before, or
    /// when somebody wants nothing at all at the contact point.
    ///
    /// # Errors
    /// [`CloudError`]; nothing was written.
    pub async fn claim_stranger_answer(&self, claim: &StrangerClaim<'_>) -> Result<bool, CloudError> {
        const OPERATION: &str = "TransactWriteItems answer to a stranger";
        let keys = Keys(&self.clinic);
        let (alias, key) = self.new_alias(&[b"stranger", claim.answer.id.to_string().as_bytes()])?;
        let mut writes = vec![
            wrap(
                update(self, &keys.stranger_answer(claim.answer.id))
                    // The record's key stands here and goes with the answer: afterwards it leads to nobody.
                    .update_expression("SET st = :flying, att = :att, claimed = :now, g1sk = :until, #key = :key")
                    .expression_attribute_names("#key", "key")
                    .expression_attribute_values(":key", key)
                    .condition_expression("st = :ready AND att = :none")
                    .expression_attribute_values(":flying", s("in_flight"))
                    .expression_attribute_values(":ready", s("ready"))
                    .expression_attribute_values(":att", n(ATTEMPT))
                    .expression_attribute_values(":none", n(0))
                    .expression_attribute_values(":now", ms(claim.now))
                    .expression_attribute_values(":until", s(listed(claim.now + UNKNOWN_AFTER))),
            )?,
            put(self, stranger_audit_item(&keys, &alias, claim, ATTEMPT), "attribute_not_exists(pk)")?,
        ];
        let only: ChannelSet = [Channel::Whatsapp].into_iter().collect();
        for hash in claim.contacts {
            let check = ConditionCheck::builder()
                .table_name(self.table())
                .set_key(Some(keys.contact_point(hash).item()))
                .condition_expression(not_suppressed(only, Purpose::Care))
                .build();
            let check = check.map_err(|_| CloudError::Permanent { operation: OPERATION, code: "check".to_owned() })?;
            writes.push(TransactWriteItem::builder().condition_check(check).build());
        }
        match self.client().transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(e) => match e.as_service_error().and_then(cancelled) {
                Some(reasons) if reasons.iter().any(|reason| reason == "ConditionalCheckFailed") => Ok(false),
                Some(_) => Err(CloudError::Retryable { operation: OPERATION, code: "conflict".to_owned() }),
                None => Err(sort(OPERATION, &e)),
            },
        }
    }

    /// Records what became of a claimed answer. What was proven not sent failed: staff sees it, and
    /// writes again.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn record_stranger_answer(&self, id: MessageId, outcome: &Outcome) -> Result<(), CloudError> {
        let (next, code) = match outcome {
            Outcome::Accepted { .. } => ("accepted", None),
            Outcome::NotSent { code, .. } | Outcome::Refused { code, .. } => ("failed", Some(code.as_str())),
            Outcome::Ambiguous { code } => ("unknown", Some(code.as_str())),
        };
        self.move_stranger_answer(id, "in_flight", next, code).await
    }

    /// Gives up an answer that has not been said, for a reason.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn drop_stranger_answer(&self, id: MessageId, reason: &str) -> Result<(), CloudError> {
        self.move_stranger_answer(id, "ready", "dropped", Some(reason)).await
    }

    /// An answer in flight for too long: nobody knows, and it is not said again.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn age_stranger_answer(&self, id: MessageId) -> Result<(), CloudError> {
        self.move_stranger_answer(id, "in_flight", "unknown", None).await
    }

    /// Takes in a receipt of an answer to a stranger, if the id is of one. Harmless to repeat, in any
    /// order.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn take_stranger_receipt(
        &self,
        id: MessageId,
        told: Told,
        at: DateTime<Utc>,
        code: Option<&str>,
    ) -> Result<bool, CloudError> {
        let Some(stored) = self.stranger_answer(id).await? else { return Ok(false) };
        let name = told.attribute();
        let mut set = format!("SET {name} = :at");
        let call = self.client().update_item().table_name(self.table());
        let mut call = call
            .set_key(Some(Keys(&self.clinic).stranger_answer(id).item()))
            .condition_expression(format!("attribute_exists(pk) AND (attribute_not_exists({name}) OR {name} > :at)"))
            .expression_attribute_values(":at", ms(at));
        if let Some(code) = code {
            set.push_str(", code = :code");
            call = call.expression_attribute_values(":code", s(code));
        }
        match call.update_expression(set).send().await {
            Ok(_) => {}
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
            Err(e) => return Err(sort("UpdateItem receipt of an answer to a stranger", &e)),
        }
        // Any word of the provider's proves what became of one whose fate was not known.
        let next = if told == Told::Failed { "failed" } else { "accepted" };
        match stored.delivery {
            Delivery::InFlight { .. } | Delivery::Unknown { .. } => {
                self.move_stranger_answer(id, stored.delivery.code(), next, None).await?;
            }
            Delivery::Accepted if told == Told::Failed => {
                self.move_stranger_answer(id, "accepted", next, None).await?;
            }
            Delivery::Ready { .. }
            | Delivery::Accepted
            | Delivery::Failed(_)
            | Delivery::Undetermined
            | Delivery::Dropped(_) => {}
        }
        Ok(true)
    }

    async fn move_stranger_answer(
        &self,
        id: MessageId,
        from: &str,
        to: &str,
        code: Option<&str>,
    ) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let mut set = "SET st = :to".to_owned();
        let mut call = call
            .set_key(Some(Keys(&self.clinic).stranger_answer(id).item()))
            .condition_expression("st = :from")
            .expression_attribute_values(":from", s(from))
            .expression_attribute_values(":to", s(to));
        if let Some(code) = code {
            set.push_str(", code = :code");
            call = call.expression_attribute_values(":code", s(code));
        }
        match call.update_expression(format!("{set} REMOVE g1pk, g1sk")).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem answer to a stranger", &e)),
        }
    }
}
