//! Slots that follow from a timetable, as they are stored, and how far it was followed.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use retorno_domain::ids::{AppointmentId, PatientId};
use retorno_domain::timetable::{KnownSlot, OpenSlot};

use super::TenantStore;
use super::agenda::{Booking, BookingStatus};
use super::commit::update;
use super::enrollment::wrap;
use super::item::{Reader, ms, n, s};
use super::key::Keys;
use super::slots::{slot_of, unless_booked};
use crate::error::{CloudError, sort};

/// The mark of a slot that a timetable gave.
const TIMETABLE: &str = "timetable";
/// A slot that is long past is of no use to anybody.
const KEPT_AFTER: TimeDelta = TimeDelta::days(400);

/// A slot still to come, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSlot {
    /// The slot, and whether it is booked or held.
    pub known: KnownSlot,
    /// Whether a timetable gave it.
    pub by_timetable: bool,
    /// From when on it is too near to be offered.
    pub book_by: Option<DateTime<Utc>>,
    /// Whether it is not to be offered should its booking be cancelled.
    pub overtaken: bool,
}

/// How far the clinic's timetables were followed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimetableMark {
    /// Whether [visits still to come](TenantStore::visits_ahead) are kept whole, for good.
    pub keeps_visits: bool,
    /// While that is not sure: when they were first brought up to the records, or something was last found
    /// missing. Whoever changes a record keeps them from then on.
    pub passed_at: Option<DateTime<Utc>>,
    /// The timetables that were followed last (a hash), and on which date of the clinic's.
    pub followed: Option<(String, NaiveDate)>,
}

impl TenantStore {
    /// All slots that begin after an instant: free, held and booked. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn slots_ahead(&self, now: DateTime<Utc>) -> Result<Vec<StoredSlot>, CloudError> {
        let call = self.client().query().table_name(self.table()).consistent_read(true);
        let mut pages = call
            .key_condition_expression("pk = :pk AND sk > :now")
            .expression_attribute_values(":pk", s(Keys(&self.clinic).slots_pk()))
            .expression_attribute_values(":now", s(format!("{:015}", now.timestamp_millis())))
            .into_paginator()
            .send();
        let mut slots = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|e| sort("Query slots", &e))?.items() {
                let reader = Reader { kind: "slot", item };
                let booked = match reader.text_opt("bk") {
                    Some(_) => Some((
                        reader.parse("bk", |text| AppointmentId::parse(text).ok())?,
                        reader.parse("bk_p", |text| PatientId::parse(text).ok())?,
                    )),
                    None => None,
                };
                let held = reader.instant_opt("held_u")?.is_some_and(|until| until > now);
                slots.push(StoredSlot {
                    known: KnownSlot { slot: slot_of(item)?, booked, held },
                    by_timetable: reader.text_opt("src") == Some(TIMETABLE),
                    book_by: reader.instant_opt("bb")?,
                    overtaken: reader.flag("over"),
                });
            }
        }
        slots.retain(|slot| slot.known.slot.start > now);
        Ok(slots)
    }

    /// Stores a slot that a timetable gives, new or changed, unless it is booked; says whether it did.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn put_timetable_slot(&self, open: &OpenSlot) -> Result<bool, CloudError> {
        let slot = &open.slot;
        let call = self.slot_update(slot, ", src = :src, bb = :bb, #ttl = :ttl REMOVE #over");
        let call = call
            .expression_attribute_values(":src", s(TIMETABLE))
            .expression_attribute_values(":bb", ms(open.book_by))
            .expression_attribute_values(":ttl", n((slot.start + KEPT_AFTER).timestamp()));
        unless_booked(call).await
    }

    /// Notes of a booked slot whether it is not to be offered should its booking be cancelled; nothing
    /// if that was cancelled meanwhile. Says whether it did.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_overtaken(&self, slot: &KnownSlot, overtaken: bool) -> Result<bool, CloudError> {
        let Some((booking, _)) = &slot.booked else { return Ok(false) };
        let key = Keys(&self.clinic).slot(&slot.slot.reference());
        let call = self.client().update_item().table_name(self.table()).set_key(Some(key.item()));
        let call = call
            .condition_expression("bk = :b")
            .expression_attribute_names("#over", "over")
            .expression_attribute_values(":b", s(booking.as_str()));
        let call = if overtaken {
            call.update_expression("SET #over = :yes")
                .expression_attribute_values(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
        } else {
            call.update_expression("REMOVE #over")
        };
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("UpdateItem slot", &e)),
        }
    }

    /// A visit booked through us is no more, as the clinic's own system says: its slot is free again,
    /// and the booking cancelled. Says whether it was; not when either changed since it was read.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn cancel_booking(&self, booking: &Booking) -> Result<bool, CloudError> {
        let keys = Keys(&self.clinic);
        let record: TransactWriteItem = wrap(
            update(self, &keys.booking(booking.start, &booking.id))
                .update_expression("SET st = :st, seq = :next")
                .condition_expression("seq = :seq")
                .expression_attribute_values(":st", s(BookingStatus::Cancelled.code()))
                .expression_attribute_values(":next", n(booking.sequence + 1))
                .expression_attribute_values(":seq", n(booking.sequence)),
        )?;
        self.finish(vec![self.free_slot(booking)?, record]).await
    }

    /// How far the timetables were followed; `None` when the clinic's slots never followed from one.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn timetable_mark(&self) -> Result<Option<TimetableMark>, CloudError> {
        let key = Keys(&self.clinic).clinic("TIMETABLE");
        let Some(item) = self.get("GetItem timetable", key.item()).await? else { return Ok(None) };
        let reader = Reader { kind: TIMETABLE, item: &item };
        let followed = match reader.text_opt("print") {
            Some(print) => Some((print.to_owned(), reader.parse("day", |text| text.parse().ok())?)),
            None => None,
        };
        let (keeps_visits, passed_at) = (reader.flag("kept"), reader.instant_opt("pass_at")?);
        Ok(Some(TimetableMark { keeps_visits, passed_at, followed }))
    }

    /// Notes how far the timetables were followed, and that the clinic's slots are known by them.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_timetable(&self, mark: &TimetableMark, now: DateTime<Utc>) -> Result<(), CloudError> {
        let keys = Keys(&self.clinic);
        let mut item = keys.clinic("TIMETABLE").item();
        item.insert("kept".to_owned(), aws_sdk_dynamodb::types::AttributeValue::Bool(mark.keeps_visits));
        if let Some(passed_at) = mark.passed_at {
            item.insert("pass_at".to_owned(), ms(passed_at));
        }
        if let Some((print, day)) = &mark.followed {
            // First: without the mark of slots the clinic would count as one that never told any.
            let mut slots = keys.clinic("SLOTS").item();
            slots.extend([("at".to_owned(), ms(now)), ("by".to_owned(), s(TIMETABLE))]);
            let call = self.client().put_item().table_name(self.table()).set_item(Some(slots));
            call.send().await.map_err(|e| sort("PutItem slots", &e))?;
            item.extend([("print".to_owned(), s(print)), ("day".to_owned(), s(day.to_string()))]);
        }
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem timetable", &e))
    }

    /// The clinic has no timetable any more: unless a file has told its slots since, they are unknown.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn forget_timetable(&self) -> Result<(), CloudError> {
        let keys = Keys(&self.clinic);
        let call = self.client().delete_item().table_name(self.table()).set_key(Some(keys.clinic("SLOTS").item()));
        let call = call
            .condition_expression("#by = :by")
            .expression_attribute_names("#by", "by")
            .expression_attribute_values(":by", s(TIMETABLE));
        match call.send().await {
            Ok(_) => {}
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
            Err(e) => return Err(sort("DeleteItem slots", &e)),
        }
        let call = self.client().delete_item().table_name(self.table());
        let call = call.set_key(Some(keys.clinic("TIMETABLE").item()));
        call.send().await.map(|_| ()).map_err(|e| sort("DeleteItem timetable", &e))
    }

    /// Where the clinic's free slots come from: `file`, `timetable`, or nowhere.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn slots_source(&self) -> Result<Option<&'static str>, CloudError> {
        let item = self.get("GetItem slots", Keys(&self.clinic).clinic("SLOTS").item()).await?;
        let by = |item| Reader { kind: "slots", item: &item }.text_opt("by") == Some(TIMETABLE);
        Ok(item.map(|item| if by(item) { TIMETABLE } else { "file" }))
    }
}
