//! What concerns no single message: a person's wish told to the provider, a changed number, staff
//! writing past us.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::desk::{Happening, Visitor};
use retorno_cloud::store::TenantStore;
use retorno_domain::channel::{Channel, ChannelSet, PurposeSet};
use retorno_domain::conversation::{Act, Urgency};

use super::{Inbound, Processed, processed};
use crate::event::{Echo, NumberChanged, Preference, Wants};

/// A gateway shows a message of ours within so long of its sending.
const JUST_NOW: TimeDelta = TimeDelta::minutes(2);

impl Inbound {
    pub(super) async fn preference(
        &self,
        tenant: &TenantStore,
        preference: &Preference,
    ) -> Result<Processed, CloudError> {
        // Told again, it undoes nothing that was said since.
        let event = format!("preference#{}", preference.id);
        if tenant.knows_event(&event).await? {
            return Ok(Processed::Repeated);
        }
        let only: ChannelSet = [Channel::Whatsapp].into_iter().collect();
        for hash in self.hashes_of(tenant, &preference.from).await? {
            match preference.wants {
                Wants::Stop => tenant.opt_out(&hash, only, PurposeSet::MARKETING, preference.at).await?,
                // Only what was said to the provider is taken back; what was said to us stands.
                Wants::Resume => tenant.resume_channel(&hash, Channel::Whatsapp, preference.at).await?,
            }
        }
        tenant.take_in(&event, self.now()).await?;
        Ok(Processed::Done)
    }

    pub(super) async fn number_changed(
        &self,
        tenant: &TenantStore,
        changed: &NumberChanged,
    ) -> Result<Processed, CloudError> {
        let event = format!("number#{}", changed.id.as_str());
        let mut done = Processed::Nobodys;
        for hash in self.hashes_of(tenant, &changed.old).await? {
            tenant.mark_unreachable(&hash, Channel::Whatsapp, changed.at).await?;
        }
        for patient in self.patients_of(tenant, &changed.old).await? {
            let acts = [Act::HandOver { reason: "number_changed", urgency: Urgency::Normal }];
            let event = format!("{event}#{patient}");
            let happening = Happening::silent(&event, Channel::Whatsapp, "number_changed");
            done = processed(&self.desk.act(tenant, &patient, &happening, |_, _| acts.to_vec()).await?);
        }
        Ok(done)
    }

    /// Staff writes from the clinic's own phone: the automation is silent until they hand back.
    pub(super) async fn echo(&self, tenant: &TenantStore, echo: &Echo) -> Result<Processed, CloudError> {
        let mut family = Vec::new();
        for patient in self.patients_of(tenant, &echo.to).await? {
            let Some(visitor) = self.desk.visit(tenant, &patient).await? else { continue };
            // Of those who share a phone it may be anybody's: all are looked at before anything is done.
            if is_ours(&visitor, echo) {
                return Ok(Processed::Nothing);
            }
            family.push(patient);
        }
        let mut done = Processed::Nobodys;
        for patient in family {
            let event = format!("echo#{}#{patient}", echo.id.as_str());
            let acts = [Act::HandOver { reason: "staff_wrote", urgency: Urgency::Normal }];
            let happening = Happening::silent(&event, Channel::Whatsapp, "echo");
            done = processed(&self.desk.act(tenant, &patient, &happening, |_, _| acts.to_vec()).await?);
        }
        Ok(done)
    }
}

/// Whether what was seen on the clinic's phone is a message of ours to this patient.
fn is_ours(visitor: &Visitor, echo: &Echo) -> bool {
    let (messages, answers) = (&visitor.collection.messages, &visitor.collection.answers);
    let ours = messages.iter().map(|message| message.provider_id.as_deref());
    let ours = ours.chain(answers.iter().map(|stored| stored.provider_id.as_deref()));
    if ours.into_iter().any(|id| id == Some(echo.id.as_str())) {
        return true;
    }
    // Some gateways show our own messages like this, perhaps before we have stored their ids.
    let just_spoke = |at: Option<DateTime<Utc>>| at.is_some_and(|at| (echo.at - at).abs() < JUST_NOW);
    echo.perhaps_ours
        && (messages.iter().any(|message| just_spoke(message.claimed_at))
            || answers.iter().any(|stored| just_spoke(Some(stored.answer.at))))
}
