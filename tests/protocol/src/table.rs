//! The items that the protocol uses, in memory, with exactly the conditions of the store. A write is
//! a method of the same name as the store's; each condition is an `if` that names its counterpart.
//! What a state becomes is decided by the domain's own functions, here as there.

mod claim;
mod contact;
mod enroll;
mod item;
mod outcome;
mod rival;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::calendar::IsoWeek;
use retorno_domain::channel::Channel;
use retorno_domain::ids::{EnrollmentId, MessageId, SegmentId};
use retorno_domain::limits::CLOCK_MARGIN;
use retorno_domain::message::Delivery;
use retorno_domain::patient::Patient;

use crate::guard::Off;

pub use claim::{Claim, Refused};
pub use contact::ContactKey;
pub use enroll::{NewEnrollment, NotEnrolled};
pub use item::{Collection, ContactItem, EnrollmentItem, MessageItem, PatientItem};
pub use rival::lease_ran_out;

/// A step that is left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dropped {
    /// The message that will not be.
    pub message: MessageId,
    /// The rule's reason.
    pub reason: &'static str,
}

/// What a provider has halted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Halted {
    /// A channel.
    Channel(Channel),
    /// The templates of a step (its number stands for its template).
    Template(usize),
}

/// A claim that a crash or a lost answer left open, or a retry whose time has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// Whose.
    pub patient: usize,
    /// Which.
    pub message: MessageId,
    /// As read.
    pub delivery: Delivery,
    /// Of which enrollment.
    pub enrollment: EnrollmentId,
    /// The number of its step.
    pub step: usize,
}

impl std::hash::Hash for Overdue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.patient, self.message, self.delivery.code()).hash(state);
    }
}

/// The table. Patients are numbered from 0; items are shared until they are written, so that a
/// reader's copy costs nothing and stays as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Table {
    /// Conditions that are switched off.
    pub off: Off,
    /// Patients with their enrollments and messages.
    pub patients: Vec<Collection>,
    /// Contact points.
    pub contacts: BTreeMap<ContactKey, Arc<ContactItem>>,
    /// When each place of the number's daily tier was used last.
    pub tier: BTreeMap<u32, DateTime<Utc>>,
    /// Seats of a week and segment, each with its enrollment.
    pub seats: BTreeMap<(IsoWeek, SegmentId, u32), EnrollmentId>,
    /// Records of claims.
    pub audit: BTreeSet<(DateTime<Utc>, MessageId, u32)>,
    /// Open call tasks.
    pub calls: BTreeSet<MessageId>,
    /// What providers have halted, each until when.
    pub halts: BTreeMap<Halted, DateTime<Utc>>,
}

/// A place in the number's tier is free again after so long (`store/wave.rs`, `TIER_WINDOW`).
#[must_use]
pub fn tier_window() -> TimeDelta {
    TimeDelta::hours(24) + CLOCK_MARGIN
}

impl Table {
    /// Adds a patient as an import would, and says under which number.
    pub fn add_patient(&mut self, patient: Patient) -> usize {
        self.patients.push(Collection::new(patient));
        self.patients.len() - 1
    }

    /// A patient's collection.
    #[must_use]
    pub fn collection(&self, patient: usize) -> Option<&Collection> {
        self.patients.get(patient)
    }

    /// A contact point; one that was never written is as good as empty.
    #[must_use]
    pub fn contact(&self, key: ContactKey) -> Arc<ContactItem> {
        self.contacts.get(&key).cloned().unwrap_or_default()
    }

    /// A free place in the number's tier, or when there will be one (`tier.rs` of the dispatcher).
    ///
    /// # Errors
    /// The instant at which the first place falls free.
    pub fn tier_room(&self, places: u32, now: DateTime<Utc>) -> Result<u32, DateTime<Utc>> {
        if let Some(unused) = (0..places).find(|place| !self.tier.contains_key(place)) {
            return Ok(unused);
        }
        let oldest = self.tier.range(..places).min_by_key(|(_, at)| **at);
        match oldest {
            Some((place, at)) if *at + tier_window() <= now => Ok(*place),
            Some((_, at)) => Err(*at + tier_window()),
            None => Err(now + TimeDelta::days(1)),
        }
    }

    fn message_mut(&mut self, patient: usize, message: MessageId) -> Option<&mut MessageItem> {
        self.patients.get_mut(patient)?.messages.get_mut(&message).map(Arc::make_mut)
    }

    fn enrollment_mut(&mut self, patient: usize, id: EnrollmentId) -> Option<&mut EnrollmentItem> {
        self.patients.get_mut(patient)?.enrollments.get_mut(&id).map(Arc::make_mut)
    }

    fn patient_mut(&mut self, patient: usize) -> Option<&mut PatientItem> {
        self.patients.get_mut(patient).map(|collection| Arc::make_mut(&mut collection.patient))
    }

    fn contact_mut(&mut self, key: ContactKey) -> &mut ContactItem {
        Arc::make_mut(self.contacts.entry(key).or_default())
    }
}
