//! When to look at a patient again, and where they wait: the two sparse indexes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::NaiveDate;
use retorno_domain::ids::{PatientId, SegmentId};
use retorno_domain::segment::Mean;
use retorno_domain::standing::Standing;
use retorno_domain::wave::rank_uses_whatsapp;

use super::TenantStore;
use super::item::{Item, Reader, n, s};
use super::key::{DUE_SHARDS, Keys, patient_of_pk, shard};
use crate::error::{CloudError, sort};

/// The key of those whom only an event can change.
const NEVER: &str = "9999-12-31";

fn due_text(day: Option<NaiveDate>) -> String {
    day.map_or_else(|| NEVER.to_owned(), |day| day.to_string())
}

/// Where a patient stands, as index keys.
pub(super) struct IndexKeys<'a>(pub(super) &'a Standing);

impl IndexKeys<'_> {
    fn attributes(&self, keys: &Keys<'_>, id: &PatientId) -> Vec<(&'static str, AttributeValue)> {
        let mut list = vec![
            ("g1pk", s(keys.due_pk(shard(id.as_str(), DUE_SHARDS)))),
            ("g1sk", s(due_text(self.0.due))),
            ("n_vis", n(self.0.visits)),
        ];
        if let Some(until) = self.0.aside {
            list.push(("aside", s(until.to_string())));
        }
        if let Some(mean) = self.0.mean {
            list.extend([("amt_sum", n(mean.sum_cents)), ("amt_n", n(mean.count))]);
        }
        if let Some((segment, rank)) = &self.0.waits {
            list.extend([("g2pk", s(keys.backlog_pk(segment, rank_uses_whatsapp(rank)))), ("g2sk", s(rank.clone()))]);
        }
        list
    }

    pub(super) fn put(&self, keys: &Keys<'_>, id: &PatientId, item: &mut Item) {
        item.extend(self.attributes(keys, id).into_iter().map(|(name, value)| (name.to_owned(), value)));
    }

    /// The update that writes them, with the keys by which the patient is found.
    pub(super) fn update(
        &self,
        keys: &Keys<'_>,
        id: &PatientId,
        lookup: Option<(String, String)>,
    ) -> (String, HashMap<String, AttributeValue>) {
        let mut attributes = self.attributes(keys, id);
        if let Some((pk, sk)) = lookup {
            attributes.extend([("g3pk", s(pk)), ("g3sk", s(sk))]);
        }
        let sets: Vec<String> = attributes.iter().map(|(name, _)| format!("{name} = :{name}")).collect();
        let mut update = format!("SET {}", sets.join(", "));
        let gone = ["amt_sum", "amt_n", "g2pk", "g2sk", "g3pk", "g3sk", "aside"];
        let gone: Vec<&str> = gone.into_iter().filter(|g| !attributes.iter().any(|(name, _)| name == g)).collect();
        if !gone.is_empty() {
            update = format!("{update} REMOVE {}", gone.join(", "));
        }
        (update, attributes.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect())
    }
}

/// Somebody waiting in a segment's backlog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BacklogEntry {
    /// The rank, by which the entries of all segments compare.
    pub rank: String,
    /// Who.
    pub patient: PatientId,
    /// In which segment.
    pub segment: SegmentId,
}

/// What the percentiles of a clinic are taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueEntry {
    /// Who.
    pub patient: PatientId,
    /// How many visits.
    pub visits: u32,
    /// The mean amount.
    pub mean: Option<Mean>,
}

/// Where a patient stood when last evaluated, from the index keys.
pub(super) fn standing_of(reader: &Reader<'_>) -> Result<Standing, CloudError> {
    let mean = match (reader.number_opt("amt_sum")?, reader.number_opt("amt_n")?) {
        (Some(sum_cents), Some(count)) => Some(Mean { sum_cents, count }),
        _ => None,
    };
    let waits = match (reader.text_opt("g2pk"), reader.text_opt("g2sk")) {
        (Some(pk), Some(rank)) => {
            let segment = pk.rsplit('#').nth(1).and_then(|id| SegmentId::parse(id).ok());
            Some((segment.ok_or_else(|| reader.corrupt("g2pk"))?, rank.to_owned()))
        }
        _ => None,
    };
    // "Look again by the next evaluation" is stored as a date before every other.
    let due = match reader.text("g1sk")? {
        NEVER => None,
        text => Some(text.parse().unwrap_or(NaiveDate::MIN)),
    };
    let aside = reader.text_opt("aside").and_then(|text| text.parse().ok());
    Ok(Standing { due, waits, aside, visits: reader.number("n_vis")?, mean })
}

fn patient_id(reader: &Reader<'_>) -> Result<PatientId, CloudError> {
    reader.parse("pk", patient_of_pk)
}

impl TenantStore {
    /// Patients whose day has come, from all shards. Query on the first index: half a read unit per 4 KB.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn due_patients(&self, today: NaiveDate) -> Result<Vec<PatientId>, CloudError> {
        let mut due = Vec::new();
        for shard in 0..DUE_SHARDS {
            let pk = Keys(&self.clinic).due_pk(shard);
            let items = self.query_index("g1", pk, Some(("g1sk <= :sk", due_text(Some(today)))), None).await?;
            for item in &items {
                due.push(patient_id(&Reader { kind: "due patient", item })?);
            }
        }
        Ok(due)
    }

    /// Whether the clinic has any patient at all.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn has_patients(&self) -> Result<bool, CloudError> {
        for shard in 0..DUE_SHARDS {
            if !self.query_index("g1", Keys(&self.clinic).due_pk(shard), None, Some(1)).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Every patient's visits and mean amount, from the index alone.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn values(&self) -> Result<Vec<ValueEntry>, CloudError> {
        let mut values = Vec::new();
        for shard in 0..DUE_SHARDS {
            let items = self.query_index("g1", Keys(&self.clinic).due_pk(shard), None, None).await?;
            for item in &items {
                let reader = Reader { kind: "due patient", item };
                let mean = match (reader.number_opt("amt_sum")?, reader.number_opt("amt_n")?) {
                    (Some(sum_cents), Some(count)) => Some(Mean { sum_cents, count }),
                    _ => None,
                };
                values.push(ValueEntry { patient: patient_id(&reader)?, visits: reader.number("n_vis")?, mean });
            }
        }
        Ok(values)
    }

    /// The first of those waiting in a segment who are reached by WhatsApp, or of those who are not;
    /// best first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn backlog(
        &self,
        segment: &SegmentId,
        by_whatsapp: bool,
        most: usize,
    ) -> Result<Vec<BacklogEntry>, CloudError> {
        let pk = Keys(&self.clinic).backlog_pk(segment, by_whatsapp);
        let items = self.query_index("g2", pk, None, Some(most)).await?;
        let entry = |item| {
            let reader = Reader { kind: "backlog entry", item };
            Ok(BacklogEntry {
                rank: reader.text("g2sk")?.to_owned(),
                patient: patient_id(&reader)?,
                segment: segment.clone(),
            })
        };
        items.iter().map(entry).collect()
    }

    /// The hashes of contact points on which somebody opted out.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn suppressed_contacts(&self) -> Result<std::collections::HashSet<String>, CloudError> {
        let items = self.query_index("g1", Keys(&self.clinic).suppressed_pk(), None, None).await?;
        let hash = |item| Ok(Reader { kind: "suppressed contact", item }.text("g1sk")?.to_owned());
        items.iter().map(hash).collect()
    }

    /// All items of an index partition, optionally bounded by a condition on the sort key or a count.
    pub(super) async fn query_index(
        &self,
        index: &'static str,
        pk: String,
        bound: Option<(&'static str, String)>,
        most: Option<usize>,
    ) -> Result<Vec<Item>, CloudError> {
        let condition = match &bound {
            Some((condition, _)) => format!("{index}pk = :pk AND {condition}"),
            None => format!("{index}pk = :pk"),
        };
        let limit = most.map(|most| i32::try_from(most).unwrap_or(i32::MAX));
        let call = self.client().query().table_name(self.table()).index_name(format!("{index}-index"));
        let call = call.key_condition_expression(condition).expression_attribute_values(":pk", s(pk));
        let call = match bound {
            Some((_, value)) => call.expression_attribute_values(":sk", s(value)),
            None => call,
        };
        let mut pages = call.set_limit(limit).into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(|e| sort("Query index", &e))?.items.unwrap_or_default());
            if most.is_some_and(|most| items.len() >= most) {
                break;
            }
        }
        Ok(items)
    }
}
