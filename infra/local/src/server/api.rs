//! The API for the commands. Everything it answers is JSON, errors too: `{"error": …}`.

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use chrono::NaiveDate;
use retorno_domain::ids::ClinicId;
use serde::Deserialize;
use serde_json::{Value, json};
use staff_api::Problem;
use staff_api::routes::{Answer, json_of, patient_id, query, said};
use staff_api::thread::Line;

use super::browser;
use super::consents::{self, CONSENTS_BYTES_MAX, ConsentsDone, attester};
use super::import::{self, Files};
use super::ledger;
use super::slots::{self, Slots};
use super::state::AdvanceBy;
use super::survey::Segments;
use super::system::{OpenClinic, System};
use super::upload::{receive, receive_text};
use super::wave::Waves;
use crate::host::Written;

const SETTINGS_BYTES_MAX: usize = 256 << 10;

/// `/api`.
pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/state", get(state))
        .route("/advance", post(advance))
        .route("/cancel", post(cancel))
        .route("/clinics/{clinic}/import", post(import_export))
        .route("/clinics/{clinic}/slots", get(slots).post(import_slots))
        .route("/clinics/{clinic}/slots/preview", post(preview))
        .route("/clinics/{clinic}/timetable", post(timetable))
        .route("/clinics/{clinic}/settings", post(settings))
        .route("/clinics/{clinic}/segments", get(segments))
        .route("/clinics/{clinic}/waves", get(waves))
        .route("/clinics/{clinic}/consents", post(consents))
        .route("/clinics/{clinic}/audit", get(ledger::get))
        .route("/clinics/{clinic}/audit/verify", post(ledger::post_verify))
        .route("/clinics/{clinic}/patients/{patient}/browser", get(browser::get).post(browser::post))
        .route("/clinics/{clinic}/patients/{patient}/write", post(write))
        .merge(super::sandbox::router())
}

async fn state(State(system): State<System>) -> Answer<super::state::State> {
    Ok(Json(system.state().await?))
}

async fn advance(
    State(system): State<System>,
    by: Result<Json<AdvanceBy>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let expected =
        "send {\"by\": \"next\" | \"3h\" | \"1d\" | \"1w\"} or {\"to\": \"2026-03-01T09:00\", \"clinic\": …}";
    let by = json_of(by, expected)?;
    let zone = match &by {
        AdvanceBy::To { clinic: Some(clinic), .. } => system.clinic(clinic).await?.clinic.zone,
        AdvanceBy::To { clinic: None, .. } | AdvanceBy::By { .. } => {
            system.clinics().await?.first().map_or(chrono_tz::UTC, |first| first.clinic.zone)
        }
    };
    let begun = system.order(&by, zone)?;
    Ok((StatusCode::ACCEPTED, Json(json!(begun))))
}

async fn cancel(State(system): State<System>) -> Answer<Value> {
    system.cancel();
    Ok(Json(json!({})))
}

async fn import_export(State(system): State<System>, Path(clinic): Path<String>, body: Body) -> Answer<Value> {
    let of = system.clinic(&clinic).await?;
    let files = Files { export: Some(receive(&system, body).await?), slots: None };
    let report = imported(&system, &of, files).await?.export;
    Ok(Json(json!(report)))
}

async fn import_slots(State(system): State<System>, Path(clinic): Path<String>, body: Body) -> Answer<Value> {
    let of = system.clinic(&clinic).await?;
    let files = Files { export: None, slots: Some(receive(&system, body).await?) };
    let report = imported(&system, &of, files).await?.slots;
    Ok(Json(json!(report)))
}

#[derive(Deserialize)]
struct Range {
    from: Option<NaiveDate>,
    days: Option<u16>,
}

async fn slots(
    State(system): State<System>,
    Path(clinic): Path<String>,
    range: Result<Query<Range>, QueryRejection>,
) -> Answer<Slots> {
    let of = system.clinic(&clinic).await?;
    let Range { from, days } = query(range)?;
    Ok(Json(slots::slots(&system, &of, from, days).await?))
}

async fn preview(State(system): State<System>, Path(clinic): Path<String>, body: Body) -> Answer<Slots> {
    let of = system.clinic(&clinic).await?;
    let toml = receive_text(body, SETTINGS_BYTES_MAX).await?;
    Ok(Json(slots::preview(&system, &of, &toml).await?))
}

async fn timetable(State(system): State<System>, Path(clinic): Path<String>, body: Body) -> Answer<Slots> {
    let of = system.clinic(&clinic).await?;
    let toml = receive_text(body, SETTINGS_BYTES_MAX).await?;
    slots::save(&system, &of, &toml).await?;
    let of = system.clinic(&clinic).await?;
    Ok(Json(slots::slots(&system, &of, None, None).await?))
}

async fn imported(system: &System, of: &OpenClinic, files: Files) -> Result<import::ImportDone, Problem> {
    let answered = import::begin(system, &of.id, files)?;
    answered.await.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the import broke off; run it again"))?
}

#[derive(Deserialize)]
struct Create {
    #[serde(default)]
    create: bool,
}

async fn settings(
    State(system): State<System>,
    Path(clinic): Path<String>,
    create: Result<Query<Create>, QueryRejection>,
    body: Body,
) -> Answer<Value> {
    let id = ClinicId::parse(&clinic)
        .map_err(|error| Problem::bad(format!("the clinic's id: {error}; it holds a-z, 0-9 and -")))?;
    if !query(create)?.create {
        system.clinic(&clinic).await?;
    }
    let toml = receive_text(body, SETTINGS_BYTES_MAX).await?;
    import::put_clinic(&system, &id, &toml, None).await?;
    Ok(Json(json!({ "clinic": clinic })))
}

async fn segments(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Segments> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(system.segments(&of).await?))
}

async fn waves(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Waves> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(system.waves(&of).await?))
}

#[derive(Deserialize)]
struct Attested {
    attested_by: Option<String>,
}

async fn consents(
    State(system): State<System>,
    Path(clinic): Path<String>,
    attested: Result<Query<Attested>, QueryRejection>,
    body: Body,
) -> Answer<ConsentsDone> {
    let of = system.clinic(&clinic).await?;
    let by = query(attested)?.attested_by.unwrap_or_default();
    let by = attester(&by)?;
    let file = receive_text(body, CONSENTS_BYTES_MAX).await?;
    Ok(Json(consents::record(&system, &of, &file, by).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    text: String,
}

async fn write(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
    words: Result<Json<Words>, JsonRejection>,
) -> Answer<Vec<Line>> {
    let of = system.clinic(&clinic).await?;
    let patient = patient_id(&patient)?;
    let words = json_of(words, "send {\"text\": …}")?;
    let before = said(&system.office, &of, &patient).await?.len();
    system.write_as_patient(&of, &patient, &Written::Text(words.text), None).await?;
    let lines = said(&system.office, &of, &patient).await?;
    Ok(Json(lines.into_iter().skip(before).collect()))
}
