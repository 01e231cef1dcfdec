//! What staff does about people who are not on record, besides attaching them: answers within the
//! window, sets aside. Nothing is called from here: the dispatcher alone does.

use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::ids::{MessageId, PatientId};

use super::Desk;
use super::attach::hashes;
use super::staff::{Refused, StaffDone, WORDS_LAST};
use crate::channels::TEXT_CHARS_MAX;
use crate::error::CloudError;
use crate::orders::Order;
use crate::store::{ContactKeys, NewStrangerAnswer, SaidText, StrangerGroup, TenantStore};

/// What there was to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached<'a> {
    /// Nobody on record, or a number that only a person should place.
    Nobody,
    /// One patient.
    One(&'a PatientId),
    /// Several.
    Several,
}

impl Desk {
    /// Answers somebody who is not on record, in staff's own words, on WhatsApp while the window is open.
    ///
    /// # Errors
    /// [`CloudError`]; repeating the event finishes it.
    pub async fn answer_stranger(
        &self,
        tenant: &TenantStore,
        who: &str,
        event: &str,
        words: &str,
    ) -> Result<StaffDone, CloudError> {
        let now = self.reach.clock.now();
        let id = MessageId::to_stranger(tenant.clinic(), event);
        let order = Order::SayStranger { clinic: tenant.clinic().to_string(), answer: id.to_string() };
        // Asked first: what was done is not refused when it is sent a second time.
        if tenant.stranger_answer(id).await?.is_some() {
            self.hand_over(&[order], now).await?;
            return Ok(StaffDone::Repeated);
        }
        let words = words.trim();
        if words.is_empty() || words.chars().count() > TEXT_CHARS_MAX {
            return Ok(StaffDone::Refused(Refused::Words));
        }
        let Some(group) = tenant.stranger_group(who).await? else { return Ok(StaffDone::Nobody) };
        if group.owner().is_some() {
            return Ok(StaffDone::Refused(Refused::Attached));
        }
        let Some(to) = group.phone.clone() else { return Ok(StaffDone::Refused(Refused::HiddenNumber)) };
        for hash in hashes(tenant, &to) {
            let points = tenant.contact_points(&ContactKeys { phone: Some(hash), ..ContactKeys::default() }).await?;
            if points.phone.is_suppressed(Channel::Whatsapp, Purpose::Care) {
                return Ok(StaffDone::Refused(Refused::OptedOut));
            }
        }
        if !group.window_is_open(now) {
            return Ok(StaffDone::Refused(Refused::WindowClosed));
        }
        let words = SaidText(words.to_owned());
        let answer = NewStrangerAnswer { id, who: group.who, to, words, at: now, not_after: now + WORDS_LAST };
        let is_new = tenant.put_stranger_answer(&answer).await?;
        self.hand_over(&[order], now).await?;
        Ok(if is_new { StaffDone::Done } else { StaffDone::Repeated })
    }

    /// Sets aside what a number wrote so far, or takes that back. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn dismiss_stranger(
        &self,
        tenant: &TenantStore,
        who: &str,
        dismissed: bool,
    ) -> Result<StaffDone, CloudError> {
        let Some(group) = tenant.stranger_group(who).await? else { return Ok(StaffDone::Nobody) };
        if group.owner().is_some() {
            return Ok(StaffDone::Refused(Refused::Attached));
        }
        let until = dismissed.then(|| group.kept_until());
        tenant.dismiss_stranger(who, until, self.reach.clock.now()).await?;
        Ok(StaffDone::Done)
    }

    /// After an import: a number that agreed to be written to and is now reached by one patient is
    /// theirs. Of several a person must say whose it is, and of one reported wrong too.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn match_stranger(
        &self,
        tenant: &TenantStore,
        group: &StrangerGroup,
        brought: &[PatientId],
    ) -> Result<super::Matched, CloudError> {
        let Some(number) = &group.phone else { return Ok(super::Matched::Nobody) };
        let today = tenant.settings(self.reach.clock.now()).await?.clinic.date(self.reach.clock.now());
        let mut reached = tenant.patients_with_phone(number, today).await?;
        // The index may be a little behind what was imported a moment ago.
        for id in brought {
            if !reached.contains(id)
                && let Some(visitor) = self.visit(tenant, id).await?
                && let Some(phone) = visitor.patient().through(today).phone()
                && phone.aliases().iter().any(|digits| digits == number.digits())
            {
                reached.push(id.clone());
            }
        }
        for hash in hashes(tenant, number) {
            let points = tenant.contact_points(&ContactKeys { phone: Some(hash), ..ContactKeys::default() }).await?;
            if points.phone.is_wrong() {
                return Ok(super::Matched::Nobody);
            }
        }
        match only(&reached) {
            Reached::Nobody => Ok(super::Matched::Nobody),
            Reached::Several => Ok(super::Matched::Several),
            Reached::One(patient) => Ok(match self.attach(tenant, &group.who, patient).await? {
                StaffDone::Done => super::Matched::Recorded,
                StaffDone::Repeated | StaffDone::Nobody | StaffDone::Refused(_) => super::Matched::Nobody,
            }),
        }
    }
}

pub(super) fn only(found: &[PatientId]) -> Reached<'_> {
    match found {
        [] => Reached::Nobody,
        [one] => Reached::One(one),
        [_, ..] => Reached::Several,
    }
}
