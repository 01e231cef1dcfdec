//! The items. They hash by what tells two states of the protocol apart, so that a checker can
//! recognise where it has been.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use retorno_domain::channel::ChannelSet;
use retorno_domain::contact_point::ContactPoint;
use retorno_domain::enrollment::{Enrollment, State};
use retorno_domain::ids::{EnrollmentId, MessageId};
use retorno_domain::limits::WhatsappLedger;
use retorno_domain::message::Delivery;
use retorno_domain::patient::Patient;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageItem {
    /// Where it stands.
    pub delivery: Delivery,
    /// Which attempt was claimed last, from 1; 0 if none was.
    pub attempts: u32,
    /// When it was claimed last.
    pub claimed_at: Option<DateTime<Utc>>,
    /// Of which enrollment.
    pub enrollment: EnrollmentId,
    /// The number of its step.
    pub step: usize,
    /// While it is open: when the sweep is to look at it.
    pub listed: Option<DateTime<Utc>>,
}

/// An enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentItem {
    /// The enrollment.
    pub enrollment: Enrollment,
    /// Rises with each write.
    pub version: u64,
}

/// A patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientItem {
    /// The patient.
    pub patient: Patient,
    /// Rises with each write that decisions rest on.
    pub version: u64,
}

/// A contact point.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactItem {
    /// As decisions see it.
    pub point: ContactPoint,
    /// Channels opted out of, told to us or to a provider (`om_<channel>` and `oc_<channel>`).
    pub told: ChannelSet,
    /// Patients whose import says that they opted out (`oo_imp`).
    pub imported: BTreeSet<usize>,
    /// Rises with each write.
    pub version: u64,
}

/// A patient's item collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Collection {
    /// The patient.
    pub patient: Arc<PatientItem>,
    /// Enrollments, ended ones included.
    pub enrollments: BTreeMap<EnrollmentId, Arc<EnrollmentItem>>,
    /// Messages.
    pub messages: BTreeMap<MessageId, Arc<MessageItem>>,
}

impl Collection {
    /// Of a patient just imported.
    #[must_use]
    pub fn new(patient: Patient) -> Self {
        let patient = Arc::new(PatientItem { patient, version: 1 });
        Self { patient, enrollments: BTreeMap::new(), messages: BTreeMap::new() }
    }
}

impl Hash for MessageItem {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.delivery.code(), self.attempts, self.claimed_at, self.listed).hash(state);
        match &self.delivery {
            Delivery::Ready { attempts: n } => n.hash(state),
            Delivery::InFlight { attempt, claimed_at } => (attempt, claimed_at).hash(state),
            Delivery::Unknown { claimed_at } => claimed_at.hash(state),
            Delivery::Failed(code) | Delivery::Dropped(code) => code.hash(state),
            Delivery::Accepted | Delivery::Undetermined => {}
        }
    }
}

impl Hash for EnrollmentItem {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let enrollment = &self.enrollment;
        (self.version, enrollment.id, enrollment.first_sent_on, enrollment.epoch).hash(state);
        match &enrollment.state {
            State::Running { step, due } => (0, step, due).hash(state),
            State::Closing { due } => (1, due).hash(state),
            State::Conversing { since, step } => (2, since, step).hash(state),
            State::Ended { reason, at } => (3, reason, at).hash(state),
        }
    }
}

impl Hash for PatientItem {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let patient = &self.patient;
        (self.version, &patient.consent.statements().len(), patient.paused, patient.sequence).hash(state);
        (patient.history.last_at, patient.history.last_day_count).hash(state);
        ledger(&patient.history.whatsapp, state);
        for appointment in &patient.appointments {
            (&appointment.id, appointment.start, appointment.status).hash(state);
        }
    }
}

impl Hash for ContactItem {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.version, self.told, &self.imported, self.point.suppressed, self.point.unreachable).hash(state);
        ledger(&self.point.whatsapp, state);
        self.point.busy.hash(state);
    }
}

fn ledger<H: Hasher>(ledger: &WhatsappLedger, state: &mut H) {
    (&ledger.stamps, ledger.rest_until).hash(state);
}
