//! A worker's next step, what befalls it, and what the simulator makes of its effect.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::channel::Channel;
use retorno_domain::ids::MessageId;
use retorno_domain::message::{Delivery, EVIDENCE_LASTS, UNKNOWN_AFTER};

use super::clinic::Rules;
use super::count::{Fault, Sometimes};
use super::judge::Passing;
use super::sim::{Event, Sim};
use crate::table::Refused;
use crate::worker::{Answer, At, Effect, Fate, Flight, Site, Stepped, Then, Worker};

/// An invocation under way.
#[derive(Debug, Clone)]
pub(super) struct Working {
    pub(super) worker: Worker,
    /// How far its clock is off.
    pub(super) skew_ms: i64,
    /// How often its order was received.
    pub(super) receives: u8,
    /// What the provider answered.
    pub(super) answer: Option<Answer>,
}

/// Retries and steps not looked at so long after their time are found by the sweep.
const LOST_AFTER: TimeDelta = TimeDelta::minutes(15);

fn passing(flight: &Flight) -> Passing {
    let claim = &flight.claim;
    Passing {
        patient: claim.patient,
        contact: claim.contact,
        channel: claim.intent.channel,
        message: claim.intent.message,
        attempt: claim.attempt,
    }
}

impl Sim {
    pub(super) fn step(&mut self, slot: usize) {
        let Some(mut working) = self.working.get_mut(slot).and_then(Option::take) else { return };
        let mut fate = Fate::Fine;
        if !self.is_crowded() && self.chance(self.knobs.step) {
            match self.befall(slot, &working) {
                Befallen::Gone => {
                    self.at_work -= 1;
                    return;
                }
                Befallen::Frozen => {
                    if let Some(place) = self.working.get_mut(slot) {
                        *place = Some(working);
                    }
                    return;
                }
                Befallen::Fate(drawn) => fate = drawn,
            }
        }
        let answer = self.answer(&working);
        let unknown = self.is_unknown(&working);
        let recorded = if let At::Record(flight, _) = &working.worker.at {
            Some((flight.claim.patient, flight.claim.intent.message))
        } else {
            None
        };
        let over = recorded.is_some_and(|(patient, message)| self.is_over(patient, message));
        self.strike(&working);
        let stepped = self.take_step(&mut working, fate, answer);
        let (name, effect) = (working.worker.step_name(), &stepped.effect);
        let brief = brief(effect);
        self.mix(brief as u64 + 10);
        self.say(|| format!("worker {slot}: {brief:?}, then {:?} before {name}", stepped.then));
        let latency_ms = self.take_note(&mut working, &stepped);
        if let (true, Effect::Recorded(true), Some((_, message))) = (over, &stepped.effect, recorded) {
            self.judge.violations.push(format!("what was over changed: message {message}"));
        }
        if unknown && stepped.effect == Effect::Recorded(true) {
            self.counts.sometimes(Sometimes::RecordedLate);
        }
        match stepped.then {
            Then::Going => {
                if let Some(place) = self.working.get_mut(slot) {
                    *place = Some(working);
                }
                let ms = latency_ms + self.rng.i64(1..20);
                self.after_ms(ms, Event::Step(slot));
            }
            Then::Done => self.at_work -= 1,
            Then::Failed => {
                self.at_work -= 1;
                self.redeliver(working.worker.order, working.receives);
            }
        }
    }

    fn take_step(&mut self, working: &mut Working, fate: Fate, answer: Answer) -> Stepped {
        let now = self.now + TimeDelta::milliseconds(working.skew_ms);
        // Settings may be up to fifteen seconds old.
        let age = TimeDelta::milliseconds(self.rng.i64(0..15_000));
        let stale = self.now - age < self.clinic_changed;
        let clinic = if stale { &self.clinic_before } else { &self.clinic };
        working.worker.step(Site {
            table: &mut self.table,
            clinic: &Arc::clone(clinic),
            settings_at: now - age,
            thresholds: &self.thresholds,
            now,
            fate,
            answer,
        })
    }

    fn befall(&mut self, slot: usize, working: &Working) -> Befallen {
        let (order, receives) = (working.worker.order, working.receives);
        match self.rng.u32(..20) {
            0..4 => {
                self.fault(Fault::Crash);
                self.redeliver(order, receives);
                Befallen::Gone
            }
            4..8 if !working.worker.is_unobservable() => {
                self.fault(Fault::Refused);
                Befallen::Fate(Fate::Refused)
            }
            8..11 if !working.worker.is_unobservable() => {
                self.fault(Fault::AnswerLost);
                Befallen::Fate(Fate::AnswerLost)
            }
            11..13 => {
                self.fault(Fault::FreezeLong);
                // Half of the time the queue gives the order to somebody else meanwhile.
                if self.rng.bool() {
                    self.redeliver(order, receives);
                }
                // And now and then sending is stopped while somebody who has decided stands still.
                if matches!(working.worker.at, At::Clock(_)) && self.rng.bool() {
                    self.halt();
                }
                let longest = match self.rng.u32(..12) {
                    0 => 10 * 86_400,
                    1..4 => 4 * 86_400,
                    _ => 7_200,
                };
                let seconds = self.rng.i64(60..longest);
                self.after_ms(seconds * 1_000, Event::Step(slot));
                Befallen::Frozen
            }
            _ => {
                self.fault(Fault::FreezeShort);
                let ms = self.rng.i64(100..12_000);
                self.after_ms(ms, Event::Step(slot));
                Befallen::Frozen
            }
        }
    }

    /// Whether the worker is about to record the result of a message that was given up meanwhile.
    fn is_unknown(&self, working: &Working) -> bool {
        let At::Record(flight, _) = &working.worker.at else { return false };
        let claim = &flight.claim;
        let item = self.table.collection(claim.patient).and_then(|c| c.messages.get(&claim.intent.message));
        item.is_some_and(|item| matches!(item.delivery, Delivery::Unknown { .. }))
    }

    /// Whether nothing leads out of where a message stands.
    pub(super) fn is_over(&self, patient: usize, message: MessageId) -> bool {
        let item = self.table.collection(patient).and_then(|c| c.messages.get(&message));
        item.is_some_and(|item| match item.delivery {
            Delivery::Accepted | Delivery::Failed(_) | Delivery::Undetermined | Delivery::Dropped(_) => true,
            Delivery::Ready { .. } | Delivery::InFlight { .. } | Delivery::Unknown { .. } => false,
        })
    }

    /// Now and then something happens to the very patient whose message is about to be claimed or sent.
    fn strike(&mut self, working: &Working) {
        let close = matches!(working.worker.at, At::Points(_) | At::Clock(_) | At::Claim(_) | At::Call(_));
        if close && !self.is_crowded() && self.chance(self.knobs.strike) {
            let patient = working.worker.order.patient;
            if matches!(working.worker.at, At::Call(_)) && self.rng.u32(..6) == 0 {
                return self.opt_out(patient);
            }
            let ms = self.rng.i64(0..40);
            self.after_ms(ms, Event::Strike(patient));
        }
    }

    /// What the provider will do, should the step call it.
    fn answer(&mut self, working: &Working) -> Answer {
        let At::Call(_) = working.worker.at else { return Answer::Accepts };
        if !self.chance(self.knobs.answer) {
            return Answer::Accepts;
        }
        let seconds = self.rng.u32(5..900);
        match self.rng.u32(..40) {
            0 => Answer::RefusesUnreachable,
            1 => Answer::RefusesOptedOut,
            2..5 => Answer::Refuses,
            5..7 => Answer::HaltsChannel(seconds * 4),
            7..9 => Answer::HaltsTemplate(seconds * 4),
            9..16 => Answer::AcceptsAnswerLost,
            16..20 => Answer::NoAnswer,
            _ => Answer::Throttles(seconds),
        }
    }

    /// Notes what a step did; says how long it took beyond the usual.
    fn take_note(&mut self, working: &mut Working, stepped: &Stepped) -> i64 {
        match &stepped.effect {
            Effect::Nothing => {}
            Effect::Woke { order, turn, at } => self.wake(*order, *turn, *at),
            Effect::Claimed(flight) => self.note_claim(flight),
            Effect::ClaimRefused(refused) => self.counts.sometimes(match refused {
                Refused::AlreadyClaimed => Sometimes::AlreadyClaimed,
                Refused::TierTaken => Sometimes::TierTaken,
                Refused::Changed => Sometimes::Changed,
            }),
            Effect::ClockForbade => self.counts.sometimes(Sometimes::ClockForbade),
            Effect::Called(flight, answer) => {
                working.answer = Some(*answer);
                return self.note_call(flight, *answer);
            }
            Effect::Undone => {
                self.counts.sometimes(Sometimes::Undone);
                self.sweep_from(self.now + LOST_AFTER);
                self.sweep_from(self.now + LOST_AFTER * 2);
            }
            Effect::Recorded(wrote) => self.note_record(working, *wrote),
            Effect::Advanced => self.note_due(working.worker.order.patient),
            Effect::Remembered => {
                if let (Some(Answer::RefusesOptedOut), At::Record(flight, _) | At::WakeAgain(flight, _)) =
                    (working.answer, &working.worker.at)
                {
                    let claim = &flight.claim;
                    let point = self.judge.points.entry(claim.contact).or_default();
                    point.told = point.told.with(claim.intent.channel);
                }
            }
        }
        0
    }

    fn note_claim(&mut self, flight: &Flight) {
        let passing = passing(flight);
        self.judge.claimed(&passing, self.now, flight.claim.now);
        self.sweep_from(self.now + UNKNOWN_AFTER);
        self.note_due(passing.patient);
        let zone = flight.claim.seen.patient.profile.zone;
        if Rules::clocks_change(self.now, zone) {
            self.counts.sometimes(Sometimes::ClockChangeDay);
        }
        if passing.channel == Channel::Call {
            // Whoever calls sees the task, dated by its claim.
            self.take_accept(&passing, flight.claim.now);
        }
    }

    fn take_accept(&mut self, passing: &Passing, at: DateTime<Utc>) {
        self.counts.accept(passing.channel);
        if passing.attempt > 1 {
            self.counts.sometimes(Sometimes::LaterAttempt);
        }
        self.say(|| format!("  ACCEPTED {} attempt {} patient {}", passing.message, passing.attempt, passing.patient));
        self.judge.accepted(passing, at);
    }

    fn note_call(&mut self, flight: &Flight, answer: Answer) -> i64 {
        let passing = passing(flight);
        self.counts_of(answer);
        if passing.channel == Channel::Call || answer == Answer::NotCalled {
            return 0;
        }
        let lost = matches!(answer, Answer::AcceptsAnswerLost | Answer::NoAnswer);
        let latency_ms = if lost { self.rng.i64(1_000..8_000) } else { self.rng.i64(50..1_500) };
        if answer.accepts() {
            // The phone has it somewhen during the call.
            self.take_accept(&passing, self.now + TimeDelta::milliseconds(latency_ms));
            let out = self.judge.points.get(&passing.contact).is_some_and(|p| p.told.contains(passing.channel));
            if out {
                self.counts.sometimes(Sometimes::OptOutInFlight);
            }
        }
        latency_ms
    }

    fn counts_of(&mut self, answer: Answer) {
        let fault = match answer {
            Answer::Accepts => return,
            Answer::NotCalled => return self.counts.sometimes(Sometimes::ClaimRanOut),
            Answer::AcceptsAnswerLost => Fault::AcceptedAnswerLost,
            Answer::NoAnswer => Fault::NotAcceptedAnswerLost,
            Answer::Throttles(_) => Fault::Throttled,
            Answer::HaltsChannel(_) => Fault::ChannelHalted,
            Answer::HaltsTemplate(_) => Fault::TemplateHalted,
            Answer::Refuses => Fault::Rejected,
            Answer::RefusesUnreachable => Fault::Unreachable,
            Answer::RefusesOptedOut => Fault::OptedOutAtProvider,
        };
        self.fault(fault);
    }

    fn note_record(&mut self, working: &Working, wrote: bool) {
        let (Some(answer), patient) = (working.answer, working.worker.order.patient) else { return };
        if !wrote {
            return;
        }
        if !answer.accepts() || answer == Answer::AcceptsAnswerLost {
            self.sweep_from(self.now + EVIDENCE_LASTS);
            self.sweep_from(self.now + LOST_AFTER * 2);
        }
        self.note_due(patient);
    }

    /// The sweep looks at an enrollment some time after it was due.
    pub(super) fn note_due(&mut self, patient: usize) {
        let due = self
            .table
            .sequence(patient)
            .and_then(|id| self.table.collection(patient)?.enrollments.get(&id)?.enrollment.due());
        if let Some(due) = due {
            self.sweep_from(due + LOST_AFTER);
        }
    }

    /// At rest: every enrollment ended, every message over, and each as the phones saw it.
    pub(super) fn rest(&mut self) {
        let mut wrong = Vec::new();
        for (patient, collection) in self.table.patients.iter().enumerate() {
            for item in collection.enrollments.values() {
                match Self::ended(&item.enrollment.state) {
                    Some(how) => self.counts.sometimes(how),
                    None if item.enrollment.has_ended() => {}
                    None => wrong.push(format!("not ended: enrollment {} of patient {patient}", item.enrollment.id)),
                }
            }
            for (id, item) in &collection.messages {
                let accepts = self.judge.accepts.get(id).copied().unwrap_or(0);
                let (right, how) = match item.delivery {
                    Delivery::Accepted => (accepts == 1, Sometimes::Accepted),
                    Delivery::Failed(_) => (accepts == 0, Sometimes::Failed),
                    Delivery::Dropped(_) => (accepts == 0, Sometimes::Dropped),
                    Delivery::Undetermined if accepts == 1 => (true, Sometimes::UndeterminedSent),
                    Delivery::Undetermined => (accepts == 0, Sometimes::Undetermined),
                    Delivery::Ready { .. } | Delivery::InFlight { .. } | Delivery::Unknown { .. } => {
                        (false, Sometimes::Failed)
                    }
                };
                self.counts.sometimes(how);
                if !right {
                    let code = item.delivery.code();
                    wrong.push(format!("{code} at rest with {accepts} accepts: message {id} of patient {patient}"));
                }
            }
        }
        self.judge.violations.extend(wrong);
    }
}

/// What befell a worker.
enum Befallen {
    /// It is gone.
    Gone,
    /// It stands still.
    Frozen,
    /// Its next request suffers.
    Fate(Fate),
}

/// An effect's name, for the history.
#[derive(Debug, Clone, Copy)]
enum Brief {
    Nothing,
    Woke,
    Claimed,
    ClaimRefused,
    ClockForbade,
    Called,
    Undone,
    Recorded,
    Advanced,
    Remembered,
}

fn brief(effect: &Effect) -> Brief {
    match effect {
        Effect::Nothing => Brief::Nothing,
        Effect::Woke { .. } => Brief::Woke,
        Effect::Claimed(_) => Brief::Claimed,
        Effect::ClaimRefused(_) => Brief::ClaimRefused,
        Effect::ClockForbade => Brief::ClockForbade,
        Effect::Called(..) => Brief::Called,
        Effect::Undone => Brief::Undone,
        Effect::Recorded(_) => Brief::Recorded,
        Effect::Advanced => Brief::Advanced,
        Effect::Remembered => Brief::Remembered,
    }
}
