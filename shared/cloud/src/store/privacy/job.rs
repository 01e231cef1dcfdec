//! An erasure under way: whose, why, how far it is, and what is to be told at its end, in an item of its
//! own. Whoever takes it up knows all of it, whatever has been deleted by then.

use chrono::{DateTime, NaiveDate, Utc};
use retorno_domain::ids::PatientId;
use serde::{Deserialize, Serialize};

use super::erase::{ErasureError, FreedVisit};
use super::held::{Held, Subject, text};
use super::reason::ErasureReason;
use crate::error::{CloudError, sort};
use crate::secrets::hex;
use crate::store::item::{Item, Reader, ms, s};
use crate::store::key::{Key, Keys};
use crate::store::{Collection, TenantStore};

const KIND: &str = "erasure";

/// An erasure under way.
pub(super) struct Job {
    pub(super) patient: PatientId,
    pub(super) subject: Subject,
    pub(super) reason: ErasureReason,
    pub(super) tombstone: String,
    /// Visits to come that were booked through us, noted before anything of them is given up.
    pub(super) visits: Vec<GivenUp>,
}

/// A visit to come that is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GivenUp {
    booking: String,
    start: DateTime<Utc>,
    professional: String,
}

impl Job {
    pub(super) fn of(item: &Item) -> Result<Self, CloudError> {
        let reader = Reader { kind: KIND, item };
        let subject: Subject = reader.parse("subject", |json| serde_json::from_str(json).ok())?;
        let patient = PatientId::parse(&subject.patient).map_err(|_| reader.corrupt("subject"))?;
        let reason = reader.parse("reason", ErasureReason::of_code)?;
        let visits = match reader.text_opt("visits") {
            Some(json) => serde_json::from_str(json).map_err(|_| reader.corrupt("visits"))?,
            None => Vec::new(),
        };
        Ok(Self { patient, subject, reason, tombstone: reader.text("tombstone")?.to_owned(), visits })
    }

    /// What staff must hear of.
    pub(super) fn freed(&self) -> Vec<FreedVisit> {
        let visit = |of: &GivenUp| FreedVisit { start: of.start, professional: of.professional.clone() };
        self.visits.iter().map(visit).collect()
    }

    /// Takes in the visits to come that are still booked; says whether there were new ones.
    pub(super) fn takes_in_visits(&mut self, held: &Held, now: DateTime<Utc>) -> Result<bool, CloudError> {
        let known = self.visits.len();
        for item in &held.bookings {
            let reader = Reader { kind: "booking", item };
            let (booking, start) = (reader.text("id")?, reader.instant("start")?);
            if is_to_come(item, start, now) && !self.visits.iter().any(|visit| visit.booking == booking) {
                let professional = text(item, "prof").unwrap_or_default().to_owned();
                self.visits.push(GivenUp { booking: booking.to_owned(), start, professional });
            }
        }
        Ok(self.visits.len() > known)
    }
}

/// Whether a booking is of a visit to come.
pub(super) fn is_to_come(booking: &Item, start: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    text(booking, "st") == Some("booked") && start > now
}

impl TenantStore {
    pub(super) fn erasing(&self, patient: &PatientId) -> Key {
        Key { pk: Keys(&self.clinic).erasing_pk(), sk: self.erased_id(patient) }
    }

    /// The job that was begun, or a new one; nothing when there is nobody to erase. While the record is
    /// there, what is known of the person is taken from it anew: it may have changed since.
    pub(super) async fn begin_erasure(
        &self,
        patient: &PatientId,
        collection: Option<&Collection>,
        reason: ErasureReason,
        now: DateTime<Utc>,
    ) -> Result<Option<Job>, ErasureError> {
        let today = self.settings(now).await?.clinic.date(now);
        if let Some(item) = self.get("GetItem erasure", self.erasing(patient).item()).await? {
            let mut job = Job::of(&item)?;
            self.look_anew(&mut job, collection, today).await?;
            return Ok(Some(job));
        }
        let Some(collection) = collection else { return Ok(None) };
        let key = self.erasing(patient);
        let subject = self.subject(collection, today).await?;
        let chance = self.by_chance(&[b"tombstone", key.sk.as_bytes()])?;
        let tombstone = hex(chance.get(..16).unwrap_or(&chance));
        let mut item = key.item();
        let fields = [
            ("subject", s(json(&subject)?)),
            ("reason", s(reason.code())),
            ("tombstone", s(tombstone)),
            ("since", ms(now)),
            ("stage", s("begun")),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item.clone()));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(Some(Job::of(&item)?)),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Err(ErasureError::Busy)
            }
            Err(e) => Err(sort("PutItem erasure", &e).into()),
        }
    }

    async fn look_anew(
        &self,
        job: &mut Job,
        collection: Option<&Collection>,
        today: NaiveDate,
    ) -> Result<(), ErasureError> {
        let mut subject = job.subject.clone();
        if let Some(collection) = collection {
            subject.learn(self.subject(collection, today).await?);
        }
        // Somebody else may have been imported at the phone since.
        subject.alone = self.are_alone(&subject.contacts, &job.patient, today).await?;
        if subject != job.subject {
            self.note_erasure(&job.patient, "subject", json(&subject)?).await?;
            job.subject = subject;
        }
        Ok(())
    }

    /// Notes something of a job. One that is not there any more was finished by another run, which has
    /// taken it over: this one ends here, and brings nothing back.
    pub(super) async fn note_erasure(
        &self,
        patient: &PatientId,
        attribute: &'static str,
        value: String,
    ) -> Result<(), ErasureError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(self.erasing(patient).item()))
            .update_expression("SET #attribute = :value")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", s(value));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Err(ErasureError::Busy)
            }
            Err(e) => Err(sort("UpdateItem erasure", &e).into()),
        }
    }
}

/// A value as JSON text.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, CloudError> {
    serde_json::to_string(value).map_err(|e| CloudError::Setup(e.to_string()))
}
