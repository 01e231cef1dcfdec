//! What is held about one patient: all of it in one file, erased, and let in again.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use retorno_cloud::store::privacy::erase::{Erased, ErasureError, ErasureReason, erase};
use retorno_domain::ids::PatientId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::system::{OpenClinic, System};

/// Everything held about a patient.
///
/// # Errors
/// [`Problem`] when there is no such patient.
pub(crate) async fn export(system: &System, of: &OpenClinic, patient: &PatientId) -> Result<Value, Problem> {
    let found = of.tenant.everything_about(patient, system.host.now()).await?;
    found.ok_or_else(|| Problem::missing(format!("patient {patient} of clinic {}", of.id)))
}

/// Erases a patient. `confirmed` is the patient's number, given a second time.
///
/// # Errors
/// [`Problem`]; repeating finishes what was begun.
pub(crate) async fn erase_patient(
    system: &System,
    of: &OpenClinic,
    patient: &PatientId,
    (reason, confirmed): (&str, &str),
) -> Result<Erased, Problem> {
    let reasons: Vec<&str> = ErasureReason::ALL.into_iter().map(ErasureReason::code).collect();
    let reason = ErasureReason::of_code(reason)
        .ok_or_else(|| Problem::bad(format!("say why, one of: {}", reasons.join(", "))))?;
    if confirmed.trim() != patient.as_str() {
        return Err(Problem::bad("give the patient's number a second time to confirm: this cannot be undone"));
    }
    system.check_free()?;
    let erased = erase(&system.host.reach, &of.tenant, patient, reason).await;
    system.touch();
    let erased = erased.map_err(|error| match error {
        ErasureError::Nobody => Problem::missing(format!("patient {patient} of clinic {}", of.id)),
        ErasureError::Busy => Problem::busy(error.to_string()),
        ErasureError::Cloud(error) => error.into(),
    })?;
    system.take_up_now().await?;
    Ok(erased)
}

pub(super) async fn get_export(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(export(&system, &of, &parsed(&patient)?).await?))
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Erasing {
    reason: String,
    confirm: String,
}

pub(super) async fn post_erase(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
    asked: Result<Json<Erasing>, JsonRejection>,
) -> Result<Json<Erased>, Problem> {
    let of = system.clinic(&clinic).await?;
    let expected = "send {\"reason\": …, \"confirm\": the patient's number}";
    let Json(asked) = asked.map_err(|rejection| Problem::new(rejection.status(), expected))?;
    let erased = erase_patient(&system, &of, &parsed(&patient)?, (&asked.reason, &asked.confirm)).await?;
    Ok(Json(erased))
}

pub(super) async fn post_readmit(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let of = system.clinic(&clinic).await?;
    let patient = parsed(&patient)?;
    if !of.tenant.readmit(&patient, &BTreeSet::new()).await? {
        return Err(Problem::missing(format!("an erased patient {patient} of clinic {}", of.id)));
    }
    Ok(Json(json!({ "readmitted": patient.as_str() })))
}

fn parsed(text: &str) -> Result<PatientId, Problem> {
    PatientId::parse(text).map_err(|error| Problem::bad(format!("the patient's id: {error}")))
}
