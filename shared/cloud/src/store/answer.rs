//! Answers: what is to be said to a patient in return, one item each in the patient's collection.
//! Claimed before it is said and never claimed twice, like every message; what happens after the
//! claim is told by receipts, or not at all.

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::contact_point::ContactPoint;
use retorno_domain::conversation::Say;
use retorno_domain::ids::{AppointmentId, MessageId, PatientId};
use retorno_domain::message::{Delivery, Outcome, UNKNOWN_AFTER};

use super::TenantStore;
use super::alias::Alias;
use super::audit::answer_audit_item;
use super::commit::{cancelled, put, update};
use super::contact_point::{NOT_WRONG, not_closed, not_suppressed};
use super::enrollment::wrap;
use super::item::{Item, Reader, ms, n, s};
use super::key::{Keys, patient_of_pk};
use super::message::{Receipts, delivery_of, listed, receipts_of};
use crate::error::{CloudError, sort};

/// An answer not taken up so long after it was asked for has lost its order.
pub(super) const ORDER_LOST_AFTER: TimeDelta = TimeDelta::minutes(2);

const CLAIM: &str = "TransactWriteItems answer";

/// An answer to be said.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// Its id; of the event that it answers.
    pub id: MessageId,
    /// What is said; staff's own words have none.
    pub say: Option<Say>,
    /// Staff's own words.
    pub words: Option<String>,
    /// By which channel.
    pub channel: Channel,
    /// The slots offered, by reference, in the order of their numbers.
    pub slots: Vec<String>,
    /// The visit it is about: its start and number.
    pub visit: Option<(DateTime<Utc>, AppointmentId)>,
    /// The provider's id of the message that it answers.
    pub answers: Option<String>,
    /// Whether the patient just wrote or pressed something. Otherwise contact hours and consent count.
    pub asked_for: bool,
    /// Whether contact hours count all the same: what the patient wrote was brought to us late.
    pub in_hours: bool,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// After this it is not said any more.
    pub not_after: DateTime<Utc>,
}

impl NewAnswer {
    /// What it is for where we begin it ourselves. Whoever has just written is answered, unless they want
    /// nothing at all.
    #[must_use]
    pub fn purpose(&self) -> Option<Purpose> {
        (!self.asked_for).then_some(Purpose::Marketing)
    }

    /// Whether an opt-out at the contact point forbids it.
    #[must_use]
    pub fn is_barred_at(&self, point: &ContactPoint) -> bool {
        match self.purpose() {
            Some(purpose) => point.is_suppressed(self.channel, purpose),
            None => point.is_closed(self.channel),
        }
    }
}

impl std::fmt::Debug for NewAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAnswer").field("id", &self.id).field("say", &self.say).finish_non_exhaustive()
    }
}

/// An answer as stored.
#[derive(Debug, Clone)]
pub struct StoredAnswer {
    /// What is said.
    pub answer: NewAnswer,
    /// Where it stands.
    pub delivery: Delivery,
    /// The hash of the contact point that it went to.
    pub contact: Option<String>,
    /// Claims so far.
    pub attempts: u32,
    /// What receipts told.
    pub receipts: Receipts,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// The text as it was said.
    pub text: Option<SaidText>,
}

/// A text as it was said.
#[derive(Clone, PartialEq, Eq)]
pub struct SaidText(pub String);

impl std::fmt::Debug for SaidText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SaidText({} characters)", self.0.chars().count())
    }
}

/// What a claim of an answer rests on.
#[derive(Debug, Clone, Copy)]
pub struct AnswerClaim<'a> {
    /// Whose.
    pub patient: &'a PatientId,
    /// The patient's name in the audit records, where there is one.
    pub alias: Option<&'a Alias>,
    /// The answer as read.
    pub stored: &'a StoredAnswer,
    /// The hash of the contact point.
    pub contact: &'a str,
    /// Whether it may be said although somebody opted out there.
    pub despite_opt_out: bool,
    /// The text.
    pub text: &'a str,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Who is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnsweredOf {
    /// A patient.
    Patient(PatientId),
    /// Somebody who is not on record.
    Stranger,
}

/// An answer that a crash or a lost order left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueAnswer {
    /// Whose.
    pub of: AnsweredOf,
    /// Which.
    pub id: MessageId,
    /// Where it stands.
    pub delivery: Delivery,
}

pub(super) fn answer_item(keys: &Keys<'_>, patient: &PatientId, answer: &NewAnswer) -> Item {
    let mut item = keys.answer(patient, answer.id).item();
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("st", s("ready"));
    put("att", n(0));
    put("channel", s(answer.channel.code()));
    if let Some(say) = answer.say {
        put("say", s(say.code()));
    }
    if let Some(words) = &answer.words {
        put("words", s(words.clone()));
    }
    if !answer.slots.is_empty() {
        put("slots", s(answer.slots.join("\n")));
    }
    if let Some((start, visit)) = &answer.visit {
        put("visit_at", ms(*start));
        put("visit", s(visit.as_str()));
    }
    if let Some(answers) = &answer.answers {
        put("answers", s(answers.clone()));
    }
    put("asked", aws_sdk_dynamodb::types::AttributeValue::Bool(answer.asked_for));
    if answer.in_hours {
        put("in_hours", aws_sdk_dynamodb::types::AttributeValue::Bool(true));
    }
    put("at", ms(answer.at));
    put("not_after", ms(answer.not_after));
    put("g1pk", s(keys.open_answers_pk()));
    put("g1sk", s(listed(answer.at + ORDER_LOST_AFTER)));
    put("g3pk", s(keys.message_pk(answer.id)));
    put("g3sk", s("ANSWER"));
    item
}

impl StoredAnswer {
    pub(super) fn of(item: &Item) -> Result<Self, CloudError> {
        let reader = Reader { kind: "answer", item };
        let say = match reader.text_opt("say") {
            Some(code) => Some(Say::of_code(code).ok_or_else(|| reader.corrupt("say"))?),
            None => None,
        };
        let visit = match (reader.instant_opt("visit_at")?, reader.text_opt("visit")) {
            (Some(start), Some(id)) => Some((start, AppointmentId::parse(id).map_err(|_| reader.corrupt("visit"))?)),
            _ => None,
        };
        let answer = NewAnswer {
            id: reader.parse("sk", |sk| MessageId::parse(sk.strip_prefix("A#")?))?,
            say,
            words: reader.text_opt("words").map(str::to_owned),
            channel: reader.parse("channel", |code| code.parse().ok())?,
            slots: reader.text_opt("slots").unwrap_or("").lines().map(str::to_owned).collect(),
            visit,
            answers: reader.text_opt("answers").map(str::to_owned),
            asked_for: reader.flag("asked"),
            in_hours: reader.flag("in_hours"),
            at: reader.instant("at")?,
            not_after: reader.instant("not_after")?,
        };
        Ok(Self {
            answer,
            delivery: delivery_of(&reader)?,
            contact: reader.text_opt("cp").map(str::to_owned),
            attempts: reader.number("att")?,
            receipts: receipts_of(&reader)?,
            provider_id: reader.text_opt("prov_id").map(str::to_owned),
            text: reader.text_opt("text").map(|text| SaidText(text.to_owned())),
        })
    }
}

impl TenantStore {
    /// Claims an answer for saying; says whether it did. It does not when it was claimed before, or
    /// when meanwhile somebody opted out at the contact point, or said that it is not the patient's.
    ///
    /// # Errors
    /// [`CloudError`]; nothing was written.
    pub async fn claim_answer(&self, claim: &AnswerClaim<'_>) -> Result<bool, CloudError> {
        let keys = Keys(&self.clinic);
        let answer = &claim.stored.answer;
        let attempt = claim.stored.attempts + 1;
        let (alias, new_alias) = self.alias_for(claim.patient, claim.alias)?;
        let mut writes = vec![
            wrap(
                update(self, &keys.answer(claim.patient, answer.id))
                    .update_expression(
                        "SET st = :flying, att = :att, claimed = :now, #text = :text, cp = :cp, g1sk = :until",
                    )
                    .condition_expression("st = :ready AND att = :before")
                    .expression_attribute_names("#text", "text")
                    .expression_attribute_values(":flying", s("in_flight"))
                    .expression_attribute_values(":ready", s("ready"))
                    .expression_attribute_values(":att", n(attempt))
                    .expression_attribute_values(":before", n(claim.stored.attempts))
                    .expression_attribute_values(":now", ms(claim.now))
                    .expression_attribute_values(":text", s(claim.text))
                    .expression_attribute_values(":cp", s(claim.contact))
                    .expression_attribute_values(":until", s(listed(claim.now + UNKNOWN_AFTER))),
            )?,
            put(self, answer_audit_item(&keys, &alias, claim, attempt), "attribute_not_exists(pk)")?,
        ];
        let has_new_alias = new_alias.is_some();
        writes.extend(new_alias);
        if !claim.despite_opt_out {
            let only: ChannelSet = [answer.channel].into_iter().collect();
            let open = answer.purpose().map_or_else(|| not_closed(answer.channel), |of| not_suppressed(only, of));
            let check = ConditionCheck::builder()
                .table_name(self.table())
                .set_key(Some(keys.contact_point(claim.contact).item()))
                .condition_expression(format!("{open} AND {NOT_WRONG}"))
                .build();
            let check = check.map_err(|_| CloudError::Permanent { operation: CLAIM, code: "check".to_owned() })?;
            writes.push(TransactWriteItem::builder().condition_check(check).build());
        }
        match self.client().transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(e) => match e.as_service_error().and_then(cancelled) {
                Some(reasons) => refusal(&reasons, has_new_alias),
                None => Err(sort(CLAIM, &e)),
            },
        }
    }

    /// Records what became of a claimed answer. Evidence that came first stands.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn record_answer(
        &self,
        patient: &PatientId,
        id: MessageId,
        attempt: u32,
        claimed_at: DateTime<Utc>,
        outcome: &Outcome,
    ) -> Result<Delivery, CloudError> {
        let delivery = outcome.delivery(attempt, claimed_at);
        let call = self.client().update_item().table_name(self.table());
        let mut set = "SET st = :st".to_owned();
        let mut call = call
            .set_key(Some(Keys(&self.clinic).answer(patient, id).item()))
            .condition_expression("st IN (:flying, :unknown) AND att = :att")
            .expression_attribute_values(":st", s(delivery.code()))
            .expression_attribute_values(":flying", s("in_flight"))
            .expression_attribute_values(":unknown", s("unknown"))
            .expression_attribute_values(":att", n(attempt));
        match outcome {
            Outcome::Accepted { provider_id } => {
                set.push_str(", prov_id = :id");
                call = call.expression_attribute_values(":id", s(provider_id.clone()));
            }
            Outcome::NotSent { code, .. } | Outcome::Refused { code, .. } | Outcome::Ambiguous { code } => {
                set.push_str(", code = :code");
                call = call.expression_attribute_values(":code", s(code.clone()));
            }
        }
        let again = match (&delivery, outcome) {
            (Delivery::Ready { .. }, Outcome::NotSent { again_in, .. }) => {
                Some(claimed_at + *again_in + ORDER_LOST_AFTER)
            }
            _ => None,
        };
        let call = match again {
            Some(at) => call
                .update_expression(format!("{set}, g1sk = :again"))
                .expression_attribute_values(":again", s(listed(at))),
            None => call.update_expression(format!("{set} REMOVE g1pk, g1sk")),
        };
        match call.send().await {
            Ok(_) => Ok(delivery),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(delivery),
            Err(e) => Err(sort("UpdateItem answer", &e)),
        }
    }

    /// Gives up an answer that has not been said, for a reason.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn drop_answer(&self, patient: &PatientId, id: MessageId, reason: &str) -> Result<(), CloudError> {
        self.close_answer(patient, id, "ready", &Delivery::Dropped(reason.to_owned())).await
    }

    /// Answers whose order was lost, or whose fate nobody told within five minutes.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn overdue_answers(&self, now: DateTime<Utc>) -> Result<Vec<OverdueAnswer>, CloudError> {
        let bound = Some(("g1sk <= :sk", listed(now)));
        let mut found = Vec::new();
        let keys = Keys(&self.clinic);
        for item in self.query_index("g1", keys.open_answers_pk(), bound, None).await? {
            let reader = Reader { kind: "open answer", item: &item };
            let of = if reader.text("pk")? == keys.strangers_pk() {
                AnsweredOf::Stranger
            } else {
                AnsweredOf::Patient(reader.parse("pk", patient_of_pk)?)
            };
            found.push(OverdueAnswer {
                of,
                id: reader.parse("sk", |sk| MessageId::parse(sk.strip_prefix("A#")?))?,
                delivery: delivery_of(&reader)?,
            });
        }
        Ok(found)
    }

    /// An answer in flight for too long: unless a receipt comes nobody knows, and it is not said again.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn age_answer(&self, open: &OverdueAnswer, now: DateTime<Utc>) -> Result<(), CloudError> {
        let unknown = Delivery::Unknown { claimed_at: now };
        match &open.of {
            AnsweredOf::Patient(patient) => self.close_answer(patient, open.id, open.delivery.code(), &unknown).await,
            AnsweredOf::Stranger => self.age_stranger_answer(open.id).await,
        }
    }

    async fn close_answer(
        &self,
        patient: &PatientId,
        id: MessageId,
        was: &str,
        next: &Delivery,
    ) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let mut set = "SET st = :st".to_owned();
        let mut call = call
            .set_key(Some(Keys(&self.clinic).answer(patient, id).item()))
            .condition_expression("st = :was")
            .expression_attribute_values(":was", s(was))
            .expression_attribute_values(":st", s(next.code()));
        if let Delivery::Dropped(reason) = next {
            set.push_str(", code = :code");
            call = call.expression_attribute_values(":code", s(reason.clone()));
        }
        match call.update_expression(format!("{set} REMOVE g1pk, g1sk")).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem answer", &e)),
        }
    }
}

/// Refused is what somebody else claimed or forbade. Whose name in the records was made by somebody else
/// in between is tried again.
fn refusal(reasons: &[String], has_new_alias: bool) -> Result<bool, CloudError> {
    let failed = |at: usize| reasons.get(at).is_some_and(|reason| reason == "ConditionalCheckFailed");
    let others = (0..reasons.len()).filter(|at| !(has_new_alias && *at == 2)).any(failed);
    if others { Ok(false) } else { Err(CloudError::Retryable { operation: CLAIM, code: "conflict".to_owned() }) }
}
