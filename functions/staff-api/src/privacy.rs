//! What is held about one patient: all of it in one file, erased, and let in again.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use retorno_cloud::store::privacy::erase::{Erased, ErasureError, ErasureReason, erase};
use retorno_domain::ids::PatientId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::office::{Office, OpenClinic, Tick};
use crate::problem::Problem;
use crate::routes::{json_of, patient_id};

/// Everything held about a patient.
///
/// # Errors
/// [`Problem`] when there is no such patient.
pub async fn export(office: &Office, of: &OpenClinic, patient: &PatientId) -> Result<Value, Problem> {
    let found = of.tenant.everything_about(patient, office.now()).await?;
    found.ok_or_else(|| Problem::missing(format!("patient {patient} of clinic {}", of.id)))
}

/// Erases a patient. `confirmed` is the patient's number, given a second time.
///
/// # Errors
/// [`Problem`]; repeating finishes what was begun.
pub async fn erase_patient(
    office: &Office,
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
    office.begin(Tick::Now)?;
    let erased = erase(&office.reach, &of.tenant, patient, reason).await;
    office.touch();
    let erased = erased.map_err(|error| match error {
        ErasureError::Nobody => Problem::missing(format!("patient {patient} of clinic {}", of.id)),
        ErasureError::Busy => Problem::busy(error.to_string()),
        ErasureError::Cloud(error) => error.into(),
    })?;
    office.done().await?;
    Ok(erased)
}

pub(crate) async fn get_export(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(export(&office, &of, &patient_id(&patient)?).await?))
}

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erasing {
    reason: String,
    confirm: String,
}

pub(crate) async fn post_erase(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
    asked: Result<Json<Erasing>, JsonRejection>,
) -> Result<Json<Erased>, Problem> {
    let of = office.clinic(&clinic).await?;
    let asked = json_of(asked, "send {\"reason\": …, \"confirm\": the patient's number}")?;
    let erased = erase_patient(&office, &of, &patient_id(&patient)?, (&asked.reason, &asked.confirm)).await?;
    Ok(Json(erased))
}

pub(crate) async fn post_readmit(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let of = office.clinic(&clinic).await?;
    let patient = patient_id(&patient)?;
    let done = of.tenant.readmit(&patient).await?;
    let done = done.ok_or_else(|| Problem::missing(format!("an erased patient {patient} of clinic {}", of.id)))?;
    Ok(Json(json!({ "readmitted": patient.as_str(), "marks": done })))
}
