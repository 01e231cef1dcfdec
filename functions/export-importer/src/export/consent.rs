//! `consentimiento`: what the patient agreed to, and when.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::NaiveDate;

use super::instant::date;
use super::refusal::RefusalReason;

/// A dated statement of consent. An empty cell is none: it neither agrees nor revokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentCell {
    /// `opt-in DATE` and `opt-in DATE whatsapp,email`.
    OptIn {
        /// Local day of the statement.
        date: NaiveDate,
        /// What may be used to write or call.
        channels: ConsentChannels,
    },
    /// `opt-out DATE`. Channels named after the day are ignored: a person who leaves one is taken to
    /// leave all, which errs on the side of silence.
    OptOut {
        /// Local day of the statement.
        date: NaiveDate,
    },
}

impl FromStr for ConsentCell {
    type Err = RefusalReason;

    /// Reads a cell as the export's column is read; an empty one is refused, being no statement.
    fn from_str(cell: &str) -> Result<Self, RefusalReason> {
        consent(cell)?.ok_or(RefusalReason::Empty)
    }
}

/// Channels a consent covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentChannels {
    /// No channel was named, so all are meant that reach an address; of notifications nobody spoke.
    All,
    /// These, at least one.
    Only(BTreeSet<ConsentChannel>),
}

/// One channel, as the export names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentChannel {
    /// `whatsapp`.
    Whatsapp,
    /// `email`.
    Email,
    /// `sms`.
    Sms,
    /// `call`.
    Call,
    /// `push`.
    Push,
}

/// Reads the cell, whatever its case; `None` where it is empty.
pub(super) fn consent(cell: &str) -> Result<Option<ConsentCell>, RefusalReason> {
    let mut words = cell.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty());
    let Some(kind) = words.next() else {
        return if cell.trim().is_empty() { Ok(None) } else { Err(RefusalReason::NotAConsent) };
    };
    let is = |names: [&str; 2]| names.iter().any(|name| kind.eq_ignore_ascii_case(name));
    let opt_out = is(["opt-out", "optout"]);
    if !opt_out && !is(["opt-in", "optin"]) {
        return Err(RefusalReason::NotAConsent);
    }
    let day = words.next().ok_or(RefusalReason::ConsentWithoutDate)?;
    let date = date(day).map_err(|wrong| wrong.unwrap_or(RefusalReason::ConsentDate))?;
    let only = words.map(channel).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(Some(match (opt_out, only.is_empty()) {
        (true, _) => ConsentCell::OptOut { date },
        (false, true) => ConsentCell::OptIn { date, channels: ConsentChannels::All },
        (false, false) => ConsentCell::OptIn { date, channels: ConsentChannels::Only(only) },
    }))
}

fn channel(word: &str) -> Result<ConsentChannel, RefusalReason> {
    match word.to_ascii_lowercase().as_str() {
        "whatsapp" => Ok(ConsentChannel::Whatsapp),
        "email" => Ok(ConsentChannel::Email),
        "sms" => Ok(ConsentChannel::Sms),
        "call" => Ok(ConsentChannel::Call),
        "push" => Ok(ConsentChannel::Push),
        _ => Err(RefusalReason::ConsentChannel),
    }
}
