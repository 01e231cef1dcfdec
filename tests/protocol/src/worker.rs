//! One invocation of the dispatcher as an explicit machine: read, decide, wake, look at the clock,
//! claim, look at the clock again, call, carry out, undo or record. It stands still between any two
//! steps, so that a crash, a freeze or another worker may come between them; each request may be
//! refused, or carried out with its answer lost. It chooses nothing: `retorno_domain::decide` does.

mod plan;
mod steps;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{EnrollmentId, MessageId};
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};
use retorno_domain::segment::Thresholds;

use crate::table::{Claim, ContactItem, ContactKey, EnrollmentItem, MessageItem, PatientItem, Refused, Table};

pub use plan::Plan;

/// Tries at one order when what it rests on keeps changing (`TRIES_MAX` of the dispatcher).
pub const TRIES_MAX: u8 = 4;
/// The call must begin so long before its claim runs out (`CALL_TAKES_MAX` of the dispatcher).
pub const CALL_TAKES_MAX: TimeDelta = TimeDelta::seconds(8);

/// How old settings may be that a sending goes by (`store/clinic.rs`).
pub const SETTINGS_STALE_MAX: TimeDelta = TimeDelta::seconds(15);

/// An order to the dispatcher: about a step, or, without one, about a change of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// Whose.
    pub patient: usize,
    /// Which enrollment; without it, the one the patient is in.
    pub enrollment: Option<EnrollmentId>,
    /// Which step.
    pub step: Option<usize>,
}

/// By which protocol a worker sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The product's: commit, then call.
    CommitThenCall,
    /// Read the status, send, write the status.
    ReadSendWrite,
    /// Take a lease, send, write; a lease that ran out is taken over.
    Lease,
}

/// What happens to the request of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is answered.
    Fine,
    /// It fails; nothing was done.
    Refused,
    /// It is carried out, but the worker sees an error. The SDK's own retries do not show here: a
    /// transaction repeated under its token is carried out once.
    AnswerLost,
}

/// What a provider does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Takes it and says so.
    Accepts,
    /// Takes it, and its answer is lost.
    AcceptsAnswerLost,
    /// Does not take it, and its answer is lost.
    NoAnswer,
    /// Too many calls; certainly not sent, again after so many seconds.
    Throttles(u32),
    /// The account is in trouble: certainly not sent, the channel is halted for so many seconds.
    HaltsChannel(u32),
    /// The template is in trouble: certainly not sent, its step is halted for so many seconds.
    HaltsTemplate(u32),
    /// Refuses for good.
    Refuses,
    /// Refuses for good: nobody to be reached there.
    RefusesUnreachable,
    /// Refuses for good: opted out at the provider.
    RefusesOptedOut,
    /// Was not called: the claim had run out.
    NotCalled,
}

impl Answer {
    /// Whether the patient has the message.
    #[must_use]
    pub fn accepts(self) -> bool {
        matches!(self, Self::Accepts | Self::AcceptsAnswerLost)
    }

    /// Whether it leads to anything beyond the message.
    #[must_use]
    pub fn is_remembered(self) -> bool {
        match self {
            Self::HaltsChannel(_) | Self::HaltsTemplate(_) | Self::RefusesUnreachable | Self::RefusesOptedOut => true,
            Self::Accepts
            | Self::AcceptsAnswerLost
            | Self::NoAnswer
            | Self::Throttles(_)
            | Self::Refuses
            | Self::NotCalled => false,
        }
    }

    /// As the channel reports it.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        let not_sent = |code: &str, seconds: u32, breaker| Outcome::NotSent {
            code: code.to_owned(),
            again_in: TimeDelta::seconds(i64::from(seconds)),
            breaker,
        };
        let refused = |news| Outcome::Refused { code: "refused".to_owned(), news };
        match self {
            Self::Accepts => Outcome::Accepted { provider_id: "1".to_owned() },
            Self::AcceptsAnswerLost | Self::NoAnswer => Outcome::Ambiguous { code: "timeout".to_owned() },
            Self::Throttles(seconds) => not_sent("throttled", seconds, None),
            Self::HaltsChannel(seconds) => not_sent("account", seconds, Some(BreakerScope::Channel)),
            Self::HaltsTemplate(seconds) => not_sent("template", seconds, Some(BreakerScope::Template)),
            Self::Refuses => refused(RecipientNews::None),
            Self::RefusesUnreachable => refused(RecipientNews::Unreachable),
            Self::RefusesOptedOut => refused(RecipientNews::OptedOut),
            // `call` of the dispatcher: "claim_ran_out".
            Self::NotCalled => not_sent("claim_ran_out", 60, None),
        }
    }
}

/// Where a step is taken, and what fate has in store for it.
#[derive(Debug)]
pub struct Site<'a> {
    /// The table.
    pub table: &'a mut Table,
    /// The settings that a read finds.
    pub clinic: &'a Arc<Clinic>,
    /// When those settings were read.
    pub settings_at: DateTime<Utc>,
    /// The week's thresholds.
    pub thresholds: &'a Thresholds,
    /// What the worker's clock says.
    pub now: DateTime<Utc>,
    /// What happens to the request, if the step makes one.
    pub fate: Fate,
    /// What the provider does, if the step calls it.
    pub answer: Answer,
}

/// What a step did to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Asked for a wake-up.
    Woke {
        /// The order it brings.
        order: Order,
        /// Tells apart wake-ups that are otherwise the same.
        turn: u32,
        /// When.
        at: DateTime<Utc>,
    },
    /// The claim stands.
    Claimed(Arc<Flight>),
    /// The claim was refused.
    ClaimRefused(Refused),
    /// The clock forbade the claim: too late in the day, or decided too long ago.
    ClockForbade,
    /// The provider was called, or would have been had the claim not run out.
    Called(Arc<Flight>, Answer),
    /// The claim was taken back.
    Undone,
    /// The result was recorded, or was not wanted any more.
    Recorded(bool),
    /// The enrollment's next state was stored.
    Advanced,
    /// Something is remembered of the recipient or the channel.
    Remembered,
}

/// What comes after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Then {
    /// The next step.
    Going,
    /// The order is done.
    Done,
    /// An error: the order goes back to the queue.
    Failed,
}

/// A step taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// What it did.
    pub effect: Effect,
    /// What comes next.
    pub then: Then,
}

/// The settings as read. Two reads of the same settings are the same.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The clinic.
    pub clinic: Arc<Clinic>,
    /// When they were read.
    pub read_at: DateTime<Utc>,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.clinic, &other.clinic) && self.read_at == other.read_at
    }
}
impl Eq for Settings {}
impl Hash for Settings {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.clinic.halted, self.clinic.epoch, self.read_at).hash(state);
    }
}

/// What was read for one decision (`Situation` of the dispatcher).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    /// When reading began.
    pub now: DateTime<Utc>,
    /// The settings.
    pub settings: Settings,
    /// The patient.
    pub patient: Arc<PatientItem>,
    /// The enrollment.
    pub stored: Arc<EnrollmentItem>,
    /// The messages of the enrollment.
    pub messages: Vec<(MessageId, Arc<MessageItem>)>,
    /// The contact points, once they are read: phone and e-mail.
    pub contacts: [Option<(ContactKey, Arc<ContactItem>)>; 2],
    /// A free place in the number's tier, or when there will be one.
    pub tier: Result<u32, DateTime<Utc>>,
    /// What is halted, each until when.
    pub halts: Vec<(crate::table::Halted, DateTime<Utc>)>,
}

/// A claim that stands, on its way to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// The claim.
    pub claim: Claim,
    /// By which decision.
    pub plan: Arc<Plan>,
}

impl Hash for Flight {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.claim.now, self.claim.attempt).hash(state);
        self.plan.hash(state);
    }
}

/// Between which steps a worker stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum At {
    /// Before the settings and the patient's collection are read.
    Read,
    /// Before the contact points and the tier are read.
    Points(Arc<Seen>),
    /// Before deciding.
    Decide(Arc<Seen>),
    /// Before the wake-up of that number is asked for.
    Wake(Arc<Plan>, usize),
    /// Before the clock is looked at.
    Clock(Arc<Plan>),
    /// Before the claim.
    Claim(Arc<Flight>),
    /// Before the clock is looked at again, and the provider is called.
    Call(Arc<Flight>),
    /// Before what the result means beyond the message is carried out.
    After(Arc<Flight>, Answer),
    /// Before the wake-up that taking back begins with.
    WakeAgain(Arc<Flight>, Answer),
    /// Before the claim is taken back.
    Undo(Arc<Flight>, Answer),
    /// Before the result is recorded.
    Record(Arc<Flight>, Answer),
    /// Before the enrollment's next state is stored, without a message.
    Advance(Arc<Plan>),
    /// Before the contact point of that number is freed.
    Vacate(Arc<Plan>, usize),
}

/// One invocation at work on one order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Worker {
    /// Its order.
    pub order: Order,
    /// Where it stands.
    pub at: At,
    /// By which protocol it sends.
    pub protocol: Protocol,
    /// Tries so far that found something changed.
    pub tries: u8,
    /// At how many tries it gives the order back.
    pub tries_max: u8,
}

impl Worker {
    /// About to take up an order.
    #[must_use]
    pub fn new(order: Order, protocol: Protocol) -> Self {
        Self { order, at: At::Read, protocol, tries: 0, tries_max: TRIES_MAX }
    }

    /// Whether the next step neither reads nor writes the table, nor looks at the clock: a crash, a
    /// freeze or another worker before it leaves the same as one after it.
    #[must_use]
    pub fn is_unobservable(&self) -> bool {
        match &self.at {
            At::Decide(_) | At::Wake(..) | At::WakeAgain(..) => true,
            At::After(_, answer) => !answer.is_remembered(),
            At::Read
            | At::Points(_)
            | At::Clock(_)
            | At::Claim(_)
            | At::Call(_)
            | At::Undo(..)
            | At::Record(..)
            | At::Advance(_)
            | At::Vacate(..) => false,
        }
    }

    /// The name of the next step.
    #[must_use]
    pub fn step_name(&self) -> &'static str {
        match self.at {
            At::Read => "read",
            At::Points(_) => "points",
            At::Decide(_) => "decide",
            At::Wake(..) => "wake",
            At::Clock(_) => "clock",
            At::Claim(_) => "claim",
            At::Call(_) => "call",
            At::After(..) => "after",
            At::WakeAgain(..) => "wake_again",
            At::Undo(..) => "undo",
            At::Record(..) => "record",
            At::Advance(_) => "advance",
            At::Vacate(..) => "vacate",
        }
    }
}
