//! A number that was nobody's becomes a patient's: by what a member of staff says, or because an
//! import brings a patient who is reached there.

use chrono::NaiveDate;
use retorno_domain::channel::{ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact::{E164, Phone};
use retorno_domain::conversation::{Open, Thread};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;

use super::plan::alert_order;
use super::staff::{Refused, StaffDone};
use super::{Desk, TRIES_MAX, Visitor};
use crate::error::CloudError;
use crate::orders::Order;
use crate::store::{
    Attached, ConsentRecord, ContactKeys, PatientChange, StrangerGroup, StrangerWord, TenantStore, Turn, TurnDone,
    WaitlistChange,
};

/// Words that are moved in the transaction (DynamoDB takes 100 items); older ones follow it.
const WORDS_AT_ONCE: usize = 80;
/// Characters of somebody's words that the ledger of consent repeats.
const WORDING_CHARS_MAX: usize = 300;

/// What attaching makes of a patient.
struct Adopted {
    patient: Patient,
    thread: Thread,
    /// What the person said about being written to, each with when and in which words.
    said: Vec<(Statement, String)>,
    /// What is stopped by it at every contact of theirs.
    stopped: PurposeSet,
    orders: Vec<Order>,
}

impl Desk {
    /// Attaches a number to a patient: it is noted where the record has another one, what was written
    /// from it is the patient's word, what it said about being written to counts from the day it was
    /// said, and the contact point stays closed where it was closed. Once: done again, it finds itself
    /// done.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn attach(&self, tenant: &TenantStore, who: &str, patient: &PatientId) -> Result<StaffDone, CloudError> {
        for _ in 0..TRIES_MAX {
            let Some(visitor) = self.visit(tenant, patient).await? else { return Ok(StaffDone::Nobody) };
            let Some(group) = tenant.stranger_group(who).await? else { return Ok(StaffDone::Nobody) };
            match group.owner() {
                Some(owner) if owner == patient => return self.attached_before(&group, patient, &visitor).await,
                Some(_) => return Ok(StaffDone::Refused(Refused::Attached)),
                None => {}
            }
            let Some(number) = &group.phone else { return Ok(StaffDone::Refused(Refused::HiddenNumber)) };
            if self.is_wrong_of_others(tenant, number, &visitor).await? {
                return Ok(StaffDone::Refused(Refused::WrongOfOthers));
            }
            let adopted = match adopted(&visitor, &group, number) {
                Ok(adopted) => adopted,
                Err(refused) => return Ok(StaffDone::Refused(refused)),
            };
            // Closing first, as with every opt-out; the number is the patient's, whoever said otherwise.
            close(&visitor, &adopted).await?;
            for hash in hashes(tenant, number) {
                tenant.unmark_wrong(&hash).await?;
            }
            let event = event(who, patient, group.head.version);
            match tenant.commit_turn(&turn_of(&visitor, &group, &adopted, &event)).await? {
                TurnDone::Done => {
                    keep_older(tenant, &group, patient).await?;
                    self.hand_over(&adopted.orders, visitor.now).await?;
                    return Ok(StaffDone::Done);
                }
                TurnDone::Repeated | TurnDone::SlotTaken | TurnDone::Changed => {}
            }
        }
        Err(CloudError::Retryable { operation: "desk", code: "kept_changing".to_owned() })
    }

    /// What was left to do after the transaction is done once more.
    async fn attached_before(
        &self,
        group: &StrangerGroup,
        patient: &PatientId,
        visitor: &Visitor,
    ) -> Result<StaffDone, CloudError> {
        keep_older(&visitor.tenant, group, patient).await?;
        let event = event(&group.who, patient, group.head.version.saturating_sub(1));
        self.repeated(visitor, &event).await?;
        Ok(StaffDone::Repeated)
    }

    /// Whether somebody said of this number that it is not the patient's, and patients other than this
    /// one have it on record: they would be written to there.
    async fn is_wrong_of_others(
        &self,
        tenant: &TenantStore,
        number: &E164,
        visitor: &Visitor,
    ) -> Result<bool, CloudError> {
        let mut is_wrong = false;
        for hash in hashes(tenant, number) {
            is_wrong |= tenant
                .contact_points(&ContactKeys { phone: Some(hash), ..ContactKeys::default() })
                .await?
                .phone
                .is_wrong();
        }
        let others = tenant.patients_with_phone(number, visitor.today()).await?;
        Ok(is_wrong && others.iter().any(|other| *other != visitor.patient().id))
    }
}

/// The hashes of a number's contact point, one for each spelling.
pub(super) fn hashes(tenant: &TenantStore, number: &E164) -> Vec<String> {
    number.aliases().iter().map(|digits| tenant.hash(&format!("+{digits}"))).collect()
}

fn event(who: &str, patient: &PatientId, version: u64) -> String {
    format!("attach#{who}#{patient}#{version}")
}

fn adopted(visitor: &Visitor, group: &StrangerGroup, number: &E164) -> Result<Adopted, Refused> {
    let (now, today) = (visitor.now, visitor.today());
    let mut patient = visitor.patient().clone();
    let reached = patient.through(today).phone().map(Phone::aliases).unwrap_or_default();
    if !reached.iter().any(|digits| digits == number.digits()) {
        let phone = Phone::parse(number.as_str(), visitor.clinic.clinic.country).map_err(|_| Refused::NoPhone)?;
        patient.note_phone(phone, now, today).map_err(|_| Refused::NoGuardian)?;
    }
    let was_out = patient.consent.opted_out(today);
    let mut said = Vec::new();
    for word in &group.words {
        for statement in statements_of(visitor, &patient, word) {
            if patient.consent.record(statement.clone()) {
                said.push((statement, wording(word)));
            }
        }
    }
    let is_new = |purpose: &Purpose| !was_out.contains(*purpose);
    let stopped: PurposeSet = patient.consent.opted_out(today).iter().filter(is_new).collect();
    let mut thread = visitor.collection.thread.thread.clone();
    if stopped.contains(Purpose::Marketing) {
        thread.settle(now);
    }
    if let (Some(at), Some(phone)) = (group.heard_at(), &group.phone)
        && thread.heard_at <= Some(at)
    {
        thread.heard_from = Some(visitor.tenant.hash(phone.as_str()));
    }
    thread.heard_at = thread.heard_at.max(group.heard_at());
    let clinic = visitor.tenant.clinic().to_string();
    let mut orders = vec![Order::PatientChanged { clinic, patient: patient.id.to_string() }];
    if let Some((reason, urgency)) = group.waits() {
        patient.paused = true;
        let known = thread.open.take();
        let is_news = known.as_ref().is_none_or(|open| open.urgency < urgency);
        let open = known.unwrap_or_else(|| Open { since: now, reason: reason.to_owned(), urgency });
        let open = Open { urgency: open.urgency.max(urgency), ..open };
        if is_news {
            orders.push(alert_order(visitor, &open));
        }
        thread.open = Some(open);
    }
    Ok(Adopted { patient, thread, said, stopped, orders })
}

/// What words say about being written to, on the day they were said.
fn statements_of(visitor: &Visitor, patient: &Patient, word: &StrangerWord) -> Vec<Statement> {
    let on = visitor.clinic.clinic.date(word.said.at);
    let statement = |wish, purposes| Statement { on, wish, source: Source::Recorded, purposes };
    if !word.said.stopped.is_empty() {
        return vec![statement(Wish::OptOut, word.said.stopped)];
    }
    if !word.agrees() {
        return Vec::new();
    }
    let only: ChannelSet = [word.said.channel].into_iter().collect();
    agreeing(patient, on, patient.consent.meant_by_agreeing(on), only)
        .into_iter()
        .map(|(channels, purposes)| statement(Wish::OptIn(channels), purposes))
        .collect()
}

/// What is agreed to for these purposes by somebody who names channels on a day: those agreed to then
/// stand beside them. One where the same comes of both.
pub(super) fn agreeing(
    patient: &Patient,
    on: NaiveDate,
    purposes: PurposeSet,
    named: ChannelSet,
) -> Vec<(ChannelSet, PurposeSet)> {
    let mut all: Vec<(ChannelSet, PurposeSet)> = Vec::new();
    for purpose in purposes.iter() {
        let channels = named.iter().fold(patient.consent.channels(purpose, on), ChannelSet::with);
        match all.iter_mut().find(|(same, _)| *same == channels) {
            Some((_, purposes)) => *purposes = purposes.iter().chain([purpose]).collect(),
            None => all.push((channels, [purpose].into_iter().collect())),
        }
    }
    all
}

fn wording(word: &StrangerWord) -> String {
    let said: String = word.said.text.chars().take(WORDING_CHARS_MAX).collect();
    format!("message of {}, before the number was the patient's: {said}", word.said.at.format("%Y-%m-%dT%H:%MZ"))
}

/// Closes the patient's contacts for what they stopped, and the number for what they had stopped
/// before. Harmless to repeat.
async fn close(visitor: &Visitor, adopted: &Adopted) -> Result<(), CloudError> {
    let (tenant, now, today) = (&visitor.tenant, visitor.now, visitor.today());
    let keys = tenant.contact_keys(&adopted.patient, today);
    for hash in keys.iter() {
        tenant.opt_out(hash, ChannelSet::ALL, adopted.stopped, now).await?;
    }
    let out = adopted.patient.consent.opted_out(today);
    if keys.phone != visitor.contacts.phone
        && let Some(hash) = &keys.phone
    {
        match out {
            PurposeSet::ALL => tenant.set_imported_opt_out(hash, &adopted.patient.id, true).await?,
            of_some => tenant.opt_out(hash, ChannelSet::ALL, of_some, now).await?,
        }
    }
    Ok(())
}

/// The newest words go into the transaction.
fn newest(group: &StrangerGroup) -> &[StrangerWord] {
    group.words.get(group.words.len().saturating_sub(WORDS_AT_ONCE)..).unwrap_or_default()
}

async fn keep_older(tenant: &TenantStore, group: &StrangerGroup, patient: &PatientId) -> Result<(), CloudError> {
    let older = group.words.len().saturating_sub(WORDS_AT_ONCE);
    for word in group.words.iter().take(older) {
        tenant.keep_heard(patient, word).await?;
    }
    Ok(())
}

fn turn_of<'a>(visitor: &'a Visitor, group: &'a StrangerGroup, adopted: &'a Adopted, event: &'a str) -> Turn<'a> {
    let stored = &visitor.collection;
    let changed = stored.patient.patient != adopted.patient;
    let change = PatientChange { from: &stored.patient, next: &adopted.patient, today: visitor.today() };
    Turn {
        patient: &stored.patient.patient.id,
        alias: stored.patient.alias.as_ref(),
        event,
        change: changed.then_some(change),
        thread: (stored.thread.thread != adopted.thread).then_some((&stored.thread, &adopted.thread)),
        heard: None,
        attached: Some(Attached {
            who: &group.who,
            head: &group.head,
            patients_until: Some(group.kept_until()),
            words: newest(group).iter().collect(),
        }),
        slots: Vec::new(),
        bookings: Vec::new(),
        answer: None,
        waitlist: adopted.stopped.contains(Purpose::Marketing).then_some(WaitlistChange::Leave),
        consent: adopted.said.iter().map(|(statement, how)| ConsentRecord { statement, how }).collect(),
        orders: &adopted.orders,
        lift: None,
        now: visitor.now,
    }
}
