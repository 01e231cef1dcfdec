//! Everything a decision looks at, read together: the clinic, the patient's item collection (one
//! Query), the contact points, the number's tier.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::links::Links;
use retorno_cloud::store::{
    Collection, ContactKeys, FreeSlot, StoredClinic, StoredEnrollment, StoredPatient, TenantStore,
};
use retorno_domain::approval::marketing_steps;
use retorno_domain::contact_point::ContactPoints;
use retorno_domain::flow::{Flow, Step};
use retorno_domain::guardian::Guardian;
use retorno_domain::ids::{EnrollmentId, MessageId, PatientId};
use retorno_domain::message::Delivery;
use retorno_domain::segment::Placement;
use retorno_domain::slot::{SLOT_NOTICE, two};
use retorno_domain::standing::placement;
use retorno_domain::step_rules::{CopyProblem, Facts};

use crate::copy;
use crate::dispatch::Dispatcher;
use crate::tier::TierRoom;

/// What was read for one decision.
pub(crate) struct Situation {
    pub(crate) now: DateTime<Utc>,
    pub(crate) clinic: StoredClinic,
    pub(crate) flow: Arc<Flow>,
    pub(crate) patient: StoredPatient,
    pub(crate) stored: StoredEnrollment,
    pub(crate) messages: Vec<(MessageId, Delivery)>,
    pub(crate) contacts: ContactKeys,
    pub(crate) points: ContactPoints,
    pub(crate) placement: Placement,
    pub(crate) heard_at: Option<DateTime<Utc>>,
    pub(crate) tier: TierRoom,
    pub(crate) slots: Vec<FreeSlot>,
}

/// Slots read for one message, of which two are offered.
const SLOTS_READ: usize = 12;

impl Situation {
    /// Reads the situation of an enrollment; nothing when it is not there.
    pub(crate) async fn read(
        dispatcher: &Dispatcher,
        tenant: &TenantStore,
        patient: &PatientId,
        id: Option<EnrollmentId>,
    ) -> Result<Option<Self>, CloudError> {
        let now = dispatcher.reach.clock.now();
        let clinic = tenant.settings(now).await?;
        let Some(Collection { patient, enrollments, messages, thread, .. }) = tenant.collection(patient).await? else {
            return Ok(None);
        };
        let Some(id) = id.or(patient.patient.sequence) else { return Ok(None) };
        let Some(stored) = enrollments.into_iter().find(|stored| stored.enrollment.id == id) else { return Ok(None) };
        let contacts = tenant.contact_keys(&patient.patient, clinic.clinic.date(now));
        let points = tenant.contact_points(&contacts).await?;
        let thresholds = dispatcher.thresholds(tenant, clinic.clinic.week(now)).await?;
        let placement = placement(&clinic.clinic, &patient.patient, &thresholds, now);
        // A flow that is gone from the settings ends its enrollments: an empty one says so.
        let flow = flow_of(tenant, &clinic, &stored).await?.unwrap_or_else(|| Flow {
            id: stored.enrollment.flow.clone(),
            version: 0,
            steps: Vec::new(),
            close_after_days: 0,
            branches: Vec::new(),
        });
        let flow = marketing_steps(&clinic.clinic, &clinic.approvals, &stored.enrollment.segment, flow);
        let tier = dispatcher.tier_room(tenant, &clinic.clinic, now).await?;
        let slots = if dispatcher.lately_without_slots(tenant, now) {
            Vec::new()
        } else {
            two_slots(tenant, &clinic, id, now).await?
        };
        if slots.is_empty() {
            dispatcher.note_no_slots(tenant, now);
        }
        let messages = messages.into_iter().filter(|m| m.enrollment == id).map(|m| (m.id, m.delivery)).collect();
        let flow = Arc::new(flow);
        let heard_at = thread.thread.heard_at;
        Ok(Some(Self {
            now,
            clinic,
            flow,
            patient,
            stored,
            messages,
            contacts,
            points,
            placement,
            heard_at,
            tier,
            slots,
        }))
    }

    /// Who is written to in the patient's place.
    pub(crate) fn guardian(&self) -> Option<&Guardian> {
        self.patient.patient.through(self.clinic.clinic.date(self.now)).guardian()
    }

    pub(crate) fn facts<'a>(&'a self, copy: &'a dyn Fn(&Step) -> Option<CopyProblem>) -> Facts<'a> {
        Facts {
            clinic: &self.clinic.clinic,
            flow: &self.flow,
            patient: &self.patient.patient,
            points: &self.points,
            placement: self.placement,
            heard_at: self.heard_at,
            number_full_until: self.tier.full_until(),
            breakers: &self.clinic.breakers.channels,
            unlinked: self.clinic.unlinked(),
            copy,
        }
    }

    /// Where the message of a step stands.
    pub(crate) fn message_of(&self, step: usize) -> Option<Delivery> {
        let step = self.flow.steps.get(step)?;
        let id = MessageId::of(self.stored.enrollment.id, &step.id);
        self.messages.iter().find(|(message, _)| *message == id).map(|(_, delivery)| delivery.clone())
    }

    pub(crate) fn copy_problem(&self, step: &Step, links: &Links) -> Option<CopyProblem> {
        copy::problem(self, step, links)
    }
}

/// The flow in the version that the enrollment began with.
async fn flow_of(
    tenant: &TenantStore,
    clinic: &StoredClinic,
    stored: &StoredEnrollment,
) -> Result<Option<Flow>, CloudError> {
    let Some(present) = clinic.clinic.flow(&stored.enrollment.flow) else { return Ok(None) };
    if present.version == stored.enrollment.flow_version {
        return Ok(Some(present.clone()));
    }
    tenant.flow_of_version(&stored.enrollment.flow, stored.enrollment.flow_version).await
}

/// Two free slots to offer, on different days where there are: spread over the clinic's free slots
/// by the enrollment, so that a wave does not offer everybody the same two.
async fn two_slots(
    tenant: &TenantStore,
    clinic: &StoredClinic,
    id: EnrollmentId,
    now: DateTime<Utc>,
) -> Result<Vec<FreeSlot>, CloudError> {
    let from = now + SLOT_NOTICE;
    let until = now + TimeDelta::days(i64::from(clinic.clinic.wave.slots_horizon_days));
    let span = (until - from).num_minutes().max(0) / 2;
    // Other bits than those that place the enrollment in the day: who is written to early is not
    // therefore offered the earliest slots.
    let share = i64::try_from(id.as_u128() & 0xffff_ffff).unwrap_or(0);
    let start = from + TimeDelta::minutes(span.saturating_mul(share) >> 32);
    let mut slots = tenant.free_slots(start, until, Some(SLOTS_READ), now).await?;
    if slots.len() < 2 {
        slots = tenant.free_slots(from, until, Some(SLOTS_READ), now).await?;
    }
    let offered = two(&slots, clinic.clinic.zone, |_| true);
    Ok(if offered.len() == 2 { offered } else { Vec::new() })
}
