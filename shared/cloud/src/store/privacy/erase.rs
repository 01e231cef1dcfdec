//! Erasing a person. Every stage is harmless to repeat, and how far it is stands in an item of its own:
//! whatever dies on the way, the next run goes on. From the first stage on nothing is sent any more, and
//! at the end nothing in the table leads to the person but marks by which an import knows them again.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use retorno_domain::because::Because;
use retorno_domain::channel::{ChannelSet, PurposeSet};
use retorno_domain::enrollment::{EndReason, Enrollment, State};
use retorno_domain::ids::PatientId;
use serde::Serialize;

use super::held::{Held, text};
use super::job::{Job, is_to_come, json};
pub use super::reason::ErasureReason;
use super::tombstone::counts;
use crate::Reach;
use crate::error::{CloudError, sort};
use crate::orders::Order;
use crate::secrets::hex;
use crate::store::audit::erasure_audit_item;
use crate::store::commit::{put, update};
use crate::store::enrollment::wrap;
use crate::store::item::{Item, Reader, ms, s};
use crate::store::key::{Key, Keys};
use crate::store::{Advance, Collection, ImportLease, TenantStore};

const KIND: &str = "erasure";
/// Tries to end a sequence that goes on meanwhile.
const TRIES_MAX: u32 = 5;
/// What stands in the place of a person where an item needs somebody.
const SOMEBODY: &str = "(erased)";
/// What stands in the place of an enrollment.
const NO_ENROLLMENT: &str = "00000000000000000000000000000000";

/// Why nothing was erased, or not all.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// Nobody of that number, and nobody erased either.
    #[error("there is no such patient")]
    Nobody,
    /// An import or something else holds the clinic's records, or another run has taken this erasure over.
    #[error("an import or an erasure of this clinic is under way; try again when it has finished")]
    Busy,
    /// The table or the queue.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

/// What an erasure did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// It had been done before.
    pub already: bool,
    /// Items deleted by the run that finished it.
    pub deleted: u64,
    /// Visits to come that were booked through us, given up by this run or by one before it that died: their
    /// slots are free again here. The clinic's own system has them still, where somebody entered them.
    pub freed: Vec<FreedVisit>,
}

/// A visit to come that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FreedVisit {
    /// When it would have begun.
    pub start: DateTime<Utc>,
    /// With whom.
    pub professional: String,
}

/// Erases a person, or finishes doing so.
///
/// # Errors
/// [`ErasureError`]; repeating finishes it.
pub async fn erase(
    reach: &Reach,
    tenant: &TenantStore,
    patient: &PatientId,
    reason: ErasureReason,
) -> Result<Erased, ErasureError> {
    let now = reach.clock.now();
    let id = tenant.erased_id(patient);
    // Two that begin at one instant are two holders.
    let chance = tenant.by_chance(&[b"lease", id.as_bytes(), now.timestamp_millis().to_string().as_bytes()])?;
    let holder = format!("erasure-{id}-{}", hex(chance.get(..16).unwrap_or(&chance)));
    let lease = tenant.lease_import(&holder, now).await?.ok_or(ErasureError::Busy)?;
    let mut held = HeldLease { reach, tenant, holder, lease };
    let erased = leased(&mut held, patient, reason).await;
    if let Err(error) = tenant.release_import(&held.lease).await {
        // It runs out by itself; what was done is said all the same.
        tracing::warn!(clinic = %tenant.clinic(), %error, "the lease of an erasure was not given back");
    }
    erased
}

/// The import lease, as long as the erasure takes.
struct HeldLease<'a> {
    reach: &'a Reach,
    tenant: &'a TenantStore,
    holder: String,
    lease: ImportLease,
}

impl HeldLease<'_> {
    /// Renews it in time; whoever has lost it stops, and the next run goes on.
    async fn keep(&mut self) -> Result<(), ErasureError> {
        let now = self.reach.clock.now();
        if self.lease.wants_renewal(now) {
            self.lease = self.tenant.lease_import(&self.holder, now).await?.ok_or(ErasureError::Busy)?;
        }
        Ok(())
    }
}

/// Finishes every erasure of a clinic that was begun and not finished; says how many. One that cannot be
/// finished keeps none of the others waiting.
///
/// # Errors
/// [`ErasureError`] of the last that could not be finished.
pub async fn resume(reach: &Reach, tenant: &TenantStore) -> Result<u32, ErasureError> {
    let (mut finished, mut failed) = (0, None);
    for item in tenant.query_partition(Keys(tenant.clinic()).erasing_pk(), None).await? {
        let done = match Job::of(&item) {
            Ok(job) => erase(reach, tenant, &job.patient, job.reason).await,
            Err(error) => Err(error.into()),
        };
        match done {
            Ok(erased) => {
                finished += 1;
                // Whoever had asked for it did not hear of them.
                for FreedVisit { start, .. } in &erased.freed {
                    tracing::error!(clinic = %tenant.clinic(), %start, "call this visit off in the clinic's own system");
                }
            }
            Err(error) => {
                tracing::error!(clinic = %tenant.clinic(), %error, "an erasure could not be finished");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(finished), Err)
}

async fn leased(lease: &mut HeldLease<'_>, patient: &PatientId, reason: ErasureReason) -> Result<Erased, ErasureError> {
    let (reach, tenant) = (lease.reach, lease.tenant);
    let now = reach.clock.now();
    let collection = tenant.collection(patient).await?;
    let Some(job) = tenant.begin_erasure(patient, collection.as_ref(), reason, now).await? else {
        let already = tenant.erased_marks().await?.contains(&tenant.erased_id(patient));
        return if already { Ok(Erased { already, ..Erased::default() }) } else { Err(ErasureError::Nobody) };
    };
    let mut run = Run { reach, tenant, lease, job, now, deleted: 0 };
    run.suppress().await?;
    if let Some(collection) = collection {
        let held = tenant.held(&run.job.subject, patient).await?;
        run.count(&collection, &held).await?;
        run.end_sequence(collection).await?;
    }
    run.remove().await?;
    // What began before the record was gone has ended by now, and may have left something.
    run.remove().await?;
    run.finish().await?;
    Ok(Erased { already: false, deleted: run.deleted, freed: run.job.freed() })
}

struct Run<'l, 'a> {
    reach: &'a Reach,
    tenant: &'a TenantStore,
    lease: &'l mut HeldLease<'a>,
    job: Job,
    now: DateTime<Utc>,
    deleted: u64,
}

impl Run<'_, '_> {
    async fn note(&mut self, stage: &str) -> Result<(), ErasureError> {
        self.lease.keep().await?;
        self.tenant.note_erasure(&self.job.patient, "stage", stage.to_owned()).await
    }

    async fn delete(&mut self, item: &Item) -> Result<(), ErasureError> {
        self.lease.keep().await?;
        self.tenant.delete_item(item).await?;
        self.deleted += 1;
        Ok(())
    }

    /// First of all: from here on no import brings the person back.
    async fn suppress(&mut self) -> Result<(), ErasureError> {
        let persons = &self.job.subject.persons;
        self.tenant.put_erased_id(&self.job.patient, persons, self.now).await?;
        for mark in persons {
            self.tenant.put_erased_mark(mark, self.now).await?;
        }
        self.note("suppressed").await
    }

    /// Before anything is gone: what is to be counted later. The first run's count stands.
    async fn count(&mut self, collection: &Collection, held: &Held) -> Result<(), ErasureError> {
        let key = Key { pk: Keys(self.tenant.clinic()).tombstones_pk(), sk: self.job.tombstone.clone() };
        let counts = json(&counts(collection, held))?;
        let mut item = key.item();
        let fields = [("counts", s(counts)), ("reason", s(self.job.reason.code())), ("at", ms(self.now))];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        let call = self.tenant.client().put_item().table_name(self.tenant.table()).set_item(Some(item));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => {}
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
            Err(e) => return Err(sort("PutItem tombstone", &e).into()),
        }
        self.note("counted").await
    }

    /// Whoever is in no sequence is written to no more; the seat is given back where nothing was sent.
    async fn end_sequence(&mut self, collection: Collection) -> Result<(), ErasureError> {
        let mut collection = Some(collection);
        for _ in 0..TRIES_MAX {
            let Some(read) = collection else { break };
            let contacts: BTreeSet<String> = self.tenant.contact_keys_on_record(&read.patient.patient, true);
            let running = read.patient.patient.sequence;
            let Some(stored) = read.enrollments.iter().find(|of| Some(of.enrollment.id) == running) else { break };
            let ended = State::Ended { reason: EndReason::OptedOut, at: self.now };
            let next = Enrollment { state: ended, ..stored.enrollment.clone() };
            let because = Because { findings: Vec::new() };
            let step = Advance { from: stored, next: &next, because: &because, drops: &[], now: self.now };
            let unsent = next.first_sent_on.is_none();
            if self.tenant.end_enrollment(&step, &contacts, unsent).await? {
                break;
            }
            collection = self.tenant.collection(&self.job.patient).await?;
        }
        self.note("ended").await
    }

    /// Everything that is found, the person's own items last: until then the next run knows them.
    async fn remove(&mut self) -> Result<(), ErasureError> {
        let held = self.tenant.held(&self.job.subject, &self.job.patient).await?;
        if self.job.takes_in_visits(&held, self.now)? {
            self.tenant.note_erasure(&self.job.patient, "visits", json(&self.job.visits)?).await?;
        }
        for item in &held.bookings {
            self.booking(item).await?;
        }
        for item in &held.slots {
            self.slot(item).await?;
        }
        for item in &held.points {
            self.contact_point(item).await?;
        }
        for item in &held.own {
            self.seat(item).await?;
        }
        // What a stranger said stands before what was done about it, and is what the rest is known by: it goes
        // last.
        for (_, item) in held.named.iter().rev() {
            self.delete(item).await?;
        }
        for agreement in &held.candidacies {
            self.tenant.forget_candidate(agreement, &self.job.patient).await?;
        }
        self.note("cleared").await?;
        // The record first: with it, whoever reads finds nobody, and what is written with it as a
        // condition is refused.
        let mut own = held.own;
        own.sort_by_key(|item| text(item, "sk") != Some("PATIENT"));
        for item in &own {
            self.delete(item).await?;
        }
        self.note("removed").await
    }

    /// A visit to come gives its slot back; whoever waits for one hears of it.
    async fn booking(&mut self, item: &Item) -> Result<(), ErasureError> {
        let reader = Reader { kind: "booking", item };
        let (start, slot) = (reader.instant("start")?, reader.text("slot")?.to_owned());
        if is_to_come(item, start, self.now) {
            let freed = wrap(
                update(self.tenant, &Keys(self.tenant.clinic()).slot(&slot))
                    .update_expression("REMOVE bk, bk_p")
                    .condition_expression("bk = :b")
                    .expression_attribute_values(":b", s(reader.text("id")?)),
            )?;
            self.tenant.finish(vec![freed]).await?;
            // Ordered whoever freed it: a run before may have died in between. Of a slot that is not free
            // any more, nothing comes of it.
            let order = Order::Freed { clinic: self.tenant.clinic().to_string(), slot };
            self.reach.orders.queue(&order, self.now, self.now).await?;
        }
        self.delete(item).await
    }

    /// A slot of the past stays taken, by nobody in particular; one that was held is not any more.
    async fn slot(&self, item: &Item) -> Result<(), CloudError> {
        let key = [("pk", item.get("pk")), ("sk", item.get("sk"))];
        let key: Item = key.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))).collect();
        for (attribute, set) in [("bk_p", "SET bk_p = :nobody"), ("held_p", "REMOVE held_p, held_u")] {
            let call = self.tenant.client().update_item().table_name(self.tenant.table());
            let mut call = call
                .set_key(Some(key.clone()))
                .update_expression(set)
                .condition_expression(format!("{attribute} = :p"))
                .expression_attribute_values(":p", s(self.job.subject.patient.clone()));
            if attribute == "bk_p" {
                call = call.expression_attribute_values(":nobody", s(SOMEBODY));
            }
            match call.send().await {
                Ok(_) => {}
                Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
                Err(e) => return Err(sort("UpdateItem slot", &e)),
            }
        }
        Ok(())
    }

    /// What the person said of being written to stays with the contact point, and says no more whose word
    /// it was; the messenger's ids go where nobody else has the phone.
    async fn contact_point(&self, item: &Item) -> Result<(), CloudError> {
        let reader = Reader { kind: "contact point", item };
        let hash = reader.parse("pk", |pk| Some(pk.rsplit_once("#CP#")?.1.to_owned()))?;
        let id = &self.job.subject.patient;
        let imported = item.get("oo_imp").and_then(|who| who.as_ss().ok());
        if imported.is_some_and(|who| who.contains(id)) {
            self.tenant.opt_out(&hash, ChannelSet::ALL, PurposeSet::ALL, self.now).await?;
            self.tenant.set_imported_opt_out(&hash, &self.job.patient, false).await?;
        }
        self.tenant.vacate(&hash, &self.job.patient).await?;
        let is_on_record = self.job.subject.contacts.contains(&hash);
        if self.job.subject.alone && is_on_record && item.contains_key("users") {
            let call = self.tenant.client().update_item().table_name(self.tenant.table());
            let call = call.set_key(Some(Keys(self.tenant.clinic()).contact_point(&hash).item()));
            let call = call.update_expression("REMOVE #users").expression_attribute_names("#users", "users");
            call.send().await.map_err(|e| sort("UpdateItem contact point", &e))?;
        }
        Ok(())
    }

    /// A seat from which something was sent stays taken. Its enrollment's id is made of the patient's.
    async fn seat(&self, item: &Item) -> Result<(), CloudError> {
        let reader = Reader { kind: "enrollment", item };
        let keys = Keys(self.tenant.clinic());
        let Some(id) = reader.text("sk")?.strip_prefix("E#").map(str::to_owned) else { return Ok(()) };
        let (week, segment) = (reader.parse("week", |text| text.parse().ok())?, reader.text("segment")?);
        let segment = segment.parse().map_err(|_| reader.corrupt("segment"))?;
        let call = self.tenant.client().update_item().table_name(self.tenant.table());
        let call = call
            .set_key(Some(keys.seat(week, &segment, reader.number("seat")?).item()))
            .update_expression("SET enr = :none")
            .condition_expression("enr = :e")
            .expression_attribute_values(":none", s(NO_ENROLLMENT))
            .expression_attribute_values(":e", s(id));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem seat", &e)),
        }
    }

    /// The record that it was done, and the end of the job, in one.
    async fn finish(&self) -> Result<(), CloudError> {
        let keys = Keys(self.tenant.clinic());
        let who = self.job.subject.who.as_deref();
        let record = erasure_audit_item(&keys, &self.job.tombstone, who, self.job.reason.code(), self.now);
        let key = self.tenant.erasing(&self.job.patient);
        let gone = aws_sdk_dynamodb::types::Delete::builder()
            .table_name(self.tenant.table())
            .set_key(Some(key.item()))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(|_| CloudError::Permanent { operation: KIND, code: "delete".to_owned() })?;
        let gone = aws_sdk_dynamodb::types::TransactWriteItem::builder().delete(gone).build();
        let record = put(self.tenant, record, "attribute_not_exists(pk)")?;
        // Refused when another run has finished it meanwhile.
        let Err(error) = self.tenant.finish(vec![gone, record]).await else { return Ok(()) };
        // Only the answer may have been lost; then the visits would be told to nobody.
        match self.tenant.get("GetItem erasure", key.item()).await? {
            Some(_) => Err(error),
            None => Ok(()),
        }
    }
}
