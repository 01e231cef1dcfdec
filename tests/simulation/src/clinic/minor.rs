//! Minors: whom they are reached through, until they come of age.

use chrono::{Datelike, Days, NaiveDate};

use super::{Clinic, Person};
use crate::chance::Chance;

/// What the clinic knows of who answers for a minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guardian {
    /// A name and the contacts of the record.
    Known,
    /// Contacts without a name: nobody can be greeted.
    Nameless,
    /// Nobody.
    Missing,
}

/// A person who was a minor when the run began. Phone and e-mail of the person are the guardian's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Minor {
    /// The date of birth.
    pub(super) born: NaiveDate,
    /// The first day on which the person is of age.
    of_age: NaiveDate,
    pub(super) guardian: Guardian,
    /// The phone of their own.
    pub(super) own_phone: Option<String>,
    /// The e-mail address of their own.
    pub(super) own_email: Option<String>,
    /// Whether that day comes within the run.
    comes_of_age: bool,
}

const NOBODY: &Option<String> = &None;

impl Person {
    /// Phone and e-mail by which the person is reached on a day.
    #[must_use]
    pub fn reached(&self, day: NaiveDate) -> (&Option<String>, &Option<String>) {
        match &self.minor {
            Some(minor) if day >= minor.of_age => (&minor.own_phone, &minor.own_email),
            Some(minor) if minor.guardian != Guardian::Known => (NOBODY, NOBODY),
            Some(_) | None => (&self.phone, &self.email),
        }
    }

    /// Every phone by which the person may be reached some day.
    pub fn phones(&self) -> impl Iterator<Item = &String> {
        self.phone.iter().chain(self.minor.iter().filter_map(|minor| minor.own_phone.as_ref()))
    }

    /// Every e-mail address by which the person may be reached some day.
    pub fn emails(&self) -> impl Iterator<Item = &String> {
        self.email.iter().chain(self.minor.iter().filter_map(|minor| minor.own_email.as_ref()))
    }

    /// Whether the person is reached by the same contacts all the while.
    #[must_use]
    pub fn is_reached_alike(&self) -> bool {
        self.minor.as_ref().is_none_or(|minor| minor.guardian == Guardian::Known && !minor.comes_of_age)
    }

    /// Whether the person is a minor on a day.
    #[must_use]
    pub fn is_minor(&self, day: NaiveDate) -> bool {
        self.minor.as_ref().is_some_and(|minor| day < minor.of_age)
    }

    /// Whether what was agreed to on a day was the guardian's word, and counts no more on another.
    #[must_use]
    pub fn has_outgrown(&self, agreed_on: NaiveDate, today: NaiveDate) -> bool {
        self.minor.as_ref().is_some_and(|minor| agreed_on < minor.of_age && minor.of_age <= today)
    }
}

impl Clinic {
    /// Makes a minor of some: most for years to come, some until a birthday within the run.
    pub(super) fn perhaps_a_minor(&self, n: usize, chance: &mut Chance) -> Option<Minor> {
        if !chance.per_mille(180) {
            return None;
        }
        let comes_of_age = chance.per_mille(400);
        let days = u64::try_from(chance.between(1, 9)).unwrap_or(1);
        let day = self.begins.checked_add_days(Days::new(days))?;
        // Nobody here is born on a 29 February: the tests of the calendar know about those.
        let years = if comes_of_age { 18 } else { 8 };
        let born = NaiveDate::from_ymd_opt(day.year() - years, day.month(), day.day().min(28))?;
        Some(Minor {
            born,
            of_age: born.with_year(born.year() + 18)?,
            guardian: chance.pick(
                &[Guardian::Known, Guardian::Known, Guardian::Known, Guardian::Nameless, Guardian::Missing],
                Guardian::Known,
            ),
            own_phone: chance.per_mille(800).then(|| self.phone(600 + n)),
            own_email: chance.per_mille(500).then(|| format!("zorzal{}@correo.example", 600 + n)),
            comes_of_age,
        })
    }
}
