//! Minors. Until the day on which they come of age they are contacted through the guardian on record
//! only; from that day on in person only, and by an agreement of their own.

use std::cmp::Ordering;
use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use crate::contact::{EmailAddress, PersonName, Phone, UnusableEmail, UnusablePhone};
use crate::holiday::Country;
use crate::ids::AppointmentId;
use crate::patient::{Patient, Profile};
use crate::subscription::Holder;

/// The age at which a person is of age, in years. Emancipation is not looked at.
///
/// Argentina: Código Civil y Comercial, art. 25. Brazil: Código Civil, art. 5. Chile: Código Civil,
/// art. 26. Colombia: Ley 27 de 1977, art. 1. Spain: Constitución, art. 12. Mexico: Código Civil
/// Federal, art. 646. Peru: Código Civil, art. 42. Uruguay: Código Civil, art. 280.
#[must_use]
pub const fn age_of_majority(country: Country) -> i32 {
    match country {
        Country::Ar
        | Country::Br
        | Country::Cl
        | Country::Co
        | Country::Es
        | Country::Mx
        | Country::Pe
        | Country::Uy => 18,
    }
}

/// The first day on which somebody born that day is of age: the birthday, and 1 March for whoever was
/// born on a 29 February, in a year without one. Nothing for a date beyond the calendar.
#[must_use]
pub fn of_age_on(born: NaiveDate, country: Country) -> Option<NaiveDate> {
    let year = born.year().checked_add(age_of_majority(country))?;
    NaiveDate::from_ymd_opt(year, born.month(), born.day()).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
}

/// Who answers for a minor, as the clinic's system has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Guardian {
    /// The name, where there is one: without it nobody can be greeted.
    pub name: Option<PersonName>,
    /// The phone, or why it is of no use.
    pub phone: Result<Phone, UnusablePhone>,
    /// The e-mail address, or why it is of no use.
    pub email: Result<EmailAddress, UnusableEmail>,
}

impl Guardian {
    /// The word to greet with; empty where there is none.
    #[must_use]
    pub fn given(&self) -> &str {
        self.name.as_ref().map_or("", PersonName::given)
    }

    /// Whether this is reached where another is: the same person, as far as an address tells.
    #[must_use]
    pub fn is_reached_as(&self, other: &Self) -> bool {
        let of = |guardian: &Self| (guardian.phone.as_ref().ok().cloned(), guardian.email.as_ref().ok().cloned());
        of(self) == of(other)
    }

    fn content(&self) -> impl Ord + '_ {
        let phone = (self.phone.as_ref().ok(), self.phone.as_ref().err().map(|why| why.code()));
        let email = (self.email.as_ref().ok(), self.email.as_ref().err().map(|why| why.code()));
        (phone, email, &self.name)
    }
}

impl Ord for Guardian {
    /// By the content; one with a usable phone is the greater.
    fn cmp(&self, other: &Self) -> Ordering {
        self.content().cmp(&other.content())
    }
}

impl PartialOrd for Guardian {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Guardian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guardian").finish_non_exhaustive()
    }
}

/// As of when the clinic's system says something, and in which appointment's row.
pub type AsOf = (DateTime<Utc>, AppointmentId);

/// Something the clinic's system says, and as of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<T> {
    /// What it says.
    pub what: T,
    /// As of when.
    pub as_of: AsOf,
}

/// What is known of a person's coming of age and of their guardian. Each is told apart from the
/// profile: an export without these columns says nothing about them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Guardianship {
    /// The first day on which the person is of age. An empty cell takes back no date of birth.
    pub of_age: Option<Told<NaiveDate>>,
    /// The guardian; told as none by a row whose cells for it are empty.
    pub guardian: Option<Told<Option<Box<Guardian>>>>,
}

impl fmt::Debug for Guardianship {
    /// Not even the day of coming of age: it is a date of birth.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guardianship").finish_non_exhaustive()
    }
}

impl Guardianship {
    /// Dates what one row says, as the profile beside it is dated.
    pub fn date(&mut self, at: DateTime<Utc>) {
        if let Some(told) = &mut self.of_age {
            told.as_of.0 = at;
        }
        if let Some(told) = &mut self.guardian {
            told.as_of.0 = at;
        }
    }

    /// Takes in what another row says; says whether anything changed. The newer wins; of two that are
    /// as new but differ, the later coming of age, and a guardian rather than none, so that the order
    /// of rows cannot matter.
    pub fn absorb(&mut self, other: Self) -> bool {
        let (of_age, guardian) =
            (is_later(self.of_age.as_ref(), &other.of_age), is_later(self.guardian.as_ref(), &other.guardian));
        if of_age {
            self.of_age = other.of_age;
        }
        if guardian {
            self.guardian = other.guardian;
        }
        of_age || guardian
    }
}

fn is_later<T: Ord>(known: Option<&Told<T>>, said: &Option<Told<T>>) -> bool {
    match (known, said) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(known), Some(said)) => (&said.as_of, &said.what) > (&known.as_of, &known.what),
    }
}

/// Through whom a patient is contacted.
#[derive(Debug, Clone, Copy)]
pub enum Through<'a> {
    /// In person.
    Own(&'a Profile),
    /// A minor, through the guardian.
    Guardian(&'a Guardian),
    /// A minor of whose guardian the export lacks this: not at all.
    Nobody(Lacks),
}

/// What an export lacks of a minor's guardian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// Everything.
    Guardian,
    /// A name to greet with.
    Name,
}

impl Lacks {
    /// The columns to fill in.
    #[must_use]
    pub fn columns(self) -> &'static str {
        match self {
            Self::Guardian => "tutor_nombre,tutor_contacto",
            Self::Name => "tutor_nombre",
        }
    }
}

impl<'a> Through<'a> {
    /// The phone, where there is one that can be used.
    #[must_use]
    pub fn phone(&self) -> Option<&'a Phone> {
        match self {
            Self::Own(profile) => profile.phone.as_ref().ok(),
            Self::Guardian(guardian) => guardian.phone.as_ref().ok(),
            Self::Nobody(_) => None,
        }
    }

    /// The e-mail address, where there is one that can be used.
    #[must_use]
    pub fn email(&self) -> Option<&'a EmailAddress> {
        match self {
            Self::Own(profile) => profile.email.as_ref().ok(),
            Self::Guardian(guardian) => guardian.email.as_ref().ok(),
            Self::Nobody(_) => None,
        }
    }

    /// Whose browsers it goes to.
    #[must_use]
    pub fn holder(&self) -> Option<Holder> {
        match self {
            Self::Own(_) => Some(Holder::Patient),
            Self::Guardian(_) => Some(Holder::Guardian),
            Self::Nobody(_) => None,
        }
    }

    /// The guardian through whom it goes.
    #[must_use]
    pub fn guardian(&self) -> Option<&'a Guardian> {
        match self {
            Self::Guardian(guardian) => Some(guardian),
            Self::Own(_) | Self::Nobody(_) => None,
        }
    }

    /// Why nothing can be sent when there is no address for a channel.
    #[must_use]
    pub fn no_contact(&self) -> &'static str {
        match self {
            Self::Own(_) => "no_usable_contact",
            Self::Guardian(_) => "guardian_no_contact",
            Self::Nobody(_) => "minor_no_guardian",
        }
    }

    /// What of it the export does not have as it should: a figure for the finding.
    #[must_use]
    pub fn figure(&self) -> (&'static str, &'static str) {
        let state = |phone: &Result<Phone, UnusablePhone>| phone.as_ref().map_or_else(|why| why.code(), |_| "usable");
        match self {
            Self::Own(profile) => ("phone", state(&profile.phone)),
            Self::Guardian(guardian) => ("guardian_phone", state(&guardian.phone)),
            Self::Nobody(lacks) => ("fill", lacks.columns()),
        }
    }
}

impl Patient {
    /// The first day on which the person is of age, where the date of birth is known.
    #[must_use]
    pub fn of_age_on(&self) -> Option<NaiveDate> {
        self.guardianship.of_age.as_ref().map(|told| told.what)
    }

    /// Whether the person is a minor on a day of the clinic's; one whose date of birth nobody knows is
    /// not taken for one.
    #[must_use]
    pub fn is_minor(&self, today: NaiveDate) -> bool {
        self.of_age_on().is_some_and(|day| today < day)
    }

    /// The guardian on record, whatever the person's age.
    #[must_use]
    pub fn guardian(&self) -> Option<&Guardian> {
        self.guardianship.guardian.as_ref().and_then(|told| told.what.as_deref())
    }

    /// Through whom the person is contacted on a day of the clinic's.
    #[must_use]
    pub fn through(&self, today: NaiveDate) -> Through<'_> {
        if !self.is_minor(today) {
            return Through::Own(&self.profile);
        }
        match self.guardian() {
            None => Through::Nobody(Lacks::Guardian),
            Some(guardian) if guardian.given().is_empty() => Through::Nobody(Lacks::Name),
            Some(guardian) => Through::Guardian(guardian),
        }
    }
}
