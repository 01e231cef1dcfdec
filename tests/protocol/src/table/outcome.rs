//! What becomes of a claimed message (`store/message.rs`), and of steps left out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::ids::{EnrollmentId, MessageId};
use retorno_domain::message::{Delivery, EVIDENCE_LASTS, Outcome};

use super::{Dropped, MessageItem, Overdue, Table};
use crate::guard::Guard;

/// A retry that has not happened so long after its time has lost its wake-up.
pub(super) const RETRY_LOST_AFTER: TimeDelta = TimeDelta::minutes(15);

impl Table {
    /// Records what became of a claimed message (`TenantStore::record_outcome`); says whether it did.
    pub fn record_outcome(
        &mut self,
        patient: usize,
        message: MessageId,
        (attempt, claimed_at): (u32, DateTime<Utc>),
        outcome: &Outcome,
    ) -> bool {
        let off = self.off;
        let Some(item) = self.message_mut(patient, message) else { return false };
        // "st IN (:flying, :unknown) AND att = :att"
        let open = matches!(item.delivery, Delivery::InFlight { .. } | Delivery::Unknown { .. });
        if !off.lets(Guard::RecordOpen, open) || !off.lets(Guard::RecordAttempt, item.attempts == attempt) {
            return false;
        }
        // What is stored of an unknown or ready message comes from the item, not from the recorder.
        item.delivery = match outcome.delivery(attempt, claimed_at) {
            Delivery::Unknown { .. } => Delivery::Unknown { claimed_at: item.claimed_at.unwrap_or(claimed_at) },
            Delivery::Ready { .. } => Delivery::Ready { attempts: item.attempts },
            other @ (Delivery::Accepted
            | Delivery::Failed(_)
            | Delivery::InFlight { .. }
            | Delivery::Undetermined
            | Delivery::Dropped(_)) => other,
        };
        item.listed = match (&item.delivery, outcome) {
            (Delivery::Unknown { .. }, _) => Some(claimed_at + EVIDENCE_LASTS),
            (Delivery::Ready { .. }, Outcome::NotSent { again_in, .. }) => {
                Some(claimed_at + *again_in + RETRY_LOST_AFTER)
            }
            _ => None,
        };
        true
    }

    /// Messages whose claim, retry or wait for evidence is over (`TenantStore::overdue_messages`).
    #[must_use]
    pub fn overdue_messages(&self, now: DateTime<Utc>) -> Vec<Overdue> {
        let mut found = Vec::new();
        for (patient, collection) in self.patients.iter().enumerate() {
            for (message, item) in &collection.messages {
                if item.listed.is_some_and(|at| at <= now) {
                    let (delivery, enrollment) = (item.delivery.clone(), item.enrollment);
                    found.push(Overdue { patient, message: *message, delivery, enrollment, step: item.step });
                }
            }
        }
        found
    }

    /// Moves an open message on as time demands, if it still stands as read (`TenantStore::age_message`);
    /// says whether it did.
    pub fn age_message(&mut self, open: &Overdue, next: &Delivery) -> bool {
        let off = self.off;
        let Some(item) = self.message_mut(open.patient, open.message) else { return false };
        // "st = :was"
        if !off.lets(Guard::AgeAsRead, item.delivery.code() == open.delivery.code()) {
            return false;
        }
        item.listed = match next {
            Delivery::Unknown { claimed_at } => Some(*claimed_at + EVIDENCE_LASTS),
            Delivery::Ready { .. }
            | Delivery::InFlight { .. }
            | Delivery::Accepted
            | Delivery::Failed(_)
            | Delivery::Undetermined
            | Delivery::Dropped(_) => None,
        };
        item.delivery = match next {
            Delivery::Unknown { claimed_at } => {
                Delivery::Unknown { claimed_at: item.claimed_at.unwrap_or(*claimed_at) }
            }
            Delivery::Ready { .. }
            | Delivery::InFlight { .. }
            | Delivery::Accepted
            | Delivery::Failed(_)
            | Delivery::Undetermined
            | Delivery::Dropped(_) => next.clone(),
        };
        true
    }

    /// Enrollments that were to be looked at before an instant (`TenantStore::overdue_enrollments`).
    #[must_use]
    pub fn overdue_enrollments(&self, before: DateTime<Utc>) -> Vec<(usize, EnrollmentId, usize)> {
        let mut found = Vec::new();
        for (patient, collection) in self.patients.iter().enumerate() {
            for (id, item) in &collection.enrollments {
                if item.enrollment.due().is_some_and(|due| due < before) {
                    let step = match item.enrollment.state {
                        retorno_domain::enrollment::State::Running { step, .. } => step,
                        retorno_domain::enrollment::State::Closing { .. }
                        | retorno_domain::enrollment::State::Conversing { .. }
                        | retorno_domain::enrollment::State::Ended { .. } => usize::MAX,
                    };
                    found.push((patient, *id, step));
                }
            }
        }
        found
    }

    /// The records of steps left out (`drop_writes`).
    pub(super) fn write_drops(&mut self, patient: usize, enrollment: EnrollmentId, drops: &[Dropped]) {
        let Some(collection) = self.patients.get_mut(patient) else { return };
        for dropped in drops {
            let item = collection.messages.entry(dropped.message).or_insert_with(|| {
                let delivery = Delivery::Dropped(String::new());
                Arc::new(MessageItem { delivery, attempts: 0, claimed_at: None, enrollment, step: 0, listed: None })
            });
            let item = Arc::make_mut(item);
            item.delivery = Delivery::Dropped(dropped.reason.to_owned());
            item.listed = None;
        }
    }
}
