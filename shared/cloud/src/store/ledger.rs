//! The chain over the audit records of a clinic: digests, each put once, and the head, which only the
//! writer that read it may move. The records themselves are only read here.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::TenantStore;
use super::commit::{put, update};
use super::enrollment::wrap;
use super::item::{Item, Reader, ms, n, s};
use super::key::{AUDIT_SHARDS, Keys};
use crate::error::{CloudError, sort};

const RECORD: &str = "audit record";
const DIGEST: &str = "digest";

/// A value of an audit record, written as the table's protocol writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AuditValue {
    /// A text.
    S(String),
    /// A number, as the table holds it.
    N(String),
    /// A yes or no.
    #[serde(rename = "BOOL")]
    Bool(bool),
}

/// An audit record, whole: every attribute by its name, keys among them. Its JSON, names in the order of
/// their bytes, is what is chained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditRecord(pub BTreeMap<String, AuditValue>);

impl AuditRecord {
    /// Its sort key: by it records stand in the order of time.
    #[must_use]
    pub fn sort_key(&self) -> &str {
        match self.0.get("sk") {
            Some(AuditValue::S(text)) => text,
            Some(AuditValue::N(_) | AuditValue::Bool(_)) | None => "",
        }
    }

    /// Its instant, in milliseconds since 1970.
    #[must_use]
    pub fn at_ms(&self) -> Option<i64> {
        self.sort_key().get(..15)?.parse().ok()
    }

    /// Under which name somebody stands in it.
    #[must_use]
    pub fn who(&self) -> Option<&str> {
        match self.0.get("who") {
            Some(AuditValue::S(text)) => Some(text),
            Some(AuditValue::N(_) | AuditValue::Bool(_)) | None => None,
        }
    }
}

/// How far a clinic's chain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerHead {
    /// The number of the last digest.
    pub number: u64,
    /// Records before this instant are sealed.
    pub until: DateTime<Utc>,
    /// The number of the last digest that is kept outside the table too.
    pub anchored: u64,
}

/// A digest to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewDigest<'a> {
    /// Its number.
    pub number: u64,
    /// The number of the head that it follows; 0 where there is none.
    pub follows: u64,
    /// Records before this instant are sealed by it and those before.
    pub until: DateTime<Utc>,
    /// The digest, signed, as JSON.
    pub json: &'a str,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are not written, and the SDK may add some")]
fn record_of(item: &Item) -> Result<AuditRecord, CloudError> {
    let reader = Reader { kind: RECORD, item };
    let value = |(name, value): (&String, &AttributeValue)| {
        let value = match value {
            AttributeValue::S(text) => AuditValue::S(text.clone()),
            AttributeValue::N(number) => AuditValue::N(number.clone()),
            AttributeValue::Bool(yes) => AuditValue::Bool(*yes),
            _ => return Err(reader.corrupt(name)),
        };
        Ok((name.clone(), value))
    };
    item.iter().map(value).collect::<Result<_, _>>().map(AuditRecord)
}

impl TenantStore {
    /// The audit records of `[from, until)`, in the order of time. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn audit_records(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<AuditRecord>, CloudError> {
        let mut found = Vec::new();
        for day in from.date_naive().iter_days().take_while(|day| *day <= until.date_naive() && from < until) {
            for shard in 0..AUDIT_SHARDS {
                found.extend(self.audit_shard((day, shard), from, until).await?);
            }
        }
        found.sort_by(|a: &AuditRecord, b: &AuditRecord| a.sort_key().cmp(b.sort_key()));
        Ok(found)
    }

    async fn audit_shard(
        &self,
        (day, shard): (NaiveDate, u8),
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<AuditRecord>, CloudError> {
        // An instant alone sorts before everything of that instant: the upper bound is left out.
        let bound = |at: DateTime<Utc>| s(format!("{:015}", at.timestamp_millis()));
        let call = self.client().query().table_name(self.table()).consistent_read(true);
        let call = call
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :until")
            .expression_attribute_values(":pk", s(Keys(&self.clinic).audit_pk(day, shard)))
            .expression_attribute_values(":from", bound(from))
            .expression_attribute_values(":until", bound(until));
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| sort("Query audit", &e))?.items() {
                found.push(record_of(item)?);
            }
        }
        Ok(found)
    }

    /// How far the chain is; nothing before the first sealing. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn ledger_head(&self) -> Result<Option<LedgerHead>, CloudError> {
        let Some(item) = self.get("GetItem ledger", Keys(&self.clinic).ledger_head().item()).await? else {
            return Ok(None);
        };
        let reader = Reader { kind: "ledger head", item: &item };
        let anchored = reader.number_opt("anchored")?.unwrap_or(0);
        Ok(Some(LedgerHead { number: reader.number("number")?, until: reader.instant("until_ms")?, anchored }))
    }

    /// Stores a digest and moves the head to it, both or neither; says whether it did. It does not when
    /// another sealer has moved the head meanwhile: a chain has one next digest.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn put_digest(&self, digest: &NewDigest<'_>) -> Result<bool, CloudError> {
        let keys = Keys(&self.clinic);
        let mut item = keys.digest(digest.number).item();
        item.insert("json".to_owned(), s(digest.json));
        item.insert("until_ms".to_owned(), ms(digest.until));
        let head = update(self, &keys.ledger_head())
            .update_expression("SET #number = :number, until_ms = :until")
            .condition_expression(match digest.follows {
                0 => "attribute_not_exists(pk)",
                _ => "#number = :before",
            })
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":number", n(digest.number))
            .expression_attribute_values(":until", ms(digest.until));
        let head = match digest.follows {
            0 => head,
            before => head.expression_attribute_values(":before", n(before)),
        };
        let writes: Vec<TransactWriteItem> = vec![wrap(head)?, put(self, item, "attribute_not_exists(pk)")?];
        self.finish(writes).await
    }

    /// Notes that the digests up to this one are kept outside the table too. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_anchored(&self, number: u64) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).ledger_head().item()))
            .update_expression("SET anchored = :number")
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(anchored) OR anchored < :number)")
            .expression_attribute_values(":number", n(number));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem ledger", &e)),
        }
    }

    /// Digests by number, both included, as they were stored. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn digests(&self, from: u64, until: u64) -> Result<Vec<String>, CloudError> {
        // None before the first sealing; the table refuses to be asked for what ends before it begins.
        if from > until {
            return Ok(Vec::new());
        }
        let keys = Keys(&self.clinic);
        let (first, last) = (keys.digest(from), keys.digest(until));
        let call = self.client().query().table_name(self.table()).consistent_read(true);
        let call = call
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :until")
            .expression_attribute_values(":pk", s(first.pk))
            .expression_attribute_values(":from", s(first.sk))
            .expression_attribute_values(":until", s(last.sk));
        let mut pages = call.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| sort("Query ledger", &e))?.items() {
                found.push(Reader { kind: DIGEST, item }.text("json")?.to_owned());
            }
        }
        Ok(found)
    }
}
