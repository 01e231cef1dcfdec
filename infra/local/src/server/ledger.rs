//! The audit chain of a clinic: how far it is sealed, its export, and checking it here and now.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, SecondsFormat, Utc};
use ledger_sealer::anchor::kept_in;
use ledger_sealer::export::export;
use ledger_sealer::verify::{Against, Fault, Report, Restore, verify};
use serde::Serialize;
use staff_api::Problem;

use super::system::{OpenClinic, System};
use crate::host::HostError;

/// How far a clinic's records are sealed.
#[derive(Debug, Serialize)]
pub(crate) struct AuditState {
    /// Until when (RFC 3339); nothing before the first sealing.
    pub(crate) sealed_until: Option<String>,
    /// The same.
    #[serde(skip)]
    pub(crate) until: Option<DateTime<Utc>>,
    /// Digests so far.
    pub(crate) digests: u64,
    /// A short hash of the public key.
    pub(crate) key: String,
    /// The file of the public key.
    pub(crate) public_key: String,
    /// The folder that keeps the digests.
    pub(crate) anchors: String,
}

/// What a check found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Checked {
    /// Everything is as it was sealed.
    Sound {
        /// Digests.
        digests: u64,
        /// Records.
        records: u64,
        /// Of them, those that appeared after their hour had been sealed.
        late: u64,
        /// Records not sealed yet.
        open: u64,
        /// Where the table had been restored to an instant of before.
        restores: Vec<Restore>,
    },
    /// It is not; the first difference.
    Fault(String),
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// How far a clinic's records are sealed.
///
/// # Errors
/// [`Problem`].
pub(crate) async fn audit(system: &System, of: &OpenClinic) -> Result<AuditState, Problem> {
    let sealing = system.host.sealing().ok_or_else(|| Problem::missing("the audit chain"))?;
    let head = of.tenant.ledger_head().await?;
    let until = head.as_ref().map(|head| head.until);
    Ok(AuditState {
        sealed_until: until.map(text),
        until,
        digests: head.map_or(0, |head| head.number),
        key: sealing.public_key().id(),
        public_key: sealing.public_key_file().display().to_string(),
        anchors: sealing.digests().display().to_string(),
    })
}

/// Checks the table's records against the chain, the key and the digests of this machine.
///
/// # Errors
/// [`Problem`].
pub(crate) async fn check(system: &System, of: &OpenClinic) -> Result<Checked, Problem> {
    let sealing = system.host.sealing().ok_or_else(|| Problem::missing("the audit chain"))?;
    let lines = export(&of.tenant, None, None, system.host.now()).await?;
    let anchors = kept_in(&sealing.digests(), &of.id);
    let anchors = anchors.map_err(|e| HostError::from(ledger_sealer::seal::SealError::from(e)))?;
    let keys = [sealing.public_key().clone()];
    let against = Against { keys: &keys, anchors: Some(&anchors), from_ms: None, until_ms: None };
    Ok(checked(verify(lines.iter().map(String::as_str), &against)))
}

fn checked(result: Result<Report, Fault>) -> Checked {
    match result {
        Ok(Report { digests, records, late, open, restores, .. }) => {
            Checked::Sound { digests, records, late, open, restores }
        }
        Err(fault) => Checked::Fault(fault.to_string()),
    }
}

pub(super) async fn get(State(system): State<System>, Path(clinic): Path<String>) -> Result<Json<AuditState>, Problem> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(audit(&system, &of).await?))
}

pub(super) async fn post_verify(
    State(system): State<System>,
    Path(clinic): Path<String>,
) -> Result<Json<Checked>, Problem> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(check(&system, &of).await?))
}
