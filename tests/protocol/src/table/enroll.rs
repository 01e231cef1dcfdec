//! Enrollments: begun, moved on, ended (`store/enroll.rs`, `store/enrollment.rs`), and patients replaced by
//! an import (`store/patient.rs`).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use retorno_domain::enrollment::Enrollment;
use retorno_domain::ids::{EnrollmentId, PatientId};
use retorno_domain::patient::Patient;

use super::{ContactKey, Dropped, EnrollmentItem, Table};
use crate::guard::Guard;

/// What a new enrollment takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnrollment {
    /// Whose.
    pub patient: usize,
    /// The enrollment; its week, segment and seat name its seat.
    pub enrollment: Enrollment,
    /// The patient's version, which must still stand.
    pub patient_version: u64,
    /// The contact points it occupies.
    pub contacts: Vec<ContactKey>,
    /// Until when at most.
    pub busy_until: DateTime<Utc>,
    /// The instant of the enrollment.
    pub now: DateTime<Utc>,
}

/// Why somebody was not enrolled (`NotEnrolled`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotEnrolled {
    /// The seat is taken.
    SeatTaken,
    /// The patient or a contact point changed meanwhile, or the patient was enrolled already.
    Changed,
}

impl Table {
    /// Enrolls a patient (`TenantStore::enroll`).
    ///
    /// # Errors
    /// [`NotEnrolled`]; then nothing was written.
    pub fn enroll(&mut self, new: &NewEnrollment) -> Result<(), NotEnrolled> {
        let enrollment = &new.enrollment;
        let seat = (enrollment.week, enrollment.segment.clone(), enrollment.seat);
        // seat: "attribute_not_exists(pk)"
        if self.seats.contains_key(&seat) {
            return Err(NotEnrolled::SeatTaken);
        }
        let off = self.off;
        let Some(collection) = self.patients.get(new.patient) else { return Err(NotEnrolled::Changed) };
        // enrollment: "attribute_not_exists(pk)"
        let absent = !collection.enrollments.contains_key(&enrollment.id);
        // patient: "ver = :v AND attribute_not_exists(seq)"
        let patient = &collection.patient;
        let as_read = patient.version == new.patient_version && patient.patient.sequence.is_none();
        // contact points: "attribute_not_exists(busy_u) OR busy_u < :now OR busy_p = :p"
        let free = |key: &ContactKey| {
            self.contact(*key)
                .point
                .busy
                .as_ref()
                .is_none_or(|(who, until)| *until < new.now || *who == enrollment.patient)
        };
        let contacts = new.contacts.iter().all(free);
        if !absent || !off.lets(Guard::EnrollPatient, as_read) || !off.lets(Guard::EnrollContact, contacts) {
            return Err(NotEnrolled::Changed);
        }
        self.seats.insert(seat, enrollment.id);
        if let Some(collection) = self.patients.get_mut(new.patient) {
            let item = EnrollmentItem { enrollment: enrollment.clone(), version: 1 };
            collection.enrollments.insert(enrollment.id, Arc::new(item));
        }
        if let Some(item) = self.patient_mut(new.patient) {
            item.patient.sequence = Some(enrollment.id);
            item.version += 1;
        }
        for key in &new.contacts {
            let item = self.contact_mut(*key);
            item.point.busy = Some((enrollment.patient.clone(), new.busy_until));
            item.version += 1;
        }
        Ok(())
    }

    /// Stores an enrollment's next state if nothing else has changed it
    /// (`TenantStore::advance_enrollment`); says whether it did.
    pub fn advance_enrollment(
        &mut self,
        patient: usize,
        from: &EnrollmentItem,
        next: &Enrollment,
        drops: &[Dropped],
    ) -> bool {
        if !self.may_advance(patient, from, drops) {
            return false;
        }
        self.put_next(patient, next);
        self.write_drops(patient, next.id, drops);
        true
    }

    /// Ends an enrollment (`TenantStore::end_enrollment`, without freeing the contact points, which
    /// are freed one by one afterwards); says whether it did.
    pub fn end_enrollment(
        &mut self,
        patient: usize,
        from: &EnrollmentItem,
        next: &Enrollment,
        drops: &[Dropped],
        free_seat: bool,
    ) -> bool {
        // patient: "seq = :e"
        let sequence = self.collection(patient).and_then(|c| c.patient.patient.sequence);
        // seat: "enr = :e"
        let seat = (next.week, next.segment.clone(), next.seat);
        let own_seat = !free_seat || self.seats.get(&seat) == Some(&next.id);
        if sequence != Some(next.id) || !own_seat || !self.may_advance(patient, from, drops) {
            return false;
        }
        self.put_next(patient, next);
        self.write_drops(patient, next.id, drops);
        if let Some(item) = self.patient_mut(patient) {
            item.patient.sequence = None;
            item.version += 1;
        }
        if free_seat {
            self.seats.remove(&seat);
        }
        true
    }

    /// Frees a contact point that this patient occupied (`TenantStore::vacate`).
    pub fn vacate(&mut self, key: ContactKey, patient: &PatientId) {
        // "busy_p = :p"
        if self.contact(key).point.busy.as_ref().is_some_and(|(who, _)| who == patient) {
            let item = self.contact_mut(key);
            item.point.busy = None;
            item.version += 1;
        }
    }

    /// enrollment: "ver = :ver"; steps left out: not claimed
    fn may_advance(&self, patient: usize, from: &EnrollmentItem, drops: &[Dropped]) -> bool {
        let stored = self.collection(patient).and_then(|c| c.enrollments.get(&from.enrollment.id));
        let version = stored.is_some_and(|item| item.version == from.version);
        self.off.lets(Guard::AdvanceVersion, version) && drops.iter().all(|dropped| self.may_drop(patient, dropped))
    }

    /// Stores a changed patient if nothing has changed since it was read
    /// (`TenantStore::replace_patient`); says whether it did.
    pub fn replace_patient(&mut self, patient: usize, changed: &Patient, version: u64) -> bool {
        let off = self.off;
        let Some(item) = self.patient_mut(patient) else { return false };
        // "ver = :v"
        if !off.lets(Guard::ReplaceVersion, item.version == version) {
            return false;
        }
        item.patient = changed.clone();
        item.version = version + 1;
        true
    }

    /// Staff takes the conversation, or gives it back, in a turn that rests on a reading
    /// (`TenantStore::commit_turn`); says whether it did.
    pub fn pause(&mut self, patient: usize, paused: bool, version: u64) -> bool {
        let Some(item) = self.patient_mut(patient) else { return false };
        // "ver = :ver"
        if item.version != version {
            return false;
        }
        item.patient.paused = paused;
        item.version += 1;
        true
    }

    /// The same, read and written at one instant.
    pub fn set_paused(&mut self, patient: usize, paused: bool) {
        if let Some(item) = self.patient_mut(patient) {
            item.patient.paused = paused;
            item.version += 1;
        }
    }

    /// The enrollment that a patient is in.
    #[must_use]
    pub fn sequence(&self, patient: usize) -> Option<EnrollmentId> {
        self.collection(patient)?.patient.patient.sequence
    }
}
