//! What happens at the clinic: the sweep, staff, opt-outs, the kill switch, and whom an import is about.

use std::sync::Arc;

use chrono::TimeDelta;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::clinic::Clinic;
use retorno_domain::enrollment::{EndReason, State};
use retorno_domain::message::Delivery;

use super::count::{Fault, Sometimes};
use super::import::News;
use super::sim::{Event, Sim};
use crate::table::ContactKey;
use crate::worker::Order;

/// A step not looked at so long after its time has lost its wake-up (`WAKE_LOST_AFTER` of the sweep).
const WAKE_LOST_AFTER: TimeDelta = TimeDelta::minutes(15);

impl Sim {
    /// `sweep.rs` of the dispatcher.
    pub(super) fn sweep(&mut self) {
        self.sweep_begun();
        let (now, mut found) = (self.now, false);
        for open in self.table.overdue_messages(now) {
            found = true;
            if open.delivery.aged(now).is_some() {
                self.ageing.push(open);
                let slow = self.chance(100);
                if slow {
                    self.fault(Fault::SlowSweep);
                }
                let ms = self.rng.i64(1..if slow { 900_000 } else { 50 });
                self.after_ms(ms, Event::Age(self.ageing.len() - 1));
            } else if let Delivery::Ready { .. } = open.delivery {
                let order = Order { patient: open.patient, enrollment: Some(open.enrollment), step: Some(open.step) };
                self.order(order, now);
            }
        }
        for (patient, enrollment, step) in self.table.overdue_enrollments(now - WAKE_LOST_AFTER) {
            found = true;
            self.order(Order { patient, enrollment: Some(enrollment), step: Some(step) }, now);
        }
        if found {
            self.sweep_from(now + TimeDelta::minutes(5));
        }
    }

    pub(super) fn age(&mut self, number: usize) {
        let Some(open) = self.ageing.get(number).cloned() else { return };
        let Some(aged) = open.delivery.aged(self.now) else { return };
        let over = self.is_over(open.patient, open.message);
        let moved = self.table.age_message(&open, &aged);
        if over && moved {
            self.judge.violations.push(format!("what was over changed: message {}", open.message));
        }
        self.say(|| format!("sweep: message {} {:?} -> {:?}: {moved}", open.message, open.delivery, aged));
        if let (true, Delivery::Unknown { claimed_at }) = (moved, &aged) {
            self.sweep_from(*claimed_at + retorno_domain::message::EVIDENCE_LASTS);
        }
    }

    /// Something happens at the clinic.
    pub(super) fn happen(&mut self) {
        if self.now >= self.ends || self.table.patients.is_empty() {
            return;
        }
        let minutes = i64::try_from(self.rng.u64(1..self.knobs.happening_minutes * 2)).unwrap_or(60);
        self.at(self.now + TimeDelta::minutes(minutes), Event::Happening);
        let patient = self.rng.usize(..self.table.patients.len());
        self.befalls(patient);
    }

    /// Something happens to a patient who is being written to.
    pub(super) fn strike_at(&mut self, patient: usize) {
        if self.now < self.ends {
            self.befalls(patient);
        }
    }

    fn befalls(&mut self, patient: usize) {
        let later = |hours: i64| TimeDelta::hours(hours);
        match self.rng.u32(..100) {
            0..2 => self.opt_out(patient),
            2..12 => self.begin(Fault::ImportedOptOut, patient, News::OptOut),
            12..30 => {
                let channels: ChannelSet = Channel::ALL.into_iter().filter(|_| self.rng.u32(..5) > 0).collect();
                self.start(patient, News::OptIn(channels));
            }
            30..60 => {
                let start = self.now + later(self.rng.i64(2..24 * 15));
                let number = self.importing.len();
                self.begin(Fault::Booking, patient, News::Booking(number, start));
            }
            60..70 => {
                self.fault(Fault::Pause);
                self.table.set_paused(patient, true);
                let ends = self.now + later(self.rng.i64(1..72));
                self.at(ends, Event::Unpause(patient));
            }
            70..73 => self.halt(),
            73..74 => {
                self.fault(Fault::Restore);
                let epoch = self.clinic.epoch + 1;
                self.settings(|clinic| clinic.epoch = epoch);
            }
            74..90 => {
                let number = self.rng.usize(..self.table.patients.len());
                self.begin(Fault::PhoneChanged, patient, News::Phone(number));
            }
            90..91 => self.begin(Fault::OptOut, patient, News::SaidToUs),
            _ => {
                let channels = ChannelSet::ALL;
                self.start(patient, News::OptIn(channels));
            }
        }
    }

    fn settings(&mut self, change: impl FnOnce(&mut Clinic)) {
        let mut clinic = Clinic::clone(&self.clinic);
        change(&mut clinic);
        self.clinic_before = std::mem::replace(&mut self.clinic, Arc::new(clinic));
        self.clinic_changed = self.now;
    }

    pub(super) fn halt(&mut self) {
        // Changes of the settings come one by one: what is read is the present or the last before.
        if self.clinic.halted || self.now - self.clinic_changed < TimeDelta::seconds(60) {
            return;
        }
        self.fault(Fault::Halt);
        self.judge.halted_since = Some(self.now);
        self.settings(|clinic| clinic.halted = true);
        let hours = self.rng.i64(1..30);
        self.at(self.now + TimeDelta::hours(hours), Event::Unhalt);
    }

    pub(super) fn unhalt(&mut self) {
        self.judge.halted_since = None;
        self.settings(|clinic| clinic.halted = false);
    }

    /// An opt-out told to us at a contact point.
    pub(super) fn opt_out(&mut self, patient: usize) {
        let keys = self.table.collection(patient).map(|c| ContactKey::all(&c.patient.patient)).unwrap_or_default();
        let Some(key) = keys.get(self.rng.usize(..keys.len().max(1))).copied() else { return };
        self.fault(Fault::OptOut);
        let channels: ChannelSet = Channel::ALL.into_iter().filter(|_| self.rng.bool()).collect();
        self.table.opt_out(key, channels);
        let point = self.judge.points.entry(key).or_default();
        point.told = channels.iter().fold(point.told, ChannelSet::with);
    }

    /// How an enrollment ended, as far as it is counted.
    pub(super) fn ended(state: &State) -> Option<Sometimes> {
        match state {
            State::Ended { reason, .. } => match reason {
                EndReason::NoAnswer => Some(Sometimes::NoAnswer),
                EndReason::Booked => Some(Sometimes::Booked),
                EndReason::AwaitingOutcome => Some(Sometimes::AwaitingOutcome),
                EndReason::OptedOut => Some(Sometimes::OptedOut),
                EndReason::WeekOver => Some(Sometimes::WeekOver),
                EndReason::NothingSendable => Some(Sometimes::NothingSendable),
                EndReason::OlderEpoch => Some(Sometimes::OlderEpoch),
                EndReason::LeftSegment => Some(Sometimes::LeftSegment),
                EndReason::Declined | EndReason::FlowGone => None,
            },
            State::Running { .. } | State::Closing { .. } | State::Conversing { .. } => None,
        }
    }
}
