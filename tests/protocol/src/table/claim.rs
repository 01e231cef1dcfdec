//! The claim (`store/commit.rs`, `TenantStore::claim`): one transaction, all or nothing.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use retorno_domain::calendar::local_date;
use retorno_domain::channel::Channel;
use retorno_domain::enrollment::Enrollment;
use retorno_domain::limits::{FreePlace, WhatsappLedger};
use retorno_domain::message::{Delivery, Intent, UNKNOWN_AFTER};

use super::{ContactKey, Dropped, EnrollmentItem, MessageItem, PatientItem, Table, tier_window};
use crate::guard::Guard;

/// Everything a claim rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose message.
    pub patient: usize,
    /// What the rules allowed.
    pub intent: Intent,
    /// The enrollment as read.
    pub from: Arc<EnrollmentItem>,
    /// The enrollment once the message is claimed.
    pub next: Enrollment,
    /// The patient as read.
    pub seen: Arc<PatientItem>,
    /// The contact point.
    pub contact: ContactKey,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The place taken in the number's tier.
    pub tier: Option<u32>,
    /// Steps left out on the way.
    pub drops: Vec<Dropped>,
    /// The table's epoch by the settings.
    pub epoch: u64,
    /// The instant of the claim.
    pub now: DateTime<Utc>,
}

/// Why a claim does not stand (`ClaimRefused`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Somebody claimed the message before, or it is over.
    AlreadyClaimed,
    /// The number's daily tier has no such place any more.
    TierTaken,
    /// Read again and decide again.
    Changed,
}

impl Table {
    /// Claims a message for sending.
    ///
    /// # Errors
    /// [`Refused`]; then nothing was written.
    pub fn claim(&mut self, claim: &Claim) -> Result<(), Refused> {
        match self.refusal(claim) {
            Some(refused) => Err(refused),
            None => {
                self.write_claim(claim);
                Ok(())
            }
        }
    }

    /// The conditions, in the order in which a refusal is understood (`commit.rs`, `refusal`).
    fn refusal(&self, claim: &Claim) -> Option<Refused> {
        if !self.off.lets(Guard::Unclaimed, self.is_unclaimed(claim)) {
            return Some(Refused::AlreadyClaimed);
        }
        if !self.enrollment_stands(claim) || !self.patient_stands(claim) || !self.contact_is_open(claim) {
            return Some(Refused::Changed);
        }
        // tier_part: "attribute_not_exists(used_at) OR used_at <= :cut"
        let used = claim.tier.and_then(|place| self.tier.get(&place));
        let free = used.is_none_or(|at| *at <= claim.now - tier_window());
        if !self.off.lets(Guard::TierFree, free) {
            return Some(Refused::TierTaken);
        }
        // audit: "attribute_not_exists(pk)"
        let recorded = self.audit.contains(&(claim.now, claim.intent.message, claim.attempt));
        if !self.off.lets(Guard::AuditAbsent, !recorded) {
            return Some(Refused::AlreadyClaimed);
        }
        // call task: "attribute_not_exists(pk)"
        let task = claim.intent.channel == Channel::Call && self.calls.contains(&claim.intent.message);
        let drops = claim.drops.iter().all(|dropped| self.may_drop(claim.patient, dropped));
        if !self.off.lets(Guard::CallAbsent, !task) || !drops {
            return Some(Refused::Changed);
        }
        None
    }

    /// message: "attribute_not_exists(pk)", or "st = :ready AND att = :before"
    fn is_unclaimed(&self, claim: &Claim) -> bool {
        let stored = self.collection(claim.patient).and_then(|c| c.messages.get(&claim.intent.message));
        match stored {
            None => claim.attempt == 1,
            Some(item) => {
                claim.attempt > 1
                    && matches!(item.delivery, Delivery::Ready { .. })
                    && item.attempts + 1 == claim.attempt
            }
        }
    }

    /// enrollment: "ver = :ver AND epoch = :epoch"
    fn enrollment_stands(&self, claim: &Claim) -> bool {
        let stored = self.collection(claim.patient).and_then(|c| c.enrollments.get(&claim.from.enrollment.id));
        let version = stored.is_some_and(|item| item.version == claim.from.version);
        let epoch = stored.is_some_and(|item| item.enrollment.epoch == claim.epoch);
        self.off.lets(Guard::EnrollmentVersion, version) && self.off.lets(Guard::Epoch, epoch)
    }

    /// patient: "ver = :ver AND seq = :e"
    fn patient_stands(&self, claim: &Claim) -> bool {
        let stored = self.collection(claim.patient).map(|c| &c.patient);
        let version = stored.is_some_and(|item| item.version == claim.seen.version);
        let sequence = stored.is_some_and(|item| item.patient.sequence == Some(claim.next.id));
        self.off.lets(Guard::PatientVersion, version) && self.off.lets(Guard::InSequence, sequence)
    }

    /// contact point: `not_suppressed`, and with a place "(attribute_not_exists(rest) OR rest <= :now)"
    /// and the stamp as read
    fn contact_is_open(&self, claim: &Claim) -> bool {
        let item = self.contact(claim.contact);
        let channel = claim.intent.channel;
        let silent = item.imported.is_empty() && !item.told.contains(channel) && !item.point.is_wrong();
        if !self.off.lets(Guard::NotSuppressed, silent) {
            return false;
        }
        let Some((place, _)) = claim.intent.places else { return true };
        let ledger = &item.point.whatsapp;
        let rested = ledger.rest_until.is_none_or(|rest| rest <= claim.now);
        let as_read = stamp(ledger, place.place) == place.previous;
        self.off.lets(Guard::NotResting, rested) && self.off.lets(Guard::StampAsRead, as_read)
    }

    /// `drop_writes`: "attribute_not_exists(pk) OR st IN (:ready, :st)"
    pub(super) fn may_drop(&self, patient: usize, dropped: &Dropped) -> bool {
        let stored = self.collection(patient).and_then(|c| c.messages.get(&dropped.message));
        let unclaimed =
            stored.is_none_or(|item| matches!(item.delivery, Delivery::Ready { .. } | Delivery::Dropped(_)));
        self.off.lets(Guard::DropUnclaimed, unclaimed)
    }

    fn write_claim(&mut self, claim: &Claim) {
        let (now, message) = (claim.now, claim.intent.message);
        let item = MessageItem {
            delivery: Delivery::InFlight { attempt: claim.attempt, claimed_at: now },
            attempts: claim.attempt,
            claimed_at: Some(now),
            enrollment: claim.next.id,
            step: claim.intent.step,
            listed: Some(now + UNKNOWN_AFTER),
        };
        if let Some(collection) = self.patients.get_mut(claim.patient) {
            collection.messages.insert(message, Arc::new(item));
        }
        self.put_next(claim.patient, &claim.next);
        if let Some(item) = self.patient_mut(claim.patient) {
            let seen = &claim.seen.patient;
            let (history, zone) = (&mut item.patient.history, seen.profile.zone);
            // `day_count`, by the patient as read.
            history.last_day_count = match seen.history.last_at {
                Some(last) if local_date(last, zone) == local_date(now, zone) => {
                    seen.history.last_day_count.saturating_add(1)
                }
                Some(_) | None => 1,
            };
            history.last_at = Some(now);
            take(&mut history.whatsapp, claim.intent.places.map(|(_, person)| person), now);
            item.version += 1;
        }
        let contact = self.contact_mut(claim.contact);
        take(&mut contact.point.whatsapp, claim.intent.places.map(|(contact, _)| contact), now);
        contact.version += 1;
        self.audit.insert((now, message, claim.attempt));
        if let Some(place) = claim.tier {
            self.tier.insert(place, now);
        }
        if claim.intent.channel == Channel::Call {
            self.calls.insert(message);
        }
        self.write_drops(claim.patient, claim.next.id, &claim.drops);
    }

    /// The enrollment's next state (`store/enrollment.rs`, `advance`).
    pub(super) fn put_next(&mut self, patient: usize, next: &Enrollment) {
        if let Some(item) = self.enrollment_mut(patient, next.id) {
            item.enrollment = next.clone();
            item.version += 1;
        }
    }
}

/// The stamp of a place.
pub(super) fn stamp(ledger: &WhatsappLedger, place: u8) -> Option<DateTime<Utc>> {
    ledger.stamps.get(usize::from(place)).copied().flatten()
}

/// Sets the stamp of a place, and keeps the ledger as the store reads it: without empty places at its end.
pub(super) fn set_stamp(ledger: &mut WhatsappLedger, place: u8, at: Option<DateTime<Utc>>) {
    let place = usize::from(place);
    if ledger.stamps.len() <= place {
        ledger.stamps.resize(place + 1, None);
    }
    if let Some(stamp) = ledger.stamps.get_mut(place) {
        *stamp = at;
    }
    while ledger.stamps.last().is_some_and(Option::is_none) {
        ledger.stamps.pop();
    }
}

/// `ledger_part`: stamps a place, and begins the rest that the sending brings.
fn take(ledger: &mut WhatsappLedger, place: Option<FreePlace>, now: DateTime<Utc>) {
    let Some(place) = place else { return };
    set_stamp(ledger, place.place, Some(now));
    if place.rest_until.is_some() {
        ledger.rest_until = place.rest_until;
    }
}
