//! Free slots of the agenda, as the clinic last reported them.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use chrono::{DateTime, Utc};

use super::TenantStore;
use super::item::{Reader, ms, n, s};
use super::key::{Key, Keys};
use crate::error::{CloudError, sort};

/// A free slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FreeSlot {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// The clinic's number for it.
    pub id: String,
    /// Who is free.
    pub professional: String,
    /// How long, in minutes.
    pub minutes: u32,
}

impl TenantStore {
    fn slot_key(&self, slot: &FreeSlot) -> Key {
        let sk = format!("{:015}#{}", slot.start.timestamp_millis(), slot.id);
        Key { pk: Keys(&self.clinic).slots_pk(), sk }
    }

    /// Free slots that begin in `[from, until)`, earliest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn free_slots(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        most: Option<usize>,
    ) -> Result<Vec<FreeSlot>, CloudError> {
        let limit = most.map(|most| i32::try_from(most).unwrap_or(i32::MAX));
        let bound = |at: DateTime<Utc>| s(format!("{:015}", at.timestamp_millis()));
        let mut pages = self
            .client()
            .query()
            .table_name(self.table())
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :until")
            .expression_attribute_values(":pk", s(Keys(&self.clinic).slots_pk()))
            .expression_attribute_values(":from", bound(from))
            .expression_attribute_values(":until", bound(until))
            .set_limit(limit)
            .into_paginator()
            .send();
        let mut slots = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| sort("Query slots", &e))?.items() {
                let reader = Reader { kind: "slot", item };
                slots.push(FreeSlot {
                    start: reader.instant("start")?,
                    id: reader.text("id")?.to_owned(),
                    professional: reader.text("prof")?.to_owned(),
                    minutes: reader.number("min")?,
                });
            }
            if most.is_some_and(|most| slots.len() >= most) {
                break;
            }
        }
        Ok(slots)
    }

    /// Whether the clinic ever reported its free slots.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn slots_are_known(&self) -> Result<bool, CloudError> {
        Ok(self.get("GetItem slots", Keys(&self.clinic).clinic("SLOTS").item()).await?.is_some())
    }

    /// Stores the slots given and, if they are the `whole` agenda, takes away those not among them;
    /// says how many were added and taken away.
    ///
    /// # Errors
    /// [`CloudError`]; some may have been written, and repeating finishes it.
    pub async fn put_slots(
        &self,
        slots: &[FreeSlot],
        whole: bool,
        now: DateTime<Utc>,
    ) -> Result<(usize, usize), CloudError> {
        let key_of = |slot: &FreeSlot| self.slot_key(slot).sk;
        let wanted: BTreeMap<String, &FreeSlot> = slots.iter().map(|slot| (key_of(slot), slot)).collect();
        let known: BTreeMap<String, FreeSlot> = self
            .free_slots(DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC, None)
            .await?
            .into_iter()
            .map(|slot| (key_of(&slot), slot))
            .collect();
        let mut writes = Vec::new();
        for (sk, slot) in &wanted {
            if known.get(sk) != Some(*slot) {
                let mut item = self.slot_key(slot).item();
                let fields = [
                    ("start", ms(slot.start)),
                    ("id", s(&slot.id)),
                    ("prof", s(&slot.professional)),
                    ("min", n(slot.minutes)),
                ];
                item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
                let put = PutRequest::builder().set_item(Some(item)).build();
                let put = put
                    .map_err(|_| CloudError::Permanent { operation: "BatchWriteItem slots", code: "put".to_owned() })?;
                writes.push(WriteRequest::builder().put_request(put).build());
            }
        }
        let added = writes.len();
        for (_, slot) in known.iter().filter(|(sk, _)| whole && !wanted.contains_key(*sk)) {
            let delete = DeleteRequest::builder().set_key(Some(self.slot_key(slot).item())).build();
            let delete = delete
                .map_err(|_| CloudError::Permanent { operation: "BatchWriteItem slots", code: "delete".to_owned() })?;
            writes.push(WriteRequest::builder().delete_request(delete).build());
        }
        let removed = writes.len() - added;
        for chunk in writes.chunks(25) {
            let mut left = chunk.to_vec();
            while !left.is_empty() {
                let call = self.client().batch_write_item().request_items(self.table(), left);
                let answer = call.send().await.map_err(|e| sort("BatchWriteItem slots", &e))?;
                left = answer.unprocessed_items.into_iter().flat_map(HashMap::into_values).flatten().collect();
            }
        }
        let mut mark = Keys(&self.clinic).clinic("SLOTS").item();
        mark.insert("at".to_owned(), ms(now));
        mark.insert("count".to_owned(), n(wanted.len()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(mark));
        call.send().await.map_err(|e| sort("PutItem slots", &e))?;
        Ok((added, removed))
    }
}
