//! The steps, one function each, in the order in which they are taken.

use std::sync::Arc;

use chrono::TimeDelta;
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::enrollment::{Enrollment, State};
use retorno_domain::message::{BreakerScope, CLAIM_LASTS, Delivery, Outcome, RecipientNews};

use super::{
    Answer, At, CALL_TAKES_MAX, Effect, Fate, Flight, Order, Plan, Protocol, SETTINGS_STALE_MAX, Seen, Settings, Site,
    Stepped,
};
use super::{Then, Worker};
use crate::guard::{Guard, Off};
use crate::table::{ContactKey, Halted, Refused};

fn going(effect: Effect) -> Stepped {
    Stepped { effect, then: Then::Going }
}

fn done(effect: Effect) -> Stepped {
    Stepped { effect, then: Then::Done }
}

impl Worker {
    /// Takes the next step.
    pub fn step(&mut self, mut site: Site<'_>) -> Stepped {
        let at = std::mem::replace(&mut self.at, At::Read);
        let asks = !matches!(at, At::Decide(_) | At::Clock(_) | At::Call(_));
        if asks && site.fate == Fate::Refused {
            return Stepped { effect: Effect::Nothing, then: Then::Failed };
        }
        let mut stepped = match at {
            At::Read => self.read(&site),
            At::Points(seen) => self.points(&site, &seen),
            At::Decide(seen) => self.decide(&site, seen),
            At::Wake(plan, number) => self.wake(plan, number),
            At::Clock(plan) => self.clock(&site, &plan),
            At::Claim(flight) => self.claim(&mut site, flight),
            At::Call(flight) => self.call(&site, flight),
            At::After(flight, answer) => self.after(&mut site, flight, answer),
            At::WakeAgain(flight, answer) => self.wake_again(&site, flight, answer),
            At::Undo(flight, answer) => self.undo(&mut site, flight, answer),
            At::Record(flight, answer) => self.record(&mut site, &flight, answer),
            At::Advance(plan) => self.advance(&mut site, plan),
            At::Vacate(plan, number) => self.vacate(&mut site, plan, number),
        };
        if asks && site.fate == Fate::AnswerLost {
            stepped.then = Then::Failed;
        }
        stepped
    }

    /// Something changed: read and decide again, a few times.
    fn changed(&mut self, effect: Effect) -> Stepped {
        self.tries += 1;
        self.at = At::Read;
        Stepped { effect, then: if self.tries < self.tries_max { Then::Going } else { Then::Failed } }
    }

    fn read(&mut self, site: &Site<'_>) -> Stepped {
        let Some(collection) = site.table.collection(self.order.patient) else { return done(Effect::Nothing) };
        let id = self.order.enrollment.or(collection.patient.patient.sequence);
        let Some(stored) = id.and_then(|id| collection.enrollments.get(&id)) else { return done(Effect::Nothing) };
        let of_this = collection.messages.iter().filter(|(_, item)| item.enrollment == stored.enrollment.id);
        self.at = At::Points(Arc::new(Seen {
            now: site.now,
            settings: Settings { clinic: Arc::clone(site.clinic), read_at: site.settings_at },
            patient: Arc::clone(&collection.patient),
            stored: Arc::clone(stored),
            messages: of_this.map(|(id, item)| (*id, Arc::clone(item))).collect(),
            contacts: [None, None],
            tier: Ok(0),
            halts: site.table.halts.iter().filter(|(_, until)| **until > site.now).map(|(w, u)| (*w, *u)).collect(),
        }));
        going(Effect::Nothing)
    }

    fn points(&mut self, site: &Site<'_>, seen: &Seen) -> Stepped {
        let read = |key: Option<ContactKey>| key.map(|key| (key, site.table.contact(key)));
        let patient = &seen.patient.patient;
        let contacts = [read(ContactKey::phone(patient)), read(ContactKey::email(patient))];
        let tier = site.table.tier_room(seen.settings.clinic.limits.whatsapp_daily_tier, seen.now);
        self.at = At::Decide(Arc::new(Seen { contacts, tier, ..seen.clone() }));
        going(Effect::Nothing)
    }

    fn decide(&mut self, site: &Site<'_>, seen: Arc<Seen>) -> Stepped {
        let plan = Arc::new(Plan::of(seen, &self.order, self.protocol, site.thresholds));
        if plan.wakes.is_empty() { self.after_wakes(plan) } else { self.next_is(At::Wake(plan, 0)) }
    }

    fn next_is(&mut self, at: At) -> Stepped {
        self.at = at;
        going(Effect::Nothing)
    }

    fn after_wakes(&mut self, plan: Arc<Plan>) -> Stepped {
        if plan.send.is_some() {
            self.next_is(At::Clock(plan))
        } else if plan.is_idle() {
            done(Effect::Nothing)
        } else {
            self.next_is(At::Advance(plan))
        }
    }

    fn wake(&mut self, plan: Arc<Plan>, number: usize) -> Stepped {
        let Some((step, at)) = plan.wakes.get(number).copied() else { return self.after_wakes(plan) };
        let order = Order { enrollment: Some(plan.next.id), step: Some(step), ..self.order };
        let turn = plan.seen.stored.enrollment.wakes.saturating_add(u32::try_from(number).unwrap_or(0));
        let last = number + 1 >= plan.wakes.len();
        let stepped = if last { self.after_wakes(plan) } else { self.next_is(At::Wake(plan, number + 1)) };
        Stepped { effect: Effect::Woke { order, turn, at }, ..stepped }
    }

    /// `send` of the dispatcher: the last look at the clock before the commit.
    fn clock(&mut self, site: &Site<'_>, plan: &Arc<Plan>) -> Stepped {
        let Some(claim) = plan.claim(self.order.patient, site.now) else { return self.changed(Effect::Nothing) };
        // "now >= intent.claim_before"
        let in_time = site.now < claim.intent.claim_before;
        // "now - situation.clinic.read_at >= SETTINGS_STALE_MAX"
        let fresh = site.now - plan.seen.settings.read_at < SETTINGS_STALE_MAX;
        let off = site.table.off;
        if !off.lets(Guard::ClaimBefore, in_time) || !off.lets(Guard::SettingsFresh, fresh) {
            return self.changed(Effect::ClockForbade);
        }
        let flight = Arc::new(Flight { claim, plan: Arc::clone(plan) });
        self.next_is(match self.protocol {
            Protocol::CommitThenCall | Protocol::Lease => At::Claim(flight),
            Protocol::ReadSendWrite => At::Call(flight),
        })
    }

    fn claim(&mut self, site: &mut Site<'_>, flight: Arc<Flight>) -> Stepped {
        let claimed = match self.protocol {
            Protocol::CommitThenCall | Protocol::ReadSendWrite => site.table.claim(&flight.claim),
            Protocol::Lease => site.table.lease(&flight.claim),
        };
        match claimed {
            Ok(()) => {
                self.at = At::Call(Arc::clone(&flight));
                going(Effect::Claimed(flight))
            }
            Err(refused @ Refused::AlreadyClaimed) => done(Effect::ClaimRefused(refused)),
            Err(refused @ (Refused::TierTaken | Refused::Changed)) => self.changed(Effect::ClaimRefused(refused)),
        }
    }

    fn call(&mut self, site: &Site<'_>, flight: Arc<Flight>) -> Stepped {
        // "clock.now() > claimed.at + CLAIM_LASTS - CALL_TAKES_MAX"
        let fresh = site.now <= flight.claim.now + CLAIM_LASTS - CALL_TAKES_MAX;
        let answer = if flight.claim.intent.channel == Channel::Call {
            // The claim itself has created the task: there is nothing to be late for.
            Answer::Accepts
        } else if site.table.off.lets(Guard::LateCheck, fresh) {
            site.answer
        } else {
            Answer::NotCalled
        };
        self.at = At::After(Arc::clone(&flight), answer);
        going(Effect::Called(flight, answer))
    }

    fn after(&mut self, site: &mut Site<'_>, flight: Arc<Flight>, answer: Answer) -> Stepped {
        let (claim, outcome) = (&flight.claim, answer.outcome());
        let channel = claim.intent.channel;
        let mut effect = Effect::Remembered;
        match &outcome {
            Outcome::NotSent { again_in, breaker: Some(scope), .. } => {
                let what = match scope {
                    BreakerScope::Channel => Halted::Channel(channel),
                    BreakerScope::Template => Halted::Template(claim.intent.step),
                };
                site.table.halts.insert(what, claim.now + *again_in);
            }
            Outcome::Refused { news: RecipientNews::Unreachable, .. } => {
                site.table.mark_unreachable(claim.contact, channel);
            }
            Outcome::Refused { news: RecipientNews::OptedOut, .. } => {
                site.table.opt_out(claim.contact, [channel].into_iter().collect::<ChannelSet>());
            }
            Outcome::Accepted { .. }
            | Outcome::Ambiguous { .. }
            | Outcome::NotSent { breaker: None, .. }
            | Outcome::Refused { news: RecipientNews::None, .. } => effect = Effect::Nothing,
        }
        let takes_back =
            self.protocol == Protocol::CommitThenCall && before_the_step(&flight, &outcome, site.table.off).is_some();
        self.at = if takes_back { At::WakeAgain(flight, answer) } else { At::Record(flight, answer) };
        going(effect)
    }

    fn wake_again(&mut self, site: &Site<'_>, flight: Arc<Flight>, answer: Answer) -> Stepped {
        let Some((step, at, _)) = before_the_step(&flight, &answer.outcome(), site.table.off) else {
            return self.next_is(At::Record(flight, answer));
        };
        let order = Order { enrollment: Some(flight.claim.next.id), step: Some(step), ..self.order };
        let turn = flight.claim.next.wakes;
        self.at = At::Undo(flight, answer);
        going(Effect::Woke { order, turn, at })
    }

    fn undo(&mut self, site: &mut Site<'_>, flight: Arc<Flight>, answer: Answer) -> Stepped {
        let (claim, outcome) = (&flight.claim, answer.outcome());
        let delivery = outcome.delivery(claim.attempt, claim.now);
        match before_the_step(&flight, &outcome, site.table.off) {
            Some((_, _, restored)) if site.table.undo_claim(claim, &outcome, &delivery, &restored) => {
                done(Effect::Undone)
            }
            Some(_) | None => self.next_is(At::Record(flight, answer)),
        }
    }

    fn record(&mut self, site: &mut Site<'_>, flight: &Flight, answer: Answer) -> Stepped {
        let (claim, outcome) = (&flight.claim, answer.outcome());
        if self.protocol != Protocol::CommitThenCall {
            site.table.write_afterwards(claim, outcome.delivery(claim.attempt, claim.now));
            return done(Effect::Recorded(true));
        }
        let claimed = (claim.attempt, claim.now);
        done(Effect::Recorded(site.table.record_outcome(claim.patient, claim.intent.message, claimed, &outcome)))
    }

    fn advance(&mut self, site: &mut Site<'_>, plan: Arc<Plan>) -> Stepped {
        let (patient, from, next) = (self.order.patient, &plan.seen.stored, &plan.next);
        let stored = if plan.release {
            site.table.end_enrollment(patient, from, next, &plan.drops, plan.free_seat)
        } else {
            site.table.advance_enrollment(patient, from, next, &plan.drops)
        };
        match (stored, plan.release) {
            (true, true) => {
                self.at = At::Vacate(plan, 0);
                going(Effect::Advanced)
            }
            (true, false) => done(Effect::Advanced),
            (false, _) => self.changed(Effect::Nothing),
        }
    }

    fn vacate(&mut self, site: &mut Site<'_>, plan: Arc<Plan>, number: usize) -> Stepped {
        let patient = &plan.seen.patient.patient;
        let keys = ContactKey::all(patient);
        let Some(key) = keys.get(number) else { return done(Effect::Nothing) };
        site.table.vacate(*key, &patient.id);
        if number + 1 < keys.len() { self.next_is(At::Vacate(plan, number + 1)) } else { done(Effect::Nothing) }
    }
}

/// `take_back` of the dispatcher: where the enrollment stands when nothing was sent, and when it is
/// to be looked at; nothing when the result is to be recorded as it is.
fn before_the_step(
    flight: &Flight,
    outcome: &Outcome,
    off: Off,
) -> Option<(usize, chrono::DateTime<chrono::Utc>, Enrollment)> {
    let claim = &flight.claim;
    let first = claim.from.enrollment.first_sent_on.is_none();
    let (step, due) = match (outcome.delivery(claim.attempt, claim.now), outcome) {
        (Delivery::Ready { .. }, Outcome::NotSent { again_in, .. }) => (claim.intent.step, claim.now + *again_in),
        (Delivery::Failed(_), _) if first => (claim.intent.step + 1, claim.now + TimeDelta::zero()),
        _ => return None,
    };
    let mut restored = claim.from.enrollment.clone();
    restored.wakes = claim.next.wakes.saturating_add(1);
    // A retry leaves the enrollment where it is.
    let begins = matches!(restored.state, State::Running { step: from, .. } if from <= claim.intent.step);
    if off.lets(Guard::RetryStays, begins) {
        restored.state = State::Running { step, due };
    }
    Some((step, due, restored))
}
