//! Free slots of the agenda, as the clinic last reported them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use chrono::{DateTime, Utc};
use retorno_domain::slot::FreeSlot;

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::{Key, Keys};
use crate::error::{CloudError, sort};

/// Nobody booked it through us.
const NOT_BOOKED: &str = "attribute_not_exists(bk)";

pub(super) fn slot_of(item: &Item) -> Result<FreeSlot, CloudError> {
    let reader = Reader { kind: "slot", item };
    Ok(FreeSlot {
        start: reader.instant("start")?,
        id: reader.text("id")?.to_owned(),
        professional: reader.text("prof")?.to_owned(),
        minutes: reader.number("min")?,
    })
}

impl TenantStore {
    fn slot_key(&self, slot: &FreeSlot) -> Key {
        Keys(&self.clinic).slot(&slot.reference())
    }

    /// Free slots that begin in `[from, until)`, earliest first: neither booked nor held for somebody,
    /// nor too near by the notice of the timetable that gave them.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn free_slots(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        most: Option<usize>,
        now: DateTime<Utc>,
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
            .filter_expression(
                "attribute_not_exists(bk) AND (attribute_not_exists(held_u) OR held_u <= :now) \
                 AND (attribute_not_exists(bb) OR bb > :now) AND attribute_not_exists(#over)",
            )
            .expression_attribute_names("#over", "over")
            .expression_attribute_values(":now", ms(now))
            .set_limit(limit)
            .into_paginator()
            .send();
        let mut slots = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| sort("Query slots", &e))?.items() {
                slots.push(slot_of(item)?);
            }
            if most.is_some_and(|most| slots.len() >= most) {
                break;
            }
        }
        Ok(slots)
    }

    /// A slot by its reference, free or not. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn slot(&self, reference: &str) -> Result<Option<FreeSlot>, CloudError> {
        self.get("GetItem slot", Keys(&self.clinic).slot(reference).item()).await?.as_ref().map(slot_of).transpose()
    }

    /// A slot by its reference, and from when on it is too near to be offered by the notice of the
    /// timetable that gave it, where one did. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn slot_and_notice(
        &self,
        reference: &str,
    ) -> Result<Option<(FreeSlot, Option<DateTime<Utc>>)>, CloudError> {
        let Some(item) = self.get("GetItem slot", Keys(&self.clinic).slot(reference).item()).await? else {
            return Ok(None);
        };
        Ok(Some((slot_of(&item)?, Reader { kind: "slot", item: &item }.instant_opt("bb")?)))
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
        let mut known = BTreeMap::new();
        for item in self.query_partition(Keys(&self.clinic).slots_pk(), None).await? {
            let slot = slot_of(&item)?;
            known.insert(slot.reference(), (slot, item.contains_key("bk")));
        }
        let wanted: BTreeMap<String, &FreeSlot> = slots.iter().map(|slot| (slot.reference(), slot)).collect();
        let (mut added, mut removed) = (0, 0);
        for (reference, slot) in &wanted {
            // One that a patient has booked through us stays as it was booked.
            if known.get(reference).is_none_or(|(there, booked)| there != *slot && !booked) {
                added += usize::from(self.put_slot(slot).await?);
            }
        }
        for (reference, (_, booked)) in known.iter().filter(|(reference, _)| whole && !wanted.contains_key(*reference))
        {
            removed += usize::from(!booked && self.delete_slot(reference).await?);
        }
        let mut mark = Keys(&self.clinic).clinic("SLOTS").item();
        mark.insert("at".to_owned(), ms(now));
        mark.insert("count".to_owned(), n(wanted.len()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(mark));
        call.send().await.map_err(|e| sort("PutItem slots", &e))?;
        Ok((added, removed))
    }

    /// Stores a slot unless it is booked; says whether it did.
    async fn put_slot(&self, slot: &FreeSlot) -> Result<bool, CloudError> {
        // What a timetable said of it holds no longer.
        unless_booked(self.slot_update(slot, " REMOVE src, bb, #ttl, #over")).await
    }

    /// Writes what a slot is; the rest of the update says where it comes from.
    pub(super) fn slot_update(&self, slot: &FreeSlot, rest: &str) -> UpdateItemFluentBuilder {
        let call = self.client().update_item().table_name(self.table()).set_key(Some(self.slot_key(slot).item()));
        call.update_expression(format!("SET #start = :start, id = :id, prof = :prof, #min = :min{rest}"))
            .expression_attribute_names("#start", "start")
            .expression_attribute_names("#min", "min")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_names("#over", "over")
            .expression_attribute_values(":start", ms(slot.start))
            .expression_attribute_values(":id", s(&slot.id))
            .expression_attribute_values(":prof", s(&slot.professional))
            .expression_attribute_values(":min", n(slot.minutes))
    }

    /// Takes a slot away unless it is booked; says whether it did.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn delete_slot(&self, reference: &str) -> Result<bool, CloudError> {
        let call = self.client().delete_item().table_name(self.table());
        let call = call.set_key(Some(Keys(&self.clinic).slot(reference).item())).condition_expression(NOT_BOOKED);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("DeleteItem slot", &e)),
        }
    }
}

/// Writes a slot unless it is booked; says whether it did.
pub(super) async fn unless_booked(call: UpdateItemFluentBuilder) -> Result<bool, CloudError> {
    match call.condition_expression(NOT_BOOKED).send().await {
        Ok(_) => Ok(true),
        Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
        Err(e) => Err(sort("UpdateItem slot", &e)),
    }
}
