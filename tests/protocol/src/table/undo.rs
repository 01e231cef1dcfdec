//! Taking a claim back when it is proven that nothing was sent (`store/undo.rs`).

use retorno_domain::enrollment::Enrollment;
use retorno_domain::limits::{FreePlace, WhatsappLedger};
use retorno_domain::message::{Delivery, Outcome};

use super::claim::{set_stamp, stamp};
use super::outcome::RETRY_LOST_AFTER;
use super::{Claim, Table};
use crate::guard::Guard;

impl Table {
    /// Takes a claim back: the message becomes `delivery` and the enrollment `restored`. Says whether
    /// it did (`TenantStore::undo_claim`).
    pub fn undo_claim(&mut self, claim: &Claim, outcome: &Outcome, delivery: &Delivery, restored: &Enrollment) -> bool {
        if !self.may_undo(claim) {
            return false;
        }
        let off = self.off;
        if let Some(item) = self.message_mut(claim.patient, claim.intent.message) {
            item.delivery = delivery.clone();
            // What is to be tried again stays listed.
            item.listed = match (delivery, outcome) {
                (Delivery::Ready { .. }, Outcome::NotSent { again_in, .. }) if !off.lets(Guard::ReadyListed, false) => {
                    Some(claim.now + *again_in + RETRY_LOST_AFTER)
                }
                _ => None,
            };
        }
        self.put_next(claim.patient, restored);
        let places = claim.intent.places;
        if let Some(item) = self.patient_mut(claim.patient) {
            let (history, before) = (&mut item.patient.history, &claim.seen.patient.history);
            history.last_at = before.last_at;
            // `patient_back` removes the count together with the instant.
            history.last_day_count = before.last_at.map_or(0, |_| before.last_day_count);
            give_back(&mut history.whatsapp, places.map(|(_, person)| person));
            item.version += 1;
        }
        let contact = self.contact_mut(claim.contact);
        give_back(&mut contact.point.whatsapp, places.map(|(contact, _)| contact));
        contact.version += 1;
        true
    }

    fn may_undo(&self, claim: &Claim) -> bool {
        let Some(collection) = self.collection(claim.patient) else { return false };
        // message: "st = :flying AND att = :att"
        let flying = collection
            .messages
            .get(&claim.intent.message)
            .is_some_and(|item| matches!(item.delivery, Delivery::InFlight { .. }) && item.attempts == claim.attempt);
        // enrollment: "ver = :ver", as the claim left it
        let enrollment = collection
            .enrollments
            .get(&claim.from.enrollment.id)
            .is_some_and(|item| item.version == claim.from.version + 1);
        // patient: "last_at = :mine"
        let patient = collection.patient.patient.history.last_at == Some(claim.now);
        // contact point: "wa<place> = :mine"
        let mine = claim.intent.places.is_none_or(|(place, _)| {
            stamp(&self.contact(claim.contact).point.whatsapp, place.place) == Some(claim.now)
        });
        self.off.lets(Guard::UndoInFlight, flying)
            && self.off.lets(Guard::UndoEnrollment, enrollment)
            && self.off.lets(Guard::UndoPatient, patient)
            && self.off.lets(Guard::UndoStamp, mine)
    }
}

/// `Back::place`: the stamp as it was before, and no rest if the sending had begun one.
fn give_back(ledger: &mut WhatsappLedger, place: Option<FreePlace>) {
    let Some(place) = place else { return };
    set_stamp(ledger, place.place, place.previous);
    if place.rest_until.is_some() {
        ledger.rest_until = None;
    }
}
