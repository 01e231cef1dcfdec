//! Weeks and their seats, and the WhatsApp number's daily tier.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::calendar::IsoWeek;
use retorno_domain::ids::SegmentId;
use retorno_domain::limits::CLOCK_MARGIN;
use retorno_domain::segment::{Mean, Thresholds};
use retorno_domain::wave::Seat;

use super::TenantStore;
use super::item::{Item, Reader, n, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// A place in the number's tier is free again after 24 hours, and the margin for clocks that differ.
pub(super) const TIER_WINDOW: TimeDelta = match TimeDelta::hours(24).checked_add(&CLOCK_MARGIN) {
    Some(window) => window,
    None => TimeDelta::hours(24),
};

impl TenantStore {
    /// The seats taken in a week.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn seats(&self, week: IsoWeek) -> Result<Vec<Seat>, CloudError> {
        let mut seats = Vec::new();
        for item in self.query_partition(Keys(&self.clinic).wave_pk(week), Some("SEAT#")).await? {
            let reader = Reader { kind: "seat", item: &item };
            let parts = |sk: &str| {
                let (segment, number) = sk.strip_prefix("SEAT#")?.rsplit_once('#')?;
                Some((SegmentId::parse(segment).ok()?, number.parse().ok()?))
            };
            let (segment, number) = reader.parse("sk", parts)?;
            let day = reader.parse("day", |text| text.parse().ok())?;
            seats.push(Seat { segment, number, day, whatsapp: reader.flag("wa") });
        }
        Ok(seats)
    }

    /// The week's capacity over all segments. Given what the free slots allow now, the stored
    /// capacity falls if that is less, and never rises within the week.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn lower_capacity(&self, week: IsoWeek, capacity: u32) -> Result<u32, CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).week(week).item()))
            .update_expression("SET cap = :c")
            .condition_expression("attribute_not_exists(cap) OR cap > :c")
            .expression_attribute_values(":c", n(capacity));
        match call.send().await {
            Ok(_) => Ok(capacity),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(self.capacity(week).await?.unwrap_or(capacity))
            }
            Err(e) => Err(sort("UpdateItem capacity", &e)),
        }
    }

    /// The week's capacity over all segments, if free slots were known.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn capacity(&self, week: IsoWeek) -> Result<Option<u32>, CloudError> {
        let item = self.get("GetItem week", Keys(&self.clinic).week(week).item()).await?;
        item.map_or(Ok(None), |item| Reader { kind: "week", item: &item }.number_opt("cap"))
    }

    /// The clinic-wide thresholds of a week, if they are frozen already.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn thresholds(&self, week: IsoWeek) -> Result<Option<Thresholds>, CloudError> {
        let key = Keys(&self.clinic).clinic(&format!("THRESHOLD#{week}"));
        let Some(item) = self.get("GetItem thresholds", key.item()).await? else { return Ok(None) };
        let reader = Reader { kind: "thresholds", item: &item };
        let parse = |text: &str| serde_json::from_str::<Vec<(u8, i64, u32)>>(text).ok();
        let percentiles = reader.parse("p", parse)?;
        let percentiles = percentiles.into_iter().map(|(p, sum_cents, count)| (p, Mean { sum_cents, count })).collect();
        Ok(Some(Thresholds { percentiles }))
    }

    /// The clinic-wide thresholds of the last week before this one that has any.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn thresholds_before(&self, week: IsoWeek) -> Result<Option<Thresholds>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).clinic("").pk, Some("THRESHOLD#")).await?;
        let weeks =
            items.iter().filter_map(|item| item.get("sk")?.as_s().ok()?.strip_prefix("THRESHOLD#")?.parse().ok());
        match weeks.filter(|other: &IsoWeek| *other < week).max() {
            Some(last) => self.thresholds(last).await,
            None => Ok(None),
        }
    }

    /// Freezes a week's thresholds; the first to do so wins, and what stands is returned.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn freeze_thresholds(&self, week: IsoWeek, thresholds: &Thresholds) -> Result<Thresholds, CloudError> {
        let wire: Vec<(u8, i64, u32)> =
            thresholds.percentiles.iter().map(|(p, m)| (*p, m.sum_cents, m.count)).collect();
        let mut item = Keys(&self.clinic).clinic(&format!("THRESHOLD#{week}")).item();
        item.insert("p".to_owned(), s(serde_json::json!(wire).to_string()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(thresholds.clone()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                self.thresholds(week).await?.ok_or_else(|| CloudError::Missing("the week's thresholds".to_owned()))
            }
            Err(e) => Err(sort("PutItem thresholds", &e)),
        }
    }

    /// When each used place of the number's tier was used last.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn tier_use(&self, number: &str) -> Result<Vec<(u32, DateTime<Utc>)>, CloudError> {
        let mut used = Vec::new();
        for item in self.query_partition(Keys(&self.clinic).tier_pk(number), None).await? {
            let reader = Reader { kind: "tier place", item: &item };
            used.push((reader.parse("sk", |sk| sk.parse().ok())?, reader.instant("used_at")?));
        }
        Ok(used)
    }

    /// When a place used at an instant is free again.
    #[must_use]
    pub fn tier_free_again(used_at: DateTime<Utc>) -> DateTime<Utc> {
        used_at + TIER_WINDOW
    }

    pub(super) async fn get(&self, operation: &'static str, key: Item) -> Result<Option<Item>, CloudError> {
        let call = self.client().get_item().table_name(self.table()).set_key(Some(key)).consistent_read(true);
        Ok(call.send().await.map_err(|e| sort(operation, &e))?.item)
    }

    pub(super) async fn query_partition(&self, pk: String, prefix: Option<&str>) -> Result<Vec<Item>, CloudError> {
        let condition = if prefix.is_some() { "pk = :pk AND begins_with(sk, :sk)" } else { "pk = :pk" };
        let call = self.client().query().table_name(self.table()).consistent_read(true);
        let call = call.key_condition_expression(condition).expression_attribute_values(":pk", s(pk));
        let call = match prefix {
            Some(prefix) => call.expression_attribute_values(":sk", AttributeValue::S(prefix.to_owned())),
            None => call,
        };
        let mut pages = call.into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|e| sort("Query partition", &e))?.items.unwrap_or_default());
        }
        Ok(items)
    }
}
