//! How far a template is at Meta. What is learned comes from three sides — Meta's news, Meta's list,
//! and our own calls — late, twice, and in any order. So each side of a template is kept with the
//! instant at which it held, and the latest stands: the same facts in whatever order give the same state.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::enrollment::held_until;

/// Something, and the last instant of which it is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dated<T> {
    /// As of when; Meta's instant where Meta told it, ours where we asked.
    pub at: DateTime<Utc>,
    /// What.
    pub is: T,
}

/// Where a template stands. Of what is told of one instant the later in this order is kept, so that a
/// doubt never opens what Meta has closed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateStatus {
    /// The account does not hold it.
    Absent,
    /// Meta is looking at it.
    Pending,
    /// It may be sent.
    Approved,
    /// Stopped for a while, because people blocked or reported it.
    Paused {
        /// Until when, where Meta's word says which pause it is.
        until: Option<DateTime<Utc>>,
    },
    /// Meta refused it.
    Rejected {
        /// Meta's word for why, as `ABUSIVE_CONTENT`.
        reason: String,
    },
    /// Stopped for good; its name is spent.
    Disabled,
    /// Somebody deleted it, or it is being deleted.
    Deleted,
}

impl TemplateStatus {
    /// Its word in data.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent => "not_submitted",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Paused { .. } => "paused",
            Self::Rejected { .. } => "rejected",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }

    /// A pause that began at an instant, by Meta's title for it: the first lasts three hours, the
    /// second six, and a third disables the template.
    #[must_use]
    pub fn paused(title: Option<&str>, at: DateTime<Utc>) -> Self {
        let lasts = match title {
            Some("FIRST_PAUSE") => Some(TimeDelta::hours(3)),
            Some("SECOND_PAUSE") => Some(TimeDelta::hours(6)),
            Some(_) | None => None,
        };
        Self::Paused { until: lasts.map(|lasts| at + lasts) }
    }
}

/// Meta's judgement of a template by its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateQuality {
    /// Not judged yet.
    Unknown,
    /// Good.
    Green,
    /// Falling.
    Yellow,
    /// Bad: it will be paused or disabled.
    Red,
}

impl TemplateQuality {
    /// Its word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// A submission that Meta did not take, by its codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SubmissionRefused {
    /// Meta's code.
    pub code: Option<i64>,
    /// Meta's second code.
    pub subcode: Option<i64>,
}

/// Something learned about a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Where it stands.
    Status(TemplateStatus),
    /// As what it is charged, in Meta's word.
    Category(String),
    /// As what it will be charged; announced a while ahead.
    ComingCategory(String),
    /// How its readers take it.
    Quality(TemplateQuality),
    /// Meta's id of it.
    Id(String),
    /// Whether its text at Meta is another than ours.
    Reworded(bool),
    /// A submission was not taken.
    Refused(SubmissionRefused),
}

/// Everything known of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateState {
    /// Where it stands; nothing when nobody has said.
    pub status: Option<Dated<TemplateStatus>>,
    /// As what it is charged.
    pub category: Option<Dated<String>>,
    /// The last category announced.
    pub coming: Option<Dated<String>>,
    /// How its readers take it.
    pub quality: Option<Dated<TemplateQuality>>,
    /// Meta's id.
    pub id: Option<Dated<String>>,
    /// Whether its text at Meta is another than ours.
    pub reworded: Option<Dated<bool>>,
    /// The last submission that was not taken.
    pub refused: Option<Dated<SubmissionRefused>>,
}

impl TemplateState {
    /// Takes a fact in. In any order and however often, the same facts give the same state.
    pub fn learn(&mut self, at: DateTime<Utc>, fact: Fact) {
        match fact {
            Fact::Status(is) => keep(&mut self.status, at, is),
            Fact::Category(is) => keep_category(&mut self.category, at, is),
            Fact::ComingCategory(is) => keep_category(&mut self.coming, at, is),
            Fact::Quality(is) => keep(&mut self.quality, at, is),
            Fact::Id(is) => keep(&mut self.id, at, is),
            Fact::Reworded(is) => keep(&mut self.reworded, at, is),
            Fact::Refused(is) => keep(&mut self.refused, at, is),
        }
    }

    /// What is missing for it to be sent; nothing when it may be, or when nobody has said.
    #[must_use]
    pub fn lacking(&self, now: DateTime<Utc>) -> Option<Lacking> {
        match &self.status.as_ref()?.is {
            TemplateStatus::Approved => None,
            // The pause has run out; should Meta see that otherwise, it says so at the next sending.
            TemplateStatus::Paused { until: Some(until) } if *until <= now => None,
            TemplateStatus::Paused { until } => Some(Lacking::Paused(*until)),
            TemplateStatus::Absent => Some(Lacking::NotSubmitted),
            TemplateStatus::Pending => Some(Lacking::Pending),
            TemplateStatus::Rejected { .. } => Some(Lacking::Rejected),
            TemplateStatus::Disabled => Some(Lacking::Disabled),
            TemplateStatus::Deleted => Some(Lacking::Deleted),
        }
    }

    /// Meta's word for why it was refused, if it stands so.
    #[must_use]
    pub fn rejected_for(&self) -> Option<&str> {
        match self.status.as_ref().map(|status| &status.is) {
            Some(TemplateStatus::Rejected { reason }) => Some(reason.as_str()).filter(|reason| !reason.is_empty()),
            Some(
                TemplateStatus::Absent
                | TemplateStatus::Pending
                | TemplateStatus::Approved
                | TemplateStatus::Paused { .. }
                | TemplateStatus::Disabled
                | TemplateStatus::Deleted,
            )
            | None => None,
        }
    }

    /// The refusal of the last submission, unless something has been heard of the template since.
    #[must_use]
    pub fn submission_refused(&self) -> Option<&SubmissionRefused> {
        let refused = self.refused.as_ref()?;
        let heard = self.status.as_ref().filter(|status| status.is != TemplateStatus::Absent);
        heard.is_none_or(|status| status.at < refused.at).then_some(&refused.is)
    }

    /// The category that it will have, where that is another than the present one.
    #[must_use]
    pub fn coming_category(&self) -> Option<&str> {
        let coming = self.coming.as_ref()?;
        let present = self.category.as_ref();
        let done = present.is_some_and(|present| present.is == coming.is);
        (!done).then_some(coming.is.as_str())
    }

    /// Whether Meta charges and limits it as marketing.
    #[must_use]
    pub fn is_marketing(&self) -> bool {
        self.category.as_ref().is_some_and(|category| category.is == MARKETING)
    }
}

/// Meta's word for the category that binds most.
const MARKETING: &str = "MARKETING";

/// Of one instant's words marketing counts: it has the narrower limits.
fn keep_category(kept: &mut Option<Dated<String>>, at: DateTime<Utc>, is: String) {
    let rank = |at, is: &String| (at, is == MARKETING, is.clone());
    if kept.as_ref().is_none_or(|kept| rank(kept.at, &kept.is) < rank(at, &is)) {
        *kept = Some(Dated { at, is });
    }
}

fn keep<T: Ord>(kept: &mut Option<Dated<T>>, at: DateTime<Utc>, is: T) {
    let told = Dated { at, is };
    if kept.as_ref().is_none_or(|kept| *kept < told) {
        *kept = Some(told);
    }
}

/// What stands between a template and its sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lacking {
    /// Nobody has submitted it.
    NotSubmitted,
    /// Meta is looking at it.
    Pending,
    /// Meta refused it.
    Rejected,
    /// Meta stopped it for a while: until then, where that is known.
    Paused(Option<DateTime<Utc>>),
    /// Meta stopped it for good.
    Disabled,
    /// Somebody deleted it.
    Deleted,
}

impl Lacking {
    /// The reason's word in findings.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotSubmitted => "template_not_submitted",
            Self::Pending => "template_pending",
            Self::Rejected => "template_rejected",
            Self::Paused(_) => "template_paused",
            Self::Disabled => "template_disabled",
            Self::Deleted => "template_deleted",
        }
    }

    /// When to look again: nothing where only a person can change anything.
    #[must_use]
    pub fn look_again(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Paused(Some(until)) => Some(until),
            Self::Pending | Self::Paused(None) => Some(held_until(now)),
            Self::NotSubmitted | Self::Rejected | Self::Disabled | Self::Deleted => None,
        }
    }
}

/// Why Meta could not be asked about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetaTrouble {
    /// It did not answer.
    Unreached,
    /// It asks for patience.
    Busy,
    /// It does not take our token.
    Token,
    /// The token may not manage this account.
    Permission,
    /// It knows no such account.
    Account,
    /// It refused otherwise, or its answer was not understood.
    Refused,
}

impl MetaTrouble {
    /// Its word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreached => "unreached",
            Self::Busy => "busy",
            Self::Token => "token",
            Self::Permission => "permission",
            Self::Account => "account",
            Self::Refused => "refused",
        }
    }
}

/// Something learned about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountFact {
    /// It was looked at whole: its list, and its subscription.
    Listed,
    /// Whether our app receives its events.
    Subscribed(bool),
    /// It could not be asked.
    Trouble(MetaTrouble),
}

/// What is known of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountState {
    /// When it was looked at last, its list to the end.
    pub listed_at: Option<DateTime<Utc>>,
    /// Whether our app receives its events; without that no answer and no receipt arrives.
    pub subscribed: Option<Dated<bool>>,
    /// The last trouble.
    pub trouble: Option<Dated<MetaTrouble>>,
}

impl AccountState {
    /// Takes a fact in, in any order.
    pub fn learn(&mut self, at: DateTime<Utc>, fact: AccountFact) {
        match fact {
            AccountFact::Listed => self.listed_at = self.listed_at.max(Some(at)),
            AccountFact::Subscribed(is) => keep(&mut self.subscribed, at, is),
            AccountFact::Trouble(is) => keep(&mut self.trouble, at, is),
        }
    }

    /// The trouble that stands: none that is over.
    #[must_use]
    pub fn standing_trouble(&self) -> Option<&Dated<MetaTrouble>> {
        self.trouble.as_ref().filter(|trouble| self.listed_at.is_none_or(|listed| listed < trouble.at))
    }
}
