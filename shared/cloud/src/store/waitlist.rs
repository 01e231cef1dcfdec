//! The waitlist: who would come if a slot were free, in the order in which they asked.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use chrono::{DateTime, NaiveDate, Utc, Weekday};
use retorno_domain::ids::PatientId;
use retorno_domain::reply::{DayPart, Wish};

use super::TenantStore;
use super::commit::update;
use super::enrollment::wrap;
use super::item::{Item, Reader, ms, s};
use super::key::{Keys, unescaped};
use crate::error::CloudError;

/// Where somebody on the waitlist stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaiterState {
    /// Waits.
    Waiting,
    /// Was offered a slot, which is held until an instant.
    Offered {
        /// The slot, by reference.
        slot: String,
        /// Until when.
        until: DateTime<Utc>,
    },
}

/// Somebody on the waitlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    /// Who.
    pub patient: PatientId,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When they would rather come.
    pub wish: Wish,
    /// Where they stand.
    pub state: WaiterState,
}

const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// A wish as text: weekdays by number, date, part, hours, weeks.
fn wish_text(wish: &Wish) -> String {
    let days: String = wish.weekdays.iter().map(|day| day.num_days_from_monday().to_string()).collect();
    let part = match wish.part {
        Some(DayPart::Morning) => "m",
        Some(DayPart::Afternoon) => "a",
        Some(DayPart::Evening) => "e",
        None => "",
    };
    let number = |number: Option<u8>| number.map(|n| n.to_string()).unwrap_or_default();
    let date = wish.date.map(|date| date.to_string()).unwrap_or_default();
    [days, date, part.to_owned(), number(wish.from_hour), number(wish.until_hour), number(wish.weeks_ahead)].join("|")
}

fn wish_of(text: &str) -> Option<Wish> {
    let mut fields = text.split('|');
    let mut next = || fields.next();
    let (days, date, part) = (next()?, next()?, next()?);
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.parse::<u8>().ok().map(Some) };
    let (from_hour, until_hour, weeks_ahead) = (number(next()?)?, number(next()?)?, number(next()?)?);
    let weekday = |c: char| DAYS.get(usize::try_from(c.to_digit(10)?).ok()?).copied();
    Some(Wish {
        weekdays: days.chars().map(weekday).collect::<Option<_>>()?,
        date: if date.is_empty() { None } else { Some(date.parse::<NaiveDate>().ok()?) },
        part: match part {
            "m" => Some(DayPart::Morning),
            "a" => Some(DayPart::Afternoon),
            "e" => Some(DayPart::Evening),
            _ => None,
        },
        from_hour,
        until_hour,
        weeks_ahead,
    })
}

fn waiter_of(item: &Item) -> Result<Waiter, CloudError> {
    let reader = Reader { kind: "waitlist", item };
    let state = match (reader.text_opt("slot"), reader.instant_opt("until")?) {
        (Some(slot), Some(until)) => WaiterState::Offered { slot: slot.to_owned(), until },
        _ => WaiterState::Waiting,
    };
    Ok(Waiter {
        patient: reader.parse("sk", unescaped)?,
        since: reader.instant("since")?,
        wish: reader.parse("wish", wish_of)?,
        state,
    })
}

impl TenantStore {
    /// Puts a patient on the waitlist. Who is on it already keeps their place and has their wish changed.
    pub(super) fn join_write(
        &self,
        patient: &PatientId,
        wish: &Wish,
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem, CloudError> {
        wrap(
            update(self, &Keys(&self.clinic).waiting(patient))
                .update_expression("SET since = if_not_exists(since, :now), wish = :wish")
                .expression_attribute_values(":now", ms(now))
                .expression_attribute_values(":wish", s(wish_text(wish))),
        )
    }

    /// Takes a patient off the waitlist; harmless when they are not on it.
    pub(super) fn leave_write(&self, patient: &PatientId) -> Result<TransactWriteItem, CloudError> {
        let key = Keys(&self.clinic).waiting(patient);
        let gone = Delete::builder().table_name(self.table()).set_key(Some(key.item())).build();
        let gone = gone.map_err(|_| CloudError::Permanent { operation: "waitlist", code: "delete".to_owned() })?;
        Ok(TransactWriteItem::builder().delete(gone).build())
    }

    /// The waitlist, who has waited longest first. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn waitlist(&self) -> Result<Vec<Waiter>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).waitlist_pk(), None).await?;
        let mut waiters: Vec<Waiter> = items.iter().map(waiter_of).collect::<Result<_, _>>()?;
        waiters.sort_by(|a, b| (a.since, &a.patient).cmp(&(b.since, &b.patient)));
        Ok(waiters)
    }

    /// Holds a free slot for somebody on the waitlist until an instant; says whether it did. Not beyond the
    /// notice of the timetable that gave it, nor what the clinic's system has given to somebody else.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn hold_slot(
        &self,
        reference: &str,
        patient: &PatientId,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, CloudError> {
        let keys = Keys(&self.clinic);
        let slot = update(self, &keys.slot(reference))
            .update_expression("SET held_p = :p, held_u = :until")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(bk) AND attribute_not_exists(#over) \
                 AND (attribute_not_exists(bb) OR bb >= :until) \
                 AND (attribute_not_exists(held_u) OR held_u <= :now OR held_p = :p)",
            )
            .expression_attribute_names("#over", "over")
            .expression_attribute_values(":p", s(patient.as_str()))
            .expression_attribute_values(":until", ms(until))
            .expression_attribute_values(":now", ms(now));
        let waiter = update(self, &keys.waiting(patient))
            .update_expression("SET #slot = :slot, #until = :until")
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(#until) OR #until <= :now OR #slot = :slot)",
            )
            .expression_attribute_names("#slot", "slot")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":slot", s(reference))
            .expression_attribute_values(":until", ms(until))
            .expression_attribute_values(":now", ms(now));
        let writes = vec![wrap(slot)?, wrap(waiter)?];
        self.finish(writes).await
    }
}
