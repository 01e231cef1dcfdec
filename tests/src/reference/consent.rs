//! Consent as the export states it: dated statements, of which the latest wins as a whole.

use chrono::NaiveDate;

use super::message::Channel;

/// One cell of `consentimiento`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The day it was given, local to the clinic.
    pub day: NaiveDate,
    /// What was said.
    pub said: Said,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Contact me on these channels.
    Yes(Vec<Channel>),
    /// Do not contact me.
    No,
}

/// What stands on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing valid was ever said: no contact.
    Unknown,
    /// These channels are agreed to.
    Agreed(Vec<Channel>),
    /// The person does not want to be contacted.
    OptedOut,
}

/// A cell that is no statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

/// A cell read: nothing when empty.
///
/// # Errors
/// When the cell says something that is neither `opt-in DATE [channels]` nor `opt-out DATE`.
pub fn read_cell(cell: &str) -> Result<Option<Statement>, Unreadable> {
    let mut words = cell.split_whitespace();
    let Some(word) = words.next() else {
        return Ok(None);
    };
    let day = words.next().and_then(|d| d.parse().ok()).ok_or(Unreadable)?;
    let rest = words.collect::<Vec<_>>().join("");
    let said = match word {
        "opt-out" => Said::No,
        "opt-in" if rest.is_empty() => Said::Yes(Channel::ALL.to_vec()),
        "opt-in" => Said::Yes(rest.split(',').filter_map(Channel::named).collect()),
        _ => return Err(Unreadable),
    };
    Ok(Some(Statement { day, said }))
}

/// What stands on `today`. The latest dated statement wins as a whole and at a tie the opt-out; an
/// opt-in dated after today is not yet valid, an opt-out counts whatever its date. Two opt-ins of
/// one day: only what both agree to.
#[must_use]
pub fn on(statements: &[Statement], today: NaiveDate) -> Standing {
    let valid = |s: &&Statement| s.said == Said::No || s.day <= today;
    let Some(latest) = statements.iter().filter(valid).map(|s| s.day).max() else {
        return Standing::Unknown;
    };
    let mut agreed = Channel::ALL.to_vec();
    for statement in statements.iter().filter(valid).filter(|s| s.day == latest) {
        match &statement.said {
            Said::No => return Standing::OptedOut,
            Said::Yes(channels) => agreed.retain(|c| channels.contains(c)),
        }
    }
    Standing::Agreed(agreed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "fixed cells")]
    use super::*;

    fn standing(cells: &[&str], today: &str) -> Standing {
        let said: Vec<_> = cells.iter().filter_map(|c| read_cell(c).unwrap()).collect();
        on(&said, today.parse().unwrap())
    }

    #[test]
    fn the_latest_statement_wins_as_a_whole_and_empty_never_revokes() {
        let today = "2026-03-01";
        assert_eq!(standing(&[""], today), Standing::Unknown);
        let all = Standing::Agreed(Channel::ALL.to_vec());
        assert_eq!(standing(&["opt-in 2026-01-01", ""], today), all);
        assert_eq!(
            standing(&["opt-in 2026-01-01", "opt-in 2026-02-01 email"], today),
            Standing::Agreed(vec![Channel::Email])
        );
        assert_eq!(standing(&["opt-in 2026-02-01", "opt-out 2026-01-01"], today), all);
        assert_eq!(standing(&["opt-out 2026-02-01", "opt-in 2026-01-01"], today), Standing::OptedOut);
        assert_eq!(standing(&["opt-out 2026-02-01", "opt-in 2026-02-01"], today), Standing::OptedOut);
    }

    #[test]
    fn tomorrows_opt_in_is_not_yet_valid_and_hides_nothing() {
        assert_eq!(standing(&["opt-in 2026-03-02"], "2026-03-01"), Standing::Unknown);
        assert_eq!(
            standing(&["opt-in 2026-03-02", "opt-in 2026-01-01 whatsapp,call"], "2026-03-01"),
            Standing::Agreed(vec![Channel::Whatsapp, Channel::Call])
        );
        assert_ne!(standing(&["opt-in 2026-03-01"], "2026-03-01"), Standing::Unknown);
    }

    #[test]
    fn other_words_are_an_error() {
        assert!(read_cell("si").is_err());
        assert!(read_cell("opt-in ayer").is_err());
    }
}
