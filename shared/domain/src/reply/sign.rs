//! What a phrase of the word lists can stand for.

use chrono::Weekday;
use serde::Deserialize;

/// What a phrase stands for. Of two phrases of one length over the same words the one that is first
/// here counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sign {
    StopReminders,
    /// No more messages, wherever it stands.
    OptOut,
    /// A refusal that ends messages when nothing else is said, and no courtesy softens it.
    OptOutRefusal,
    /// A word that ends messages when it stands alone.
    OptOutWord,
    /// A word of ending or refusing near one of messages or lists: probably no more messages.
    OptOutPerhaps,
    Urgent,
    Deceased,
    WrongPerson,
    Complaint,
    OptIn,
    AlreadyBooked,
    Reschedule,
    Cancel,
    /// "Cancel", without saying what.
    CancelWord,
    /// A visit that cannot be kept.
    CannotCome,
    /// A time that does not suit; takes the days beside it with it.
    Cannot,
    /// None of what was offered.
    NotThese,
    OtherTime,
    #[serde(rename = "choice_1")]
    Choice1,
    #[serde(rename = "choice_2")]
    Choice2,
    #[serde(rename = "choice_3")]
    Choice3,
    /// A choice by a number of any size.
    Choice,
    Question,
    No,
    Yes,
    /// Agreement that may be mere courtesy.
    Ok,
    Thanks,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
    Weekend,
    Workdays,
    Today,
    Tomorrow,
    DayAfterTomorrow,
    ThisWeek,
    NextWeek,
    InTwoWeeks,
    InFourWeeks,
    Morning,
    Afternoon,
    Evening,
    Noon,
    AfterWork,
    At,
    From,
    Until,
    Between,
    DayOfMonth,
    Date,
    January,
    February,
    March,
    April,
    May,
    June,
    July,
    August,
    September,
    October,
    November,
    December,
    /// A time that cannot be put into a wish.
    VagueTime,
    /// Turns against what was said before.
    But,
    /// Ends what a "cannot" reaches, without turning against anything: "rather", "I can".
    Rather,
    /// Words that leave a text in doubt.
    Doubt,
    /// Words that only look like another sign.
    Nothing,
    /// Greetings, courtesy, articles and the like.
    Filler,
}

impl Sign {
    /// The day of the week it names.
    pub(super) fn weekday(self) -> Option<Weekday> {
        let monday = Self::Monday as u8;
        let named = (Self::Monday..=Self::Sunday).contains(&self);
        named.then(|| Weekday::try_from(self as u8 - monday).ok()).flatten()
    }

    /// The month it names, from 1.
    pub(super) fn month(self) -> Option<u32> {
        let named = (Self::January..=Self::December).contains(&self);
        named.then(|| self as u32 - Self::January as u32 + 1)
    }

    /// The option it names, unless by a number of its own.
    pub(super) fn choice(self) -> Option<u8> {
        let named = (Self::Choice1..=Self::Choice3).contains(&self);
        named.then(|| self as u8 - Self::Choice1 as u8 + 1)
    }

    /// Whether it ends messages, or only looks like that.
    pub(super) fn is_about_messages(self) -> bool {
        self <= Self::OptOutPerhaps || self == Self::Nothing
    }

    /// Whether it says something of a time.
    pub(super) fn is_time(self) -> bool {
        (Self::Monday..=Self::VagueTime).contains(&self)
    }
}
