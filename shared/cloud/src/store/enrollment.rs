//! Enrollments: one item each in the patient's collection, with a sparse index key that says when
//! it is to be looked at next, so that a lost wake-up is found by the sweep.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use chrono::{DateTime, Utc};
use retorno_domain::because::Because;
use retorno_domain::calendar::IsoWeek;
use retorno_domain::enrollment::{EndReason, Enrollment, State};
use retorno_domain::ids::{EnrollmentId, FlowId, MessageId, PatientId, SegmentId};

use super::TenantStore;
use super::commit::{cancelled, is_cancelled, update};
use super::item::{Item, Reader, ms, n, s};
use super::key::{Keys, WAKE_SHARDS, patient_of_pk, shard};
use crate::error::{CloudError, sort};

/// An enrollment as stored.
#[derive(Debug, Clone)]
pub struct StoredEnrollment {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// Rises with each write.
    pub version: u64,
    /// The last decision about it, in one line.
    pub because: String,
}

/// A step that was left out, and why.
#[derive(Debug, Clone)]
pub struct Dropped<'a> {
    /// The message that will not be.
    pub message: MessageId,
    /// Its step.
    pub step: &'a str,
    /// The rule's reason.
    pub reason: &'static str,
}

/// An enrollment's move from one state to the next.
#[derive(Debug, Clone, Copy)]
pub struct Advance<'a> {
    /// The enrollment as read.
    pub from: &'a StoredEnrollment,
    /// As it stands afterwards.
    pub next: &'a Enrollment,
    /// Why.
    pub because: &'a Because,
    /// Steps left out on the way.
    pub drops: &'a [Dropped<'a>],
    /// When it was decided.
    pub now: DateTime<Utc>,
}

impl StoredEnrollment {
    pub(super) fn of(item: &Item, patient: &PatientId) -> Result<Self, CloudError> {
        let reader = Reader { kind: "enrollment", item };
        let at = |name| reader.instant(name);
        let state = match reader.text("st")? {
            "running" => State::Running { step: reader.number("step")?, due: at("due")? },
            "closing" => State::Closing { due: at("due")? },
            "conversing" => State::Conversing { since: at("since")?, step: reader.number("step")? },
            "ended" => State::Ended { reason: reader.parse("reason", EndReason::of_code)?, at: at("at")? },
            _ => return Err(reader.corrupt("st")),
        };
        let first_sent_on = match reader.text_opt("first") {
            Some(text) => Some(text.parse().map_err(|_| reader.corrupt("first"))?),
            None => None,
        };
        let enrollment = Enrollment {
            id: reader.parse("sk", |sk| EnrollmentId::parse(sk.strip_prefix("E#")?))?,
            patient: patient.clone(),
            segment: reader.parse("segment", |t| SegmentId::parse(t).ok())?,
            flow: reader.parse("flow", |t| FlowId::parse(t).ok())?,
            flow_version: reader.number("flow_v")?,
            week: reader.parse("week", |t| t.parse::<IsoWeek>().ok())?,
            seat: reader.number("seat")?,
            state,
            first_sent_on,
            told_at: reader.instant_opt("told")?,
            wakes: reader.number("wakes")?,
            epoch: reader.number("epoch")?,
        };
        let because = reader.text_opt("because").unwrap_or("").to_owned();
        Ok(Self { enrollment, version: reader.number("ver")?, because })
    }
}

/// The attributes that a decision changes.
pub(super) fn changing(keys: &Keys<'_>, enrollment: &Enrollment, because: &str) -> Item {
    let mut item = Item::new();
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    match &enrollment.state {
        State::Running { step, due } => {
            put("st", s("running"));
            put("step", n(step));
            put("due", ms(*due));
        }
        State::Closing { due } => {
            put("st", s("closing"));
            put("due", ms(*due));
        }
        State::Conversing { since, step } => {
            put("st", s("conversing"));
            put("since", ms(*since));
            put("step", n(step));
        }
        State::Ended { reason, at } => {
            put("st", s("ended"));
            put("reason", s(reason.code()));
            put("at", ms(*at));
        }
    }
    if let Some(first) = enrollment.first_sent_on {
        put("first", s(first.to_string()));
    }
    if let Some(told) = enrollment.told_at {
        put("told", ms(told));
    }
    put("wakes", n(enrollment.wakes));
    put("because", s(because));
    if let Some(due) = enrollment.due() {
        put("g1pk", s(keys.wake_pk(shard(enrollment.patient.as_str(), WAKE_SHARDS))));
        // Fifteen digits of milliseconds sort as text until the year 33658.
        put("g1sk", s(format!("{:015}", due.timestamp_millis())));
    }
    item
}

/// The update of an enrollment that must still be of the version read.
pub(super) fn advance(
    tenant: &TenantStore,
    from: &StoredEnrollment,
    next: &Enrollment,
    because: &str,
) -> Result<Update, CloudError> {
    let keys = Keys(&tenant.clinic);
    let attributes = changing(&keys, next, because);
    let all = ["step", "due", "since", "reason", "at", "first", "g1pk", "g1sk"];
    let gone: Vec<&str> = all.into_iter().filter(|name| !attributes.contains_key(*name)).collect();
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort_unstable();
    let sets: Vec<String> = names.iter().map(|name| format!("#{name} = :{name}")).collect();
    let mut expression = format!("SET {}", sets.join(", "));
    if !gone.is_empty() {
        let gone: Vec<String> = gone.iter().map(|name| format!("#{name}")).collect();
        expression = format!("{expression} REMOVE {}", gone.join(", "));
    }
    let mut builder = update(tenant, &keys.enrollment(&next.patient, next.id))
        .update_expression(format!("{expression} ADD ver :one"))
        .condition_expression("ver = :ver")
        .expression_attribute_values(":ver", n(from.version))
        .expression_attribute_values(":one", n(1));
    for name in all.into_iter().chain(attributes.keys().map(String::as_str)) {
        builder = builder.expression_attribute_names(format!("#{name}"), name);
    }
    for (name, value) in attributes {
        builder = builder.expression_attribute_values(format!(":{name}"), value);
    }
    builder.build().map_err(|_| CloudError::Permanent { operation: "TransactWriteItems", code: "update".to_owned() })
}

/// A step that was to be looked at and was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueStep {
    /// Whose.
    pub patient: PatientId,
    /// The enrollment.
    pub enrollment: EnrollmentId,
    /// The step's number; `usize::MAX` for the closing of the cycle.
    pub step: usize,
    /// When it was due.
    pub due: DateTime<Utc>,
}

impl TenantStore {
    /// Stores an enrollment's next state if nothing else has changed it; says whether it did.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn advance_enrollment(&self, step: &Advance<'_>) -> Result<bool, CloudError> {
        let writes = self.advance_writes(step)?;
        self.finish(writes).await
    }

    fn advance_writes(&self, step: &Advance<'_>) -> Result<Vec<TransactWriteItem>, CloudError> {
        let update = advance(self, step.from, step.next, &step.because.line())?;
        let mut writes = vec![TransactWriteItem::builder().update(update).build()];
        writes.extend(self.drop_writes(step.next, step.drops, step.now)?);
        Ok(writes)
    }

    /// Ends an enrollment: its last state, the patient and the contact points freed (all that it may have
    /// occupied: the person may have come of age since), and its seat given back if no message ever
    /// left. Says whether it did.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn end_enrollment(
        &self,
        step: &Advance<'_>,
        contacts: &BTreeSet<String>,
        free_seat: bool,
    ) -> Result<bool, CloudError> {
        let next = step.next;
        let keys = Keys(&self.clinic);
        let id = next.id.to_string();
        let patient = update(self, &keys.patient(&next.patient))
            .update_expression("REMOVE seq SET g1sk = :today ADD ver :one")
            .condition_expression("seq = :e")
            .expression_attribute_values(":e", s(id.clone()))
            // Looked at again by the next evaluation.
            .expression_attribute_values(":today", s("0000-00-00"))
            .expression_attribute_values(":one", n(1));
        let mut writes = self.advance_writes(step)?;
        writes.push(wrap(patient)?);
        if free_seat {
            let seat = keys.seat(next.week, &next.segment, next.seat);
            let delete = aws_sdk_dynamodb::types::Delete::builder()
                .table_name(self.table())
                .set_key(Some(seat.item()))
                .condition_expression("enr = :e")
                .expression_attribute_values(":e", s(id))
                .build()
                .map_err(|_| CloudError::Permanent { operation: "TransactWriteItems", code: "delete".to_owned() })?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        if !self.finish(writes).await? {
            return Ok(false);
        }
        for hash in contacts {
            self.vacate(hash, &next.patient).await?;
        }
        Ok(true)
    }

    /// The records of steps left out, as parts of the commit that leaves them out.
    pub(super) fn drop_writes(
        &self,
        of: &Enrollment,
        drops: &[Dropped<'_>],
        now: DateTime<Utc>,
    ) -> Result<Vec<TransactWriteItem>, CloudError> {
        let write = |dropped: &Dropped<'_>| {
            let key = Keys(&self.clinic).message(&of.patient, dropped.message);
            wrap(
                update(self, &key)
                    .update_expression(
                        "SET st = :st, code = :code, enr = :e, step = :step, dropped = :now REMOVE g1pk, g1sk",
                    )
                    .condition_expression("attribute_not_exists(pk) OR st IN (:ready, :st)")
                    .expression_attribute_values(":st", s("dropped"))
                    .expression_attribute_values(":code", s(dropped.reason))
                    .expression_attribute_values(":e", s(of.id.to_string()))
                    .expression_attribute_values(":step", s(dropped.step))
                    .expression_attribute_values(":ready", s("ready"))
                    .expression_attribute_values(":now", ms(now)),
            )
        };
        drops.iter().map(write).collect()
    }

    pub(super) async fn finish(&self, writes: Vec<TransactWriteItem>) -> Result<bool, CloudError> {
        const OPERATION: &str = "TransactWriteItems enrollment";
        match self.client().transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(is_cancelled_by_condition) => Ok(false),
            Err(e) if e.as_service_error().is_some_and(is_cancelled) => {
                Err(CloudError::Retryable { operation: OPERATION, code: "conflict".to_owned() })
            }
            Err(e) => Err(sort(OPERATION, &e)),
        }
    }

    /// Frees a contact point that this patient occupied; harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn vacate(&self, hash: &str, patient: &PatientId) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).contact_point(hash).item()))
            .update_expression("REMOVE busy_p, busy_u ADD ver :one")
            .condition_expression("busy_p = :p")
            .expression_attribute_values(":p", s(patient.as_str()))
            .expression_attribute_values(":one", n(1));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem vacate", &e)),
        }
    }

    /// Enrollments that were to be looked at before an instant and still are not: their wake-up was lost.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn overdue_enrollments(&self, before: DateTime<Utc>) -> Result<Vec<OverdueStep>, CloudError> {
        let mut found = Vec::new();
        for shard in 0..WAKE_SHARDS {
            let bound = Some(("g1sk < :sk", format!("{:015}", before.timestamp_millis())));
            for item in self.query_index("g1", Keys(&self.clinic).wake_pk(shard), bound, None).await? {
                let reader = Reader { kind: "overdue enrollment", item: &item };
                let patient = reader.parse("pk", patient_of_pk)?;
                let enrollment = reader.parse("sk", |sk| EnrollmentId::parse(sk.strip_prefix("E#")?))?;
                let due = reader.parse("g1sk", |at| DateTime::from_timestamp_millis(at.parse().ok()?))?;
                // The closing of a cycle has no step number of its own in the index.
                let step = reader.number_opt("step")?.unwrap_or(usize::MAX);
                found.push(OverdueStep { patient, enrollment, step, due });
            }
        }
        Ok(found)
    }
}

pub(super) fn wrap(builder: aws_sdk_dynamodb::types::builders::UpdateBuilder) -> Result<TransactWriteItem, CloudError> {
    let update = builder.build();
    let update =
        update.map_err(|_| CloudError::Permanent { operation: "TransactWriteItems", code: "update".to_owned() })?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn is_cancelled_by_condition(error: &TransactWriteItemsError) -> bool {
    cancelled(error).is_some_and(|reasons| reasons.iter().any(|reason| reason == "ConditionalCheckFailed"))
}

/// Puts are built in one place so that their condition cannot be forgotten.
pub(super) fn put_item(builder: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<Put, CloudError> {
    builder.build().map_err(|_| CloudError::Permanent { operation: "TransactWriteItems", code: "put".to_owned() })
}
