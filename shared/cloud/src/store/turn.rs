//! A turn of the conversation: everything that one event changes, in one transaction, once. The event
//! itself is part of it, so that an event delivered twice acts once.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use retorno_domain::consent::Statement;
use retorno_domain::conversation::Thread;
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use retorno_domain::reply::Wish;
use retorno_domain::timetable::visits_ahead;

use super::agenda::Booking;
use super::alias::Alias;
use super::answer::{NewAnswer, answer_item};
use super::commit::{cancelled, put, update};
use super::enrollment::{put_item, wrap};
use super::item::{Reader, ms, n, s};
use super::key::Keys;
use super::lift::Lift;
use super::patient::item_of;
use super::patient_wire::{appointments_text, consent_text};
use super::stranger::{STRANGERS_KEPT, StrangerHead, StrangerWord};
use super::subscription_wire::{SUBSCRIPTIONS, subscriptions_text};
use super::thread::{HeardLine, StoredThread, heard_item, thread_item};
use super::{StoredPatient, TenantStore};
use crate::error::{CloudError, sort};
use crate::orders::Order;

/// How long an event is remembered: Meta delivers for seven days, and a backup may be older.
const EVENT_REMEMBERED: TimeDelta = TimeDelta::days(365);

/// A patient as read, and as they stand afterwards.
#[derive(Debug, Clone, Copy)]
pub struct PatientChange<'a> {
    /// As read.
    pub from: &'a StoredPatient,
    /// Afterwards. Consent, appointments, browsers, pause and a phone noted are written; nothing else may
    /// differ.
    pub next: &'a Patient,
    /// The clinic's day: a phone noted changes by which the patient is found.
    pub today: NaiveDate,
}

/// A number that was nobody's becomes a patient's, or is nobody's again.
#[derive(Debug, Clone)]
pub struct Attached<'a> {
    /// The number; [`TenantStore::stranger_of`].
    pub who: &'a str,
    /// What staff did about it, as read.
    pub head: &'a StrangerHead,
    /// It is the patient's, with everything taken in until then; or nobody's again.
    pub patients_until: Option<DateTime<Utc>>,
    /// What was written from it, which is the patient's word.
    pub words: Vec<&'a StrangerWord>,
}

/// What becomes of a slot.
#[derive(Debug, Clone, Copy)]
pub enum SlotChange<'a> {
    /// A booking takes its slot.
    Take(&'a Booking),
    /// A booking gives its slot back.
    Free(&'a Booking),
}

/// What becomes of a place on the waitlist.
#[derive(Debug, Clone, Copy)]
pub enum WaitlistChange<'a> {
    /// Joins, or changes the wish.
    Join(&'a Wish),
    /// Leaves.
    Leave,
}

/// A consent given or withdrawn.
#[derive(Debug, Clone, Copy)]
pub struct ConsentRecord<'a> {
    /// What was said.
    pub statement: &'a Statement,
    /// Where and by which words.
    pub how: &'a str,
}

/// Everything that one event changes.
#[derive(Debug, Clone)]
pub struct Turn<'a> {
    /// Whose conversation.
    pub patient: &'a PatientId,
    /// The patient's name in the audit records, where there is one.
    pub alias: Option<&'a Alias>,
    /// The name of the event, by which it acts once.
    pub event: &'a str,
    /// The patient, if changed.
    pub change: Option<PatientChange<'a>>,
    /// The conversation as read, and as it stands afterwards.
    pub thread: Option<(&'a StoredThread, &'a Thread)>,
    /// What was said.
    pub heard: Option<&'a HeardLine>,
    /// A number that becomes the patient's, or ceases to be.
    pub attached: Option<Attached<'a>>,
    /// Slots taken and given back.
    pub slots: Vec<SlotChange<'a>>,
    /// Bookings made and changed.
    pub bookings: Vec<&'a Booking>,
    /// What is to be answered.
    pub answer: Option<&'a NewAnswer>,
    /// Whether the patient joins the waitlist, with this wish, or leaves it.
    pub waitlist: Option<WaitlistChange<'a>>,
    /// Consents given or withdrawn, for the ledger.
    pub consent: Vec<ConsentRecord<'a>>,
    /// The orders that follow, kept with the event: should it be delivered again, they are too.
    pub orders: &'a [Order],
    /// What it reopens once it is written; kept with the event for the same reason.
    pub lift: Option<&'a Lift>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What followed from an event that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenIn {
    /// The orders.
    pub orders: Vec<Order>,
    /// What it reopened.
    pub lift: Option<Lift>,
}

/// What became of a turn. Unless it is done, nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnDone {
    /// Written.
    Done,
    /// The event was taken in before.
    Repeated,
    /// A slot that it takes is not free.
    SlotTaken,
    /// Something else changed since it was read: read and decide again.
    Changed,
}

impl TenantStore {
    /// Writes a turn, whole or not at all.
    ///
    /// # Errors
    /// [`CloudError`]; whether it was written is not known then, and repeating it finds out.
    pub async fn commit_turn(&self, turn: &Turn<'_>) -> Result<TurnDone, CloudError> {
        const OPERATION: &str = "TransactWriteItems turn";
        let (writes, slots) = self.turn_writes(turn)?;
        let call = self.client().transact_write_items().set_transact_items(Some(writes));
        match call.send().await {
            Ok(_) => Ok(TurnDone::Done),
            Err(e) => match e.as_service_error().and_then(cancelled) {
                Some(reasons) => refusal(&reasons, slots, OPERATION),
                None => Err(sort(OPERATION, &e)),
            },
        }
    }

    /// What followed from an event of a patient's that was taken in; nothing when it was not. Strongly
    /// consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn taken_in(&self, event: &str, patient: &PatientId) -> Result<Option<TakenIn>, CloudError> {
        let key = Keys(&self.clinic).event(&self.hash(event));
        let Some(item) = self.get("GetItem event", key.item()).await? else { return Ok(None) };
        let reader = Reader { kind: "event", item: &item };
        let orders: Vec<Order> = reader.parse("orders", |json| serde_json::from_str(json).ok())?;
        let orders = orders.into_iter().map(|order| order.about(patient.as_str())).collect();
        let lift = match reader.text_opt("lift") {
            Some(json) => Some(Lift::from_json(json).ok_or_else(|| reader.corrupt("lift"))?),
            None => None,
        };
        Ok(Some(TakenIn { orders, lift }))
    }

    /// Whether an event was taken in as this patient's; nothing where it was not taken in. Strongly
    /// consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn event_is_of(&self, event: &str, patient: &PatientId) -> Result<Option<bool>, CloudError> {
        let key = Keys(&self.clinic).event(&self.hash(event));
        let Some(item) = self.get("GetItem event", key.item()).await? else { return Ok(None) };
        let whose = Reader { kind: "event", item: &item }.text_opt("whose").map(str::to_owned);
        Ok(Some(whose == Some(self.whose(event, patient))))
    }

    /// Whose an event is, without saying who: of each event by itself, so that two cannot be put together.
    fn whose(&self, event: &str, patient: &PatientId) -> String {
        self.hash(&format!("whose#{event}#{}", patient.as_str()))
    }

    /// Whether an event was taken in. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn knows_event(&self, event: &str) -> Result<bool, CloudError> {
        let key = Keys(&self.clinic).event(&self.hash(event));
        Ok(self.get("GetItem event", key.item()).await?.is_some())
    }

    /// Takes in an event that changes nothing in anybody's conversation; says whether it was new.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn take_in(&self, event: &str, now: DateTime<Utc>) -> Result<bool, CloudError> {
        let mut item = Keys(&self.clinic).event(&self.hash(event)).item();
        item.insert("ttl".to_owned(), n((now + EVENT_REMEMBERED).timestamp()));
        item.insert("orders".to_owned(), s("[]"));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("PutItem event", &e)),
        }
    }

    /// The event first, then the slots, then the rest; and how many slots there are.
    fn turn_writes(&self, turn: &Turn<'_>) -> Result<(Vec<TransactWriteItem>, usize), CloudError> {
        let keys = Keys(&self.clinic);
        let mut event = keys.event(&self.hash(turn.event)).item();
        event.insert("whose".to_owned(), s(self.whose(turn.event, turn.patient)));
        event.insert("ttl".to_owned(), n((turn.now + EVENT_REMEMBERED).timestamp()));
        // Kept longer than the person may be: so they do not say who it is. Whoever hands them over again
        // knows whose event it is.
        let orders: Vec<Order> = turn.orders.iter().map(|order| order.clone().about("")).collect();
        let orders = serde_json::to_string(&orders).map_err(|e| CloudError::Setup(e.to_string()))?;
        event.insert("orders".to_owned(), s(orders));
        if let Some(lift) = turn.lift {
            event.insert("lift".to_owned(), s(lift.to_json()?));
        }
        let mut writes = vec![put(self, event, "attribute_not_exists(pk)")?];
        for change in &turn.slots {
            writes.push(match change {
                SlotChange::Take(booking) => self.take_slot(&booking.slot, booking, turn.now)?,
                SlotChange::Free(booking) => self.free_slot(booking)?,
            });
        }
        if let Some(change) = &turn.change {
            writes.push(self.patient_write(change)?);
        }
        for booking in &turn.bookings {
            writes.push(self.write_booking(booking)?);
        }
        if let Some((from, next)) = turn.thread {
            writes.push(self.thread_write(turn.patient, from, next)?);
        }
        if let Some(line) = turn.heard {
            // The event's name as part of the key: two words of one instant are two lines.
            let mut item = heard_item(&keys, turn.patient, &self.hash(turn.event), line);
            item.insert("ttl".to_owned(), self.ttl_of(turn.now));
            writes.push(put(self, item, "attribute_not_exists(pk)")?);
        }
        if let Some(attached) = &turn.attached {
            self.attach_writes(turn, attached, &mut writes)?;
        }
        if let Some(answer) = turn.answer {
            let mut item = answer_item(&keys, turn.patient, answer);
            item.insert("ttl".to_owned(), self.ttl_of(turn.now));
            writes.push(put(self, item, "attribute_not_exists(pk)")?);
        }
        if !turn.consent.is_empty() {
            writes.extend(self.consent_writes(turn)?);
        }
        if let Some(change) = turn
            .change
            .filter(|change| visits_ahead(&change.from.patient, turn.now) != visits_ahead(change.next, turn.now))
        {
            writes.push(self.ahead_write(change.next, turn.now)?);
        }
        match turn.waitlist {
            Some(WaitlistChange::Join(wish)) => writes.push(self.join_write(turn.patient, wish, turn.now)?),
            Some(WaitlistChange::Leave) => writes.push(self.leave_write(turn.patient)?),
            None => {}
        }
        // What is said must not outlive the person: who was erased since they were read is not there.
        if turn.change.is_none() {
            writes.push(self.is_there(turn.patient)?);
        }
        Ok((writes, turn.slots.len()))
    }

    fn patient_write(&self, change: &PatientChange<'_>) -> Result<TransactWriteItem, CloudError> {
        let next = change.next;
        if next.noted != change.from.patient.noted {
            return self.whole_patient_write(change);
        }
        let builder = update(self, &Keys(&self.clinic).patient(&next.id));
        let (builder, kept, forgotten) = match subscriptions_text(&next.subscriptions) {
            Some(text) => (
                builder.expression_attribute_values(":subs", s(text)),
                format!(", {SUBSCRIPTIONS} = :subs"),
                String::new(),
            ),
            None => (builder, String::new(), format!(", {SUBSCRIPTIONS}")),
        };
        wrap(
            builder
                // Looked at again by the next evaluation; until then nobody takes them from a backlog.
                .update_expression(format!(
                    "SET visits = :visits, consent = :consent, paused = :paused, g1sk = :today{kept} \
                     REMOVE g2pk, g2sk{forgotten} ADD ver :one",
                ))
                .condition_expression("ver = :ver")
                .expression_attribute_values(":visits", s(appointments_text(&next.appointments)))
                .expression_attribute_values(":consent", s(consent_text(&next.consent)))
                .expression_attribute_values(":paused", AttributeValue::Bool(next.paused))
                .expression_attribute_values(":today", s("0000-00-00"))
                .expression_attribute_values(":ver", n(change.from.version))
                .expression_attribute_values(":one", n(1)),
        )
    }

    /// The patient with another phone: found by it, and looked at again by the next evaluation.
    fn whole_patient_write(&self, change: &PatientChange<'_>) -> Result<TransactWriteItem, CloudError> {
        let from = change.from;
        let mut item = item_of(self, change.next, from.version + 1, &from.standing, change.today);
        item.insert("g1sk".to_owned(), s("0000-00-00"));
        item.retain(|name, _| name != "g2pk" && name != "g2sk");
        let write = aws_sdk_dynamodb::types::Put::builder().table_name(self.table()).set_item(Some(item));
        let write = write.condition_expression("ver = :ver").expression_attribute_values(":ver", n(from.version));
        Ok(TransactWriteItem::builder().put(put_item(write)?).build())
    }

    fn attach_writes(
        &self,
        turn: &Turn<'_>,
        attached: &Attached<'_>,
        writes: &mut Vec<TransactWriteItem>,
    ) -> Result<(), CloudError> {
        let keys = Keys(&self.clinic);
        let head = update(self, &keys.stranger_head(attached.who))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", n((turn.now + STRANGERS_KEPT).timestamp()))
            .expression_attribute_values(":next", n(attached.head.version + 1));
        let head = if let Some(until) = attached.patients_until {
            head.update_expression("SET patient = :patient, att_at = :until, ver = :next, #ttl = :ttl REMOVE dis")
                .expression_attribute_values(":patient", s(turn.patient.as_str()))
                .expression_attribute_values(":until", ms(until))
        } else {
            head.update_expression("SET ver = :next, #ttl = :ttl REMOVE patient, att_at")
        };
        let head = match attached.head.version {
            0 => head.condition_expression("attribute_not_exists(ver)"),
            version => head.condition_expression("ver = :ver").expression_attribute_values(":ver", n(version)),
        };
        writes.push(wrap(head)?);
        for word in &attached.words {
            // Under the key they would have had: put twice, they are there once.
            let item = heard_item(&keys, turn.patient, &word.event, &word.line());
            let write = aws_sdk_dynamodb::types::Put::builder().table_name(self.table()).set_item(Some(item));
            writes.push(TransactWriteItem::builder().put(put_item(write)?).build());
        }
        Ok(())
    }

    fn thread_write(
        &self,
        patient: &PatientId,
        from: &StoredThread,
        next: &Thread,
    ) -> Result<TransactWriteItem, CloudError> {
        let item = thread_item(&Keys(&self.clinic), patient, next, from.version + 1);
        if from.version == 0 {
            return put(self, item, "attribute_not_exists(pk)");
        }
        let write = aws_sdk_dynamodb::types::Put::builder().table_name(self.table()).set_item(Some(item));
        let write = write.condition_expression("ver = :ver").expression_attribute_values(":ver", n(from.version));
        Ok(TransactWriteItem::builder().put(put_item(write)?).build())
    }
}

fn refusal(reasons: &[String], slots: usize, operation: &'static str) -> Result<TurnDone, CloudError> {
    let failed = |at: usize| reasons.get(at).is_some_and(|reason| reason == "ConditionalCheckFailed");
    if failed(0) {
        Ok(TurnDone::Repeated)
    } else if (1..=slots).any(failed) {
        Ok(TurnDone::SlotTaken)
    } else if reasons.iter().any(|reason| reason == "ConditionalCheckFailed") {
        Ok(TurnDone::Changed)
    } else {
        let code = reasons.iter().find(|reason| *reason != "None").cloned().unwrap_or_else(|| "cancelled".to_owned());
        Err(CloudError::Retryable { operation, code })
    }
}
