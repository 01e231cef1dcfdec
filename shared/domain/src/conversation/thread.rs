//! How a conversation stands: what was heard and asked, and whether a person must act.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::AppointmentId;

/// A business may write freely for so long after a person's last word (WhatsApp, customer service
/// window); outside it only approved templates.
pub const WINDOW: TimeDelta = TimeDelta::hours(24);
/// The window counts as closed so much earlier: our clock and the provider's differ.
pub const WINDOW_MARGIN: TimeDelta = TimeDelta::minutes(2);
/// What was offered can be taken for so long.
pub const OFFER_LASTS: TimeDelta = TimeDelta::days(7);

/// How soon a person must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// When there is time.
    Normal,
    /// Before the others: somebody wants to come, or complains.
    High,
    /// At once: somebody is unwell.
    Urgent,
}

impl Urgency {
    /// Every urgency.
    pub const ALL: [Self; 3] = [Self::Normal, Self::High, Self::Urgent];

    /// The urgency's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// The urgency of that word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|urgency| urgency.code() == code)
    }
}

/// A conversation that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why; a word of [`super::respond`]'s.
    pub reason: String,
    /// How soon.
    pub urgency: Urgency,
}

/// A slot that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedSlot {
    /// Its [`crate::slot::FreeSlot::reference`].
    pub reference: String,
}

/// What the patient was asked last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// To pick one of these slots; a booked visit that moves with it, if there is one.
    Slots {
        /// In the order of their numbers.
        slots: Vec<OfferedSlot>,
        /// The visit that is to be moved.
        moving: Option<AppointmentId>,
    },
    /// To confirm a visit: 1 yes, 2 another day.
    Confirm(AppointmentId),
}

/// How the conversation with a patient stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thread {
    /// The patient's last word on WhatsApp.
    pub heard_at: Option<DateTime<Utc>>,
    /// From which phone, as the keyed hash of its contact point: WhatsApp's window is that phone's, and the
    /// record may name another by now. Unknown in what was stored before.
    pub heard_from: Option<String>,
    /// What was asked last, and when.
    pub asked: Option<(Question, DateTime<Utc>)>,
    /// When the last question was settled: what was offered before counts no more.
    pub settled_at: Option<DateTime<Utc>>,
    /// Waits for a person.
    pub open: Option<Open>,
}

impl Thread {
    /// Whether a free text may be written on WhatsApp now.
    #[must_use]
    pub fn window_is_open(&self, now: DateTime<Utc>) -> bool {
        self.window_closes_at(now).is_some()
    }

    /// Until when a free text may be written on WhatsApp, if it may be now.
    #[must_use]
    pub fn window_closes_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let heard = self.heard_at.filter(|heard| *heard <= now + WINDOW_MARGIN)?;
        Some(heard + WINDOW - WINDOW_MARGIN).filter(|closes| now < *closes)
    }

    /// Nothing is asked any more.
    pub fn settle(&mut self, now: DateTime<Utc>) {
        self.asked = None;
        self.settled_at = Some(now);
    }

    /// What was asked and can still be answered.
    #[must_use]
    pub fn question(&self, now: DateTime<Utc>) -> Option<&Question> {
        self.asked.as_ref().filter(|(_, at)| now < *at + OFFER_LASTS).map(|(question, _)| question)
    }
}
