//! Consent: what a person said, when, and what may therefore be sent.
//!
//! Unknown is no. The latest dated statement wins as a whole, a tie is an opt-out, and an import
//! never lifts an opt-out that we recorded ourselves. A proof of consent has no public
//! constructor, cannot be copied, and cannot be stored: it is proved again at each sending.
//!
//! ```compile_fail
//! // A proof cannot be made by hand …
//! let proof = retorno_domain::consent::ConsentProof { channel: todo!(), purpose: todo!(), given_on: todo!() };
//! ```
//! ```compile_fail
//! // … nor copied.
//! fn twice(proof: retorno_domain::consent::ConsentProof) -> [retorno_domain::consent::ConsentProof; 2] {
//!     [proof.clone(), proof]
//! }
//! ```

use std::fmt;

use chrono::NaiveDate;

use crate::channel::{Channel, ChannelSet, Purpose};

/// What a person said about being contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// Agrees to these channels, and to those only, for marketing and care.
    OptIn(ChannelSet),
    /// Wants no more messages.
    OptOut,
}

/// Where a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The clinic's export says so.
    Import,
    /// Said to us by the person, and recorded by us.
    Recorded,
}

/// One dated statement. Dates are local calendar dates in the clinic's zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// The day it was said.
    pub on: NaiveDate,
    /// What was said.
    pub wish: Wish,
    /// Who recorded it.
    pub source: Source,
}

/// Everything a person has said, in the order of its dates. Statements are only ever added.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Consent {
    statements: Vec<Statement>,
    /// The day on which the person comes of age: what was agreed to before was the guardian's word.
    of_age_on: Option<NaiveDate>,
}

impl fmt::Debug for Consent {
    /// Without the day of coming of age: it is a date of birth.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent").field("statements", &self.statements).finish_non_exhaustive()
    }
}

/// Why there is no consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoConsent {
    /// The person has said nothing.
    Unknown,
    /// The only agreement begins on a later day.
    NotYet(NaiveDate),
    /// The person opted out on that day.
    OptedOut(NaiveDate),
    /// The person agreed to other channels only, on that day.
    ChannelNotAgreed(NaiveDate),
    /// What was agreed to was the guardian's word; it ended when the person came of age, on that day.
    CameOfAge(NaiveDate),
}

impl NoConsent {
    /// The reason's word in reports.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "consent_unknown",
            Self::NotYet(_) => "consent_not_yet",
            Self::OptedOut(_) => "opted_out",
            Self::ChannelNotAgreed(_) => "channel_not_agreed",
            Self::CameOfAge(_) => "consent_ended_of_age",
        }
    }
}

/// That this person agreed to be written to on this channel for this purpose, as of the instant it
/// was proved. Neither `Clone` nor serialisable: proved again at each sending.
#[derive(Debug)]
pub struct ConsentProof {
    channel: Channel,
    purpose: Purpose,
    given_on: NaiveDate,
}

impl ConsentProof {
    /// The channel agreed to.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// The purpose agreed to.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The day of the statement that gives it.
    #[must_use]
    pub fn given_on(&self) -> NaiveDate {
        self.given_on
    }
}

impl Consent {
    /// Builds the record from stored statements.
    #[must_use]
    pub fn from_statements(statements: Vec<Statement>) -> Self {
        let mut consent = Self { statements, of_age_on: None };
        consent.statements.sort_unstable();
        consent.statements.dedup();
        consent
    }

    /// The record of somebody who comes of age that day, where that is known. An agreement of an earlier
    /// day is the guardian's and ends on it; an opt-out stays.
    #[must_use]
    pub fn of_somebody_of_age(self, on: Option<NaiveDate>) -> Self {
        Self { of_age_on: on, ..self }
    }

    /// The statements, oldest first.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Adds a statement; says whether it was new.
    pub fn record(&mut self, statement: Statement) -> bool {
        match self.statements.binary_search(&statement) {
            Ok(_) => false,
            Err(at) => {
                self.statements.insert(at, statement);
                true
            }
        }
    }

    /// Proves that the person may be written to on this channel for this purpose on this day.
    ///
    /// # Errors
    /// [`NoConsent`] says why not. Agreement covers marketing and care alike; so does an opt-out.
    pub fn prove(&self, channel: Channel, purpose: Purpose, today: NaiveDate) -> Result<ConsentProof, NoConsent> {
        let (given_on, channels) = self.agreed(today)?;
        if channels.contains(channel) {
            Ok(ConsentProof { channel, purpose, given_on })
        } else {
            Err(NoConsent::ChannelNotAgreed(given_on))
        }
    }

    /// The channels agreed to on this day, and since when.
    ///
    /// # Errors
    /// [`NoConsent`] when nothing is agreed at all.
    pub fn agreed(&self, today: NaiveDate) -> Result<(NaiveDate, ChannelSet), NoConsent> {
        let bound = self.recorded_opt_out(today);
        let mut standing: Option<(NaiveDate, Wish)> = None;
        let mut begins: Option<NaiveDate> = None;
        for statement in &self.statements {
            match statement.wish {
                Wish::OptIn(_) if statement.on > today => begins = begins.or(Some(statement.on)),
                Wish::OptIn(_) | Wish::OptOut => standing = Some(stronger(standing, statement)),
            }
        }
        if let Some(on) = bound {
            return Err(NoConsent::OptedOut(on));
        }
        match (standing, begins) {
            (Some((on, Wish::OptIn(channels))), _) => match self.of_age_on.filter(|day| on < *day && *day <= today) {
                Some(day) => Err(NoConsent::CameOfAge(day)),
                None => Ok((on, channels)),
            },
            (Some((on, Wish::OptOut)), _) => Err(NoConsent::OptedOut(on)),
            (None, Some(on)) => Err(NoConsent::NotYet(on)),
            (None, None) => Err(NoConsent::Unknown),
        }
    }

    /// Whether the person's last word is an opt-out.
    #[must_use]
    pub fn is_opted_out(&self, today: NaiveDate) -> bool {
        matches!(self.agreed(today), Err(NoConsent::OptedOut(_)))
    }

    /// The next day after `today` on which a statement already made takes effect.
    #[must_use]
    pub fn next_change(&self, today: NaiveDate) -> Option<NaiveDate> {
        self.statements.iter().map(|statement| statement.on).filter(|on| *on > today).min()
    }

    /// The day of an opt-out recorded by us that nothing recorded by us has lifted since.
    fn recorded_opt_out(&self, today: NaiveDate) -> Option<NaiveDate> {
        let ours = self.statements.iter().filter(|s| s.source == Source::Recorded);
        let last = ours
            .filter(|s| s.wish == Wish::OptOut || s.on <= today)
            .fold(None, |standing, statement| Some(stronger(standing, statement)));
        match last {
            Some((on, Wish::OptOut)) => Some(on),
            Some((_, Wish::OptIn(_))) | None => None,
        }
    }
}

/// The later of two statements; at a tie an opt-out, else what both agree to.
fn stronger(standing: Option<(NaiveDate, Wish)>, statement: &Statement) -> (NaiveDate, Wish) {
    match standing {
        Some((on, wish)) if on > statement.on => (on, wish),
        Some((on, wish)) if on == statement.on => (on, narrower(wish, statement.wish)),
        Some(_) | None => (statement.on, statement.wish),
    }
}

fn narrower(a: Wish, b: Wish) -> Wish {
    match (a, b) {
        (Wish::OptIn(a), Wish::OptIn(b)) => Wish::OptIn(a.and(b)),
        (Wish::OptOut, _) | (_, Wish::OptOut) => Wish::OptOut,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn day(n: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, n).unwrap()
    }
    fn import(on: u32, wish: Wish) -> Statement {
        Statement { on: day(on), wish, source: Source::Import }
    }
    fn ours(on: u32, wish: Wish) -> Statement {
        Statement { on: day(on), wish, source: Source::Recorded }
    }
    const ALL: Wish = Wish::OptIn(ChannelSet::ALL);

    #[test]
    fn unknown_is_no() {
        let proof = Consent::default().prove(Channel::Email, Purpose::Marketing, day(1));
        assert_eq!(proof.unwrap_err(), NoConsent::Unknown);
    }

    #[test]
    fn the_latest_statement_wins_and_a_tie_is_an_opt_out() {
        let yes = Consent::from_statements(vec![import(3, ALL), import(2, Wish::OptOut)]);
        assert!(yes.prove(Channel::Call, Purpose::Marketing, day(5)).is_ok());
        let no = Consent::from_statements(vec![import(2, ALL), import(3, Wish::OptOut)]);
        assert_eq!(no.agreed(day(5)), Err(NoConsent::OptedOut(day(3))));
        let tie = Consent::from_statements(vec![import(3, ALL), import(3, Wish::OptOut)]);
        assert_eq!(tie.agreed(day(5)), Err(NoConsent::OptedOut(day(3))));
    }

    #[test]
    fn a_later_narrower_agreement_replaces_a_wider_one() {
        let only: ChannelSet = [Channel::Whatsapp].into_iter().collect();
        let consent = Consent::from_statements(vec![import(1, ALL), import(2, Wish::OptIn(only))]);
        assert!(consent.prove(Channel::Whatsapp, Purpose::Care, day(4)).is_ok());
        assert_eq!(
            consent.prove(Channel::Email, Purpose::Care, day(4)).unwrap_err(),
            NoConsent::ChannelNotAgreed(day(2))
        );
    }

    #[test]
    fn an_agreement_counts_from_its_day_and_an_opt_out_at_once() {
        let later = Consent::from_statements(vec![import(9, ALL)]);
        assert_eq!(later.agreed(day(8)), Err(NoConsent::NotYet(day(9))));
        assert!(later.agreed(day(9)).is_ok());
        assert_eq!(later.next_change(day(8)), Some(day(9)));
        let out = Consent::from_statements(vec![import(1, ALL), import(9, Wish::OptOut)]);
        assert!(out.is_opted_out(day(8)));
    }

    #[test]
    fn an_import_never_lifts_an_opt_out_recorded_by_us() {
        let mut consent = Consent::from_statements(vec![ours(2, Wish::OptOut), import(9, ALL)]);
        assert_eq!(consent.agreed(day(10)), Err(NoConsent::OptedOut(day(2))));
        assert!(consent.record(ours(10, ALL)), "the person's own later word does");
        assert!(consent.agreed(day(10)).is_ok());
        assert!(!consent.record(ours(10, ALL)), "the same statement twice is one");
    }
}
