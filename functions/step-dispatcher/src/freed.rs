//! A slot has become free: it is held for a day for the first on the waitlist whom it suits, and
//! offered to them. If they do not take it, the next is asked.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::desk::{Desk, Done as DeskDone, Happening, Visitor};
use retorno_cloud::orders::Order;
use retorno_cloud::store::{HeardLine, TenantStore, Waiter, WaiterState};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::conversation::{Act, Urgency};
use retorno_domain::ids::ClinicId;
use retorno_domain::slot::FreeSlot;

use crate::dispatch::Done;

/// A slot is held so long for somebody who was asked.
const HELD_FOR: TimeDelta = TimeDelta::hours(24);
/// A slot nearer than this is offered to nobody.
const NOTICE: TimeDelta = TimeDelta::hours(2);

/// Offers a slot that has become free to the next on the waitlist.
pub(crate) async fn offer(reach: &Reach, clinic: &ClinicId, reference: &str) -> Result<Done, CloudError> {
    let tenant = reach.store.of(clinic);
    let now = reach.clock.now();
    let Some((slot, book_by)) = tenant.slot_and_notice(reference).await? else { return Ok(Done::Nothing) };
    let last = book_by.map_or(slot.start - NOTICE, |book_by| book_by.min(slot.start - NOTICE));
    if last <= now {
        return Ok(Done::Nothing);
    }
    let free = tenant.free_slots(slot.start, slot.start + TimeDelta::milliseconds(1), None, now).await?;
    if !free.iter().any(|free| free.reference() == reference) {
        return Ok(Done::Nothing);
    }
    let desk = Desk::new(reach.clone());
    let zone = tenant.settings(now).await?.clinic.zone;
    for waiter in tenant.waitlist().await? {
        let asked = matches!(&waiter.state, WaiterState::Offered { until, .. } if *until > now);
        if asked || !waiter.wish.fits_from(waiter.since.with_timezone(&zone).date_naive(), slot.local(zone)) {
            continue;
        }
        if ask(&desk, &tenant, &waiter, (&slot, last), now).await? {
            return Ok(Done::Decided);
        }
    }
    Ok(Done::Nothing)
}

/// Asks one of them about a slot that may be booked until an instant; says whether they were.
async fn ask(
    desk: &Desk,
    tenant: &TenantStore,
    waiter: &Waiter,
    (slot, last): (&FreeSlot, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<bool, CloudError> {
    let reference = slot.reference();
    // Nobody is asked about the same slot twice.
    let event = format!("freed#{reference}#{}", waiter.patient);
    if tenant.knows_event(&event).await? {
        return Ok(false);
    }
    let Some(visitor) = desk.visit(tenant, &waiter.patient).await? else { return Ok(false) };
    if visitor.case().next_visit().is_some() || visitor.patient().paused {
        return Ok(false);
    }
    let until = (now + HELD_FOR).min(last);
    if !tenant.hold_slot(&reference, &waiter.patient, now, until).await? {
        return Ok(false);
    }
    // The wake-up first: whatever happens now, the slot goes on to the next.
    let order = Order::Freed { clinic: tenant.clinic().to_string(), slot: reference.clone() };
    desk.reach().orders.wake(&order, 0, now, until).await?;
    let points = tenant.contact_points(&visitor.contacts).await?;
    let happening = Happening::silent(&event, channel(&visitor, &points).unwrap_or(Channel::Call), "");
    let decide = |visitor: &Visitor, _: Option<&mut HeardLine>| acts(visitor, &points, &reference, until);
    let done = desk.act(tenant, &waiter.patient, &happening, decide).await?;
    Ok(matches!(done, DeskDone::Acted(_)))
}

/// The channel on which the offer, which is marketing, may be written now.
fn channel(visitor: &Visitor, points: &ContactPoints) -> Option<Channel> {
    let open = |channel: &Channel| !points.of(*channel).is_suppressed(*channel, Purpose::Marketing);
    visitor.channel(Some(Purpose::Marketing)).filter(open)
}

/// Where nothing may be written freely, a person calls.
fn acts(visitor: &Visitor, points: &ContactPoints, reference: &str, until: DateTime<Utc>) -> Vec<Act> {
    let offer = Act::OfferHeld { reference: reference.to_owned(), until };
    match channel(visitor, points) {
        Some(_) => vec![offer],
        None => vec![offer, Act::HandOver { reason: "slot_freed", urgency: Urgency::High }],
    }
}
