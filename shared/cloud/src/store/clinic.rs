//! A clinic's settings (the TOML text itself), its halted channels, and its import reports.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::approval::{Approvals, Lacks, account_of};
use retorno_domain::channel::Channel;
use retorno_domain::clinic::{Clinic, Retention};
use retorno_domain::connection::{Connection, Unlinked};
use retorno_domain::flow::Flow;
use retorno_domain::ids::{ClinicId, FlowId};
use retorno_domain::settings::clinic_from_toml;

use super::TenantStore;
use super::connection::connection_of;
use super::item::{Reader, ms, n, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// How stale the settings may be that a sending goes by: the kill switch stops within this time.
pub const SETTINGS_STALE_MAX: TimeDelta = TimeDelta::seconds(15);

/// A clinic as stored.
#[derive(Debug, Clone)]
pub struct StoredClinic {
    /// The clinic.
    pub clinic: Arc<Clinic>,
    /// Rises with each edit of the settings.
    pub version: u64,
    /// What is halted.
    pub breakers: Breakers,
    /// What Meta has approved of its templates; nothing where its account is not in the settings.
    pub approvals: Arc<Approvals>,
    /// The flows that may not begin by it.
    pub lacks: Arc<Lacks>,
    /// How the clinic's own gateway stands, where it has one of which something was heard.
    pub connection: Option<Connection>,
    /// When this was read.
    pub read_at: DateTime<Utc>,
}

impl StoredClinic {
    /// That the clinic's own gateway cannot send, as far as was heard.
    #[must_use]
    pub fn unlinked(&self) -> Option<Unlinked> {
        self.connection.as_ref()?.unlinked(self.read_at)
    }
}

/// What providers have halted, each until when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breakers {
    /// Channels: the account or the number is in trouble.
    pub channels: Vec<(Channel, DateTime<Utc>)>,
    /// Templates, by their name at the provider.
    pub templates: Vec<(String, DateTime<Utc>)>,
    /// Why channels are halted, in the provider's word or number.
    pub codes: Vec<(Channel, String)>,
}

fn flow_sk(flow: &FlowId, version: u32) -> String {
    format!("FLOW#{flow}#{version:06}")
}

/// Clinics read lately. Settings change rarely and are parsed once per version.
#[derive(Debug, Clone, Default)]
pub(super) struct ClinicCache(Arc<Mutex<HashMap<ClinicId, StoredClinic>>>);

impl TenantStore {
    /// The clinic's settings, at most [`SETTINGS_STALE_MAX`] old.
    ///
    /// # Errors
    /// [`CloudError::Missing`] when there is no such clinic; [`CloudError::Corrupt`] when its
    /// settings cannot be read.
    pub async fn settings(&self, now: DateTime<Utc>) -> Result<StoredClinic, CloudError> {
        let cached = self.cached();
        if let Some(cached) = cached.as_ref().filter(|c| c.read_at <= now && now - c.read_at < SETTINGS_STALE_MAX) {
            return Ok(cached.clone());
        }
        let items = self.query_partition(Keys(&self.clinic).clinic("").pk, Some("C")).await?;
        let find =
            |sk: &str| items.iter().find(|item| item.get("sk").and_then(|v| v.as_s().ok()).is_some_and(|v| v == sk));
        let item = find("CLINIC").ok_or_else(|| CloudError::Missing(format!("clinic {}", self.clinic)))?;
        let reader = Reader { kind: "clinic", item };
        let version = reader.number("ver")?;
        let clinic = match cached.filter(|cached| cached.version == version) {
            Some(cached) => cached.clinic,
            None => {
                let clinic = clinic_from_toml(self.clinic.clone(), reader.text("toml")?, None);
                Arc::new(clinic.map_err(|_| reader.corrupt("toml"))?)
            }
        };
        let mut breakers = Breakers::default();
        for item in &items {
            let reader = Reader { kind: "breaker", item };
            let Some(what) = reader.text("sk")?.strip_prefix("CLOSED#") else { continue };
            let until = reader.instant("until_ms")?;
            match what.parse::<Channel>() {
                Ok(channel) => {
                    breakers.channels.push((channel, until));
                    breakers.codes.push((channel, reader.text_opt("code").unwrap_or_default().to_owned()));
                }
                Err(()) => breakers.templates.push((what.to_owned(), until)),
            }
        }
        let approvals = match account_of(&clinic) {
            Some(account) => self.approvals(account).await?,
            None => Approvals::default(),
        };
        let lacks = Arc::new(Lacks::of(&clinic, &approvals, now));
        let connection = match (&clinic.gateway, find("CONNECTION")) {
            (Some(gateway), Some(item)) => connection_of(item, gateway).unwrap_or_else(|error| {
                // An opt-out is heard whatever else cannot be read.
                tracing::error!(clinic = %self.clinic, %error, "how the gateway stands is not known");
                None
            }),
            (Some(_) | None, _) => None,
        };
        let approvals = Arc::new(approvals);
        let stored = StoredClinic { clinic, version, breakers, approvals, lacks, connection, read_at: now };
        self.cache().insert(self.clinic.clone(), stored.clone());
        Ok(stored)
    }

    /// Lets the next reader read the settings again.
    pub(super) fn forget_settings(&self) {
        self.cache().remove(&self.clinic);
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, HashMap<ClinicId, StoredClinic>> {
        self.store.clinics.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until when something said at an instant is kept, by the settings read last: whoever writes has read
    /// them a moment before.
    pub(super) fn ttl_of(&self, at: DateTime<Utc>) -> AttributeValue {
        let retention = self.cached().map_or_else(Retention::default, |stored| stored.clinic.retention);
        n(retention.keeps_until(at).timestamp())
    }

    fn cached(&self) -> Option<StoredClinic> {
        self.cache().get(&self.clinic).cloned()
    }

    /// Stores the clinic's settings: the text of its TOML file, which must be whole in itself as to
    /// the zone. Each version of a flow is kept, for the enrollments that began with it.
    ///
    /// # Errors
    /// [`CloudError::Permanent`] `flow_changed` when a flow differs from the stored one of the same
    /// version; [`CloudError::Corrupt`] when the text cannot be read.
    pub async fn put_settings(&self, toml: &str) -> Result<(), CloudError> {
        let corrupt = |_| CloudError::Corrupt { kind: "clinic", attribute: "toml".to_owned() };
        let clinic = clinic_from_toml(self.clinic.clone(), toml, None).map_err(corrupt)?;
        for flow in &clinic.flows {
            match self.flow_of_version(&flow.id, flow.version).await? {
                Some(kept) if kept == *flow => {}
                Some(_) => {
                    return Err(CloudError::Permanent { operation: "settings", code: "flow_changed".to_owned() });
                }
                None => {
                    let mut item = Keys(&self.clinic).clinic(&flow_sk(&flow.id, flow.version)).item();
                    item.insert("toml".to_owned(), s(toml));
                    let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
                    call.send().await.map_err(|e| sort("PutItem flow", &e))?;
                }
            }
        }
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).clinic("CLINIC").item()))
            .update_expression("SET toml = :t ADD ver :one")
            .expression_attribute_values(":t", s(toml))
            .expression_attribute_values(":one", n(1));
        call.send().await.map_err(|e| sort("UpdateItem clinic", &e))?;
        self.forget_settings();
        Ok(())
    }

    /// The text of the clinic's settings, as it was stored last. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError::Missing`] when there is no such clinic.
    pub async fn settings_text(&self) -> Result<String, CloudError> {
        let item = self.get("GetItem clinic", Keys(&self.clinic).clinic("CLINIC").item()).await?;
        let item = item.ok_or_else(|| CloudError::Missing(format!("clinic {}", self.clinic)))?;
        Ok(Reader { kind: "clinic", item: &item }.text("toml")?.to_owned())
    }

    /// A flow as it was in a version that was stored once.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn flow_of_version(&self, flow: &FlowId, version: u32) -> Result<Option<Flow>, CloudError> {
        let key = Keys(&self.clinic).clinic(&flow_sk(flow, version));
        let Some(item) = self.get("GetItem flow", key.item()).await? else { return Ok(None) };
        let reader = Reader { kind: "flow", item: &item };
        let clinic = clinic_from_toml(self.clinic.clone(), reader.text("toml")?, None);
        Ok(clinic.map_err(|_| reader.corrupt("toml"))?.flow(flow).cloned())
    }

    /// The version of the settings by which everybody was evaluated last.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn evaluated_settings(&self) -> Result<Option<u64>, CloudError> {
        let item = self.get("GetItem evaluated", Keys(&self.clinic).clinic("EVALUATED").item()).await?;
        item.map_or(Ok(None), |item| Reader { kind: "evaluated", item: &item }.number_opt("settings"))
    }

    /// Notes that everybody is evaluated by this version of the settings.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_evaluated(&self, settings: u64) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).clinic("EVALUATED").item();
        item.insert("settings".to_owned(), n(settings));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem evaluated", &e))
    }

    /// Halts a channel (by its word) or a template (by its name) until an instant: its provider says
    /// that it is in trouble. A longer halt for another reason stays.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn halt(&self, what: &str, until: DateTime<Utc>, code: &str) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).clinic(&format!("CLOSED#{what}")).item();
        item.insert("until_ms".to_owned(), ms(until));
        item.insert("code".to_owned(), s(code));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        let call = call
            .condition_expression("attribute_not_exists(pk) OR until_ms < :until OR #code = :code")
            .expression_attribute_names("#code", "code")
            .expression_attribute_values(":until", ms(until))
            .expression_attribute_values(":code", s(code));
        match call.send().await {
            Ok(_) => {}
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
            Err(e) => return Err(sort("PutItem breaker", &e)),
        }
        self.forget_settings();
        Ok(())
    }

    /// Keeps the report of an import.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn put_import_report(&self, at: DateTime<Utc>, report_json: &str) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).clinic(&format!("IMPORT#{:015}", at.timestamp_millis())).item();
        item.insert("report".to_owned(), s(report_json));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem import", &e))
    }
}
