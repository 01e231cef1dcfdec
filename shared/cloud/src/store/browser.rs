//! The browsers of staff that asked for alerts, and which alerts went out. A browser is found by a hash
//! of its address, so that asking twice is asking once.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// Browsers of a clinic.
pub const BROWSERS_MAX: usize = 50;
/// That an alert went out is remembered for so long.
const ALERTS_REMEMBERED: TimeDelta = TimeDelta::days(30);

/// A browser that asked for alerts. Whoever holds its address and keys can disturb its owner, so Debug
/// shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Browser {
    /// What the browser gave, as JSON: `{"endpoint": …, "keys": {…}}`.
    pub subscription: String,
    /// How its owner calls it.
    pub name: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The last alert that its service took.
    pub last_alert: Option<String>,
    /// When that was.
    pub last_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").field("since", &self.since).field("last_at", &self.last_at).finish_non_exhaustive()
    }
}

impl TenantStore {
    /// The id of a browser: a hash of its address, within the clinic.
    #[must_use]
    pub fn browser_id(&self, endpoint: &str) -> String {
        self.hash(&format!("browser#{endpoint}"))
    }

    /// Keeps a browser under its id, in place of what it gave before; not when there are too many.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_browser(&self, id: &str, browser: &Browser) -> Result<bool, CloudError> {
        let known = self.browsers().await?;
        if known.len() >= BROWSERS_MAX && !known.iter().any(|(other, _)| other == id) {
            return Ok(false);
        }
        let mut item = Keys(&self.clinic).browser(id).item();
        item.insert("sub".to_owned(), s(browser.subscription.clone()));
        item.insert("name".to_owned(), s(browser.name.clone()));
        item.insert("since".to_owned(), ms(browser.since));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| true).map_err(|e| sort("PutItem browser", &e))
    }

    /// Forgets a browser. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn forget_browser(&self, id: &str) -> Result<(), CloudError> {
        let key = Keys(&self.clinic).browser(id);
        let call = self.client().delete_item().table_name(self.table()).set_key(Some(key.item()));
        call.send().await.map(|_| ()).map_err(|e| sort("DeleteItem browser", &e))
    }

    /// The browsers, each with its id.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn browsers(&self) -> Result<Vec<(String, Browser)>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).browser("").pk, None).await?;
        let of = |item: &Item| {
            let reader = Reader { kind: "browser", item };
            let browser = Browser {
                subscription: reader.text("sub")?.to_owned(),
                name: reader.text("name")?.to_owned(),
                since: reader.instant("since")?,
                last_alert: reader.text_opt("last").map(str::to_owned),
                last_at: reader.instant_opt("last_at")?,
            };
            Ok((reader.text("sk")?.to_owned(), browser))
        };
        items.iter().map(of).collect()
    }

    /// Notes that a browser's service took an alert, unless the browser was forgotten meanwhile.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_alerted(&self, id: &str, alert: &str, now: DateTime<Utc>) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).browser(id).item()))
            .update_expression("SET #last = :alert, last_at = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":alert", s(alert))
            .expression_attribute_values(":now", ms(now));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem browser", &e)),
        }
    }

    /// Whether an alert went out to everybody it could reach.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn alert_is_out(&self, alert: &str) -> Result<bool, CloudError> {
        Ok(self.get("GetItem alert", Keys(&self.clinic).alert(&self.hash(alert)).item()).await?.is_some())
    }

    /// Notes that an alert went out.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_alert_out(&self, alert: &str, now: DateTime<Utc>) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).alert(&self.hash(alert)).item();
        item.insert("at".to_owned(), ms(now));
        item.insert("ttl".to_owned(), n((now + ALERTS_REMEMBERED).timestamp()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem alert", &e))
    }
}
