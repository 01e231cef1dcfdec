//! Whoever stands at the desk: a patient, with everything that a decision looks at.

use chrono::{DateTime, NaiveDate, Utc};
use retorno_domain::appointment::{Appointment, OUR_LEAD};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Statement, Wish};
use retorno_domain::conversation::{Case, OfferedSlot, Preferences, Question, Thread};
use retorno_domain::guardian::Guardian;
use retorno_domain::ids::{AppointmentId, PatientId};
use retorno_domain::patient::Patient;

use crate::Reach;
use crate::error::CloudError;
use crate::store::{Collection, ContactKeys, StoredClinic, StoredEnrollment, TenantStore};

/// A patient at the desk.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The clinic's part of the table.
    pub tenant: TenantStore,
    /// When this was read.
    pub now: DateTime<Utc>,
    /// The clinic.
    pub clinic: StoredClinic,
    /// The patient and everything about them.
    pub collection: Collection,
    /// The contact points.
    pub contacts: ContactKeys,
    /// How the conversation stands; what a message offered since counts as asked.
    pub thread: Thread,
}

impl Visitor {
    pub(super) async fn read(
        reach: &Reach,
        tenant: &TenantStore,
        patient: &PatientId,
    ) -> Result<Option<Self>, CloudError> {
        let now = reach.clock.now();
        let clinic = tenant.settings(now).await?;
        let Some(collection) = tenant.collection(patient).await? else { return Ok(None) };
        let contacts = tenant.contact_keys(&collection.patient.patient, clinic.clinic.date(now));
        let thread = asked_last(&collection);
        Ok(Some(Self { tenant: tenant.clone(), now, clinic, collection, contacts, thread }))
    }

    /// The patient.
    #[must_use]
    pub fn patient(&self) -> &Patient {
        &self.collection.patient.patient
    }

    /// Today, by the clinic's calendar.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.clinic.clinic.date(self.now)
    }

    /// Who is spoken with in the patient's place: a minor's guardian.
    #[must_use]
    pub fn guardian(&self) -> Option<&Guardian> {
        self.patient().through(self.today()).guardian()
    }

    /// What a decision about an answer looks at.
    #[must_use]
    pub fn case(&self) -> Case<'_> {
        Case { patient: self.patient(), thread: &self.thread, now: self.now, today: self.today() }
    }

    /// The channels agreed to for a purpose.
    #[must_use]
    pub fn channels(&self, purpose: Purpose) -> ChannelSet {
        self.patient().consent.channels(purpose, self.today())
    }

    /// The visit of that number, if it is still to come.
    #[must_use]
    pub fn open_visit(&self, id: &AppointmentId) -> Option<&Appointment> {
        self.patient().visit(id).filter(|visit| visit.is_open(self.now))
    }

    /// The channel on which something may be said now: WhatsApp while the window is open, else e-mail
    /// where it was agreed to. What we begin ourselves has a purpose, which must be agreed to on that
    /// channel; what was asked for has none.
    #[must_use]
    pub fn channel(&self, purpose: Option<Purpose>) -> Option<Channel> {
        let agreed = |channel| match purpose {
            Some(purpose) => self.channels(purpose).contains(channel),
            None => Purpose::ALL.into_iter().any(|purpose| self.channels(purpose).contains(channel)),
        };
        if self.window_closes_at(self.now).is_some() && (purpose.is_none() || agreed(Channel::Whatsapp)) {
            return Some(Channel::Whatsapp);
        }
        let has_address = self.patient().address(Channel::Email, self.today()).is_some();
        (has_address && agreed(Channel::Email)).then_some(Channel::Email)
    }

    /// Until when a free text may be written on WhatsApp, if it may be now: to the phone that wrote last,
    /// while it is the one on record.
    #[must_use]
    pub fn window_closes_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wrote = |from: &String| self.contacts.phone.as_ref() == Some(from);
        self.thread.window_closes_at(now).filter(|_| self.thread.heard_from.as_ref().is_none_or(wrote))
    }

    /// What is recorded when the person wants messages again, said on this channel: what was agreed to
    /// before stands, and this channel with it.
    pub(super) fn agreed_again(&self, channel: Channel) -> Vec<Statement> {
        let meant = self.patient().consent.meant_by_agreeing(self.today());
        super::statements(self, Preferences::of(meant, |purpose| self.channels(purpose).with(channel)))
    }

    /// What is recorded when the person chooses channels.
    pub(super) fn preferred(&self, preferences: Preferences) -> Vec<Statement> {
        super::statements(self, preferences)
    }

    /// What is recorded when the person wants no notifications any more: of each purpose the other
    /// channels, if only none.
    pub(super) fn without_push(&self) -> Vec<Statement> {
        let left = |purpose| Some(self.channels(purpose)).filter(|agreed| agreed.contains(Channel::Push));
        let left = |purpose| left(purpose).map(|agreed| Wish::OptIn(agreed.without(Channel::Push)));
        match (left(Purpose::Marketing), left(Purpose::Care)) {
            (Some(marketing), Some(care)) if marketing == care => {
                vec![super::recorded(self, care, PurposeSet::ALL)]
            }
            (marketing, care) => [(marketing, PurposeSet::MARKETING), (care, PurposeSet::CARE)]
                .into_iter()
                .filter_map(|(wish, of)| Some(super::recorded(self, wish?, of)))
                .collect(),
        }
    }

    /// The purposes that these statements agree to. Of one day's words the opt-out counts.
    pub(super) fn agreed_to(&self, said: &[Statement]) -> PurposeSet {
        let mut consent = self.patient().consent.clone();
        for statement in said {
            consent.record(statement.clone());
        }
        let agreements = said.iter().filter(|statement| matches!(statement.wish, Wish::OptIn(to) if !to.is_empty()));
        let agreed = agreements.flat_map(|statement| statement.purposes.iter());
        agreed.filter(|purpose| !consent.is_opted_out(*purpose, self.today())).collect()
    }

    /// Where a booking made now comes from: the sequence the patient is in, or was in last.
    #[must_use]
    pub fn lead_source(&self) -> Option<String> {
        let enrollments = &self.collection.enrollments;
        let present = self.patient().sequence.and_then(|id| enrollments.iter().find(|e| e.enrollment.id == id));
        let last = || {
            let begun = |stored: &&StoredEnrollment| stored.enrollment.first_sent_on;
            enrollments.iter().filter(|stored| begun(stored).is_some()).max_by_key(begun)
        };
        let of = present.or_else(last)?;
        Some(format!("{OUR_LEAD}{}", of.enrollment.segment))
    }
}

/// The conversation, with the last message that offered slots counted as what was asked last.
fn asked_last(collection: &Collection) -> Thread {
    let mut thread = collection.thread.thread.clone();
    let offers = collection.messages.iter().filter(|message| !message.slots.is_empty());
    let offered = offers.filter_map(|message| Some((message.claimed_at?, message))).max_by_key(|(at, _)| *at);
    if let Some((at, message)) = offered
        && thread.asked.as_ref().is_none_or(|(_, asked)| *asked < at)
        && thread.settled_at.is_none_or(|settled| settled < at)
    {
        let slots = message.slots.iter().map(|slot| OfferedSlot { reference: slot.clone() }).collect();
        thread.asked = Some((Question::Slots { slots, moving: None }, at));
    }
    thread
}
