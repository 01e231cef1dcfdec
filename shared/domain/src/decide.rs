//! The one decision: (enrollment, event, now, facts) → (next enrollment, commands, because).
//!
//! It chooses everything; whoever carries the commands out chooses nothing. The dry run and the
//! live run call this same function.

use chrono::{DateTime, Utc};

use crate::because::{Because, Finding, Verdict};
use crate::calendar::local_date;
use crate::enrollment::{EndReason, Enrollment, SILENCE, State};
use crate::flow::{Answer, Flow, Reaction, Step};
use crate::guardian::Guardian;
use crate::ids::{MessageId, StepId};
use crate::message::{Delivery, Intent};
use crate::step_rules::{Facts, StepCase, StepRule};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A wake-up for a step (its number; one past the last stands for the closing of the cycle).
    /// Carries what is stored of that step's message, if there is any.
    StepDue {
        /// The step.
        step: usize,
        /// Where its message stands.
        message: Option<Delivery>,
    },
    /// Something about the patient changed: an import, a staff action.
    PatientChanged,
    /// The patient answered, or kept silent; and when. Told again, it is no news.
    Answered(Answer, DateTime<Utc>),
    /// Staff released the conversation.
    Released,
}

/// What is to be done. Carried out in order; each is harmless to repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Wake up for a step at an instant. Comes before everything else: a wake without a need is
    /// harmless, a need without a wake is a lost patient.
    Wake {
        /// The step.
        step: usize,
        /// When.
        at: DateTime<Utc>,
    },
    /// Record that a step was left out, and why.
    Drop {
        /// The message that will not be.
        message: MessageId,
        /// Its step.
        step: StepId,
        /// The rule's reason.
        reason: &'static str,
    },
    /// Claim and send a message.
    Send(Intent),
    /// Give the seat of the week back: no message ever left.
    FreeSeat,
    /// The sequence is over: free the patient and the contact points.
    Release,
    /// React to an answer.
    React(Reaction),
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The enrollment as it stands afterwards.
    pub next: Enrollment,
    /// What is to be done.
    pub commands: Vec<Command>,
    /// Why.
    pub because: Because,
}

/// Decides what an event leads to.
#[must_use]
pub fn decide(enrollment: &Enrollment, event: &Event, now: DateTime<Utc>, facts: &Facts<'_>) -> Decision {
    let mut course = Course { next: enrollment.clone(), commands: Vec::new(), findings: Vec::new(), now, facts };
    match (event, &enrollment.state) {
        // What was proven not sent is given up with the sequence, and while the patient converses.
        (Event::StepDue { step, message: Some(Delivery::Ready { .. }) }, State::Ended { .. }) => course.give_up(*step),
        (Event::StepDue { step, message: Some(Delivery::Ready { .. }) }, State::Conversing { since, step: next }) => {
            course.give_up(*step);
            if step == next {
                course.converse((*since).max(now - SILENCE), *next + 1);
            }
        }
        (_, State::Ended { .. }) => course.nothing("already_ended"),
        _ if facts.flow.steps.is_empty() => course.end(EndReason::FlowGone),
        (Event::StepDue { step, message }, state) => course.step_due(*step, message.as_ref(), state),
        (Event::PatientChanged, _) => course.stand(),
        (Event::Answered(_, at), _) if enrollment.told_at.is_some_and(|told| told >= *at) => {
            course.nothing("told_before");
        }
        (Event::Answered(answer, at), _) => course.answer(*answer, *at),
        (Event::Released, State::Conversing { step, .. }) => course.resume(*step),
        (Event::Released, State::Running { .. } | State::Closing { .. }) => course.nothing("not_conversing"),
    }
    Decision { next: course.next, commands: course.commands, because: Because { findings: course.findings } }
}

/// A decision in the making.
struct Course<'a> {
    next: Enrollment,
    commands: Vec<Command>,
    findings: Vec<Finding>,
    now: DateTime<Utc>,
    facts: &'a Facts<'a>,
}

/// What is to become of a step.
enum Fate {
    Send(Box<Intent>),
    Wait(DateTime<Utc>),
    Skip(&'static str),
    Stop(EndReason),
}

impl Course<'_> {
    fn nothing(&mut self, why: &'static str) {
        self.findings.push(Finding::not("event", why, Verdict::Block(None)));
    }

    fn step_due(&mut self, step: usize, message: Option<&Delivery>, state: &State) {
        match (state, message) {
            (State::Closing { due }, _) if step >= self.facts.flow.steps.len() => {
                if self.now >= *due {
                    self.findings.push(Finding::pass("cycle_closed"));
                    self.end(EndReason::NoAnswer);
                } else {
                    self.nothing("too_early");
                }
            }
            (State::Running { step: expected, due }, None | Some(Delivery::Ready { .. })) if *expected == step => {
                // The wake-up for its own time is on its way, and the sweep stands behind it.
                if self.now >= *due { self.advance(step) } else { self.nothing("too_early") }
            }
            (State::Conversing { since, step: next }, _) if next == &step => self.listen(*since, step),
            (_, Some(Delivery::Ready { .. })) => self.retry(step),
            (State::Running { .. } | State::Closing { .. } | State::Conversing { .. } | State::Ended { .. }, _) => {
                self.nothing("stale_wake");
            }
        }
    }

    /// Decides the step and, as long as nothing has been sent, those after it: the first that can
    /// be sent is day 1.
    fn advance(&mut self, from: usize) {
        let flow = self.facts.flow;
        for (number, step) in flow.steps.iter().enumerate().skip(from) {
            match self.fate(number) {
                Fate::Send(intent) => {
                    let today = local_date(self.now, self.facts.patient.profile.zone);
                    self.next.first_sent_on = self.next.first_sent_on.or(Some(today));
                    self.go_to(number + 1);
                    self.commands.push(Command::Send(*intent));
                    return;
                }
                Fate::Wait(until) => {
                    self.next.state = State::Running { step: number, due: until };
                    self.commands.push(Command::Wake { step: number, at: until });
                    return;
                }
                Fate::Skip(reason) => {
                    let message = MessageId::of(self.next.id, &step.id);
                    self.commands.push(Command::Drop { message, step: step.id.clone(), reason });
                    if self.next.first_sent_on.is_some() {
                        self.go_to(number + 1);
                        return;
                    }
                }
                Fate::Stop(reason) => return self.end(reason),
            }
        }
        self.end(EndReason::NothingSendable);
    }

    /// A conversation goes back to the sequence once it has fallen silent and no person has it.
    fn listen(&mut self, since: DateTime<Utc>, step: usize) {
        if self.now < since + SILENCE {
            return self.nothing("too_early");
        }
        match self.facts.heard_at.filter(|heard| *heard > since) {
            Some(heard) if self.now < heard + SILENCE => self.converse(heard, step),
            // Looked at again, so that it is found whatever becomes of the order to release it.
            _ if self.facts.patient.paused => self.converse(self.now, step),
            Some(_) | None => self.resume(step),
        }
    }

    fn converse(&mut self, since: DateTime<Utc>, step: usize) {
        self.next.state = State::Conversing { since, step };
        self.commands.push(Command::Wake { step, at: since + SILENCE });
    }

    fn give_up(&mut self, number: usize) {
        let Some(step) = self.facts.flow.steps.get(number) else { return self.nothing("no_such_step") };
        let message = MessageId::of(self.next.id, &step.id);
        self.commands.push(Command::Drop { message, step: step.id.clone(), reason: "sequence_over" });
        self.nothing("sequence_over");
    }

    /// A message proven not sent is tried again under all the rules; the enrollment stays where it is.
    fn retry(&mut self, number: usize) {
        let Some(step) = self.facts.flow.steps.get(number) else { return self.nothing("no_such_step") };
        let message = MessageId::of(self.next.id, &step.id);
        match self.fate(number) {
            Fate::Send(intent) => self.commands.push(Command::Send(*intent)),
            Fate::Wait(until) => self.commands.push(Command::Wake { step: number, at: until }),
            Fate::Skip(reason) => self.commands.push(Command::Drop { message, step: step.id.clone(), reason }),
            Fate::Stop(reason) => {
                self.commands.push(Command::Drop { message, step: step.id.clone(), reason: reason.code() });
                self.end(reason);
            }
        }
    }

    /// Looks at the rules in order; the first that does not pass decides.
    fn fate(&mut self, number: usize) -> Fate {
        let enrollment = self.next.clone();
        let Some(step) = self.facts.flow.steps.get(number) else { return Fate::Stop(EndReason::FlowGone) };
        let case = StepCase { facts: self.facts, enrollment: &enrollment, step, now: self.now };
        for rule in StepRule::ALL {
            let finding = case.check(rule);
            let (verdict, reason) = (finding.verdict, finding.reason);
            self.findings.push(finding);
            match verdict {
                Verdict::Pass => {}
                Verdict::Stop | Verdict::Block(_) => return Fate::Stop(rule.end_reason()),
                Verdict::Skip => return Fate::Skip(reason),
                Verdict::Wait(until) if until <= case.latest() => return Fate::Wait(until),
                // Before the first message has left, waiting beyond the week gives the seat back.
                Verdict::Wait(_) if enrollment.first_sent_on.is_none() => return Fate::Stop(EndReason::WeekOver),
                Verdict::Wait(_) => return Fate::Skip("too_late"),
            }
        }
        let zone = self.facts.patient.profile.zone;
        let today = local_date(self.now, zone);
        let closes = self.facts.clinic.calendar.window_on(today, zone).map_or(self.now, |window| window.closes);
        Fate::Send(Box::new(Intent {
            message: MessageId::of(enrollment.id, &step.id),
            step: number,
            step_id: step.id.clone(),
            channel: step.channel,
            purpose: step.purpose,
            template: Flow::template_key(&enrollment.segment, &step.id, self.guardian().is_some()),
            claim_before: closes.min(case.latest()),
            places: case.places(),
        }))
    }

    /// Who is written to in the patient's place.
    fn guardian(&self) -> Option<&Guardian> {
        self.facts.patient.through(self.facts.clinic.date(self.now)).guardian()
    }

    /// Moves on to the step of that number, or to the closing of the cycle.
    fn go_to(&mut self, number: usize) {
        let zone = self.facts.patient.profile.zone;
        let first = self.next.first_sent_on.unwrap_or_else(|| local_date(self.now, zone));
        let (state, at) = match self.facts.flow.steps.get(number) {
            Some(step) => {
                let due = self.next.step_due(step, first, &self.facts.clinic.calendar, zone).max(self.now);
                (State::Running { step: number, due }, due)
            }
            None => {
                let due = self.next.closes(self.facts.flow, zone).unwrap_or(self.now).max(self.now);
                (State::Closing { due }, due)
            }
        };
        self.next.state = state;
        self.commands.push(Command::Wake { step: number, at });
    }

    fn end(&mut self, reason: EndReason) {
        if self.next.first_sent_on.is_none() {
            self.commands.push(Command::FreeSeat);
        }
        self.commands.push(Command::Release);
        self.next.state = State::Ended { reason, at: self.now };
    }

    /// After a change: ends the sequence if one of the standing rules is broken.
    fn stand(&mut self) {
        let enrollment = self.next.clone();
        let Some(step) = self.step_to_come().cloned() else { return self.end(EndReason::FlowGone) };
        let case = StepCase { facts: self.facts, enrollment: &enrollment, step: &step, now: self.now };
        for rule in StepRule::STANDING {
            let finding = case.check(rule);
            let stops = finding.verdict == Verdict::Stop;
            self.findings.push(finding);
            if stops {
                return self.end(rule.end_reason());
            }
        }
    }

    /// The step that comes next; after the last one, the last.
    fn step_to_come(&self) -> Option<&Step> {
        let steps = &self.facts.flow.steps;
        steps.get(self.number_to_come()).or(steps.last())
    }

    fn number_to_come(&self) -> usize {
        match self.next.state {
            State::Running { step, .. } | State::Conversing { step, .. } => step,
            State::Closing { .. } | State::Ended { .. } => self.facts.flow.steps.len(),
        }
    }

    /// Whether an opt-out leaves something to send: a step is still to come whose purpose it does not
    /// cover, and the phone is the patient's (who answers for somebody else ends the sequence).
    fn outlives_opt_out(&self) -> bool {
        let is_theirs = !self.facts.points.phone.is_wrong();
        let today = self.facts.clinic.date(self.now);
        let out = self.facts.patient.consent.opted_out(today);
        let mut to_come = self.facts.flow.steps.iter().skip(self.number_to_come());
        is_theirs && !out.is_empty() && to_come.any(|step| !out.contains(step.purpose))
    }

    fn answer(&mut self, answer: Answer, at: DateTime<Utc>) {
        let reaction = self.facts.flow.reaction(answer);
        self.findings.push(Finding::pass("answered"));
        if reaction != Reaction::NextStep {
            self.next.told_at = Some(at);
        }
        match (answer, reaction) {
            (Answer::OptOut, _) if self.outlives_opt_out() => self.findings.push(Finding::pass("opt_out")),
            (Answer::OptOut, _) => self.end(EndReason::OptedOut),
            (_, Reaction::Close) => {
                self.end(if answer == Answer::Silence { EndReason::NoAnswer } else { EndReason::Declined })
            }
            (_, Reaction::NextStep) => {}
            (_, Reaction::BookNow | Reaction::HighIntent | Reaction::HandOver) => {
                self.converse(self.now, self.number_to_come());
                self.commands.push(Command::React(reaction));
            }
        }
    }

    fn resume(&mut self, step: usize) {
        self.findings.push(Finding::pass("released"));
        self.go_to(step);
    }
}
