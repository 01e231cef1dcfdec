//! What two widespread protocols write instead. Neither is ours: they are here to be shown to fail.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::message::Delivery;

use super::claim::set_stamp;
use super::{Claim, MessageItem, Refused, Table};

/// A lease older than this is taken over by whoever comes by.
const LEASE_LASTS: TimeDelta = TimeDelta::minutes(5);

/// Whether a message is leased and its lease has run out.
#[must_use]
pub fn lease_ran_out(delivery: &Delivery, now: DateTime<Utc>) -> bool {
    matches!(delivery, Delivery::InFlight { claimed_at, .. } if *claimed_at + LEASE_LASTS <= now)
}

impl Table {
    /// Leases a message before the call: refused while somebody else holds a fresh lease, or once it is sent.
    ///
    /// # Errors
    /// [`Refused::AlreadyClaimed`].
    pub fn lease(&mut self, claim: &Claim) -> Result<(), Refused> {
        let stored = self.collection(claim.patient).and_then(|c| c.messages.get(&claim.intent.message));
        let free = stored.is_none_or(|item| {
            matches!(item.delivery, Delivery::Ready { .. }) || lease_ran_out(&item.delivery, claim.now)
        });
        if !free {
            return Err(Refused::AlreadyClaimed);
        }
        self.put_message(claim, Delivery::InFlight { attempt: claim.attempt, claimed_at: claim.now });
        Ok(())
    }

    /// Writes afterwards what came of a call, without conditions: the message, the enrollment, the
    /// places under the caps.
    pub fn write_afterwards(&mut self, claim: &Claim, delivery: Delivery) {
        let sent = delivery == Delivery::Accepted;
        self.put_message(claim, delivery);
        self.put_next(claim.patient, &claim.next);
        let (now, places) = (claim.now, claim.intent.places.filter(|_| sent));
        if let Some(item) = self.patient_mut(claim.patient) {
            item.patient.history.last_at = Some(now);
            if let Some((_, person)) = places {
                set_stamp(&mut item.patient.history.whatsapp, person.place, Some(now));
            }
            item.version += 1;
        }
        if let Some((contact, _)) = places {
            let item = self.contact_mut(claim.contact);
            set_stamp(&mut item.point.whatsapp, contact.place, Some(now));
            item.version += 1;
        }
    }

    fn put_message(&mut self, claim: &Claim, delivery: Delivery) {
        let item = MessageItem {
            delivery,
            attempts: claim.attempt,
            claimed_at: Some(claim.now),
            enrollment: claim.next.id,
            step: claim.intent.step,
            listed: None,
        };
        if let Some(collection) = self.patients.get_mut(claim.patient) {
            collection.messages.insert(claim.intent.message, Arc::new(item));
        }
    }
}
