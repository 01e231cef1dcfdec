//! The conversation: what a patient's answer leads to.
//!
//! [`respond`] chooses everything and does nothing: it reads how the conversation stands and what was
//! understood, and says what is to be done and what is to be answered. Whoever carries it out tells
//! back only whether a slot was still free.

mod say;
mod thread;
mod unanswered;

use chrono::{DateTime, NaiveDate, Utc};

pub use say::Say;
pub use thread::{OFFER_LASTS, OfferedSlot, Open, Question, Thread, Urgency, WINDOW, WINDOW_MARGIN};
pub use unanswered::unanswered;

use crate::appointment::Appointment;
use crate::channel::{ChannelSet, Purpose, PurposeSet};
use crate::flow::Answer;
use crate::ids::AppointmentId;
use crate::patient::Patient;
use crate::reply::{Asked, Intent, Reading, Wish};
use crate::subscription::Subscription;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Nobody writes to this contact for these purposes any more. Before everything else.
    OptOut(PurposeSet),
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
        /// Until when it is held.
        until: DateTime<Utc>,
    },
    /// On the waitlist, with this wish, without being offered anything now.
    Wait(Wish),
    /// Agrees to be written to by these channels, and by those only.
    Prefer(Preferences),
    /// Notifications are shown in this browser from now on. What was agreed to comes before it.
    Subscribe(Box<Subscription>),
    /// No more notifications in any browser; whatever else was agreed to stays.
    Unsubscribe,
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

impl Act {
    /// The purposes that it stops for everybody at the contact.
    #[must_use]
    pub fn stops(&self) -> PurposeSet {
        match self {
            Self::OptOut(purposes) => *purposes,
            // No channel left is an opt-out.
            Self::Prefer(preferences) => preferences.which(ChannelSet::is_empty),
            Self::OptIn
            | Self::WrongNumber
            | Self::Deceased
            | Self::Book { .. }
            | Self::Offer { .. }
            | Self::OfferHeld { .. }
            | Self::Wait(_)
            | Self::Subscribe(_)
            | Self::Unsubscribe
            | Self::Cancel(_)
            | Self::Confirm(_)
            | Self::HandOver { .. }
            | Self::Tell(_)
            | Self::Say(_) => PurposeSet::NONE,
        }
    }
}

/// The channels that a person agrees to for each purpose, and those only. Where nothing is said of a
/// purpose it stays as it is; no channel at all is an opt-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// For marketing.
    pub marketing: Option<ChannelSet>,
    /// For care: follow-up, and reminders of booked visits.
    pub care: Option<ChannelSet>,
}

impl Preferences {
    /// The same channels for everything.
    #[must_use]
    pub fn alike(channels: ChannelSet) -> Self {
        Self::of(PurposeSet::ALL, |_| channels)
    }

    /// Channels for each of these purposes.
    #[must_use]
    pub fn of(purposes: PurposeSet, channels: impl Fn(Purpose) -> ChannelSet) -> Self {
        let said = |purpose| purposes.contains(purpose).then(|| channels(purpose));
        Self { marketing: said(Purpose::Marketing), care: said(Purpose::Care) }
    }

    /// What is said of a purpose.
    #[must_use]
    pub fn get(self, purpose: Purpose) -> Option<ChannelSet> {
        match purpose {
            Purpose::Marketing => self.marketing,
            Purpose::Care => self.care,
        }
    }

    /// The purposes of which something is said that fits.
    #[must_use]
    pub fn which(self, fits: impl Fn(ChannelSet) -> bool) -> PurposeSet {
        Purpose::ALL.into_iter().filter(|purpose| self.get(*purpose).is_some_and(&fits)).collect()
    }
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
    /// The clinic's date.
    pub today: NaiveDate,
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
    let has_stopped = case.patient.consent.is_opted_out(Purpose::Marketing, case.today);
    if let Some(purposes) = stopped(reading, case.next_visit().is_some(), has_stopped) {
        return stop(case, purposes, reading.sure);
    }
    if reading.intent == Intent::Urgent {
        return vec![hand_over("urgent", Urgency::Urgent), Act::Tell(Answer::Unclear), Act::Say(Say::Urgent)];
    }
    // Somebody of the clinic is writing with this patient: nothing is answered in between, but what
    // stops messages does not wait until it is read.
    if case.staff_has_it() {
        let stops = matches!(reading.intent, Intent::WrongPerson | Intent::Deceased);
        let mut acts = if stops && reading.sure { understood(case, &reading.intent) } else { Vec::new() };
        acts.retain(|act| !matches!(act, Act::Say(_) | Act::HandOver { .. }));
        acts.push(hand_over("more_was_said", Urgency::Normal));
        return acts;
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

/// What a person wants no more of, who has a visit booked or not, and has stopped marketing before or
/// not. In doubt that is more rather than less.
#[must_use]
pub fn stopped(reading: &Reading, has_visit: bool, has_stopped: bool) -> Option<PurposeSet> {
    match reading.intent {
        Intent::StopAll => Some(PurposeSet::ALL),
        Intent::OptOut if !reading.sure => Some(PurposeSet::ALL),
        // Said again with nothing of it left to stop: what still comes is meant.
        Intent::OptOut if has_stopped => Some(PurposeSet::ALL),
        Intent::OptOut => Some(PurposeSet::MARKETING),
        // Without a visit there are no reminders: whatever was taken for one is meant.
        Intent::StopReminders if !reading.sure || !has_visit => Some(PurposeSet::ALL),
        Intent::StopReminders => Some(PurposeSet::CARE),
        Intent::OptIn
        | Intent::Option(_)
        | Intent::Yes
        | Intent::No
        | Intent::OtherTime(_)
        | Intent::Reschedule
        | Intent::Cancel
        | Intent::AlreadyBooked
        | Intent::WrongPerson
        | Intent::Question
        | Intent::Complaint
        | Intent::Urgent
        | Intent::Deceased
        | Intent::Thanks
        | Intent::Unreadable => None,
    }
}

/// An opt-out never waits for anybody; one in doubt is shown to a person as well.
fn stop(case: &Case<'_>, purposes: PurposeSet, sure: bool) -> Vec<Act> {
    let goes_on = |purpose| !purposes.contains(purpose) && !case.patient.consent.is_opted_out(purpose, case.today);
    let mut acts = vec![Act::OptOut(purposes)];
    if purposes.contains(Purpose::Marketing) {
        acts.push(Act::Tell(Answer::OptOut));
    }
    acts.push(Act::Say(match (goes_on(Purpose::Marketing), goes_on(Purpose::Care)) {
        (false, true) => Say::OptedOut,
        (true, _) => Say::RemindersStopped,
        (false, false) => Say::AllStopped,
    }));
    if !sure {
        acts.push(hand_over("opt_out_doubtful", Urgency::Normal));
    }
    acts
}

fn understood(case: &Case<'_>, intent: &Intent) -> Vec<Act> {
    match intent {
        Intent::OptIn => vec![Act::OptIn, Act::Say(Say::OptedIn)],
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
        Intent::OptOut | Intent::StopAll | Intent::StopReminders | Intent::Urgent => Vec::new(),
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
