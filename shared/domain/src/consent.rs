//! Consent: what a person said, when, and what may therefore be sent.
//!
//! Unknown is no. A statement covers marketing, care, or both, and each purpose is judged by the
//! statements that cover it: the latest dated one wins as a whole, a tie is an opt-out, and an import
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

use crate::channel::{Channel, ChannelSet, Purpose, PurposeSet};

/// What a person said about being contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// Agrees to these channels, and to those only, for the purposes of the statement.
    OptIn(ChannelSet),
    /// Wants no more messages of the statement's purposes.
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
    /// What it is about: marketing, care, or both. It says nothing about the others.
    pub purposes: PurposeSet,
}

impl Statement {
    /// About everything that is sent.
    #[must_use]
    pub fn of_all(on: NaiveDate, wish: Wish, source: Source) -> Self {
        Self { on, wish, source, purposes: PurposeSet::ALL }
    }
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
    /// [`NoConsent`] says why not. Only statements that cover the purpose count.
    pub fn prove(&self, channel: Channel, purpose: Purpose, today: NaiveDate) -> Result<ConsentProof, NoConsent> {
        let (given_on, channels) = self.agreed(purpose, today)?;
        if channels.contains(channel) {
            Ok(ConsentProof { channel, purpose, given_on })
        } else {
            Err(NoConsent::ChannelNotAgreed(given_on))
        }
    }

    /// The channels agreed to for this purpose on this day, and since when.
    ///
    /// # Errors
    /// [`NoConsent`] when nothing is agreed at all.
    pub fn agreed(&self, purpose: Purpose, today: NaiveDate) -> Result<(NaiveDate, ChannelSet), NoConsent> {
        let bound = self.recorded_opt_out(purpose, today);
        let mut standing: Option<(NaiveDate, Wish)> = None;
        let mut begins: Option<NaiveDate> = None;
        for statement in self.about(purpose) {
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

    /// The channels agreed to for this purpose on this day; none when nothing is.
    #[must_use]
    pub fn channels(&self, purpose: Purpose, today: NaiveDate) -> ChannelSet {
        self.agreed(purpose, today).map_or(ChannelSet::NONE, |(_, channels)| channels)
    }

    /// Whether the person's last word about this purpose is an opt-out.
    #[must_use]
    pub fn is_opted_out(&self, purpose: Purpose, today: NaiveDate) -> bool {
        matches!(self.agreed(purpose, today), Err(NoConsent::OptedOut(_)))
    }

    /// The purposes about which the person's last word is an opt-out.
    #[must_use]
    pub fn opted_out(&self, today: NaiveDate) -> PurposeSet {
        Purpose::ALL.into_iter().filter(|purpose| self.is_opted_out(*purpose, today)).collect()
    }

    /// The day of the last opt-out, if the person opted out of all of these purposes.
    #[must_use]
    pub fn opted_out_of_all(&self, purposes: PurposeSet, today: NaiveDate) -> Option<NaiveDate> {
        let day = |purpose| match self.agreed(purpose, today) {
            Err(NoConsent::OptedOut(on)) => Some(on),
            Ok(_)
            | Err(
                NoConsent::Unknown | NoConsent::NotYet(_) | NoConsent::ChannelNotAgreed(_) | NoConsent::CameOfAge(_),
            ) => None,
        };
        let days: Option<Vec<NaiveDate>> = purposes.iter().map(day).collect();
        days?.into_iter().max()
    }

    /// What a person means who only says that they want messages again: whatever they stopped as a
    /// whole. Reminders that were stopped by themselves stay stopped while there is marketing to lift;
    /// with nothing else to lift they are what is meant.
    #[must_use]
    pub fn meant_by_agreeing(&self, today: NaiveDate) -> PurposeSet {
        let out = self.opted_out(today);
        let last = self.about(Purpose::Care).filter(|s| s.wish == Wish::OptOut).max_by_key(|s| s.on);
        let alone = last.is_some_and(|statement| statement.purposes == PurposeSet::CARE);
        if out == PurposeSet::ALL && alone { PurposeSet::MARKETING } else { PurposeSet::ALL }
    }

    /// The next day after `today` on which a statement already made takes effect.
    #[must_use]
    pub fn next_change(&self, today: NaiveDate) -> Option<NaiveDate> {
        self.statements.iter().map(|statement| statement.on).filter(|on| *on > today).min()
    }

    /// The statements that cover a purpose, oldest first.
    fn about(&self, purpose: Purpose) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(move |statement| statement.purposes.contains(purpose))
    }

    /// The day of an opt-out recorded by us that nothing recorded by us has lifted since.
    fn recorded_opt_out(&self, purpose: Purpose, today: NaiveDate) -> Option<NaiveDate> {
        let ours = self.about(purpose).filter(|s| s.source == Source::Recorded);
        let last = ours
            .filter(|s| s.wish == Wish::OptOut || s.on <= today)
            .fold(None, |standing, statement| Some(stronger(standing, statement)));
        match last {
            Some((on, Wish::OptOut)) => Some(on),
            Some((_, Wish::OptIn(_))) | None => None,
        }
    }
}

/// The later of two statements; at a tie an opt-out, else what both agree to. Notifications are agreed
/// to in the very browser that shows them, and it is forgotten when they are taken back: so one word for
/// them is enough, and who takes them back and changes their mind need not wait for tomorrow.
fn stronger(standing: Option<(NaiveDate, Wish)>, statement: &Statement) -> (NaiveDate, Wish) {
    match standing {
        Some((on, wish)) if on > statement.on => (on, wish),
        Some((on, wish)) if on == statement.on => (on, narrower(wish, statement.wish)),
        Some(_) | None => (statement.on, statement.wish),
    }
}

fn narrower(a: Wish, b: Wish) -> Wish {
    match (a, b) {
        (Wish::OptIn(a), Wish::OptIn(b)) => {
            let push = [a, b].into_iter().any(|said| said.contains(Channel::Push));
            let both = a.and(b);
            Wish::OptIn(if push { both.with(Channel::Push) } else { both })
        }
        (Wish::OptOut, _) | (_, Wish::OptOut) => Wish::OptOut,
    }
}

#[cfg(test)]
mod tests;
