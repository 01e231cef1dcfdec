//! Everything held about one person as one JSON object. `docs/privacy.md` says what its fields mean.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use retorno_domain::appointment::Appointment;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact::{EmailAddress, Phone};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use serde_json::{Map, Value, json};

use super::held::{Held, hash_of_point, text};
use crate::error::CloudError;
use crate::store::how::{HOW_SK, words_of};
use crate::store::item::{Item, Reader};
use crate::store::{AuditRecord, AuditValue, Collection, TenantStore};

/// Attributes that serve the table and say nothing about anybody.
const INNER: [&str; 12] = ["pk", "sk", "g1pk", "g1sk", "g2pk", "g2sk", "g3pk", "g3sk", "ver", "ttl", "epoch", "key"];
/// Attributes that hold an instant.
const INSTANTS: [&str; 20] = [
    "at",
    "since",
    "until",
    "claimed",
    "due",
    "told",
    "dropped",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "clicked_at",
    "not_after",
    "visit_at",
    "start",
    "made",
    "heard",
    "asked_at",
    "settled",
    "rest",
];
/// The records of a patient are looked for so long before anything else of theirs.
const RECORDS_BEFORE: TimeDelta = TimeDelta::days(1);

impl TenantStore {
    /// Everything held about a patient; nothing when there is no such patient.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn everything_about(&self, id: &PatientId, now: DateTime<Utc>) -> Result<Option<Value>, CloudError> {
        let Some(collection) = self.collection(id).await? else { return Ok(None) };
        let today = self.settings(now).await?.clinic.date(now);
        let subject = self.subject(&collection, today).await?;
        let held = self.held(&subject, id).await?;
        let patient = &collection.patient.patient;
        let of = |prefix: &str| -> Vec<Value> {
            let begins = |item: &&Item| text(item, "sk").is_some_and(|sk| sk.starts_with(prefix));
            held.own.iter().filter(begins).map(|item| with_id(item, prefix)).collect()
        };
        let named = |kind: &str| -> Vec<Value> {
            held.named.iter().filter(|(of, _)| *of == kind).map(|(_, item)| plain(item)).collect()
        };
        let known = ["PATIENT", "ALIAS", "CONVERSATION", "E#", "M#", "A#", "I#", "SURVEY#", HOW_SK];
        let other = |item: &&Item| !text(item, "sk").is_some_and(|sk| known.iter().any(|of| sk.starts_with(of)));
        let records = self.records_of(&collection, &held, now).await?;
        Ok(Some(json!({
            "format": "retorno patient 1",
            "clinic": self.clinic().as_str(),
            "patient": id.as_str(),
            "exported_at": moment(now),
            "profile": profile(patient),
            "consents": patient.consent.statements().iter().map(statement).collect::<Vec<_>>(),
            "consent_words": consent_words(&collection, &held, &records)?,
            "appointments": patient.appointments.iter().map(appointment).collect::<Vec<_>>(),
            "enrollments": of("E#"),
            "messages": of("M#"),
            "answers": of("A#"),
            "said": of("I#"),
            "conversation": of("CONVERSATION").pop(),
            "surveys": of("SURVEY#"),
            "bookings": held.bookings.iter().map(plain).collect::<Vec<_>>(),
            "slots_held": held.slots.iter().map(plain).collect::<Vec<_>>(),
            "waitlist": named("waiter").pop(),
            "visits_ahead": named("visits ahead").pop(),
            "calls": named("call task"),
            "agreements": named("agreement"),
            "words_before_known": named("stranger"),
            "contact_points": points(&held, &subject.contacts, id),
            "sending": sending(patient),
            "audit": records,
            "other": held.own.iter().filter(other).map(|item| with_id(item, "")).collect::<Vec<_>>(),
        })))
    }

    /// The audit records that stand under the patient's name in them.
    async fn records_of(
        &self,
        collection: &Collection,
        held: &Held,
        now: DateTime<Utc>,
    ) -> Result<Vec<AuditRecord>, CloudError> {
        let Some(alias) = &collection.patient.alias else { return Ok(Vec::new()) };
        let name = alias.name();
        let instants = held.own.iter().flat_map(|item| INSTANTS.iter().map(move |of| (item, *of)));
        let instants = instants.filter_map(|(item, of)| Reader { kind: "item", item }.instant_opt(of).ok().flatten());
        let since = instants.min().unwrap_or(now).min(now) - RECORDS_BEFORE;
        let said = collection.patient.patient.consent.statements().iter().map(|statement| statement.on).min();
        let since = said.and_then(|day| day.and_hms_opt(0, 0, 0)).map_or(since, |day| day.and_utc().min(since));
        let records = self.audit_records(since.max(now - TimeDelta::days(3_660)), now + TimeDelta::days(1)).await?;
        Ok(records.into_iter().filter(|record| record.who() == Some(&name)).collect())
    }
}

/// What is known of the contact points; of others who share them, or have them by now, nothing.
fn points(held: &Held, on_record: &BTreeSet<String>, id: &PatientId) -> Vec<Value> {
    let point = |item: &Item| {
        let imported = item.get("oo_imp").and_then(|who| who.as_ss().ok());
        let opted_out = imported.is_some_and(|who| who.iter().any(|who| who == id.as_str()));
        let is_former = !hash_of_point(item).is_some_and(|hash| on_record.contains(hash));
        let mut map = if is_former { Map::new() } else { raw(item) };
        for of_others in ["oo_imp", "users", "busy_p"] {
            map.remove(of_others);
        }
        map.insert("former".to_owned(), json!(is_former));
        map.insert("opted_out_by_export".to_owned(), json!(opted_out));
        (!is_former || opted_out).then_some(Value::Object(map))
    };
    held.points.iter().filter_map(point).collect()
}

/// The words that consents were given by, each with the record it is of and whether that record's mark is
/// the mark of these words.
fn consent_words(collection: &Collection, held: &Held, records: &[AuditRecord]) -> Result<Vec<Value>, CloudError> {
    let mut found = Vec::new();
    for item in held.own.iter().filter(|item| text(item, "sk").is_some_and(|sk| sk.starts_with(HOW_SK))) {
        let at = Reader { kind: "words of a consent", item }.instant("at")?;
        for (of, words) in words_of(item)? {
            let mark = collection.patient.alias.as_ref().map(|alias| AuditValue::S(alias.how(&words)));
            let record = records.iter().find(|record| record.sort_key() == of);
            let as_recorded = mark.is_some() && record.and_then(|record| record.0.get("words")) == mark.as_ref();
            found.push(json!({ "at": moment(at), "words": words, "record": of, "as_recorded": as_recorded }));
        }
    }
    Ok(found)
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn profile(patient: &Patient) -> Value {
    let profile = &patient.profile;
    let phone = |phone: Option<&Phone>| phone.map(|phone| phone.e164.as_str().to_owned());
    let email = |email: Option<&EmailAddress>| email.map(|email| email.as_str().to_owned());
    let guardian = patient.guardian().map(|guardian| {
        json!({
            "name": guardian.name.as_ref().map(retorno_domain::contact::PersonName::as_str),
            "phone": phone(guardian.phone.as_ref().ok()),
            "email": email(guardian.email.as_ref().ok()),
        })
    });
    json!({
        "name": profile.name.as_str(),
        "phone": phone(profile.phone.as_ref().ok()),
        "email": email(profile.email.as_ref().ok()),
        "zone": profile.zone.name(),
        "insurer": profile.insurer,
        "of_age_on": patient.of_age_on().map(|day: NaiveDate| day.to_string()),
        "guardian": guardian,
        "as_of": moment(profile.as_of.0),
    })
}

fn sending(patient: &Patient) -> Value {
    let history = &patient.history;
    json!({
        "paused": patient.paused,
        "in_sequence": patient.sequence.map(|id| id.to_string()),
        "last_message_at": history.last_at.map(moment),
        "whatsapp_at": history.whatsapp.stamps.iter().flatten().copied().map(moment).collect::<Vec<_>>(),
        "rests_until": history.whatsapp.rest_until.map(moment),
    })
}

fn statement(statement: &Statement) -> Value {
    let channels = |channels: ChannelSet| channels.iter().map(Channel::code).collect::<Vec<_>>();
    let purposes = |purposes: PurposeSet| purposes.iter().map(Purpose::code).collect::<Vec<_>>();
    json!({
        "on": statement.on.to_string(),
        "said": match statement.wish { Wish::OptIn(_) => "agreed", Wish::OptOut => "opted_out" },
        "channels": match statement.wish { Wish::OptIn(of) => channels(of), Wish::OptOut => channels(ChannelSet::ALL) },
        "purposes": purposes(statement.purposes),
        "source": match statement.source { Source::Import => "export", Source::Recorded => "recorded" },
    })
}

fn appointment(visit: &Appointment) -> Value {
    json!({
        "id": visit.id.as_str(),
        "start": moment(visit.start),
        "status": visit.status.code(),
        "professional": &*visit.professional,
        "service": &*visit.service,
        "amount_cents": visit.amount_cents,
        "session": visit.session.map(|session| json!({ "done": session.done, "of": session.total })),
        "lead_source": visit.lead_source.as_deref(),
        "as_of": moment(visit.as_of),
    })
}

/// An item by its attributes, instants as text.
fn raw(item: &Item) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in item {
        if !INNER.contains(&name.as_str()) {
            map.insert(name.clone(), plain_value(name, value));
        }
    }
    map
}

fn plain(item: &Item) -> Value {
    Value::Object(raw(item))
}

/// With the part of its key that says which it is.
fn with_id(item: &Item, prefix: &str) -> Value {
    let mut map = raw(item);
    if let Some(id) = text(item, "sk").and_then(|sk| sk.strip_prefix(prefix)).filter(|id| !id.is_empty()) {
        map.insert("id".to_owned(), json!(id));
    }
    Value::Object(map)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are not written, and the SDK may add some")]
fn plain_value(name: &str, value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => {
            let at = INSTANTS.contains(&name).then(|| DateTime::from_timestamp_millis(number.parse().ok()?)).flatten();
            at.map_or_else(|| serde_json::from_str(number).unwrap_or_else(|_| json!(number)), |at| json!(moment(at)))
        }
        AttributeValue::Bool(yes) => json!(yes),
        AttributeValue::Ss(texts) => json!(texts),
        _ => Value::Null,
    }
}
