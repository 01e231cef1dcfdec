//! The audit records of a clinic: how far they are sealed, and the file of them that is checked off-line.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, SecondsFormat, Utc};
use retorno_cloud::ledger::export::{ExportError, export};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::office::Office;
use crate::problem::Problem;
use crate::routes::{Answer, query};

/// What is asked for: instants in RFC 3339.
#[derive(Debug, Deserialize)]
pub(crate) struct Range {
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// How far the records are sealed. A system on one machine says more: it has the key and the digests.
pub(crate) async fn state(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Value> {
    let of = office.clinic(&clinic).await?;
    let head = of.tenant.ledger_head().await?;
    let until = head.as_ref().map(|head| head.until.to_rfc3339_opts(SecondsFormat::Secs, true));
    Ok(Json(json!({ "sealed_until": until, "digests": head.map_or(0, |head| head.number) })))
}

/// Digests and records, as lines.
pub(crate) async fn get_export(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    range: Result<Query<Range>, QueryRejection>,
) -> Answer<Value> {
    let of = office.clinic(&clinic).await?;
    let range = query(range)?;
    let lines = export(&of.tenant, range.from, range.until, office.now()).await?;
    Ok(Json(json!({ "lines": lines })))
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Cloud(error) => error.into(),
            ExportError::Digest(error) => {
                tracing::error!(%error, "a digest cannot be read");
                Self::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "a stored digest cannot be read")
            }
        }
    }
}
