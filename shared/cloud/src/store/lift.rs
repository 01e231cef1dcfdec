//! Reopening contact points: what an agreement takes back. It is decided on what is read before the
//! agreement is committed, kept with its event, and carried out after it: so an opt-out that comes in
//! between stands, and whoever dies in between lets it be finished when the event is delivered again.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use serde::{Deserialize, Serialize};

use super::contact_point::{ContactKeys, opted_out_attribute, opted_out_before};
use super::item::{Item, Reader, ms, n};
use super::key::Keys;
use super::{TenantStore, contact_point};
use crate::error::{CloudError, sort};

/// Tries at one contact point that others write as well.
const TRIES_MAX: u32 = 8;

/// What an agreement reopens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lift {
    /// For these purposes.
    pub purposes: PurposeSet,
    /// The contact points, by hash, and the last instant of what is taken back there; none where only
    /// what an import says of the patient is.
    pub points: Vec<(String, Option<DateTime<Utc>>)>,
}

#[derive(Serialize, Deserialize)]
struct LiftWire {
    of: Vec<String>,
    at: Vec<(String, Option<i64>)>,
}

impl Lift {
    pub(super) fn to_json(&self) -> Result<String, CloudError> {
        let of = self.purposes.iter().map(|purpose| purpose.code().to_owned()).collect();
        let at = self.points.iter().map(|(hash, until)| (hash.clone(), until.map(|at| at.timestamp_millis())));
        let wire = LiftWire { of, at: at.collect() };
        serde_json::to_string(&wire).map_err(|e| CloudError::Setup(e.to_string()))
    }

    pub(super) fn from_json(text: &str) -> Option<Self> {
        let wire: LiftWire = serde_json::from_str(text).ok()?;
        let purposes = wire.of.iter().map(|code| code.parse::<Purpose>().ok()).collect::<Option<_>>()?;
        let point = |(hash, until): (String, Option<i64>)| match until {
            Some(until) => Some((hash, Some(DateTime::from_timestamp_millis(until)?))),
            None => Some((hash, None)),
        };
        Some(Self { purposes, points: wire.at.into_iter().map(point).collect::<Option<_>>()? })
    }
}

/// The attributes that an agreement to these purposes takes back.
fn attributes(purposes: PurposeSet) -> Vec<String> {
    let names = |channel: Channel| {
        let of_purposes = purposes.iter().map(move |purpose| opted_out_attribute(channel, purpose));
        of_purposes.chain([opted_out_before(channel)])
    };
    Channel::ALL.into_iter().flat_map(names).collect()
}

fn is_imported(item: &Item, patient: &PatientId) -> bool {
    let imported = item.get("oo_imp").and_then(|who| who.as_ss().ok());
    imported.is_some_and(|who| who.iter().any(|id| id == patient.as_str()))
}

impl TenantStore {
    /// What an agreement of a patient's to these purposes reopens, as it stands now: what was said where
    /// they are reached, and what an import says of them wherever it was written. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn lift_of(
        &self,
        patient: &Patient,
        reached: &ContactKeys,
        purposes: PurposeSet,
    ) -> Result<Option<Lift>, CloudError> {
        if purposes.is_empty() {
            return Ok(None);
        }
        let mut hashes = self.contact_keys_on_record(patient, true);
        hashes.extend(reached.iter().map(str::to_owned));
        let keys = Keys(&self.clinic);
        let wanted: Vec<Item> = hashes.iter().map(|hash| keys.contact_point(hash).item()).collect();
        let mut points = Vec::new();
        for item in self.batch_get("BatchGetItem contact points", wanted, true).await? {
            let reader = Reader { kind: contact_point::KIND, item: &item };
            let hash = reader.text("pk")?.rsplit('#').next().unwrap_or_default().to_owned();
            let mut last = None;
            if reached.iter().any(|reached| reached == hash) {
                for name in attributes(purposes) {
                    last = last.max(reader.instant_opt(&name)?);
                }
            }
            if last.is_some() || is_imported(&item, &patient.id) {
                points.push((hash, last));
            }
        }
        points.sort_unstable();
        Ok((!points.is_empty()).then_some(Lift { purposes, points }))
    }

    /// Reopens contact points. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn lift(&self, lift: &Lift, patient: &PatientId, now: DateTime<Utc>) -> Result<(), CloudError> {
        for (hash, until) in &lift.points {
            self.lift_opt_out(hash, patient, (lift.purposes, *until), now).await?;
        }
        Ok(())
    }

    /// Lifts an opt-out of these purposes that was told until then: the person has said so, to us. What an
    /// import says of others who share the contact point stands, and so does what was said of other
    /// purposes, or later. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn lift_opt_out(
        &self,
        hash: &str,
        patient: &PatientId,
        (purposes, until): (PurposeSet, Option<DateTime<Utc>>),
        now: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        if purposes.is_empty() {
            return Ok(());
        }
        let key = Keys(&self.clinic).contact_point(hash);
        for _ in 0..TRIES_MAX {
            let Some(item) = self.get("GetItem contact point", key.item()).await? else { return Ok(()) };
            let reader = Reader { kind: contact_point::KIND, item: &item };
            let mut names = attributes(purposes);
            for at in (0..names.len()).rev() {
                let told = names.get(at).map_or(Ok(None), |name| reader.instant_opt(name))?;
                if told.is_none() || told > until {
                    names.remove(at);
                }
            }
            if names.is_empty() && !is_imported(&item, patient) {
                return self.unlist(hash).await;
            }
            // What binds every purpose is first said of the others by itself: they are never open between.
            self.keep_for(hash, patient, &item, (purposes.others(), until), now).await?;
            if self.remove(hash, patient, &names, until).await? {
                return self.unlist(hash).await;
            }
        }
        Err(CloudError::Retryable { operation: "UpdateItem opt-in", code: "kept_changing".to_owned() })
    }

    /// Takes these away, and the patient's entry by an import, unless something was said there since.
    async fn remove(
        &self,
        hash: &str,
        patient: &PatientId,
        names: &[String],
        until: Option<DateTime<Utc>>,
    ) -> Result<bool, CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let mut call = call
            .set_key(Some(Keys(&self.clinic).contact_point(hash).item()))
            .expression_attribute_values(":who", AttributeValue::Ss(vec![patient.as_str().to_owned()]))
            .expression_attribute_values(":one", n(1));
        let mut update = "DELETE oo_imp :who ADD ver :one".to_owned();
        if let (Some(until), false) = (until, names.is_empty()) {
            update = format!("REMOVE {} {update}", names.join(", "));
            let not_since: Vec<String> = names.iter().map(|name| format!("{name} <= :until")).collect();
            call = call.condition_expression(not_since.join(" AND ")).expression_attribute_values(":until", ms(until));
        }
        match call.update_expression(update).send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("UpdateItem opt-in", &e)),
        }
    }

    /// Says of these purposes alone what binds every purpose at a contact point and is about to be lifted:
    /// an opt-out from before there were purposes, or this patient's own by an import.
    async fn keep_for(
        &self,
        hash: &str,
        patient: &PatientId,
        item: &Item,
        (purposes, until): (PurposeSet, Option<DateTime<Utc>>),
        now: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let reader = Reader { kind: contact_point::KIND, item };
        let by_import = is_imported(item, patient);
        let mut bound = ChannelSet::NONE;
        for channel in Channel::ALL {
            let before = reader.instant_opt(&opted_out_before(channel))?;
            if by_import || (before.is_some() && before <= until) {
                bound = bound.with(channel);
            }
        }
        self.opt_out(hash, bound, purposes, now).await
    }
}
