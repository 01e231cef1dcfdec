//! Visits booked through us, and the slots they take. A booking and its slot are written in one
//! transaction, so a slot is taken once whoever else wants it at the same instant.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use retorno_domain::ids::{AppointmentId, PatientId};

use super::TenantStore;
use super::commit::{put, update};
use super::enrollment::wrap;
use super::item::{Item, Reader, ms, n, s};
use super::key::Keys;
use crate::error::CloudError;

/// What became of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingStatus {
    /// Booked.
    Booked,
    /// Booked, and the patient confirmed.
    Confirmed,
    /// Cancelled, or moved to another slot.
    Cancelled,
}

impl BookingStatus {
    /// The status's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        [Self::Booked, Self::Confirmed, Self::Cancelled].into_iter().find(|status| status.code() == code)
    }
}

/// A visit booked through us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Our number for it, until the clinic's system gives it one of its own.
    pub id: AppointmentId,
    /// Whose.
    pub patient: PatientId,
    /// When it begins.
    pub start: DateTime<Utc>,
    /// How long, in minutes.
    pub minutes: u32,
    /// With whom.
    pub professional: String,
    /// The slot it took, by reference.
    pub slot: String,
    /// Where the booking came from (`origen_lead`).
    pub lead_source: Option<String>,
    /// How it was made: by an answer, on the page, by staff.
    pub via: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Rises with each change; what calendars call its sequence.
    pub sequence: u32,
    /// What became of it.
    pub status: BookingStatus,
    /// The number that the clinic's system gave it.
    pub clinic_number: Option<AppointmentId>,
}

fn booking_of(item: &Item) -> Result<Booking, CloudError> {
    let reader = Reader { kind: "booking", item };
    let number = match reader.text_opt("clinic_id") {
        Some(text) => Some(AppointmentId::parse(text).map_err(|_| reader.corrupt("clinic_id"))?),
        None => None,
    };
    Ok(Booking {
        id: reader.parse("id", |text| AppointmentId::parse(text).ok())?,
        patient: reader.parse("patient", |text| PatientId::parse(text).ok())?,
        start: reader.instant("start")?,
        minutes: reader.number("min")?,
        professional: reader.text("prof")?.to_owned(),
        slot: reader.text("slot")?.to_owned(),
        lead_source: reader.text_opt("lead").map(str::to_owned),
        via: reader.text("via")?.to_owned(),
        made_at: reader.instant("made")?,
        sequence: reader.number("seq")?,
        status: reader.parse("st", BookingStatus::of_code)?,
        clinic_number: number,
    })
}

fn booking_item(keys: &Keys<'_>, booking: &Booking) -> Item {
    let mut item = keys.booking(booking.start, &booking.id).item();
    let fields = [
        ("id", s(booking.id.as_str())),
        ("patient", s(booking.patient.as_str())),
        ("start", ms(booking.start)),
        ("min", n(booking.minutes)),
        ("prof", s(booking.professional.clone())),
        ("slot", s(booking.slot.clone())),
        ("via", s(booking.via.clone())),
        ("made", ms(booking.made_at)),
        ("seq", n(booking.sequence)),
        ("st", s(booking.status.code())),
    ];
    item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    if let Some(lead) = &booking.lead_source {
        item.insert("lead".to_owned(), s(lead.clone()));
    }
    if let Some(number) = &booking.clinic_number {
        item.insert("clinic_id".to_owned(), s(number.as_str()));
    }
    item
}

impl TenantStore {
    /// Visits booked through us that begin in `[from, until)`, cancelled ones included, earliest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn bookings(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Booking>, CloudError> {
        let bound = |at: DateTime<Utc>| s(format!("{:015}", at.timestamp_millis()));
        let mut pages = self
            .client()
            .query()
            .table_name(self.table())
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :until")
            .expression_attribute_values(":pk", s(Keys(&self.clinic).agenda_pk()))
            .expression_attribute_values(":from", bound(from))
            .expression_attribute_values(":until", bound(until))
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| crate::error::sort("Query agenda", &e))?.items() {
                found.push(booking_of(item)?);
            }
        }
        Ok(found)
    }

    /// One booking.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn booking(&self, start: DateTime<Utc>, id: &AppointmentId) -> Result<Option<Booking>, CloudError> {
        let key = Keys(&self.clinic).booking(start, id);
        self.get("GetItem booking", key.item()).await?.as_ref().map(booking_of).transpose()
    }

    /// The record of a visit of a patient's record: under its own number or, once the clinic's system
    /// has given it one, under ours.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn booking_of_visit(
        &self,
        start: DateTime<Utc>,
        id: &AppointmentId,
    ) -> Result<Option<Booking>, CloudError> {
        let of_that_instant = self.bookings(start, start + chrono::TimeDelta::milliseconds(1)).await?;
        let is = |booking: &Booking| booking.id == *id || booking.clinic_number.as_ref() == Some(id);
        Ok(of_that_instant.into_iter().find(is))
    }

    /// Notes the number that the clinic's system gave a booking. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_clinic_number(
        &self,
        start: DateTime<Utc>,
        id: &AppointmentId,
        number: &AppointmentId,
    ) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).booking(start, id).item()))
            .update_expression("SET clinic_id = :n")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":n", s(number.as_str()));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(crate::error::sort("UpdateItem booking", &e)),
        }
    }

    /// Takes a slot: it is there and as it was read, nobody has it, it is not held for somebody else,
    /// and not too near by the timetable that gave it.
    pub(super) fn take_slot(
        &self,
        reference: &str,
        booking: &Booking,
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem, CloudError> {
        wrap(
            update(self, &Keys(&self.clinic).slot(reference))
                .update_expression("SET bk = :b, bk_p = :p REMOVE held_p, held_u")
                .condition_expression(
                    "attribute_exists(pk) AND attribute_not_exists(bk) AND #min = :min \
                     AND (attribute_not_exists(held_u) OR held_u <= :now OR held_p = :p) \
                     AND (attribute_not_exists(bb) OR bb > :now) AND attribute_not_exists(#over)",
                )
                .expression_attribute_names("#over", "over")
                .expression_attribute_names("#min", "min")
                .expression_attribute_values(":min", n(booking.minutes))
                .expression_attribute_values(":b", s(booking.id.as_str()))
                .expression_attribute_values(":p", s(booking.patient.as_str()))
                .expression_attribute_values(":now", ms(now)),
        )
    }

    /// Gives a slot back that this booking took.
    pub(super) fn free_slot(&self, booking: &Booking) -> Result<TransactWriteItem, CloudError> {
        wrap(
            update(self, &Keys(&self.clinic).slot(&booking.slot))
                .update_expression("REMOVE bk, bk_p")
                .condition_expression("bk = :b")
                .expression_attribute_values(":b", s(booking.id.as_str())),
        )
    }

    /// Stores a booking: new, or over the same one as read.
    pub(super) fn write_booking(&self, booking: &Booking) -> Result<TransactWriteItem, CloudError> {
        let item = booking_item(&Keys(&self.clinic), booking);
        if booking.sequence == 0 {
            return put(self, item, "attribute_not_exists(pk)");
        }
        let write = aws_sdk_dynamodb::types::Put::builder().table_name(self.table()).set_item(Some(item));
        let write = write
            .condition_expression("seq = :seq")
            .expression_attribute_values(":seq", n(booking.sequence.saturating_sub(1)));
        Ok(TransactWriteItem::builder().put(super::enrollment::put_item(write)?).build())
    }
}
