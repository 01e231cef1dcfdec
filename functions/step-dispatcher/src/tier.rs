//! The WhatsApp number's daily tier: as many places as people it may reach in 24 hours; a place is
//! taken by the commit itself, so this view may be stale and costs nothing but another try.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::store::TenantStore;
use retorno_domain::clinic::Clinic;

use crate::dispatch::{Dispatcher, lock};

/// How long a full tier is believed without reading it again.
const FULL_READ_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// When each used place of a clinic's number was used last, as far as this process knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct TierView {
    used: BTreeMap<u32, DateTime<Utc>>,
    read_at: DateTime<Utc>,
}

/// Room in the tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TierRoom {
    /// This place is free.
    Free(u32),
    /// None is, until then.
    Full(DateTime<Utc>),
}

impl TierRoom {
    pub(crate) fn full_until(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Free(_) => None,
            Self::Full(until) => Some(until),
        }
    }
}

impl TierView {
    /// The place that has been free the longest; if none is free, when the first will be.
    fn room(&self, places: u32, now: DateTime<Utc>) -> TierRoom {
        // Places are taken in order, so the first unused one is nearly always the next.
        let next = u32::try_from(self.used.len()).unwrap_or(u32::MAX);
        let unused = (next..places).find(|place| !self.used.contains_key(place));
        if let Some(unused) = unused.or_else(|| (0..next.min(places)).find(|place| !self.used.contains_key(place))) {
            return TierRoom::Free(unused);
        }
        let oldest = self.used.iter().filter(|(place, _)| **place < places).min_by_key(|(_, at)| **at);
        match oldest {
            Some((place, at)) if TenantStore::tier_free_again(*at) <= now => TierRoom::Free(*place),
            Some((_, at)) => TierRoom::Full(TenantStore::tier_free_again(*at)),
            None => TierRoom::Full(now + chrono::TimeDelta::days(1)),
        }
    }
}

impl Dispatcher {
    /// A free place in the tier of the clinic's number.
    pub(crate) async fn tier_room(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        now: DateTime<Utc>,
    ) -> Result<TierRoom, CloudError> {
        let places = clinic.limits.whatsapp_daily_tier;
        if let Some(view) = lock(&self.tiers).get(tenant.clinic()) {
            // Full by what was read a moment ago: others can only have taken more.
            let fresh = view.read_at <= now && now - view.read_at < FULL_READ_AGAIN;
            let room = view.room(places, now);
            if fresh || matches!(room, TierRoom::Free(_)) {
                return Ok(room);
            }
        }
        self.refresh_tier(tenant, clinic).await?;
        Ok(lock(&self.tiers).get(tenant.clinic()).map_or(TierRoom::Free(0), |view| view.room(places, now)))
    }

    /// Reads the tier's places again.
    pub(crate) async fn refresh_tier(&self, tenant: &TenantStore, clinic: &Clinic) -> Result<(), CloudError> {
        let used = tenant.tier_use(&clinic.whatsapp_phone_number_id).await?.into_iter().collect();
        let view = TierView { used, read_at: self.reach.clock.now() };
        lock(&self.tiers).insert(tenant.clinic().clone(), view);
        Ok(())
    }

    /// Notes that a place was taken.
    pub(crate) fn note_tier(&self, tenant: &TenantStore, place: u32, at: DateTime<Utc>) {
        lock(&self.tiers).entry(tenant.clinic().clone()).or_default().used.insert(place, at);
    }
}
