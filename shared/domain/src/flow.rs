//! Flows are data: the steps of a sequence, and what an answer leads to. A running enrollment
//! keeps the version of the flow it began with.

use chrono::TimeDelta;

use crate::channel::{Channel, Purpose};
use crate::ids::{FlowId, SegmentId, StepId};

/// What stands in a template's key instead of the segment where a minor's guardian is written to. No
/// segment has this id.
pub const GUARDIANS: &str = "tutor";

/// What a patient (or silence) says to a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Wants to come.
    Yes,
    /// Opened the booking link.
    Click,
    /// Does not want to come now.
    No,
    /// Wants no more messages.
    OptOut,
    /// Something that a person must read.
    Unclear,
    /// The message was not read.
    Unread,
    /// Nothing, until the sequence ended.
    Silence,
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 7] =
        [Self::Yes, Self::Click, Self::No, Self::OptOut, Self::Unclear, Self::Unread, Self::Silence];

    /// The answer's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Click => "click",
            Self::No => "no",
            Self::OptOut => "opt_out",
            Self::Unclear => "unclear",
            Self::Unread => "unread",
            Self::Silence => "silence",
        }
    }

    /// The answer of that word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.code() == code)
    }
}

/// What an answer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reaction {
    /// Offer real slots at once; automation waits for the booking.
    BookNow,
    /// Send the booking link and put the patient on top of the call queue.
    HighIntent,
    /// Try again by the next step of the sequence.
    NextStep,
    /// Hand the conversation to a person; automation waits.
    HandOver,
    /// End the sequence.
    Close,
}

impl Reaction {
    /// The reaction's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BookNow => "book_now",
            Self::HighIntent => "high_intent",
            Self::NextStep => "next_step",
            Self::HandOver => "hand_over",
            Self::Close => "close",
        }
    }
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id within the flow.
    pub id: StepId,
    /// On which day it is due, counted in local dates from the day the first message left.
    pub offset_days: u16,
    /// By which channel.
    pub channel: Channel,
    /// For which purpose; consent and limits depend on it.
    pub purpose: Purpose,
    /// How many hours after its due instant it may still leave; later it is dropped, and said so.
    pub delay_hours_max: u16,
    /// The figure by which the step is judged, for the people who read figures.
    pub metric: String,
}

impl Step {
    /// The longest accepted delay.
    #[must_use]
    pub fn delay_max(&self) -> TimeDelta {
        TimeDelta::hours(i64::from(self.delay_hours_max))
    }
}

/// A sequence of steps and its branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// Rises with each edit.
    pub version: u32,
    /// In the order of their offsets.
    pub steps: Vec<Step>,
    /// The cycle closes so many days after the first message.
    pub close_after_days: u16,
    /// What each answer leads to.
    pub branches: Vec<(Answer, Reaction)>,
}

/// Why a flow cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// There is no step.
    #[error("flow {0} has no step")]
    NoStep(FlowId),
    /// Two steps have the same id.
    #[error("flow {0} has step {1} twice")]
    SameStep(FlowId, StepId),
    /// A step is due before the one it follows.
    #[error("flow {0}: step {1} is due before the step it follows")]
    Order(FlowId, StepId),
    /// The cycle closes before its last step.
    #[error("flow {0} closes before its last step is due")]
    ClosesEarly(FlowId),
}

impl Flow {
    /// Checks that the flow can be run.
    ///
    /// # Errors
    /// [`FlowError`] names the first thing that is wrong.
    pub fn validate(&self) -> Result<(), FlowError> {
        let mut seen: Vec<&Step> = Vec::new();
        for step in &self.steps {
            if seen.iter().any(|earlier| earlier.id == step.id) {
                return Err(FlowError::SameStep(self.id.clone(), step.id.clone()));
            }
            if seen.last().is_some_and(|earlier| earlier.offset_days > step.offset_days) {
                return Err(FlowError::Order(self.id.clone(), step.id.clone()));
            }
            seen.push(step);
        }
        match seen.last() {
            None => Err(FlowError::NoStep(self.id.clone())),
            Some(last) if last.offset_days > self.close_after_days => Err(FlowError::ClosesEarly(self.id.clone())),
            Some(_) => Ok(()),
        }
    }

    /// What an answer leads to; an answer without a branch goes to a person.
    #[must_use]
    pub fn reaction(&self, answer: Answer) -> Reaction {
        self.branches.iter().find(|(on, _)| *on == answer).map_or(Reaction::HandOver, |(_, then)| *then)
    }

    /// The key of a step's template in the catalogue: of the segment's own, or of the one for a minor's
    /// guardian, which is the same for all segments.
    #[must_use]
    pub fn template_key(segment: &SegmentId, step: &StepId, for_guardian: bool) -> String {
        if for_guardian { format!("{GUARDIANS}/{step}") } else { format!("{segment}/{step}") }
    }
}
