//! What the judge says.

use std::fmt;

/// A rule of the message list. The doc comment is the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Every line is an object with the fields of a message, a known channel and a known step.
    Readable,
    /// A message id is used once.
    UniqueMessageId,
    /// The text is not empty.
    Text,
    /// The text says how to stop: PARAR.
    OptOutWord,
    /// No `{{` or `}}` is left in text or subject.
    NoUnfilledVariable,
    /// An email has a subject.
    Subject,
    /// A step leaves on its own channel.
    StepChannel,
    /// A message leaves within the run.
    WithinRun,
    /// The offset written is the patient's zone's at that instant.
    Offset,
    /// A message leaves within the contact hours of its weekday, in the patient's zone.
    ContactHours,
    /// Nothing leaves on a national holiday.
    Holiday,
    /// The patient is in the export.
    KnownPatient,
    /// The patient has a usable contact for the channel.
    UsableContact,
    /// The contact is the patient's own, in its one form.
    OwnContact,
    /// The channel was agreed to, validly on that day.
    Consent,
    /// The person did not opt out.
    OptOut,
    /// Nobody who shares the contact opted out.
    SharedOptOut,
    /// The patient has no open appointment.
    OpenAppointment,
    /// No appointment of the last 14 days is still without outcome.
    AwaitingOutcome,
    /// The segment named is the first the patient belongs to when the first message leaves.
    Segment,
    /// A step of a sequence is sent once.
    OneMessagePerStep,
    /// The steps keep their order.
    StepOrder,
    /// A step does not leave before the first message's day plus its offset.
    NotTooEarly,
    /// A step leaves at the latest two open days after the first open day it could.
    NotTooLate,
    /// A sequence begins with its first step that can be sent.
    FirstStep,
    /// A patient is in one sequence at a time.
    OneSequence,
    /// No sequence begins within 30 days of the last contact.
    EntryPause,
    /// At most two WhatsApp to a contact point in any 30 days.
    ContactCap,
    /// At most two WhatsApp to a person in any 30 days.
    PersonCap,
    /// The second WhatsApp starts 60 days' rest.
    Rest,
    /// At most 250 distinct WhatsApp recipients in any 24 hours.
    NumberTier,
    /// At most 200 sequences of a segment begin in an ISO week.
    SegmentSeats,
    /// No more sequences begin in an ISO week than the free slots call for.
    SlotSeats,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 33] = [
        Self::Readable,
        Self::UniqueMessageId,
        Self::Text,
        Self::OptOutWord,
        Self::NoUnfilledVariable,
        Self::Subject,
        Self::StepChannel,
        Self::WithinRun,
        Self::Offset,
        Self::ContactHours,
        Self::Holiday,
        Self::KnownPatient,
        Self::UsableContact,
        Self::OwnContact,
        Self::Consent,
        Self::OptOut,
        Self::SharedOptOut,
        Self::OpenAppointment,
        Self::AwaitingOutcome,
        Self::Segment,
        Self::OneMessagePerStep,
        Self::StepOrder,
        Self::NotTooEarly,
        Self::NotTooLate,
        Self::FirstStep,
        Self::OneSequence,
        Self::EntryPause,
        Self::ContactCap,
        Self::PersonCap,
        Self::Rest,
        Self::NumberTier,
        Self::SegmentSeats,
        Self::SlotSeats,
    ];
}

/// A rule broken by a line of the message list. It holds ids and figures, never a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The line in the message list, from 1.
    pub line: usize,
    /// What was seen and what was allowed.
    pub figures: String,
}

impl Violation {
    pub(super) fn new(rule: Rule, line: usize, figures: impl Into<String>) -> Self {
        Self { rule, line, figures: figures.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {:?}: {}", self.line, self.rule, self.figures)
    }
}
