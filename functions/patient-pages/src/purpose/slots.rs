//! Which free slots a page shows, and what a form about one does.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use retorno_cloud::CloudError;
use retorno_cloud::desk::{Picked, Visitor};
use retorno_domain::calendar::{local_time, start_of_day};
use retorno_domain::ids::AppointmentId;
use retorno_domain::reply::{DayPart, Wish};
use retorno_domain::slot::FreeSlot;

use crate::answer::PageAnswer;
use crate::pages::Asked;
use crate::request::Form;
use crate::view::{Day, Notice, Offer, SlotView, WAITLIST_PARTS, full, joined, pick};

/// Who picks a slot may come so soon.
const NOTICE: TimeDelta = TimeDelta::hours(2);
/// Slots are shown so many days ahead, or as far as the clinic offers them in messages.
const HORIZON_DAYS_MIN: u16 = 28;
/// Dates that a page may begin with.
const DATES_READ: TimeDelta = TimeDelta::days(366);
/// Days on one page.
const DAYS_SHOWN: usize = 4;
/// Slots looked at for one page.
const SLOTS_READ: usize = 200;
/// A slot's reference is much shorter.
const REFERENCE_CHARS_MAX: usize = 200;

/// The page on which a slot is picked, or the one that says there is none.
pub(super) async fn show(
    asked: &Asked<'_>,
    visitor: &Visitor,
    notice: Notice,
    moving: Option<&AppointmentId>,
) -> Result<PageAnswer, CloudError> {
    let status = if matches!(notice, Notice::Taken) { 409 } else { 200 };
    let shown = asked.shown();
    let today = asked.clinic.date(asked.now);
    let from = asked.request.query().one("from").parse::<NaiveDate>().ok();
    let from = from.filter(|from| (today..today + DATES_READ).contains(from));
    let slots = free(asked, visitor, from).await?;
    if slots.is_empty() && from.is_none() {
        return Ok(PageAnswer::page(status, full(&shown, &visitor.seen().to_string(), moving.is_some())));
    }
    let mut days = by_day(&slots, asked.clinic.zone);
    let more_from = days.get(DAYS_SHOWN).map(|(date, _)| *date);
    days.truncate(DAYS_SHOWN);
    let professional = only_professional(&days);
    let language = asked.clinic.language;
    let view = |slot: &FreeSlot| SlotView {
        reference: slot.reference(),
        time: language.spoken_time(slot.local(asked.clinic.zone).time()),
        professional: if professional.is_some() { String::new() } else { slot.professional.clone() },
    };
    let day = |(date, slots): &(NaiveDate, Vec<&FreeSlot>)| Day {
        said: language.spoken_date(*date),
        slots: slots.iter().map(|slot| view(slot)).collect(),
    };
    let offer = Offer {
        days: days.iter().map(day).collect(),
        notice,
        more_from,
        is_later: from.is_some(),
        place: place(asked, visitor, slots.first().map_or(asked.now, |slot| slot.start)),
        moving: moving.map(ToString::to_string),
        seen: visitor.seen().to_string(),
        professional,
    };
    Ok(PageAnswer::page(status, pick(&shown, &offer)))
}

/// A slot held for this patient alone comes before all others.
pub(super) fn show_held(asked: &Asked<'_>, visitor: &Visitor, slot: &FreeSlot, until: DateTime<Utc>) -> PageAnswer {
    let (language, zone) = (asked.clinic.language, asked.clinic.zone);
    let local = slot.local(zone);
    let held = SlotView {
        reference: slot.reference(),
        time: language.spoken_time(local.time()),
        professional: slot.professional.clone(),
    };
    let offer = Offer {
        days: vec![Day { said: language.spoken_date(local.date()), slots: vec![held] }],
        notice: Notice::Held { until: language.spoken_slot(local_time(until, zone)) },
        professional: None,
        more_from: Some(asked.clinic.date(asked.now)),
        is_later: false,
        place: place(asked, visitor, slot.start),
        moving: None,
        seen: visitor.seen().to_string(),
    };
    PageAnswer::page(200, pick(&asked.shown(), &offer))
}

/// Books the slot that a form names. Nothing where it names none, or somebody else has it.
pub(super) async fn book(
    asked: &Asked<'_>,
    visitor: &Visitor,
    form: &Form,
    moving: Option<&AppointmentId>,
) -> Result<Option<Picked>, CloudError> {
    let reference = form.cut("slot", REFERENCE_CHARS_MAX);
    if reference.is_empty() {
        return Ok(None);
    }
    asked.desk.pick(visitor, asked.opened(form, visitor), &reference, moving).await.map(Some)
}

/// Puts the patient on the waitlist, with the part of the day that a form names.
pub(super) async fn wait(asked: &Asked<'_>, visitor: &Visitor, form: &Form) -> Result<PageAnswer, CloudError> {
    let parts = [None, Some(DayPart::Morning), Some(DayPart::Afternoon), Some(DayPart::Evening)];
    let named = WAITLIST_PARTS.into_iter().zip(parts).find(|(name, _)| *name == form.one("part"));
    let wish = Wish { part: named.and_then(|(_, part)| part), ..Wish::default() };
    asked.desk.wait(visitor, asked.opened(form, visitor), &wish).await?;
    Ok(PageAnswer::page(200, joined(&asked.shown())))
}

/// The city of the clinic's clock, if the patient's shows another time at that instant.
pub(super) fn place(asked: &Asked<'_>, visitor: &Visitor, at: DateTime<Utc>) -> Option<String> {
    let (ours, theirs) = (asked.clinic.zone, visitor.patient().profile.zone);
    (local_time(at, ours) != local_time(at, theirs)).then(|| asked.shown().texts.place(ours))
}

/// Free slots from a day on; of several alike (two chairs of one person) the first.
async fn free(asked: &Asked<'_>, visitor: &Visitor, from: Option<NaiveDate>) -> Result<Vec<FreeSlot>, CloudError> {
    let soonest = asked.now + NOTICE;
    let until = asked.now + TimeDelta::days(i64::from(asked.clinic.wave.slots_horizon_days.max(HORIZON_DAYS_MIN)));
    let begin = from.map_or(soonest, |date| start_of_day(date, asked.clinic.zone).max(soonest));
    if begin >= until {
        return Ok(Vec::new());
    }
    let mut slots = visitor.tenant.free_slots(begin, until, Some(SLOTS_READ), asked.now).await?;
    slots.sort();
    slots.dedup_by(|a, b| a.start == b.start && a.professional == b.professional);
    Ok(slots)
}

fn by_day(slots: &[FreeSlot], zone: Tz) -> Vec<(NaiveDate, Vec<&FreeSlot>)> {
    let mut days: Vec<(NaiveDate, Vec<&FreeSlot>)> = Vec::new();
    for slot in slots {
        let date = slot.local(zone).date();
        match days.last_mut() {
            Some((last, of_day)) if *last == date => of_day.push(slot),
            Some(_) | None => days.push((date, vec![slot])),
        }
    }
    days
}

/// The one person with whom all slots are.
fn only_professional(days: &[(NaiveDate, Vec<&FreeSlot>)]) -> Option<String> {
    let mut names = days.iter().flat_map(|(_, slots)| slots).map(|slot| slot.professional.as_str());
    let first = names.next().filter(|name| !name.is_empty())?;
    names.all(|name| name == first).then(|| first.to_owned())
}
