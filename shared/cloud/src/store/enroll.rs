//! Enrolling: the enrollment, its seat, the patient's place in it and the contact points, all or nothing.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use retorno_domain::enrollment::Enrollment;
use retorno_domain::wave::Seat;

use super::commit::{cancelled, put, update};
use super::enrollment::{changing, wrap};
use super::item::{Item, ms, n, s};
use super::key::Keys;
use super::{ContactKeys, TenantStore};
use crate::error::{CloudError, sort};

/// What a new enrollment takes.
#[derive(Debug, Clone)]
pub struct NewEnrollment {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// Its seat.
    pub seat: Seat,
    /// The patient's version, which must still stand.
    pub patient_version: u64,
    /// The contact points it occupies.
    pub contacts: ContactKeys,
    /// Until when it occupies them at most.
    pub busy_until: DateTime<Utc>,
    /// Why the patient is enrolled.
    pub because: String,
    /// The instant of the enrollment.
    pub now: DateTime<Utc>,
}

/// Why somebody was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// The seat is taken.
    #[error("the seat is taken")]
    SeatTaken,
    /// The patient or a contact point changed meanwhile, or the patient was enrolled already.
    #[error("the patient changed meanwhile")]
    Changed,
    /// The table could not be reached.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

fn whole(keys: &Keys<'_>, new: &NewEnrollment) -> Item {
    let enrollment = &new.enrollment;
    let mut item = keys.enrollment(&enrollment.patient, enrollment.id).item();
    item.extend(changing(keys, enrollment, &new.because));
    let fixed = [
        ("ver", n(1)),
        ("segment", s(enrollment.segment.as_str())),
        ("flow", s(enrollment.flow.as_str())),
        ("flow_v", n(enrollment.flow_version)),
        ("week", s(enrollment.week.to_string())),
        ("seat", n(enrollment.seat)),
        ("epoch", n(enrollment.epoch)),
    ];
    item.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
    item
}

impl TenantStore {
    /// Enrolls a patient: the enrollment, its seat, the patient's place in it and the contact
    /// points, all or nothing. Two write units an item.
    ///
    /// # Errors
    /// [`NotEnrolled`].
    pub async fn enroll(&self, new: &NewEnrollment) -> Result<(), NotEnrolled> {
        const OPERATION: &str = "TransactWriteItems enroll";
        let keys = Keys(&self.clinic);
        let enrollment = &new.enrollment;
        let mut seat = keys.seat(enrollment.week, &new.seat.segment, new.seat.number).item();
        seat.insert("enr".to_owned(), s(enrollment.id.to_string()));
        seat.insert("day".to_owned(), s(new.seat.day.to_string()));
        seat.insert("wa".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(new.seat.whatsapp));
        let fresh = |item| put(self, item, "attribute_not_exists(pk)");
        let patient = update(self, &keys.patient(&enrollment.patient))
            .update_expression("SET seq = :e REMOVE g2pk, g2sk ADD ver :one")
            .condition_expression("ver = :v AND attribute_not_exists(seq)")
            .expression_attribute_values(":e", s(enrollment.id.to_string()))
            .expression_attribute_values(":v", n(new.patient_version))
            .expression_attribute_values(":one", n(1));
        let mut writes: Vec<TransactWriteItem> = vec![fresh(seat)?, fresh(whole(&keys, new))?, wrap(patient)?];
        for hash in new.contacts.iter() {
            writes.push(wrap(self.occupy(&keys, hash, new))?);
        }
        match self.client().transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(()),
            Err(e) => match e.as_service_error().and_then(cancelled) {
                Some(reasons) if reasons.first().is_some_and(|r| r == "ConditionalCheckFailed") => {
                    Err(NotEnrolled::SeatTaken)
                }
                Some(reasons) if reasons.iter().any(|r| r == "ConditionalCheckFailed") => Err(NotEnrolled::Changed),
                Some(_) => Err(CloudError::Retryable { operation: OPERATION, code: "conflict".to_owned() }.into()),
                None => Err(sort(OPERATION, &e).into()),
            },
        }
    }

    fn occupy(
        &self,
        keys: &Keys<'_>,
        hash: &str,
        new: &NewEnrollment,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        update(self, &keys.contact_point(hash))
            .update_expression("SET busy_p = :p, busy_u = :u ADD ver :one")
            .condition_expression("attribute_not_exists(busy_u) OR busy_u < :now OR busy_p = :p")
            .expression_attribute_values(":p", s(new.enrollment.patient.as_str()))
            .expression_attribute_values(":u", ms(new.busy_until))
            .expression_attribute_values(":now", ms(new.now))
            .expression_attribute_values(":one", n(1))
    }
}
