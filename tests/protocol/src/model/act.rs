//! What each action does, and what the observer notes of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use chrono::TimeDelta;
use retorno_domain::appointment::AppointmentStatus;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::message::Delivery;
use retorno_domain::segment::Thresholds;

use super::history::is_over;
use super::{Action, Seen, SendModel, State};
use crate::people::appointment;
use crate::table::Table;
use crate::worker::{Answer, Effect, Fate, Flight, Protocol, Site, Then, Worker};

/// Workers are alike, so that which of them is at work makes no difference.
fn sort_alike(state: &mut State) {
    let key = |worker: &Option<Worker>| {
        let mut hasher = DefaultHasher::new();
        worker.hash(&mut hasher);
        (worker.is_none(), hasher.finish())
    };
    let [first, second] = &mut state.workers;
    if key(first) > key(second) {
        std::mem::swap(first, second);
    }
}

impl SendModel {
    pub(super) fn act(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Deliver(number, order) => {
                let mut worker = Worker::new(*self.orders.get(order)?, self.protocol);
                worker.tries_max = self.bounds.tries;
                *state.workers.get_mut(number)? = Some(worker);
                state.spent.0 += 1;
            }
            Action::Step(number, fate, answer) => {
                let faulty = fate != Fate::Fine || answer != Answer::Accepts;
                state.spent.2 += u8::from(faulty);
                self.step(&mut state, before, number, (fate, answer))?;
            }
            Action::Crash(number) => {
                *state.workers.get_mut(number)? = None;
                state.spent.1 += 1;
            }
            Action::TimePasses => state.instant += 1,
            Action::OptOut => {
                state.table.opt_out(self.phone, [Channel::Whatsapp].into_iter().collect::<ChannelSet>());
                state.history.note(Seen::OptedOut);
            }
            Action::Book => self.book(&mut state)?,
            Action::SweepReads(which) => state.sweeping = self.sweepable(&state).into_iter().nth(which),
            Action::SweepWrites => {
                let open = state.sweeping.take()?;
                let aged = open.delivery.aged(self.now(&state))?;
                state.table.age_message(&open, &aged);
            }
        }
        self.compare(before, &mut state);
        sort_alike(&mut state);
        (state != *before).then_some(state)
    }

    fn step(&self, state: &mut State, before: &State, number: usize, (fate, answer): (Fate, Answer)) -> Option<()> {
        let now = self.now(state);
        let mut worker = state.workers.get_mut(number)?.take()?;
        let mut fate = fate;
        loop {
            let stepped = worker.step(Site {
                table: &mut state.table,
                clinic: &self.clinic,
                settings_at: now,
                thresholds: &Thresholds::default(),
                now,
                fate,
                answer,
            });
            self.note(state, &before.table, &stepped.effect);
            fate = Fate::Fine;
            match stepped.then {
                // Nothing that comes between could make a difference.
                Then::Going if worker.is_unobservable() => {}
                Then::Going => break *state.workers.get_mut(number)? = Some(worker),
                Then::Done | Then::Failed => break,
            }
        }
        Some(())
    }

    fn note(&self, state: &mut State, before: &Table, effect: &Effect) {
        match effect {
            Effect::Claimed(flight) => {
                state.history.claims.insert((flight.claim.intent.message, flight.claim.attempt));
                self.note_commit(state, flight);
            }
            Effect::ClaimRefused(_) => {
                let wrote = state.table != *before;
                state.history.note_if(Seen::RefusalWrote, wrote);
            }
            Effect::Called(flight, answer) => {
                if self.protocol == Protocol::ReadSendWrite {
                    // Without a claim, it is the call that commits.
                    self.note_commit(state, flight);
                }
                if answer.accepts() {
                    self.note_accept(state, flight);
                }
            }
            Effect::Nothing
            | Effect::Woke { .. }
            | Effect::ClockForbade
            | Effect::Undone
            | Effect::Recorded(_)
            | Effect::Advanced
            | Effect::Remembered => {}
        }
    }

    fn note_commit(&self, state: &mut State, flight: &Flight) {
        let (out, booked) = (state.history.saw(Seen::OptedOut), state.history.saw(Seen::Booked));
        state.history.note_if(Seen::ClaimAfterOptOut, out && flight.claim.contact == self.phone);
        state.history.note_if(Seen::ClaimAfterBooking, booked && flight.claim.patient == 0);
    }

    fn note_accept(&self, state: &mut State, flight: &Arc<Flight>) {
        let (claim, now) = (&flight.claim, self.now(state));
        let (message, zone) = (claim.intent.message, claim.seen.patient.profile.zone);
        let history = &mut state.history;
        let accepts = history.accepts.entry(message).or_default();
        *accepts = accepts.saturating_add(1);
        let claimed = history.claims.contains(&(message, claim.attempt));
        history.note_if(Seen::AcceptWithoutClaim, !claimed);
        history.note_if(Seen::AcceptLate, now > claim.now + TimeDelta::seconds(10));
        history.note_if(Seen::AcceptOutsideHours, !self.clinic.calendar.is_open(now - TimeDelta::seconds(10), zone));
        history.note_if(Seen::SecondAttempt, claim.attempt == 2);
    }

    /// An import brings a booking of the first patient.
    fn book(&self, state: &mut State) -> Option<()> {
        let now = self.now(state);
        let item = Arc::clone(&state.table.collection(0)?.patient);
        let mut patient = item.patient.clone();
        let start = now + TimeDelta::days(30);
        patient.appointments.push(appointment("z", start, AppointmentStatus::Booked, now).ok()?);
        state.table.replace_patient(0, &patient, item.version);
        state.history.note(Seen::Booked);
        Some(())
    }

    /// What the observer sees by comparing two states of the table.
    fn compare(&self, before: &State, after: &mut State) {
        for (old, new) in before.table.patients.iter().zip(&after.table.patients) {
            for (id, item) in &new.enrollments {
                let ended = old.enrollments.get(id).filter(|earlier| earlier.enrollment.has_ended());
                after.history.note_if(Seen::EndChanged, ended.is_some_and(|earlier| earlier != item));
            }
            for (id, item) in &new.messages {
                let earlier = old.messages.get(id);
                if earlier.is_some_and(|earlier| Arc::ptr_eq(earlier, item)) {
                    continue;
                }
                let was = earlier.map(|earlier| &earlier.delivery);
                let changed = was.is_some_and(|was| is_over(was) && *was != item.delivery);
                after.history.note_if(Seen::EndChanged, changed);
                let late = matches!(was, Some(Delivery::Unknown { .. })) && item.delivery == Delivery::Accepted;
                after.history.note_if(Seen::RecordedLate, late);
                let unsent =
                    matches!(item.delivery, Delivery::Failed(_) | Delivery::Dropped(_) | Delivery::Ready { .. });
                let accepted = after.history.accepts.contains_key(id);
                after.history.note_if(Seen::SentCalledUnsent, unsent && accepted);
            }
        }
    }
}
