//! A patient: who, how to be reached, what was agreed, and what happened so far.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::appointment::Appointment;
use crate::channel::{Channel, Purpose};
use crate::consent::{Consent, Statement, Wish};
use crate::contact::{EmailAddress, PersonName, Phone, UnusableEmail, UnusablePhone};
use crate::guardian::Guardianship;
use crate::ids::{AppointmentId, EnrollmentId, PatientId};
use crate::limits::WhatsappLedger;
use crate::noted::NotedPhone;
use crate::subscription::{Subscription, Subscriptions};

/// The most appointments kept of one patient; beyond it the oldest are dropped, and said so.
pub const APPOINTMENTS_MAX: usize = 1_000;

/// Who a patient is and how to reach them, as one row of an export says.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name.
    pub name: PersonName,
    /// The phone, or why it is of no use.
    pub phone: Result<Phone, UnusablePhone>,
    /// The e-mail address, or why it is of no use.
    pub email: Result<EmailAddress, UnusableEmail>,
    /// The patient's zone: contact hours and limits are counted in it.
    pub zone: Tz,
    /// The insurer.
    pub insurer: Option<Arc<str>>,
    /// As of when the clinic's system says so, and in which appointment's row.
    pub as_of: (DateTime<Utc>, AppointmentId),
}

impl Profile {
    /// Whether this profile replaces another of the same person: the newer does; of two that are as
    /// new but differ, the one with a usable contact, else one of them by its content, so that the
    /// order in which rows arrive cannot matter.
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        (&self.as_of, self.content()) > (&other.as_of, other.content())
    }

    fn content(&self) -> impl Ord + '_ {
        let phone = (self.phone.as_ref().ok(), self.phone.as_ref().err().map(|why| why.code()));
        let email = (self.email.as_ref().ok(), self.email.as_ref().err().map(|why| why.code()));
        (phone, email, &self.name, self.zone.name(), &self.insurer)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("zone", &self.zone).field("as_of", &self.as_of).finish_non_exhaustive()
    }
}

/// What has been sent to a person so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendingHistory {
    /// Marketing WhatsApp messages.
    pub whatsapp: WhatsappLedger,
    /// The last message on any channel.
    pub last_at: Option<DateTime<Utc>>,
    /// How many were sent on the local day of the last one.
    pub last_day_count: u8,
}

/// A patient of a clinic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// The clinic's number for the patient.
    pub id: PatientId,
    /// Who and how to reach.
    pub profile: Profile,
    /// When the person comes of age, and who answers for them until then.
    pub guardianship: Guardianship,
    /// What the person agreed to; what a minor agreed to is their guardian's word.
    pub consent: Consent,
    /// Appointments by their number, each the best report we have of it.
    pub appointments: Vec<Appointment>,
    /// Staff has the conversation until somebody releases it.
    pub paused: bool,
    /// What has been sent.
    pub history: SendingHistory,
    /// The sequence the patient is in.
    pub sequence: Option<EnrollmentId>,
    /// The browsers that show notifications to the patient, or to a minor's guardian.
    pub subscriptions: Subscriptions,
    /// A phone that staff noted; where it stands it is in the profile, or with the guardian.
    pub noted: Option<Box<NotedPhone>>,
}

/// One row of an export, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Who and how to reach.
    pub profile: Profile,
    /// What the row says of the person's age and guardian.
    pub guardianship: Guardianship,
    /// The appointment.
    pub appointment: Appointment,
    /// What was said about being contacted; nothing when the cell is empty.
    pub consent: Option<Statement>,
}

/// What a report changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// An appointment is new or differs.
    pub appointments: bool,
    /// The profile is a newer one, or what is known of age and guardian.
    pub profile: bool,
    /// A statement of consent is new.
    pub consent: bool,
}

impl Changes {
    /// Whether anything changed.
    #[must_use]
    pub fn any(self) -> bool {
        self.appointments || self.profile || self.consent
    }
}

impl Patient {
    /// A patient known from one report.
    #[must_use]
    pub fn new(id: PatientId, report: Report) -> Self {
        let consent = Consent::from_statements(report.consent.into_iter().collect());
        Self {
            id,
            profile: report.profile,
            consent: consent.of_somebody_of_age(report.guardianship.of_age.as_ref().map(|told| told.what)),
            guardianship: report.guardianship,
            appointments: vec![report.appointment],
            paused: false,
            history: SendingHistory::default(),
            sequence: None,
            subscriptions: Subscriptions::default(),
            noted: None,
        }
    }

    /// Takes in one report. Reports may come in any order and any number of times: what stands
    /// afterwards depends only on which reports there were.
    pub fn absorb(&mut self, report: Report) -> Changes {
        self.show_told();
        let changes = self.absorb_told(report);
        self.show_noted();
        changes
    }

    fn absorb_told(&mut self, report: Report) -> Changes {
        let mut changes = Changes::default();
        if let Some(statement) = report.consent {
            changes.consent = self.consent.record(statement);
        }
        if report.profile.supersedes(&self.profile) {
            changes.profile = true;
            self.profile = report.profile;
        }
        let reached = self.guardian().cloned();
        if self.guardianship.absorb(report.guardianship) {
            changes.profile = true;
            if !reached.as_ref().is_some_and(|before| self.guardian().is_some_and(|now| now.is_reached_as(before))) {
                self.subscriptions.forget_guardians();
            }
            self.consent = std::mem::take(&mut self.consent).of_somebody_of_age(self.of_age_on());
        }
        changes.appointments = self.absorb_visit(report.appointment);
        changes
    }

    fn absorb_visit(&mut self, mut visit: Appointment) -> bool {
        let ours = self.take_ours(&visit);
        let is_entered = ours.is_some();
        // The clinic's system has given a visit booked through us a number of its own.
        if let Some(ours) = ours {
            visit = visit.with_what_we_know(&ours);
        }
        match self.appointments.binary_search_by(|known| known.id.cmp(&visit.id)) {
            Err(at) => {
                self.appointments.insert(at, visit);
                true
            }
            Ok(at) => match self.appointments.get_mut(at) {
                Some(known) if visit.supersedes(known) => {
                    visit.keep_our_lead(known);
                    *known = visit;
                    true
                }
                Some(known) => known.keep_our_lead(&visit) || is_entered,
                None => is_entered,
            },
        }
    }

    /// Takes out what was booked through us and is this visit. Several at one instant were given up
    /// and taken again: the last of them is what we know.
    fn take_ours(&mut self, visit: &Appointment) -> Option<Appointment> {
        let is_known = self.visit(&visit.id).is_some();
        let is_ours = |known: &Appointment| visit.is_number_for(known, is_known);
        let last = self.appointments.iter().filter(|known| is_ours(known)).max_by_key(|ours| ours.as_of).cloned()?;
        self.appointments.retain(|known| !is_ours(known));
        Some(last)
    }

    /// Forgets the browsers where what was said a moment ago, and is recorded, took notifications back: it
    /// leaves them out, or nothing is agreed for which they could be shown.
    pub fn forget_browsers_taken_back(&mut self, said: &[Statement], today: NaiveDate) {
        let is_agreed = |purpose| self.consent.channels(purpose, today).contains(Channel::Push);
        // Of one day's words the one for notifications counts: the browser is what is left to forget.
        let is_not_heard = |statement: &Statement| match statement.wish {
            Wish::OptIn(channels) => !channels.contains(Channel::Push) && statement.purposes.iter().any(is_agreed),
            Wish::OptOut => false,
        };
        if said.iter().any(is_not_heard) || !Purpose::ALL.into_iter().any(is_agreed) {
            self.subscriptions.clear();
        }
    }

    /// The visit of that number.
    #[must_use]
    pub fn visit(&self, id: &AppointmentId) -> Option<&Appointment> {
        self.appointments.binary_search_by(|known| known.id.cmp(id)).ok().and_then(|at| self.appointments.get(at))
    }

    /// Adds or replaces a visit.
    pub fn put_visit(&mut self, visit: Appointment) {
        match self.appointments.binary_search_by(|known| known.id.cmp(&visit.id)) {
            Ok(at) => {
                if let Some(known) = self.appointments.get_mut(at) {
                    *known = visit;
                }
            }
            Err(at) => self.appointments.insert(at, visit),
        }
    }

    /// Drops the oldest appointments beyond [`APPOINTMENTS_MAX`]; says how many.
    pub fn trim(&mut self) -> usize {
        let surplus = self.appointments.len().saturating_sub(APPOINTMENTS_MAX);
        if surplus > 0 {
            self.appointments.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| b.id.cmp(&a.id)));
            self.appointments.truncate(APPOINTMENTS_MAX);
            self.appointments.sort_by(|a, b| a.id.cmp(&b.id));
        }
        surplus
    }

    /// The address for a channel on a day of the clinic's, when there is one that can be used: a
    /// minor's is the guardian's.
    #[must_use]
    pub fn address(&self, channel: Channel, today: NaiveDate) -> Option<Address<'_>> {
        let through = self.through(today);
        match channel {
            Channel::Email => through.email().map(Address::Email),
            Channel::Whatsapp | Channel::Sms => {
                through.phone().filter(|phone| phone.can_whatsapp()).map(Address::Phone)
            }
            Channel::Call => through.phone().map(Address::Phone),
            Channel::Push => self.subscriptions.newest_of(through.holder()?).map(Address::Browser),
        }
    }
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// A phone.
    Phone(&'a Phone),
    /// An e-mail address.
    Email(&'a EmailAddress),
    /// A browser.
    Browser(&'a Subscription),
}

impl Address<'_> {
    /// The address as the provider wants it: E.164 with its plus, the e-mail address, or the address that
    /// a browser has at its push service.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.e164.as_str(),
            Self::Email(email) => email.as_str(),
            Self::Browser(browser) => browser.endpoint(),
        }
    }

    /// The address as staff may read it: of a browser no more than its push service.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Phone(_) | Self::Email(_) => self.as_str(),
            Self::Browser(browser) => browser.service(),
        }
    }
}
