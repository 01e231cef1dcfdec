//! What staff says of a patient's number: that one reported wrong is right after all, or that one
//! they noted is not to stand any more.

use retorno_domain::channel::{ChannelSet, PurposeSet};
use retorno_domain::ids::PatientId;

use super::staff::{Refused, StaffDone};
use super::{Desk, TRIES_MAX, Visitor};
use crate::error::CloudError;
use crate::orders::Order;
use crate::store::{Attached, PatientChange, StrangerGroup, TenantStore, Turn, TurnDone};

impl Desk {
    /// The number is the patient's after all. Only what was said of it as wrong is taken back: an
    /// opt-out, or what a provider says, stands.
    ///
    /// # Errors
    /// [`CloudError`]; harmless to repeat.
    pub async fn right_number(
        &self,
        tenant: &TenantStore,
        patient: &PatientId,
        confirmed: bool,
    ) -> Result<StaffDone, CloudError> {
        let Some(visitor) = self.visit(tenant, patient).await? else { return Ok(StaffDone::Nobody) };
        let Some(hash) = &visitor.contacts.phone else { return Ok(StaffDone::Refused(Refused::NoPhone)) };
        if !tenant.contact_points(&visitor.contacts).await?.phone.is_wrong() {
            return Ok(StaffDone::Refused(Refused::NotWrong));
        }
        if !confirmed {
            return Ok(StaffDone::Refused(Refused::NotConfirmed));
        }
        tenant.unmark_wrong(hash).await?;
        let (clinic, patient) = (tenant.clinic().to_string(), patient.to_string());
        self.hand_over(&[Order::PatientChanged { clinic, patient }], visitor.now).await?;
        Ok(StaffDone::Done)
    }

    /// Takes back a phone that staff noted: what the clinic's system says holds again, and the number is
    /// nobody's. What was written from it stays in the conversation, what was agreed to in the record.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn forget_number(&self, tenant: &TenantStore, patient: &PatientId) -> Result<StaffDone, CloudError> {
        for _ in 0..TRIES_MAX {
            let Some(visitor) = self.visit(tenant, patient).await? else { return Ok(StaffDone::Nobody) };
            let Some(noted) = visitor.patient().noted.clone() else {
                return Ok(StaffDone::Refused(Refused::NothingNoted));
            };
            let mut next = visitor.patient().clone();
            next.forget_noted();
            let group = tenant.stranger_group(&tenant.stranger_of(&noted.phone.e164)).await?;
            let group = group.filter(|group| group.head.patient.as_ref().is_some_and(|(owner, _)| owner == patient));
            let (clinic, id) = (tenant.clinic().to_string(), patient.to_string());
            let orders = [Order::PatientChanged { clinic, patient: id }];
            // The number that holds again may have been free while the person opted out.
            let keys = tenant.contact_keys(&next, visitor.today());
            if keys.phone != visitor.contacts.phone
                && let Some(hash) = &keys.phone
            {
                match next.consent.opted_out(visitor.today()) {
                    PurposeSet::ALL => tenant.set_imported_opt_out(hash, patient, true).await?,
                    of_some => tenant.opt_out(hash, ChannelSet::ALL, of_some, visitor.now).await?,
                }
            }
            let event = format!("forget-number#{patient}#{}", noted.at.timestamp_millis());
            let turn = forgetting(&visitor, &next, group.as_ref(), &event, &orders);
            match tenant.commit_turn(&turn).await? {
                TurnDone::Done => {
                    self.hand_over(&orders, visitor.now).await?;
                    return Ok(StaffDone::Done);
                }
                TurnDone::Repeated | TurnDone::SlotTaken | TurnDone::Changed => {}
            }
        }
        Err(CloudError::Retryable { operation: "desk", code: "kept_changing".to_owned() })
    }
}

fn forgetting<'a>(
    visitor: &'a Visitor,
    next: &'a retorno_domain::patient::Patient,
    group: Option<&'a StrangerGroup>,
    event: &'a str,
    orders: &'a [Order],
) -> Turn<'a> {
    let stored = &visitor.collection;
    Turn {
        patient: &stored.patient.patient.id,
        alias: stored.patient.alias.as_ref(),
        event,
        change: Some(PatientChange { from: &stored.patient, next, today: visitor.today() }),
        thread: None,
        heard: None,
        attached: group.map(|group| Attached {
            who: &group.who,
            head: &group.head,
            patients_until: None,
            words: Vec::new(),
        }),
        slots: Vec::new(),
        bookings: Vec::new(),
        answer: None,
        waitlist: None,
        consent: Vec::new(),
        orders,
        lift: None,
        now: visitor.now,
    }
}
