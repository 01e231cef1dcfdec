//! What can be said to a patient in return.

/// What is said to a patient; the words are the catalogue's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Say {
    /// The visit is booked.
    Booked,
    /// The visit has moved.
    Moved,
    /// Here are slots; pick one.
    Offer,
    /// That one is taken; here are others.
    Taken,
    /// Nothing is free: on the waitlist.
    Waitlisted,
    /// A slot has become free, and until when it is held.
    Freed,
    /// The visit is cancelled.
    Cancelled,
    /// The visit is confirmed.
    Confirmed,
    /// No marketing any more; reminders of booked visits go on, and how to stop those too.
    OptedOut,
    /// Nothing will be written any more.
    AllStopped,
    /// You will be written to again.
    OptedIn,
    /// No reminders any more.
    RemindersStopped,
    /// All right, perhaps another time.
    Declined,
    /// Good that it is booked.
    AlreadyBooked,
    /// Sorry; this number will not be written to.
    WrongNumber,
    /// Somebody calls at once; and where to go if it cannot wait.
    Urgent,
    /// A person of the clinic answers soon.
    HandedOver,
}

impl Say {
    /// Everything that can be said.
    pub const ALL: [Self; 17] = [
        Self::Booked,
        Self::Moved,
        Self::Offer,
        Self::Taken,
        Self::Waitlisted,
        Self::Freed,
        Self::Cancelled,
        Self::Confirmed,
        Self::OptedOut,
        Self::AllStopped,
        Self::OptedIn,
        Self::RemindersStopped,
        Self::Declined,
        Self::AlreadyBooked,
        Self::WrongNumber,
        Self::Urgent,
        Self::HandedOver,
    ];

    /// The word in data and the key in the catalogue.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Moved => "moved",
            Self::Offer => "offer",
            Self::Taken => "taken",
            Self::Waitlisted => "waitlisted",
            Self::Freed => "freed",
            Self::Cancelled => "cancelled",
            Self::Confirmed => "confirmed",
            Self::OptedOut => "opted_out",
            Self::AllStopped => "all_stopped",
            Self::OptedIn => "opted_in",
            Self::RemindersStopped => "reminders_stopped",
            Self::Declined => "declined",
            Self::AlreadyBooked => "already_booked",
            Self::WrongNumber => "wrong_number",
            Self::Urgent => "urgent",
            Self::HandedOver => "handed_over",
        }
    }

    /// What that word stands for.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|say| say.code() == code)
    }

    /// Whether it may be said to somebody who opted out: only that the opt-out was heard.
    #[must_use]
    pub fn survives_opt_out(self) -> bool {
        matches!(self, Self::OptedOut | Self::AllStopped | Self::RemindersStopped | Self::WrongNumber | Self::Urgent)
    }
}
