//! One import at a time per clinic: a lease that runs out by itself if its holder dies.

use chrono::{DateTime, TimeDelta, Utc};

use super::TenantStore;
use super::item::{ms, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// How long a lease lasts without being renewed.
const LEASE_LASTS: TimeDelta = TimeDelta::minutes(5);
/// A holder stops writing so long before its lease runs out.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// The right to import for a clinic.
#[derive(Debug, Clone)]
pub struct ImportLease {
    holder: String,
    until: DateTime<Utc>,
}

impl ImportLease {
    /// Whether the lease is still surely ours.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        now < self.until - MARGIN
    }

    /// Whether it is time to renew it.
    #[must_use]
    pub fn wants_renewal(&self, now: DateTime<Utc>) -> bool {
        now > self.until - LEASE_LASTS / 2
    }
}

impl TenantStore {
    /// Takes or renews the lease; `Ok(None)` when somebody else holds it.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn lease_import(&self, holder: &str, now: DateTime<Utc>) -> Result<Option<ImportLease>, CloudError> {
        let until = now + LEASE_LASTS;
        let mut item = Keys(&self.clinic).clinic("LEASE#import").item();
        item.insert("holder".to_owned(), s(holder));
        item.insert("until_ms".to_owned(), ms(until));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        let call = call
            .condition_expression("attribute_not_exists(pk) OR until_ms < :now OR holder = :me")
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":me", s(holder));
        match call.send().await {
            Ok(_) => Ok(Some(ImportLease { holder: holder.to_owned(), until })),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(None),
            Err(e) => Err(sort("PutItem lease", &e)),
        }
    }

    /// Gives the lease back.
    ///
    /// # Errors
    /// [`CloudError`]; it runs out by itself all the same.
    pub async fn release_import(&self, lease: &ImportLease) -> Result<(), CloudError> {
        let call = self.client().delete_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).clinic("LEASE#import").item()))
            .condition_expression("holder = :me")
            .expression_attribute_values(":me", s(&lease.holder));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("DeleteItem lease", &e)),
        }
    }
}
