//! A phone that staff noted for a patient, because the person wrote from it and the clinic's system
//! has another one, or none.
//!
//! The clinic's system stays the master: what was noted stands in the place of what the export said
//! at that time, and stands for as long as the export brings no other number. Another usable number
//! in a later export wins; the same one again, or an empty cell, does not. Which of them holds
//! follows from what was noted and from what the export says, not from the order in which its rows
//! came.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use crate::contact::{PersonName, Phone, UnusablePhone};
use crate::guardian::Through;
use crate::patient::Patient;

/// What an export says of a phone.
pub type ToldPhone = Result<Phone, UnusablePhone>;

/// A phone noted by staff.
#[derive(Clone, PartialEq, Eq)]
pub struct NotedPhone {
    /// The phone.
    pub phone: Phone,
    /// When it was noted.
    pub at: DateTime<Utc>,
    /// The guardian whose it is; nobody where it is the patient's own.
    pub guardian: Option<PersonName>,
    /// What the export said then.
    pub in_place_of: ToldPhone,
    /// What the export said last.
    pub told: ToldPhone,
}

impl fmt::Debug for NotedPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotedPhone").field("at", &self.at).finish_non_exhaustive()
    }
}

impl NotedPhone {
    /// Whether it holds against what the export said last.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.told.is_err() || self.told == self.in_place_of
    }
}

/// A minor without a guardian on record: there is nobody whose phone it could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the patient is a minor and the record has no guardian with a name")]
pub struct NoGuardian;

impl Patient {
    /// Notes a phone: the patient's own, or of a minor the guardian's. One that was noted before goes.
    ///
    /// # Errors
    /// [`NoGuardian`].
    pub fn note_phone(&mut self, phone: Phone, at: DateTime<Utc>, today: NaiveDate) -> Result<(), NoGuardian> {
        let guardian = match self.through(today) {
            Through::Own(_) => None,
            Through::Guardian(guardian) => guardian.name.clone(),
            Through::Nobody(_) => return Err(NoGuardian),
        };
        self.show_told();
        self.noted = None;
        let told = match guardian {
            None => self.profile.phone.clone(),
            Some(_) => self.guardian().map_or(Err(UnusablePhone::Missing), |guardian| guardian.phone.clone()),
        };
        let noted = NotedPhone { phone, at, guardian, in_place_of: told.clone(), told };
        self.noted = Some(Box::new(noted));
        self.show_noted();
        Ok(())
    }

    /// Takes back what was noted: what the export says holds again. Says whether there was anything.
    pub fn forget_noted(&mut self) -> bool {
        self.show_told();
        self.noted.take().is_some()
    }

    /// Whether a phone that staff noted holds.
    #[must_use]
    pub fn noted_holds(&self) -> bool {
        self.noted.as_ref().is_some_and(|noted| noted.holds() && self.is_of(noted))
    }

    /// Puts what the export said last in its place, as reports are compared with it.
    pub(crate) fn show_told(&mut self) {
        if !self.noted_holds() {
            return;
        }
        if let Some(noted) = self.noted.take() {
            if let Some(place) = self.place_of(&noted) {
                *place = noted.told.clone();
            }
            self.noted = Some(noted);
        }
    }

    /// Puts the phone noted in its place again, where it holds.
    pub(crate) fn show_noted(&mut self) {
        let Some(mut noted) = self.noted.take() else { return };
        if self.is_of(&noted)
            && let Some(place) = self.place_of(&noted)
        {
            noted.told = place.clone();
            if noted.holds() {
                *place = Ok(noted.phone.clone());
            }
        }
        self.noted = Some(noted);
    }

    /// Whether a phone noted is of somebody still on record: a guardian may be another one by now.
    fn is_of(&self, noted: &NotedPhone) -> bool {
        noted.guardian.is_none() || self.guardian().is_some_and(|guardian| guardian.name == noted.guardian)
    }

    fn place_of(&mut self, noted: &NotedPhone) -> Option<&mut ToldPhone> {
        match noted.guardian {
            None => Some(&mut self.profile.phone),
            Some(_) => {
                self.guardianship.guardian.as_mut().and_then(|told| told.what.as_mut()).map(|found| &mut found.phone)
            }
        }
    }
}
