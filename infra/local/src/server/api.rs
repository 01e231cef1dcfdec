//! The API for the commands. Everything it answers is JSON, errors too: `{"error": …}`.

mod staff;
mod templates;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use chrono::NaiveDate;
use retorno_domain::channel::ChannelSet;
use retorno_domain::ids::{ClinicId, PatientId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::agenda::{self, Agenda};
use super::browser;
use super::consent::{self, ConsentSaid, ConsentView};
use super::consents::{self, CONSENTS_BYTES_MAX, ConsentsDone, attester};
use super::import::{self, Files};
use super::inbox::{self, Inbox};
use super::ledger;
use super::parked;
use super::privacy;
use super::problem::Problem;
use super::slots::{self, Slots};
use super::state::AdvanceBy;
use super::survey::Segments;
use super::system::{OpenClinic, System, instant};
use super::thread::{self, Line};
use super::upload::{receive, receive_text};
use super::wave::Waves;
use crate::host::Written;
use crate::outbox::{self, Sent};
use crate::why::{Why, why};

const SETTINGS_BYTES_MAX: usize = 256 << 10;
const OUTBOX_MAX: usize = 10_000;
const OUTBOX_DEFAULT: usize = 50;

type Answer<T> = Result<Json<T>, Problem>;

/// `/api`.
pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/state", get(state))
        .route("/advance", post(advance))
        .route("/cancel", post(cancel))
        .route("/parked", get(parked::get))
        .route("/parked/{id}/replay", post(parked::post_replay))
        .route("/parked/{id}/discard", post(parked::post_discard))
        .route("/clinics/{clinic}/import", post(import_export))
        .route("/clinics/{clinic}/slots", get(slots).post(import_slots))
        .route("/clinics/{clinic}/slots/preview", post(preview))
        .route("/clinics/{clinic}/timetable", post(timetable))
        .route("/clinics/{clinic}/settings", post(settings))
        .route("/clinics/{clinic}/segments", get(segments))
        .route("/clinics/{clinic}/waves", get(waves))
        .route("/clinics/{clinic}/outbox", get(outbox))
        .route("/clinics/{clinic}/inbox", get(inbox))
        .route("/clinics/{clinic}/agenda", get(agenda))
        .route("/clinics/{clinic}/consents", post(consents))
        .merge(staff::router())
        .merge(templates::router())
        .route("/clinics/{clinic}/audit", get(ledger::get))
        .route("/clinics/{clinic}/audit/export", get(ledger::get_export))
        .route("/clinics/{clinic}/audit/verify", post(ledger::post_verify))
        .route("/clinics/{clinic}/patients/{patient}/export", get(privacy::get_export))
        .route("/clinics/{clinic}/patients/{patient}/erase", post(privacy::post_erase))
        .route("/clinics/{clinic}/patients/{patient}/readmit", post(privacy::post_readmit))
        .route("/clinics/{clinic}/patients/{patient}/why", get(explain))
        .route("/clinics/{clinic}/patients/{patient}/consent", get(consent_of).post(consent_said))
        .route("/clinics/{clinic}/patients/{patient}/browser", get(browser::get).post(browser::post))
        .route("/clinics/{clinic}/patients/{patient}/thread", get(thread))
        .route("/clinics/{clinic}/patients/{patient}/write", post(write))
        .fallback(async || Problem::missing("this address of the API"))
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method")
        })
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
struct Page {
    limit: Option<usize>,
}

async fn outbox(
    State(system): State<System>,
    Path(clinic): Path<String>,
    page: Result<Query<Page>, QueryRejection>,
) -> Answer<Vec<Sent>> {
    let of = system.clinic(&clinic).await?;
    let limit = query(page)?.limit.unwrap_or(OUTBOX_DEFAULT).min(OUTBOX_MAX);
    let days = (of.since.date_naive(), system.host.now().date_naive());
    Ok(Json(outbox::latest(&of.tenant, ChannelSet::ALL, days, limit).await?))
}

async fn inbox(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Inbox> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(inbox::inbox(&system, &of).await?))
}

#[derive(Deserialize)]
struct From {
    from: Option<NaiveDate>,
}

async fn agenda(
    State(system): State<System>,
    Path(clinic): Path<String>,
    from: Result<Query<From>, QueryRejection>,
) -> Answer<Agenda> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(agenda::agenda(&system, &of, query(from)?.from).await?))
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
    let before = said(&system, &of, &patient).await?.len();
    system.write_as_patient(&of, &patient, &Written::Text(words.text), None).await?;
    let lines = said(&system, &of, &patient).await?;
    Ok(Json(lines.into_iter().skip(before).collect()))
}

async fn consent_of(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Answer<ConsentView> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(consent::consent(&system, &of, &patient_id(&patient)?).await?))
}

async fn consent_said(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
    said: Result<Json<ConsentSaid>, JsonRejection>,
) -> Answer<ConsentView> {
    let of = system.clinic(&clinic).await?;
    let Json(said) = said.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    Ok(Json(consent::record(&system, &of, &patient_id(&patient)?, &said).await?))
}

async fn thread(State(system): State<System>, Path((clinic, patient)): Path<(String, String)>) -> Answer<Vec<Line>> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(said(&system, &of, &patient_id(&patient)?).await?))
}

async fn said(system: &System, of: &OpenClinic, patient: &PatientId) -> Result<Vec<Line>, Problem> {
    let collection = system.patient(of, patient).await?;
    thread::lines(system, of, &collection).await
}

pub(super) fn patient_id(text: &str) -> Result<PatientId, Problem> {
    PatientId::parse(text).map_err(|error| Problem::bad(format!("the patient's id: {error}")))
}

#[derive(Deserialize)]
struct At {
    at: Option<String>,
}

async fn explain(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
    at: Result<Query<At>, QueryRejection>,
) -> Answer<Why> {
    let of = system.clinic(&clinic).await?;
    let at = query(at)?.at.map(|text| instant(&text, of.clinic.zone)).transpose().map_err(Problem::bad)?;
    let patient = patient_id(&patient)?;
    let answer = why(&system.host, &of.id, &patient, at).await?;
    answer.map(Json).ok_or_else(|| Problem::missing(format!("patient {patient} of clinic {clinic}")))
}

fn json_of<T>(body: Result<Json<T>, JsonRejection>, expected: impl Into<String>) -> Result<T, Problem> {
    body.map(|Json(body)| body).map_err(|rejection| Problem::new(rejection.status(), expected))
}

fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
}
