//! The day's enrollments, as the evaluator makes them.

use std::sync::Arc;

use chrono::{Days, TimeDelta};
use retorno_domain::approval::Lacks;
use retorno_domain::calendar::local_date;
use retorno_domain::clinic::Clinic;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::enrollment::{Enrollment, State, place_in_day};
use retorno_domain::entry::{EntryCase, EntryRule, first_block};
use retorno_domain::hours::OpenWindow;
use retorno_domain::ids::EnrollmentId;
use retorno_domain::standing::placement;

use super::clinic::morning;
use super::count::Fault;
use super::sim::{Event, Sim};
use crate::table::{ContactKey, NewEnrollment};
use crate::worker::Order;

impl Sim {
    /// The day's evaluation: enrolls those due, as `wave.rs` of the evaluator does.
    pub(super) fn evaluate(&mut self, day: u32) {
        let zone = self.judge.rules.zone;
        if self.now < self.ends {
            let first = self.now.with_timezone(&zone).date_naive();
            let minute = self.rng.u32(6 * 60..15 * 60);
            let next = first.checked_add_days(Days::new(1)).unwrap_or(first);
            self.at(morning(next, zone, minute), Event::Morning(day + 1));
        } else {
            return;
        }
        let clinic = Arc::clone(&self.clinic);
        let today = clinic.date(self.now);
        let window = clinic.calendar.window_on(today, clinic.zone);
        if clinic.halted || window.is_none_or(|window| self.now >= window.closes) {
            return;
        }
        let count = self.table.patients.len();
        let from = self.rng.usize(..count.max(1));
        let mut enrolled = 0;
        for number in (0..count).map(|n| (from + n) % count) {
            if enrolled >= self.knobs.a_day {
                break;
            }
            let Some(new) = self.candidate(&clinic, number) else { continue };
            enrolled += 1;
            // The wake-up first, the enrollment second.
            let order = Order { patient: number, enrollment: Some(new.enrollment.id), step: Some(0) };
            self.order(order, new.enrollment.due().unwrap_or(self.now));
            if self.chance(self.knobs.step / 4) {
                self.fault(Fault::EvaluationCrash);
                continue;
            }
            self.enrolling.push(new);
            let ms = self.rng.i64(1..5_000);
            self.after_ms(ms, Event::Enroll(self.enrolling.len() - 1));
        }
    }

    fn candidate(&self, clinic: &Clinic, number: usize) -> Option<NewEnrollment> {
        let stored = Arc::clone(&self.table.collection(number)?.patient);
        let patient = &stored.patient;
        if patient.sequence.is_some() {
            return None;
        }
        let point = |key: Option<ContactKey>| key.map(|key| self.table.contact(key).point.clone()).unwrap_or_default();
        let points = ContactPoints {
            phone: point(ContactKey::phone(patient)),
            email: point(ContactKey::email(patient)),
            ..ContactPoints::default()
        };
        let placed = placement(clinic, patient, &self.thresholds, self.now);
        let lacks = Lacks::default();
        let case = EntryCase { clinic, patient, points: &points, placement: placed, lacks: &lacks, now: self.now };
        if first_block(&case, EntryRule::ALL).is_some() {
            return None;
        }
        let segment = clinic.segments.get(placed.segment?)?;
        let flow = clinic.flow(&segment.flow)?;
        let zone = patient.profile.zone;
        let window = clinic.calendar.window_on(local_date(self.now, zone), zone)?;
        let left = OpenWindow { opens: window.opens.max(self.now), closes: window.closes };
        if left.opens >= left.closes {
            return None;
        }
        let id = EnrollmentId::of(&clinic.id, &patient.id, &segment.id, clinic.date(self.now));
        let enrollment = Enrollment {
            id,
            patient: patient.id.clone(),
            segment: segment.id.clone(),
            flow: flow.id.clone(),
            flow_version: flow.version,
            week: clinic.week(self.now),
            seat: u32::try_from(self.table.seats.len() + self.enrolling.len()).unwrap_or(0),
            state: State::Running { step: 0, due: place_in_day(id, left) },
            first_sent_on: None,
            told_at: None,
            wakes: 1,
            epoch: clinic.epoch,
        };
        Some(NewEnrollment {
            patient: number,
            enrollment,
            patient_version: stored.version,
            contacts: ContactKey::all(patient),
            busy_until: self.now + TimeDelta::days(i64::from(flow.close_after_days) + 7),
            now: self.now,
        })
    }

    pub(super) fn enroll(&mut self, number: usize) {
        let Some(new) = self.enrolling.get(number).cloned() else { return };
        let enrolled = self.table.enroll(&new);
        self.say(|| format!("enrolling patient {}: {enrolled:?}", new.patient));
        self.mix(u64::from(enrolled.is_ok()));
        if enrolled.is_ok() {
            self.note_due(new.patient);
        }
    }
}
