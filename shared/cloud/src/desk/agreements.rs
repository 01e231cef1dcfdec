//! Agreements given on the clinic's public page: they count for a patient who has that contact and
//! that name, at once or when an import brings them; of whom nobody is sure, a person says whose they
//! are. The date and the words are always those of the page.

use retorno_domain::channel::{ChannelSet, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact::PersonName;
use retorno_domain::guardian::Through;
use retorno_domain::ids::PatientId;

use super::attach::agreeing;
use super::staff::{Made, Refused, StaffDone};
use super::{Desk, Visitor};
use crate::error::CloudError;
use crate::links::Link;
use crate::orders::Order;
use crate::store::{Agreement, AgreementState, StoredAgreement, TenantStore};

/// What came of looking for whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// It is recorded as one patient's.
    Recorded,
    /// It may be of several, or of somebody of another name: a person must say.
    Several,
    /// Nobody's yet.
    Nobody,
}

/// Who vouches for whose word an agreement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Nobody proves on a clinic's page of consent who they are: a contact that was closed stays closed.
    None,
    /// A member of staff.
    Staff,
}

/// Those of the same contact and name.
#[derive(Default)]
struct Namesakes {
    in_person: Vec<PatientId>,
    as_guardian: Vec<PatientId>,
    /// Of the same contact, whatever their name.
    all: Vec<PatientId>,
}

impl Namesakes {
    /// Whoever is a patient as well speaks for themselves first.
    fn named(&self) -> &[PatientId] {
        if self.in_person.is_empty() { &self.as_guardian } else { &self.in_person }
    }
}

impl Desk {
    /// Somebody agreed on a clinic's page of consent. It counts at once for the patient who has that
    /// phone and that name, unless they opted out: nobody proves on such a page who they are. For a minor
    /// the guardian agrees, in the guardian's own name; where that may be meant for several, staff sees
    /// to it. It is kept for staff in any case.
    ///
    /// # Errors
    /// [`CloudError`]; sending it again finishes it.
    pub async fn agree(&self, link: &Link, agreement: &Agreement) -> Result<(), CloudError> {
        let tenant = self.reach.store.of(&link.clinic);
        tenant.keep_agreement(agreement).await?;
        if let Some(stored) = tenant.agreement(&tenant.agreement_id(agreement)).await? {
            self.match_agreement(&tenant, &stored, &[]).await?;
        }
        Ok(())
    }

    /// Looks whose an agreement is, among those who are reached at its phone and those `brought` by an
    /// import, and records it where there is no doubt.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn match_agreement(
        &self,
        tenant: &TenantStore,
        stored: &StoredAgreement,
        brought: &[PatientId],
    ) -> Result<Matched, CloudError> {
        if stored.state != AgreementState::Open {
            return Ok(Matched::Nobody);
        }
        let found = self.namesakes(tenant, &stored.agreement, brought).await?;
        let [patient] = found.named() else {
            if !found.all.is_empty() && found.all != stored.may_be {
                tenant.note_candidates(&stored.id, &found.all).await?;
            }
            return Ok(if found.all.is_empty() { Matched::Nobody } else { Matched::Several });
        };
        // By itself nothing that was stopped is opened again.
        let open = |visitor: &Visitor| visitor.patient().consent.opted_out(visitor.today()).others();
        Ok(match self.record(tenant, stored, patient, (open, Proof::None)).await? {
            StaffDone::Done => Matched::Recorded,
            StaffDone::Repeated | StaffDone::Nobody | StaffDone::Refused(_) => Matched::Nobody,
        })
    }

    /// Staff says whose an agreement is. An opt-out of its day or a later one stands.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn attach_agreement(
        &self,
        tenant: &TenantStore,
        id: &str,
        patient: &PatientId,
    ) -> Result<StaffDone, CloudError> {
        let Some(stored) = tenant.agreement(id).await? else { return Ok(StaffDone::Nobody) };
        match &stored.state {
            AgreementState::Recorded(owner) if owner == patient => return Ok(StaffDone::Repeated),
            AgreementState::Recorded(_) => return Ok(StaffDone::Refused(Refused::Attached)),
            AgreementState::Open | AgreementState::Dismissed => {}
        }
        self.record(tenant, &stored, patient, (|_: &Visitor| PurposeSet::ALL, Proof::Staff)).await
    }

    /// Sets an agreement aside, or takes that back.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn dismiss_agreement(
        &self,
        tenant: &TenantStore,
        id: &str,
        dismissed: bool,
    ) -> Result<StaffDone, CloudError> {
        let Some(stored) = tenant.agreement(id).await? else { return Ok(StaffDone::Nobody) };
        if let AgreementState::Recorded(_) = stored.state {
            return Ok(StaffDone::Refused(Refused::Attached));
        }
        tenant.dismiss_agreement(id, dismissed, self.reach.clock.now()).await?;
        Ok(StaffDone::Done)
    }

    /// Records an agreement as a patient's, once for whomever, and notes whose it has become.
    async fn record(
        &self,
        tenant: &TenantStore,
        stored: &StoredAgreement,
        patient: &PatientId,
        (purposes, proof): (impl Fn(&Visitor) -> PurposeSet, Proof),
    ) -> Result<StaffDone, CloudError> {
        let event = format!("agreed#{}", stored.id);
        let how = format!("page: {}", stored.agreement.wording);
        let made = |visitor: &Visitor, _: &_| gathered(visitor, &stored.agreement, purposes(visitor), proof);
        let done = self.by_staff(tenant, patient, &event, &how, made).await?;
        match done {
            StaffDone::Done => tenant.settle_agreement(&stored.id, patient, self.reach.clock.now()).await?,
            // Recorded before: as this patient's, should nobody have noted it, or as another's.
            StaffDone::Repeated => match tenant.event_is_of(&event, patient).await? {
                Some(true) => tenant.settle_agreement(&stored.id, patient, self.reach.clock.now()).await?,
                Some(false) => return Ok(StaffDone::Refused(Refused::Attached)),
                None => {}
            },
            StaffDone::Nobody | StaffDone::Refused(_) => {}
        }
        Ok(done)
    }

    async fn namesakes(
        &self,
        tenant: &TenantStore,
        agreement: &Agreement,
        brought: &[PatientId],
    ) -> Result<Namesakes, CloudError> {
        let now = self.reach.clock.now();
        let today = tenant.settings(now).await?.clinic.date(now);
        let mut ids = tenant.patients_with_phone(&agreement.phone, today).await?;
        ids.extend(brought.iter().cloned());
        ids.sort_unstable();
        ids.dedup();
        let mut found = Namesakes::default();
        for patient in ids {
            let Some(visitor) = self.visit(tenant, &patient).await? else { continue };
            let is_named = |name: &PersonName| name.is_of_same_person(&agreement.name);
            let through = visitor.patient().through(today);
            if !has_contact(&through, agreement) {
                continue;
            }
            match through {
                Through::Own(profile) if is_named(&profile.name) => found.in_person.push(patient.clone()),
                Through::Guardian(guardian) if guardian.name.as_ref().is_some_and(is_named) => {
                    found.as_guardian.push(patient.clone());
                }
                Through::Own(_) | Through::Guardian(_) | Through::Nobody(_) => {}
            }
            found.all.push(patient);
        }
        Ok(found)
    }
}

/// Whether whoever agreed is reached as this patient is: by the phone, in any spelling, or the address.
fn has_contact(through: &Through<'_>, agreement: &Agreement) -> bool {
    let phone = through.phone().is_some_and(|phone| phone.aliases().iter().any(|d| d == agreement.phone.digits()));
    let email = agreement.email.as_ref().is_some_and(|email| through.email() == Some(email));
    phone || email
}

/// What an agreement adds to a record: of its own day, beside the channels agreed to before.
fn gathered(visitor: &Visitor, agreement: &Agreement, purposes: PurposeSet, proof: Proof) -> Result<Made, Refused> {
    let today = visitor.today();
    let on = visitor.clinic.clinic.date(agreement.at);
    if agreement.channels == ChannelSet::NONE {
        return Err(Refused::NoChannels);
    }
    if purposes.is_empty() {
        return Err(Refused::OptOutStands);
    }
    let mut made = Made::of(visitor);
    for (channels, of) in agreeing(visitor.patient(), on, purposes, agreement.channels) {
        made.consent.push(Statement { on, wish: Wish::OptIn(channels), source: Source::Recorded, purposes: of });
    }
    for statement in &made.consent {
        made.patient.consent.record(statement.clone());
    }
    if purposes.iter().any(|purpose| made.patient.consent.is_opted_out(purpose, today)) {
        return Err(Refused::OptOutStands);
    }
    if proof == Proof::Staff {
        made.agreed = visitor.agreed_to(&made.consent);
    }
    let (clinic, patient) = (visitor.tenant.clinic().to_string(), visitor.patient().id.to_string());
    made.orders.push(Order::PatientChanged { clinic, patient });
    Ok(made)
}
