//! The conversation: what a patient's answer leads to.
//!
//! [`respond`] chooses everything and does nothing: it reads how the conversation stands and what was
//! understood, and says what is to be done and what is to be answered. Whoever carries it out tells
//! back only whether a slot was still free.

use chrono::{DateTime, TimeDelta, Utc};

use crate::appointment::Appointment;
use crate::channel::ChannelSet;
use crate::flow::Answer;
use crate::ids::AppointmentId;
use crate::patient::Patient;
use crate::reply::{Asked, Intent, Reading, Wish};

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
    /// Why; a word of [`respond`]'s.
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
        self.heard_at.is_some_and(|heard| heard <= now + WINDOW_MARGIN && now < heard + WINDOW - WINDOW_MARGIN)
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
    /// A slot has become free, held until tomorrow.
    Freed,
    /// The visit is cancelled.
    Cancelled,
    /// The visit is confirmed.
    Confirmed,
    /// You will not be written to again.
    OptedOut,
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
    pub const ALL: [Self; 16] = [
        Self::Booked,
        Self::Moved,
        Self::Offer,
        Self::Taken,
        Self::Waitlisted,
        Self::Freed,
        Self::Cancelled,
        Self::Confirmed,
        Self::OptedOut,
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
        matches!(self, Self::OptedOut | Self::WrongNumber | Self::Urgent)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Nobody writes to this contact for marketing any more. Before everything else.
    OptOut,
    /// No reminders of booked visits either.
    StopReminders,
    /// The person agrees to be written to again, on the channel on which it was said.
    OptIn,
    /// This phone is not the patient's: not used again.
    WrongNumber,
    /// The patient has died: nothing is sent any more.
    Deceased,
    /// Book the offered slot of that reference, moving a visit if one is named. If it is taken
    /// meanwhile: [`when_taken`].
    Book {
        /// The slot.
        reference: String,
        /// The visit that moves.
        moving: Option<AppointmentId>,
    },
    /// Look for slots and offer two; put on the waitlist when there are none.
    Offer {
        /// When the patient would rather come.
        wish: Wish,
        /// The visit that is to be moved.
        moving: Option<AppointmentId>,
        /// How to introduce them.
        say: Say,
    },
    /// Offer a slot that is held for the patient.
    OfferHeld {
        /// The slot, by reference.
        reference: String,
    },
    /// On the waitlist, with this wish, without being offered anything now.
    Wait(Wish),
    /// Agrees to be written to by these channels, and by those only.
    Prefer(ChannelSet),
    /// The visit is cancelled.
    Cancel(AppointmentId),
    /// The visit is confirmed.
    Confirm(AppointmentId),
    /// A person must read this.
    HandOver {
        /// Why.
        reason: &'static str,
        /// How soon.
        urgency: Urgency,
    },
    /// Tell the sequence.
    Tell(Answer),
    /// Answer.
    Say(Say),
}

/// What a decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The patient.
    pub patient: &'a Patient,
    /// How the conversation stands.
    pub thread: &'a Thread,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Case<'_> {
    /// The next visit that is booked.
    #[must_use]
    pub fn next_visit(&self) -> Option<&Appointment> {
        self.patient.appointments.iter().filter(|visit| visit.is_open(self.now)).min_by_key(|visit| visit.start)
    }

    /// What had been asked, as the understanding needs to know it.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let (options, confirm) = match self.thread.question(self.now) {
            Some(Question::Slots { slots, .. }) => (u8::try_from(slots.len()).unwrap_or(u8::MAX), false),
            Some(Question::Confirm(_)) => (2, true),
            None => (0, false),
        };
        Asked { options, booked: self.next_visit().is_some(), confirm }
    }

    fn staff_has_it(&self) -> bool {
        self.patient.paused || self.thread.open.is_some()
    }
}

/// What an answer leads to.
#[must_use]
pub fn respond(case: &Case<'_>, reading: &Reading) -> Vec<Act> {
    // An opt-out never waits for anybody; one in doubt is shown to a person as well.
    if reading.intent == Intent::OptOut {
        let mut acts = vec![Act::OptOut, Act::Tell(Answer::OptOut), Act::Say(Say::OptedOut)];
        if !reading.sure {
            acts.push(hand_over("opt_out_doubtful", Urgency::Normal));
        }
        return acts;
    }
    if reading.intent == Intent::Urgent {
        return vec![hand_over("urgent", Urgency::Urgent), Act::Tell(Answer::Unclear), Act::Say(Say::Urgent)];
    }
    // Somebody of the clinic is writing with this patient: nothing is answered in between.
    if case.staff_has_it() {
        return vec![hand_over("more_was_said", Urgency::Normal)];
    }
    if !reading.sure {
        return to_a_person("unclear", Urgency::Normal);
    }
    understood(case, &reading.intent)
}

/// What follows when the slot that was picked is taken meanwhile: the next two.
#[must_use]
pub fn when_taken(moving: Option<AppointmentId>) -> Act {
    Act::Offer { wish: Wish::default(), moving, say: Say::Taken }
}

fn understood(case: &Case<'_>, intent: &Intent) -> Vec<Act> {
    match intent {
        Intent::OptIn => vec![Act::OptIn, Act::Say(Say::OptedIn)],
        Intent::StopReminders => vec![Act::StopReminders, Act::Say(Say::RemindersStopped)],
        Intent::Option(number) => option(case, *number),
        Intent::Yes => yes(case),
        Intent::No => no(case),
        Intent::OtherTime(wish) => offer(case, wish.clone()),
        Intent::Reschedule => offer(case, Wish::default()),
        Intent::Cancel => match case.next_visit() {
            Some(visit) => vec![Act::Cancel(visit.id.clone()), Act::Say(Say::Cancelled)],
            // Cancel what? Perhaps a visit that is not in the export yet, perhaps the messages.
            None => to_a_person("cancel_what", Urgency::High),
        },
        Intent::AlreadyBooked => vec![Act::Tell(Answer::No), Act::Say(Say::AlreadyBooked)],
        Intent::WrongPerson => {
            vec![
                Act::WrongNumber,
                Act::Tell(Answer::OptOut),
                Act::Say(Say::WrongNumber),
                hand_over("wrong_number", Urgency::Normal),
            ]
        }
        Intent::Deceased => vec![Act::Deceased, Act::Tell(Answer::OptOut), hand_over("deceased", Urgency::High)],
        Intent::Question => to_a_person("question", Urgency::High),
        Intent::Complaint => to_a_person("complaint", Urgency::High),
        Intent::Thanks => Vec::new(),
        Intent::Unreadable => to_a_person("unreadable", Urgency::Normal),
        // Decided before anything else.
        Intent::OptOut | Intent::Urgent => Vec::new(),
    }
}

fn option(case: &Case<'_>, number: u8) -> Vec<Act> {
    match case.thread.question(case.now) {
        Some(Question::Slots { slots, moving }) => match slots.get(usize::from(number).wrapping_sub(1)) {
            Some(slot) => book(case, slot, moving.clone()),
            None => to_a_person("no_such_option", Urgency::High),
        },
        Some(Question::Confirm(visit)) if number == 1 => confirm(visit),
        Some(Question::Confirm(visit)) if number == 2 => {
            vec![Act::Offer { wish: Wish::default(), moving: Some(visit.clone()), say: Say::Offer }]
        }
        // Pressed twice, or said again to be sure.
        None if case.next_visit().is_some() => vec![Act::Say(Say::AlreadyBooked)],
        Some(Question::Confirm(_)) | None => to_a_person("no_such_option", Urgency::Normal),
    }
}

/// Books; who has a visit booked by now (on the page, at the desk) moves it: nobody has two.
fn book(case: &Case<'_>, slot: &OfferedSlot, moving: Option<AppointmentId>) -> Vec<Act> {
    let moving = moving.or_else(|| case.next_visit().map(|visit| visit.id.clone()));
    let say = if moving.is_some() { Say::Moved } else { Say::Booked };
    vec![Act::Tell(Answer::Yes), Act::Book { reference: slot.reference.clone(), moving }, Act::Say(say)]
}

fn confirm(visit: &AppointmentId) -> Vec<Act> {
    vec![Act::Confirm(visit.clone()), Act::Say(Say::Confirmed)]
}

fn yes(case: &Case<'_>) -> Vec<Act> {
    match case.thread.question(case.now) {
        Some(Question::Confirm(visit)) => confirm(visit),
        Some(Question::Slots { slots, .. }) if slots.len() == 1 => option(case, 1),
        // Yes, but which? Fresh ones: the two of the message may be gone by now.
        Some(Question::Slots { .. }) | None => offer(case, Wish::default()),
    }
}

fn no(case: &Case<'_>) -> Vec<Act> {
    match case.thread.question(case.now) {
        Some(Question::Confirm(visit)) => {
            vec![Act::Offer { wish: Wish::default(), moving: Some(visit.clone()), say: Say::Offer }]
        }
        Some(Question::Slots { .. }) | None => vec![Act::Tell(Answer::No), Act::Say(Say::Declined)],
    }
}

/// Offers slots; with a visit booked, to move it.
fn offer(case: &Case<'_>, wish: Wish) -> Vec<Act> {
    let moving = case.next_visit().map(|visit| visit.id.clone());
    vec![Act::Tell(Answer::Yes), Act::Offer { wish, moving, say: Say::Offer }]
}

fn to_a_person(reason: &'static str, urgency: Urgency) -> Vec<Act> {
    vec![hand_over(reason, urgency), Act::Tell(Answer::Unclear), Act::Say(Say::HandedOver)]
}

fn hand_over(reason: &'static str, urgency: Urgency) -> Act {
    Act::HandOver { reason, urgency }
}
