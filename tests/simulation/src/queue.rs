//! The dispatch queue and the schedules, with the habits of the real ones: at least once, sometimes
//! twice, late, out of order, or after they were deleted; and a schedule may never fire at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Due, State};
use crate::event::Event;

/// Deliveries of an order before it is parked in the dead-letter queue.
const RECEIVES_MAX: u32 = 5;
/// How long an order that was taken is hidden from others, in ms.
const VISIBILITY_MS: i64 = 60_000;

/// An order on the queue.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Its body.
    pub body: String,
    receives: u32,
    is_deleted: bool,
}

/// The queue and the schedules.
#[derive(Debug, Default)]
pub struct Queue {
    orders: BTreeMap<u64, Queued>,
    schedules: BTreeMap<u64, String>,
    names: BTreeSet<String>,
    next: u64,
    /// Orders parked after too many tries.
    pub dead: Vec<String>,
}

impl State {
    /// Takes an order onto the queue.
    pub fn enqueue(&mut self, body: &str, delay_ms: i64) {
        self.queue.next += 1;
        let id = self.queue.next;
        self.queue.orders.insert(id, Queued { body: body.to_owned(), receives: 0, is_deleted: false });
        let rate = self.trouble.knobs.delivery;
        let mut delay = delay_ms + self.chance.between(5, 40);
        if self.trouble.strikes(&mut self.chance, rate / 2) {
            self.trouble.note("order_late");
            delay += self.chance.stretch(1_000, 3_600_000);
        }
        self.happens_in(delay, Event::Deliver(id));
        if self.trouble.strikes(&mut self.chance, rate) {
            self.trouble.note("order_twice");
            let again = delay + self.chance.stretch(1, 60_000);
            self.happens_in(again, Event::Deliver(id));
        }
    }

    /// Creates a schedule; `false` when there is one of that name.
    pub fn schedule(&mut self, name: &str, body: &str, at: i64) -> bool {
        if !self.queue.names.insert(name.to_owned()) {
            return false;
        }
        self.queue.next += 1;
        let id = self.queue.next;
        self.queue.schedules.insert(id, body.to_owned());
        let rate = self.trouble.knobs.delivery;
        if self.trouble.strikes(&mut self.chance, rate / 4) {
            self.trouble.note("schedule_lost");
            return true;
        }
        let mut at = at.max(self.now);
        if self.trouble.strikes(&mut self.chance, rate / 2) {
            self.trouble.note("schedule_late");
            at += self.chance.stretch(1_000, 86_400_000);
        }
        self.at(at, Due::Happens(Event::Fire(id)));
        if self.trouble.strikes(&mut self.chance, rate / 2) {
            self.trouble.note("schedule_twice");
            let again = at + self.chance.stretch(1, 600_000);
            self.at(again, Due::Happens(Event::Fire(id)));
        }
        true
    }

    /// A schedule fires: its order goes onto the queue.
    pub fn fire(&mut self, schedule: u64) {
        if let Some(body) = self.queue.schedules.get(&schedule).cloned() {
            self.enqueue(&body, 0);
        }
    }

    /// Hands an order out, unless it is deleted (a standard queue sometimes does all the same).
    pub fn receive(&mut self, order: u64) -> Option<String> {
        let rate = self.trouble.knobs.delivery;
        let strikes = self.trouble.strikes(&mut self.chance, rate);
        let queued = self.queue.orders.get_mut(&order)?;
        if queued.is_deleted {
            if !strikes {
                return None;
            }
            self.trouble.note("order_after_delete");
        }
        queued.receives += 1;
        if queued.receives > RECEIVES_MAX {
            let body = queued.body.clone();
            self.queue.orders.remove(&order);
            self.trouble.note("order_dead_lettered");
            self.queue.dead.push(body);
            return None;
        }
        let body = queued.body.clone();
        // Whoever took it may die: it comes back by itself.
        self.happens_in(VISIBILITY_MS, Event::Deliver(order));
        Some(body)
    }

    /// The order is done with. Its next deliveries find it deleted.
    pub fn delete(&mut self, order: u64) {
        if let Some(queued) = self.queue.orders.get_mut(&order) {
            queued.is_deleted = true;
        }
    }

    /// Puts what was parked back onto the queue.
    pub fn redrive(&mut self) {
        for body in std::mem::take(&mut self.queue.dead) {
            self.enqueue(&body, 0);
        }
    }
}
