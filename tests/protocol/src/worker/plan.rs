//! From what was read to what is to be done: the domain's decision, and what of it is carried out.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::decide::{Command, Event, decide};
use retorno_domain::enrollment::Enrollment;
use retorno_domain::flow::{Flow, Step};
use retorno_domain::ids::MessageId;
use retorno_domain::message::{Delivery, Intent};
use retorno_domain::segment::Thresholds;
use retorno_domain::standing::placement;
use retorno_domain::step_rules::{CopyProblem, Facts};

use super::{Order, Protocol, Seen};
use crate::table::{Claim, ContactKey, Dropped, Halted, lease_ran_out};

/// A decision, as it is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it rests on.
    pub seen: Arc<Seen>,
    /// The enrollment afterwards, with the wake-ups counted.
    pub next: Enrollment,
    /// Wake-ups, in order: the step, when.
    pub wakes: Vec<(usize, DateTime<Utc>)>,
    /// Steps left out.
    pub drops: Vec<Dropped>,
    /// The message to be sent.
    pub send: Option<Intent>,
    /// The sequence is over.
    pub release: bool,
    /// The seat is given back.
    pub free_seat: bool,
}

/// A plan follows from what was read.
impl Hash for Plan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.seen.hash(state);
    }
}

impl Seen {
    /// The enrollment's flow; one that is gone is empty.
    fn flow(&self) -> Option<&Flow> {
        self.settings.clinic.flow(&self.stored.enrollment.flow)
    }

    /// Where the message of a step stands (`Situation::message_of`).
    #[must_use]
    pub fn message_of(&self, step: usize) -> Option<Delivery> {
        let id = MessageId::of(self.stored.enrollment.id, &self.flow()?.steps.get(step)?.id);
        self.messages.iter().find(|(message, _)| *message == id).map(|(_, item)| item.delivery.clone())
    }

    fn points(&self) -> ContactPoints {
        let [phone, email] = &self.contacts;
        let point = |read: &Option<(ContactKey, Arc<crate::table::ContactItem>)>| {
            read.as_ref().map(|(_, item)| item.point.clone()).unwrap_or_default()
        };
        ContactPoints { phone: point(phone), email: point(email), ..ContactPoints::default() }
    }

    /// `copy_problem` of the dispatcher, as far as the protocol is concerned: a template that its
    /// provider has halted.
    fn copy_problem(&self, step: &Step) -> Option<CopyProblem> {
        let halted = |(what, until): &(Halted, DateTime<Utc>)| match what {
            Halted::Template(number) if *until > self.now => {
                let of = self.flow()?.steps.get(*number)?;
                (of.id == step.id).then_some(CopyProblem::Halted(*until))
            }
            Halted::Template(_) | Halted::Channel(_) => None,
        };
        self.halts.iter().find_map(halted)
    }
}

impl Plan {
    /// Decides about what was read.
    #[must_use]
    pub fn of(seen: Arc<Seen>, order: &Order, protocol: Protocol, thresholds: &Thresholds) -> Self {
        let empty = Flow {
            id: seen.stored.enrollment.flow.clone(),
            version: 0,
            steps: Vec::new(),
            close_after_days: 0,
            branches: Vec::new(),
        };
        let event = match order.step {
            Some(step) => {
                Event::StepDue { step, message: seen.message_of(step).filter(|m| !ran_out(protocol, m, &seen)) }
            }
            None => Event::PatientChanged,
        };
        let (clinic, patient) = (&*seen.settings.clinic, &seen.patient.patient);
        let channel = |(what, until): &(Halted, DateTime<Utc>)| match what {
            Halted::Channel(channel) => Some((*channel, *until)),
            Halted::Template(_) => None,
        };
        let breakers: Vec<(Channel, DateTime<Utc>)> = seen.halts.iter().filter_map(channel).collect();
        let points = seen.points();
        let facts = Facts {
            clinic,
            flow: seen.flow().unwrap_or(&empty),
            patient,
            points: &points,
            placement: placement(clinic, patient, thresholds, seen.now),
            heard_at: None,
            number_full_until: seen.tier.err(),
            breakers: &breakers,
            unlinked: None,
            copy: &|step| seen.copy_problem(step),
        };
        let decision = decide(&seen.stored.enrollment, &event, seen.now, &facts);
        let mut plan = Self {
            seen: Arc::clone(&seen),
            next: decision.next,
            wakes: Vec::new(),
            drops: Vec::new(),
            send: None,
            release: false,
            free_seat: false,
        };
        plan.sort(decision.commands);
        plan
    }

    fn sort(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Wake { step, at } => {
                    self.wakes.push((step, at));
                    self.next.wakes = self.next.wakes.saturating_add(1);
                }
                Command::Drop { message, step: _, reason } => self.drops.push(Dropped { message, reason }),
                Command::Send(intent) => self.send = Some(intent),
                Command::FreeSeat => self.free_seat = true,
                Command::Release => self.release = true,
                Command::React(_) => {}
            }
        }
    }

    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        // `stands_still` of the dispatcher: the number of wake-ups alone is not stored.
        let stands_still = self.next == Enrollment { wakes: self.next.wakes, ..self.seen.stored.enrollment.clone() };
        !self.release && self.drops.is_empty() && stands_still
    }

    /// The claim of the message at an instant: consent is proved here (`clear` of the dispatcher).
    /// Nothing when there is no consent or no contact after all.
    #[must_use]
    pub fn claim(&self, patient: usize, now: DateTime<Utc>) -> Option<Claim> {
        let (seen, intent) = (&self.seen, self.send.clone()?);
        let (clinic, read) = (&seen.settings.clinic, &seen.patient.patient);
        read.consent.prove(intent.channel, intent.purpose, clinic.date(seen.now)).ok()?;
        read.address(intent.channel, clinic.date(seen.now))?;
        let attempt = match seen.message_of(intent.step) {
            Some(Delivery::Ready { attempts }) => attempts + 1,
            _ => 1,
        };
        Some(Claim {
            patient,
            from: Arc::clone(&seen.stored),
            next: self.next.clone(),
            seen: Arc::clone(&seen.patient),
            contact: ContactKey::by(read, intent.channel)?,
            attempt,
            tier: seen.tier.ok().filter(|_| intent.channel == Channel::Whatsapp),
            drops: self.drops.clone(),
            epoch: clinic.epoch,
            now,
            intent,
        })
    }
}

/// Under a lease, a message whose lease ran out is as good as never taken up.
fn ran_out(protocol: Protocol, message: &Delivery, seen: &Seen) -> bool {
    protocol == Protocol::Lease && lease_ran_out(message, seen.now)
}
