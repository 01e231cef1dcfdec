//! Visits still to come that stand in the clinic's own system, by patient: what a timetable's slots are
//! less. A projection of the patients' records, written in the transaction that changes one, so that it
//! is never behind; kept only for clinics with a timetable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt as _};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use retorno_domain::standing::Standing;
use retorno_domain::timetable::{Visit, visits_ahead};

use super::enrollment::put_item;
use super::item::{Item, Reader, n, s};
use super::key::{Keys, unescaped};
use super::patient::{WRITES_AT_ONCE, item_of};
use super::{StoredPatient, TenantStore};
use crate::error::CloudError;

const KIND: &str = "visits ahead";
/// A projection in which nothing is still to come is of no use: kept so long all the same, because
/// clocks differ.
const KEPT_AFTER: TimeDelta = TimeDelta::days(7);
/// Patients read at a time.
const CHUNK: usize = 100;
/// Tries to write the visits of one patient whom somebody else keeps changing.
const TRIES_MAX: u32 = 5;

/// start (s), professional.
type VisitWire = (i64, String);

fn visits_of(item: &Item) -> Result<Vec<Visit>, CloudError> {
    let reader = Reader { kind: KIND, item };
    let patient = reader.parse("sk", unescaped)?;
    let wires: Vec<VisitWire> = reader.parse("v", |text| serde_json::from_str(text).ok())?;
    let visit = |(start, professional): VisitWire| {
        let start = DateTime::from_timestamp(start, 0).ok_or_else(|| reader.corrupt("v"))?;
        Ok(Visit { start, patient: patient.clone(), professional: Arc::from(professional) })
    };
    wires.into_iter().map(visit).collect()
}

impl TenantStore {
    /// The visits still to come of all patients. Strongly consistent; whole only once they are
    /// [kept](Self::keep_visits_ahead).
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn visits_ahead(&self) -> Result<Vec<Visit>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).ahead_pk(), None).await?;
        let visits: Vec<Vec<Visit>> = items.iter().map(visits_of).collect::<Result<_, _>>()?;
        Ok(visits.into_iter().flatten().collect())
    }

    /// The same, read from the patients themselves: for a look, while nothing is kept.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn visits_ahead_of_everybody(&self, now: DateTime<Utc>) -> Result<Vec<Visit>, CloudError> {
        let ids: Vec<PatientId> = self.values().await?.into_iter().map(|entry| entry.patient).collect();
        let mut visits = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            visits.extend(self.patients(chunk, false).await?.iter().flat_map(|of| visits_ahead(&of.patient, now)));
        }
        Ok(visits)
    }

    /// Brings the visits still to come of all patients up to their records, when a clinic begins to have a
    /// timetable; says whether anything was missing. The patients are found by an index, which may not show
    /// those written last: whole they are only when a later pass finds nothing missing. Whoever changes a
    /// record after the first pass changes them with it. The import lease must be held; what the desk
    /// changes meanwhile is found.
    ///
    /// # Errors
    /// [`CloudError`]; repeating finishes it.
    pub async fn keep_visits_ahead(&self, now: DateTime<Utc>) -> Result<bool, CloudError> {
        let mut missed = false;
        let mut kept: BTreeMap<PatientId, BTreeSet<Visit>> = BTreeMap::new();
        for visit in self.visits_ahead().await? {
            kept.entry(visit.patient.clone()).or_default().insert(visit);
        }
        let ids: Vec<PatientId> = self.values().await?.into_iter().map(|entry| entry.patient).collect();
        for chunk in ids.chunks(CHUNK) {
            let stored = self.patients(chunk, true).await?;
            let differs = |of: &&StoredPatient| {
                kept.get(&of.patient.id).cloned().unwrap_or_default() != visits_ahead(&of.patient, now)
            };
            let writes: Vec<_> = stored.iter().filter(differs).map(|of| self.keep_visits_of(of, now)).collect();
            missed |= !writes.is_empty();
            let mut written = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE);
            while let Some(done) = written.next().await {
                done?;
            }
        }
        Ok(missed)
    }

    async fn keep_visits_of(&self, stored: &StoredPatient, now: DateTime<Utc>) -> Result<(), CloudError> {
        let mut stored = stored.clone();
        for _ in 0..TRIES_MAX {
            let is_as_read = ConditionCheck::builder()
                .table_name(self.table())
                .set_key(Some(Keys(&self.clinic).patient(&stored.patient.id).item()))
                .condition_expression("ver = :v")
                .expression_attribute_values(":v", n(stored.version))
                .build()
                .map_err(|_| CloudError::Permanent { operation: KIND, code: "check".to_owned() })?;
            let check = TransactWriteItem::builder().condition_check(is_as_read).build();
            if self.finish(vec![check, self.ahead_write(&stored.patient, now)?]).await? {
                return Ok(());
            }
            match self.patients(std::slice::from_ref(&stored.patient.id), true).await?.pop() {
                Some(again) => stored = again,
                None => return Ok(()),
            }
        }
        Err(CloudError::Retryable { operation: KIND, code: "conflict".to_owned() })
    }

    /// The visits still to come of a patient, as part of the transaction that changes their record.
    pub(super) fn ahead_write(&self, patient: &Patient, now: DateTime<Utc>) -> Result<TransactWriteItem, CloudError> {
        let built = |_| CloudError::Permanent { operation: KIND, code: "delete".to_owned() };
        let mut item = Keys(&self.clinic).ahead(&patient.id).item();
        let visits = visits_ahead(patient, now);
        let Some(last) = visits.last() else {
            let gone = Delete::builder().table_name(self.table()).set_key(Some(item)).build().map_err(built)?;
            return Ok(TransactWriteItem::builder().delete(gone).build());
        };
        item.insert("ttl".to_owned(), n((last.start + KEPT_AFTER).timestamp()));
        let wires = visits.iter().map(|visit| (visit.start.timestamp(), visit.professional.to_string()));
        let wires: Vec<VisitWire> = wires.collect();
        let json = serde_json::to_string(&wires).map_err(|e| CloudError::Setup(e.to_string()))?;
        item.insert("v".to_owned(), s(json));
        let put = Put::builder().table_name(self.table()).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(put_item(put)?).build())
    }

    /// As [`Self::replace_patient`], and their visits still to come with them.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn replace_patient_with_visits(
        &self,
        patient: &Patient,
        version: u64,
        standing: &Standing,
        (now, today): (DateTime<Utc>, NaiveDate),
    ) -> Result<bool, CloudError> {
        let put = Put::builder()
            .table_name(self.table())
            .set_item(Some(item_of(self, patient, version + 1, standing, today)))
            .condition_expression("ver = :v")
            .expression_attribute_values(":v", n(version));
        let put = TransactWriteItem::builder().put(put_item(put)?).build();
        self.finish(vec![put, self.ahead_write(patient, now)?]).await
    }

    /// As [`Self::put_new_patients`], and their visits still to come with them.
    ///
    /// # Errors
    /// [`CloudError`]; some may have been stored.
    pub async fn put_new_patients_with_visits(
        &self,
        patients: &[(Patient, Standing)],
        at: (DateTime<Utc>, NaiveDate),
    ) -> Result<bool, CloudError> {
        let writes = patients.iter().map(|(patient, standing)| self.put_new_with_visits(patient, standing, at));
        let mut written = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE);
        let mut all_new = true;
        while let Some(is_new) = written.next().await {
            all_new &= is_new?;
        }
        Ok(all_new)
    }

    async fn put_new_with_visits(
        &self,
        patient: &Patient,
        standing: &Standing,
        (now, today): (DateTime<Utc>, NaiveDate),
    ) -> Result<bool, CloudError> {
        let item = item_of(self, patient, 1, standing, today);
        let put = super::commit::put(self, item, "attribute_not_exists(pk)")?;
        if self.finish(vec![put, self.ahead_write(patient, now)?]).await? {
            return Ok(true);
        }
        // Our own, whose answer was lost on the way; or somebody else's.
        let there = self.patients(std::slice::from_ref(&patient.id), true).await?.pop();
        Ok(there.is_some_and(|there| there.version == 1 && there.patient == *patient))
    }
}
