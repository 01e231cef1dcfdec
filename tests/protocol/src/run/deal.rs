//! Orders on their way: wake-ups lost, late and doubled; deliveries that start a worker.

use chrono::{DateTime, TimeDelta, Utc};

use super::count::Fault;
use super::sim::{Event, Sim};
use super::work::Working;
use crate::worker::{Order, Protocol, Worker};

/// An order that was received so often and failed each time is parked (`maxReceiveCount`).
const RECEIVES_MAX: u8 = 5;

/// The longest delay of the queue.
const QUEUE_DELAY_MAX: TimeDelta = TimeDelta::seconds(900);

impl Sim {
    /// Asks for a wake-up: what is farther away than the queue's longest delay is a schedule with a
    /// name, and asking twice for the same one gives one (`Orders::wake`).
    pub(super) fn wake(&mut self, order: Order, turn: u32, at: DateTime<Utc>) {
        if at - self.now <= QUEUE_DELAY_MAX || self.schedules.insert((at, order, turn)) {
            self.order(order, at);
        }
    }

    /// An order is to be taken up at an instant; it may be lost, late or doubled.
    pub(super) fn order(&mut self, order: Order, at: DateTime<Utc>) {
        let at = at.max(self.now) + TimeDelta::milliseconds(self.rng.i64(0..2_000));
        if self.chance(self.knobs.lost) {
            return self.fault(Fault::Lost);
        }
        let late = self.chance(self.knobs.late);
        let mut when = at;
        if late {
            self.fault(Fault::Late);
            when += TimeDelta::seconds(self.rng.i64(1..6 * 3_600));
        }
        self.at(when, Event::Deliver(order, 1));
        let mut copies = 0;
        while copies < 3 && !self.is_crowded() && self.chance(self.knobs.duplicate) {
            copies += 1;
            self.fault(Fault::Duplicate);
            let spacing = self.rng.i64(0..=self.knobs.spacing_ms);
            self.at(when + TimeDelta::milliseconds(spacing), Event::Deliver(order, 1));
        }
    }

    /// An order comes back after its time with a worker is over.
    pub(super) fn redeliver(&mut self, order: Order, receives: u8) {
        if receives >= RECEIVES_MAX {
            return self.fault(Fault::Parked);
        }
        let seconds = self.rng.i64(60..120);
        self.at(self.now + TimeDelta::seconds(seconds), Event::Deliver(order, receives + 1));
    }

    pub(super) fn deliver(&mut self, order: Order, receives: u8) {
        let mut skew_ms = 0;
        if self.knobs.skew_ms > 0 && self.rng.u32(..4) == 0 {
            self.fault(Fault::Skew);
            skew_ms = self.rng.i64(-self.knobs.skew_ms..=self.knobs.skew_ms);
        }
        let working = Working { worker: Worker::new(order, Protocol::CommitThenCall), skew_ms, receives, answer: None };
        let slot = match self.working.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                self.working.push(None);
                self.working.len() - 1
            }
        };
        if let Some(place) = self.working.get_mut(slot) {
            *place = Some(working);
        }
        self.at_work += 1;
        self.mix(2);
        self.say(|| format!("worker {slot} receives {order:?} ({receives})"));
        self.after_ms(1, Event::Step(slot));
    }
}
