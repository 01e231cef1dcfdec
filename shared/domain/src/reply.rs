//! What a patient's answer means: a text or a button, read in the light of what had been asked.
//!
//! A text becomes tokens, slips of the keyboard are mended, phrases of the word lists in
//! `reply/words/` are looked for (whole words, never parts of them; of two that overlap the longer
//! one counts), and what was found is weighed together. What is not sure goes to a person, except
//! that an opt-out never waits for one.

mod clock;
mod phrase;
mod scope;
mod sign;
mod spelling;
mod token;
mod verdict;
mod vocabulary;
mod when;
mod wish;

use chrono::NaiveDate;

pub use wish::{DayPart, Wish};

/// Characters of a text that are looked at; a WhatsApp text has 4096 at most.
pub const TEXT_CHARS_MAX: usize = 4096;

/// What a patient wants, as far as a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// No more messages; said of everything in particular, it is [`Intent::StopAll`].
    OptOut,
    /// Nothing at all any more, whatever it is about.
    StopAll,
    /// Messages again, or from now on.
    OptIn,
    /// No more reminders of booked visits.
    StopReminders,
    /// One of the slots offered, from 1.
    Option(u8),
    /// Agreement with what was asked.
    Yes,
    /// Refusal of what was asked, not of messages.
    No,
    /// A day or an hour other than those offered.
    OtherTime(Wish),
    /// The booked appointment at some other time.
    Reschedule,
    /// The booked appointment not at all.
    Cancel,
    /// An appointment made by another way.
    AlreadyBooked,
    /// The number belongs to somebody else.
    WrongPerson,
    /// Something a person must answer.
    Question,
    /// Dissatisfaction.
    Complaint,
    /// A symptom that cannot wait: pain, bleeding, fever, swelling and their like.
    Urgent,
    /// The patient has died.
    Deceased,
    /// Courtesy that asks for nothing.
    Thanks,
    /// None of these, as far as can be told.
    Unreadable,
}

/// What had been asked when the text came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// Slots offered and still open.
    pub options: u8,
    /// Whether the patient has an open appointment.
    pub booked: bool,
    /// Whether the patient was asked to confirm it, with 1 for yes and 2 for no.
    pub confirm: bool,
}

/// An intent, and whether it can be acted upon without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What is wanted, or most probably so.
    pub intent: Intent,
    /// Whether nothing in the text speaks against it. When not, a person reads the text; an opt-out
    /// is applied all the same.
    pub sure: bool,
}

/// Reads a text. `today` is the date where the patient is.
#[must_use]
pub fn understand(text: &str, asked: &Asked, today: NaiveDate) -> Reading {
    let vocabulary = vocabulary::Vocabulary::embedded();
    let mut tokens = token::tokens(text);
    spelling::mend(&mut tokens, vocabulary);
    let found = phrase::found(&tokens, vocabulary);
    verdict::verdict(&tokens, &found, asked, today)
}

/// Reads the press of a button: its payload's end, which may be an intent's [`Intent::code`], or its
/// title. A press is no slip of the keyboard, but its title is read like a text.
#[must_use]
pub fn of_button(payload_suffix_or_title: &str, asked: &Asked, today: NaiveDate) -> Reading {
    match Intent::of_code(payload_suffix_or_title.trim()) {
        Some(Intent::Option(number)) => verdict::choice(number, asked),
        Some(intent) => {
            let sure = intent != Intent::Unreadable;
            Reading { intent, sure }
        }
        None => understand(&payload_suffix_or_title.replace('_', " "), asked, today),
    }
}

impl Intent {
    /// The highest option that has a code.
    pub const OPTION_MAX: u8 = 9;

    /// Its name in records, reports and button payloads; options beyond 9 share a name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::StopAll => "stop_all",
            Self::OptIn => "opt_in",
            Self::StopReminders => "stop_reminders",
            Self::Option(1) => "option_1",
            Self::Option(2) => "option_2",
            Self::Option(3) => "option_3",
            Self::Option(4) => "option_4",
            Self::Option(5) => "option_5",
            Self::Option(6) => "option_6",
            Self::Option(7) => "option_7",
            Self::Option(8) => "option_8",
            Self::Option(9) => "option_9",
            Self::Option(_) => "option",
            Self::Yes => "yes",
            Self::No => "no",
            Self::OtherTime(_) => "other_time",
            Self::Reschedule => "reschedule",
            Self::Cancel => "cancel",
            Self::AlreadyBooked => "already_booked",
            Self::WrongPerson => "wrong_person",
            Self::Question => "question",
            Self::Complaint => "complaint",
            Self::Urgent => "urgent",
            Self::Deceased => "deceased",
            Self::Thanks => "thanks",
            Self::Unreadable => "unreadable",
        }
    }

    /// The intent with this code, in lower or upper case; a time wished for comes back empty.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        let plain = [
            Self::OptOut,
            Self::StopAll,
            Self::OptIn,
            Self::StopReminders,
            Self::Yes,
            Self::No,
            Self::OtherTime(Wish::default()),
            Self::Reschedule,
            Self::Cancel,
            Self::AlreadyBooked,
            Self::WrongPerson,
            Self::Question,
            Self::Complaint,
            Self::Urgent,
            Self::Deceased,
            Self::Thanks,
            Self::Unreadable,
        ];
        let options = (1..=Self::OPTION_MAX).map(Self::Option);
        plain.into_iter().chain(options).find(|intent| intent.code().eq_ignore_ascii_case(code))
    }
}

#[cfg(test)]
mod tests;
