//! Every state of a small scope: two messages under one cap, two workers, orders delivered again,
//! crashes between any two steps, requests refused and answers lost at table and provider, frozen
//! workers, an opt-out and a booking at any instant, the sweep. Checked exhaustively by stateright.

mod act;
mod check;
mod history;
mod scope;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use retorno_domain::clinic::Clinic;
use stateright::{Model, Property};

use crate::guard::Off;
use crate::table::{ContactKey, Overdue, Table};
use crate::worker::{Answer, At, Fate, Order, Protocol, Worker};

pub use check::{AT_MOST_ONCE, Held, PROBES, Probe, Report, Until, check};
pub use history::{History, Seen};
pub use scope::Scope;

/// How much may go wrong, and how often orders are delivered. Bounds the state space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Deliveries of orders.
    pub deliveries: u8,
    /// Crashes of workers.
    pub crashes: u8,
    /// Requests refused, answers lost, and calls that the provider does not simply take.
    pub faults: u8,
    /// Tries of a worker that finds something changed.
    pub tries: u8,
    /// Instants of the clock (of the scope) that are reached.
    pub instants: usize,
}

/// The model of one scope.
#[derive(Debug, Clone)]
pub struct SendModel {
    /// Which messages there are.
    pub scope: Scope,
    /// By which protocol they are sent.
    pub protocol: Protocol,
    /// Conditions that are switched off.
    pub off: Off,
    /// Bounds of the state space.
    pub bounds: Bounds,
    clinic: Arc<Clinic>,
    start: Table,
    orders: Vec<Order>,
    phone: ContactKey,
}

/// A state of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The table.
    pub table: Table,
    /// Workers that are at work.
    pub workers: [Option<Worker>; 2],
    /// A message that the sweep has read and not yet moved on.
    pub sweeping: Option<Overdue>,
    /// The number of the present instant.
    pub instant: usize,
    /// Deliveries, crashes and faults so far.
    pub spent: (u8, u8, u8),
    /// What happened.
    pub history: History,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// An order reaches a worker (again).
    Deliver(usize, usize),
    /// A worker takes its next step.
    Step(usize, Fate, Answer),
    /// A worker is gone.
    Crash(usize),
    /// Time passes; whoever is at work was frozen meanwhile.
    TimePasses,
    /// Somebody opts out at the phone.
    OptOut,
    /// An import brings the first patient's booking.
    Book,
    /// The sweep reads a message that is overdue.
    SweepReads(usize),
    /// The sweep moves it on.
    SweepWrites,
}

impl Model for SendModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let table = Table { off: self.off, ..self.start.clone() };
        let history = History::default();
        vec![State { table, workers: [None, None], sweeping: None, instant: 0, spent: (0, 0, 0), history }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let (deliveries, crashes, faults) = state.spent;
        // Idle workers are alike: the first takes what comes.
        let idle = state.workers.iter().position(Option::is_none);
        if let Some(worker) = idle.filter(|_| deliveries < self.bounds.deliveries) {
            actions.extend((0..self.orders.len()).map(|order| Action::Deliver(worker, order)));
        }
        for (number, worker) in state.workers.iter().enumerate() {
            let Some(worker) = worker else { continue };
            actions.push(Action::Step(number, Fate::Fine, Answer::Accepts));
            if faults < self.bounds.faults {
                self.faults(number, worker, actions);
            }
            if crashes < self.bounds.crashes {
                actions.push(Action::Crash(number));
            }
        }
        if state.instant + 1 < self.bounds.instants {
            actions.push(Action::TimePasses);
        }
        if !state.history.saw(Seen::OptedOut) {
            actions.push(Action::OptOut);
        }
        if !state.history.saw(Seen::Booked) {
            actions.push(Action::Book);
        }
        match state.sweeping {
            Some(_) => actions.push(Action::SweepWrites),
            None => actions.extend((0..self.sweepable(state).len()).map(Action::SweepReads)),
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        self.act(before, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        history::properties()
    }
}

impl SendModel {
    fn faults(&self, number: usize, worker: &Worker, actions: &mut Vec<Action>) {
        let step = |fate, answer| Action::Step(number, fate, answer);
        match worker.at {
            At::Call(_) => {
                let answers = [Answer::AcceptsAnswerLost, Answer::NoAnswer, Answer::Throttles(30), Answer::Refuses];
                actions.extend(answers.map(|answer| step(Fate::Fine, answer)));
            }
            // A refused request leaves the same as a crash before it.
            At::Claim(_) | At::Undo(..) | At::Record(..) | At::Advance(_) => {
                actions.push(step(Fate::AnswerLost, Answer::Accepts));
            }
            At::Read
            | At::Points(_)
            | At::Decide(_)
            | At::Wake(..)
            | At::Clock(_)
            | At::After(..)
            | At::WakeAgain(..)
            | At::Vacate(..) => {}
        }
    }

    /// Messages that the passing of time moves on.
    fn sweepable(&self, state: &State) -> Vec<Overdue> {
        let now = self.now(state);
        let mut overdue = state.table.overdue_messages(now);
        overdue.retain(|open| open.delivery.aged(now).is_some());
        overdue
    }

    fn now(&self, state: &State) -> DateTime<Utc> {
        scope::instant(state.instant)
    }
}
