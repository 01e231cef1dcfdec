//! Which slots are offered: two that fit, different ones to those who ask at the same time.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::conversation::{OfferedSlot, Question, Say};
use retorno_domain::ids::{AppointmentId, MessageId};
use retorno_domain::reply::Wish;
use retorno_domain::slot::{FreeSlot, two};

use super::plan::Plan;
use crate::error::CloudError;

/// Somebody who asks may come so soon.
const NOTICE: TimeDelta = TimeDelta::hours(2);
/// Slots looked at for one answer.
const SLOTS_READ: usize = 200;
/// Those who ask at the same time are offered different ones of so many.
const SPREAD: usize = 24;

impl Plan<'_> {
    pub(super) async fn offer(
        &mut self,
        wish: &Wish,
        moving: Option<AppointmentId>,
        say: Say,
    ) -> Result<(), CloudError> {
        let slots = self.slots_for(wish).await?;
        if slots.is_empty() {
            // What was offered before is gone: a number said now means nothing any more.
            self.made.thread.settle(self.visitor.now);
            self.made.waitlist = Some(Some(wish.clone()));
            self.say(Say::Waitlisted);
            return Ok(());
        }
        let references: Vec<String> = slots.iter().map(FreeSlot::reference).collect();
        let offered = references.iter().map(|reference| OfferedSlot { reference: reference.clone() }).collect();
        self.made.thread.asked = Some((Question::Slots { slots: offered, moving }, self.visitor.now));
        let answer = self.answer();
        answer.say = Some(say);
        answer.slots = references;
        Ok(())
    }

    pub(super) fn offer_held(&mut self, reference: &str, until: DateTime<Utc>) {
        let slots = vec![OfferedSlot { reference: reference.to_owned() }];
        self.made.thread.asked = Some((Question::Slots { slots, moving: None }, self.visitor.now));
        let answer = self.answer();
        // An offer of a slot that is held is of use as long as it is held.
        answer.not_after = until;
        answer.say = Some(Say::Freed);
        answer.slots = vec![reference.to_owned()];
    }

    /// Two slots that fit; if none does, the next two whatever was wished.
    async fn slots_for(&self, wish: &Wish) -> Result<Vec<FreeSlot>, CloudError> {
        let (clinic, now) = (&self.visitor.clinic.clinic, self.visitor.now);
        let until = now + TimeDelta::days(i64::from(clinic.wave.slots_horizon_days.max(28)));
        let free = self.desk.reach.store.of(&clinic.id);
        let mut free = free.free_slots(now + NOTICE, until, Some(SLOTS_READ), now).await?;
        let today = clinic.date(now);
        let wished = two(&free, clinic.zone, |slot| wish.fits_from(today, slot.local(clinic.zone)));
        if *wish != Wish::default() && !wished.is_empty() {
            return Ok(wished);
        }
        // Those who ask at the same time are not all offered the same two.
        let id = MessageId::answering(&clinic.id, &self.visitor.patient().id, self.happening.event);
        let among = u128::try_from(free.len().min(SPREAD)).unwrap_or(0);
        if among > 0 {
            let turn = usize::try_from(id.as_u128() % among).unwrap_or(0);
            free.rotate_left(turn);
            free.truncate(SLOTS_READ.saturating_sub(turn).max(2));
        }
        let mut offered = two(&free, clinic.zone, |_| true);
        offered.sort();
        Ok(offered)
    }
}
