//! Patients: one item each, holding profile, consent, appointments, what was sent, and the keys of
//! the two indexes (when to look again; where they wait).

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, KeysAndAttributes, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::stream::{self, StreamExt as _};
use retorno_domain::contact::{E164, EmailAddress, Line, PersonName, Phone, UnusableEmail, UnusablePhone};
use retorno_domain::ids::{AppointmentId, EnrollmentId, PatientId};
use retorno_domain::limits::WhatsappLedger;
use retorno_domain::patient::{Patient, Profile, SendingHistory};
use retorno_domain::standing::Standing;

use super::TenantStore;
use super::alias::{ALIAS_SK, Alias, alias_of};
use super::answer::StoredAnswer;
use super::due::{IndexKeys, standing_of};
use super::enrollment::StoredEnrollment;
use super::guardian_wire::{guardianship_attributes, guardianship_of};
use super::item::{Item, Reader, ms, n, s};
use super::key::{Keys, patient_of_pk};
use super::lookup::lookup_keys;
use super::message::StoredMessage;
use super::noted_wire::{noted_attributes, noted_of};
use super::patient_wire::{appointments_of, appointments_text, consent_of, consent_text};
use super::subscription_wire::{put_subscriptions, subscriptions_of};
use super::thread::{StoredThread, thread_of};
use crate::error::{CloudError, sort};

/// A patient as stored, with the version that a later write must still find.
#[derive(Debug, Clone)]
pub struct StoredPatient {
    /// The patient.
    pub patient: Patient,
    /// Rises with each write of anything that decisions rest on.
    pub version: u64,
    /// Where the patient stood when last evaluated.
    pub standing: Standing,
    /// The name in the audit records, where there is one; known only where the whole collection was read.
    pub alias: Option<Alias>,
}

/// A patient's item collection: what one Query brings.
#[derive(Debug, Clone)]
pub struct Collection {
    /// The patient.
    pub patient: StoredPatient,
    /// Enrollments, ended ones included.
    pub enrollments: Vec<StoredEnrollment>,
    /// Messages.
    pub messages: Vec<StoredMessage>,
    /// Answers said or to be said.
    pub answers: Vec<StoredAnswer>,
    /// How the conversation stands.
    pub thread: StoredThread,
}

const KIND: &str = "patient";
/// Patients written at once.
pub(super) const WRITES_AT_ONCE: usize = 16;
/// Items of one BatchGetItem (DynamoDB's limit).
const READS_MAX: usize = 100;

pub(super) fn ledger_attributes(item: &mut Item, ledger: &WhatsappLedger) {
    for (place, stamp) in ledger.stamps.iter().enumerate() {
        if let Some(at) = stamp {
            item.insert(format!("wa{place}"), ms(*at));
        }
    }
    if let Some(at) = ledger.rest_until {
        item.insert("rest".to_owned(), ms(at));
    }
}

pub(super) fn ledger_of(reader: &Reader<'_>) -> Result<WhatsappLedger, CloudError> {
    let mut stamps = Vec::new();
    // Settings allow at most 16 places.
    for place in 0..16 {
        stamps.push(reader.instant_opt(&format!("wa{place}"))?);
    }
    while stamps.last().is_some_and(Option::is_none) {
        stamps.pop();
    }
    Ok(WhatsappLedger { stamps, rest_until: reader.instant_opt("rest")? })
}

pub(super) fn item_of(
    tenant: &TenantStore,
    patient: &Patient,
    version: u64,
    standing: &Standing,
    today: NaiveDate,
) -> Item {
    let keys = &Keys(&tenant.clinic);
    let mut item = keys.patient(&patient.id).item();
    let mut put = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
    let profile = &patient.profile;
    put("ver", n(version));
    put("name", s(profile.name.as_str()));
    match &profile.phone {
        Ok(phone) => {
            put("phone", s(phone.e164.as_str()));
            put("line", s(phone.line.code()))
        }
        Err(why) => put("phone_bad", s(why.code())),
    };
    match &profile.email {
        Ok(email) => put("email", s(email.as_str())),
        Err(why) => put("email_bad", s(why.code())),
    };
    put("zone", s(profile.zone.name()));
    if let Some(insurer) = &profile.insurer {
        put("insurer", s(&**insurer));
    }
    put("prof_at", ms(profile.as_of.0));
    put("prof_by", s(profile.as_of.1.as_str()));
    put("consent", s(consent_text(&patient.consent)));
    put("visits", s(appointments_text(&patient.appointments)));
    if patient.paused {
        put("paused", AttributeValue::Bool(true));
    }
    if let Some(id) = patient.sequence {
        put("seq", s(id.to_string()));
    }
    if let Some(at) = patient.history.last_at {
        put("last_at", ms(at));
        put("last_n", n(patient.history.last_day_count));
    }
    if let Some((pk, sk)) = lookup_keys(tenant, patient, today) {
        put("g3pk", s(pk));
        put("g3sk", s(sk));
    }
    guardianship_attributes(&mut item, &patient.guardianship, &profile.as_of);
    noted_attributes(&mut item, patient.noted.as_deref());
    ledger_attributes(&mut item, &patient.history.whatsapp);
    put_subscriptions(&mut item, &patient.subscriptions);
    IndexKeys(standing).put(keys, &patient.id, &mut item);
    item
}

pub(super) fn patient_of(item: &Item) -> Result<StoredPatient, CloudError> {
    let reader = Reader { kind: KIND, item };
    let id = reader.parse("pk", patient_of_pk)?;
    let phone = match reader.text_opt("phone") {
        Some(text) => Ok(Phone {
            e164: E164::parse_strict(text).map_err(|_| reader.corrupt("phone"))?,
            line: reader.parse("line", Line::of_code)?,
        }),
        None => Err(reader.parse("phone_bad", UnusablePhone::of_code)?),
    };
    let email = match reader.text_opt("email") {
        Some(text) => Ok(EmailAddress::parse(text).map_err(|_| reader.corrupt("email"))?),
        None => Err(reader.parse("email_bad", UnusableEmail::of_code)?),
    };
    let profile = Profile {
        name: reader.parse("name", |text| PersonName::parse(text).ok())?,
        phone,
        email,
        zone: reader.parse("zone", |text| text.parse().ok())?,
        insurer: reader.text_opt("insurer").map(Into::into),
        as_of: (reader.instant("prof_at")?, reader.parse("prof_by", |t| AppointmentId::parse(t).ok())?),
    };
    let sequence = match reader.text_opt("seq") {
        Some(text) => Some(EnrollmentId::parse(text).ok_or_else(|| reader.corrupt("seq"))?),
        None => None,
    };
    let guardianship = guardianship_of(&reader, &profile.as_of)?;
    let of_age_on = guardianship.of_age.as_ref().map(|told| told.what);
    let patient = Patient {
        id,
        profile,
        consent: reader.parse("consent", consent_of)?.of_somebody_of_age(of_age_on),
        guardianship,
        appointments: reader.parse("visits", appointments_of)?,
        paused: reader.flag("paused"),
        history: SendingHistory {
            whatsapp: ledger_of(&reader)?,
            last_at: reader.instant_opt("last_at")?,
            last_day_count: reader.number_opt("last_n")?.unwrap_or(0),
        },
        sequence,
        subscriptions: subscriptions_of(&reader)?,
        noted: noted_of(&reader)?.map(Box::new),
    };
    Ok(StoredPatient { patient, version: reader.number("ver")?, standing: standing_of(&reader)?, alias: None })
}

impl TenantStore {
    /// A patient and everything in their collection, strongly consistent. One Query: half a read
    /// unit per 4 KB … twice that for strong consistency.
    ///
    /// # Errors
    /// [`CloudError`]; a patient who is not there is `Ok(None)`.
    pub async fn collection(&self, id: &PatientId) -> Result<Option<Collection>, CloudError> {
        let keys = Keys(&self.clinic);
        let mut pages = self
            .client()
            .query()
            .table_name(self.table())
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(keys.patient_pk(id)))
            .into_paginator()
            .send();
        let (mut patient, mut enrollments, mut messages) = (None, Vec::new(), Vec::new());
        let (mut answers, mut thread, mut alias) = (Vec::new(), StoredThread::default(), None);
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| sort("Query patient", &e))?.items() {
                match item.get("sk").and_then(|sk| sk.as_s().ok()).map(String::as_str) {
                    Some("PATIENT") => patient = Some(patient_of(item)?),
                    Some(ALIAS_SK) => alias = Some(alias_of(item)?),
                    Some(sk) if sk.starts_with("E#") => enrollments.push(StoredEnrollment::of(item, id)?),
                    Some(sk) if sk.starts_with("M#") => messages.push(StoredMessage::of(item, id)?),
                    Some(sk) if sk.starts_with("A#") => answers.push(StoredAnswer::of(item)?),
                    Some("CONVERSATION") => thread = thread_of(item)?,
                    Some(_) | None => {}
                }
            }
        }
        let patient = patient.map(|patient| StoredPatient { alias, ..patient });
        Ok(patient.map(|patient| Collection { patient, enrollments, messages, answers, thread }))
    }

    /// Patients by id, those that are there. BatchGetItem, eventually consistent unless `strong`.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn patients(&self, ids: &[PatientId], strong: bool) -> Result<Vec<StoredPatient>, CloudError> {
        let keys = Keys(&self.clinic);
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(READS_MAX) {
            let wanted: Vec<Item> = chunk.iter().map(|id| keys.patient(id).item()).collect();
            for item in self.batch_get("BatchGetItem patients", wanted, strong).await? {
                found.push(patient_of(&item)?);
            }
        }
        Ok(found)
    }

    /// Items by key, at most 100, asking again for what the service leaves over.
    pub(super) async fn batch_get(
        &self,
        operation: &'static str,
        keys: Vec<Item>,
        strong: bool,
    ) -> Result<Vec<Item>, CloudError> {
        let mut wanted = keys;
        let mut found = Vec::with_capacity(wanted.len());
        while !wanted.is_empty() {
            let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(strong).build();
            let request = request.map_err(|_| CloudError::Permanent { operation, code: "keys".to_owned() })?;
            let call = self.client().batch_get_item().request_items(self.table(), request);
            let answer = call.send().await.map_err(|e| sort(operation, &e))?;
            found.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
            let left = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
            wanted = left.flat_map(|keys| keys.keys).collect();
        }
        Ok(found)
    }

    /// Stores patients that are not there yet, as they are reached today; says whether none of them was.
    /// One that is there was written by somebody else meanwhile and is left alone: the writer has lost
    /// its turn.
    ///
    /// # Errors
    /// [`CloudError`]; some may have been stored.
    pub async fn put_new_patients(
        &self,
        patients: &[(Patient, Standing)],
        today: NaiveDate,
    ) -> Result<bool, CloudError> {
        let writes = patients.iter().map(|(patient, standing)| self.put_new_patient(patient, standing, today));
        let mut written = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE);
        let mut all_new = true;
        while let Some(is_new) = written.next().await {
            all_new &= is_new?;
        }
        Ok(all_new)
    }

    async fn put_new_patient(
        &self,
        patient: &Patient,
        standing: &Standing,
        today: NaiveDate,
    ) -> Result<bool, CloudError> {
        let item = item_of(self, patient, 1, standing, today);
        let put = self.client().put_item().table_name(self.table());
        let put = put
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(true),
            Err(error) => error,
        };
        match error.as_service_error() {
            // Our own, whose answer was lost on the way; or somebody else's.
            Some(PutItemError::ConditionalCheckFailedException(there)) => Ok(there.item() == Some(&item)),
            Some(_) | None => Err(sort("PutItem patient", &error)),
        }
    }

    /// Stores a changed patient if nothing has changed since it was read; says whether it did.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn replace_patient(
        &self,
        patient: &Patient,
        version: u64,
        standing: &Standing,
        today: NaiveDate,
    ) -> Result<bool, CloudError> {
        let put = self
            .client()
            .put_item()
            .table_name(self.table())
            .set_item(Some(item_of(self, patient, version + 1, standing, today)))
            .condition_expression("ver = :v")
            .expression_attribute_values(":v", n(version));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("PutItem patient", &e)),
        }
    }

    /// Stores where a patient stands, and by which phone they are found today (index keys only), if
    /// nothing has changed since it was read; says whether it did. The version stays: no decision rests
    /// on these attributes.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn set_standing(
        &self,
        stored: &StoredPatient,
        standing: &Standing,
        today: NaiveDate,
    ) -> Result<bool, CloudError> {
        let (keys, id, version) = (Keys(&self.clinic), &stored.patient.id, stored.version);
        let lookup = lookup_keys(self, &stored.patient, today);
        let (update, values) = IndexKeys(standing).update(&keys, id, lookup);
        let call = self
            .client()
            .update_item()
            .table_name(self.table())
            .set_key(Some(keys.patient(id).item()))
            .update_expression(update)
            .condition_expression("ver = :v")
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":v", n(version));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(e) => Err(sort("UpdateItem standing", &e)),
        }
    }

    /// The condition that a patient is there, as part of a transaction that writes something of theirs.
    pub(super) fn is_there(&self, id: &PatientId) -> Result<TransactWriteItem, CloudError> {
        let check = ConditionCheck::builder()
            .table_name(self.table())
            .set_key(Some(Keys(&self.clinic).patient(id).item()))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(|_| CloudError::Permanent { operation: "TransactWriteItems", code: "check".to_owned() })?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// The instants that a stored history holds, as the commit writes them.
pub(super) fn day_count(history: &SendingHistory, now: DateTime<Utc>, zone: chrono_tz::Tz) -> u8 {
    let day = |at| retorno_domain::calendar::local_date(at, zone);
    match history.last_at {
        Some(last) if day(last) == day(now) => history.last_day_count.saturating_add(1),
        Some(_) | None => 1,
    }
}
