//! The addresses. Everything answered is JSON, errors too: `{"error": …}`; but for the agenda's files.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRef, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use retorno_domain::calendar::resolve_local;
use retorno_domain::channel::ChannelSet;
use retorno_domain::ids::PatientId;
use serde::Deserialize;

use crate::agenda::{self, Agenda};
use crate::consent::{self, ConsentSaid, ConsentView};
use crate::inbox::{self, Inbox};
use crate::office::{Office, OpenClinic};
use crate::outbox::{self, Sent};
use crate::problem::Problem;
use crate::thread::{self, Line};
use crate::why::Why;
use crate::{audit, connections_api, parked, privacy, staff, strangers_api, templates_api};

const OUTBOX_MAX: usize = 10_000;
const OUTBOX_DEFAULT: usize = 50;

/// What an address answers.
pub type Answer<T> = Result<Json<T>, Problem>;

/// All of them, below wherever they are put.
pub fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Office: FromRef<S>,
{
    Router::new()
        .route("/parked", get(parked::get))
        .route("/parked/{id}/replay", post(parked::post_replay))
        .route("/parked/{id}/discard", post(parked::post_discard))
        .route("/clinics/{clinic}/inbox", get(inbox))
        .route("/clinics/{clinic}/agenda", get(agenda))
        .route("/clinics/{clinic}/agenda.csv", get(agenda_csv))
        .route("/clinics/{clinic}/agenda.ics", get(agenda_ics))
        .route("/clinics/{clinic}/outbox", get(outbox))
        .route("/clinics/{clinic}/patients/{patient}/thread", get(thread))
        .route("/clinics/{clinic}/patients/{patient}/why", get(explain))
        .route("/clinics/{clinic}/patients/{patient}/consent", get(consent_of).post(consent_said))
        .route("/clinics/{clinic}/patients/{patient}/export", get(privacy::get_export))
        .route("/clinics/{clinic}/patients/{patient}/erase", post(privacy::post_erase))
        .route("/clinics/{clinic}/patients/{patient}/readmit", post(privacy::post_readmit))
        .route("/clinics/{clinic}/audit/export", get(audit::get_export))
        .merge(staff::router())
        .merge(strangers_api::router())
        .merge(connections_api::router())
        .merge(templates_api::router())
}

/// What is answered at an address that is none, and to a method that an address does not take.
pub fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.fallback(async || Problem::missing("this address of the API")).method_not_allowed_fallback(async || {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address takes another method")
    })
}

async fn inbox(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Inbox> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(inbox::inbox(&office, &of).await?))
}

#[derive(Deserialize)]
struct From {
    from: Option<NaiveDate>,
}

async fn agenda(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    from: Result<Query<From>, QueryRejection>,
) -> Answer<Agenda> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(agenda::agenda(&office, &of, query(from)?.from).await?))
}

async fn agenda_csv(State(office): State<Office>, Path(clinic): Path<String>) -> Result<Response, Problem> {
    let of = office.clinic(&clinic).await?;
    let file = agenda::csv(&office, &of).await?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], file).into_response())
}

async fn agenda_ics(State(office): State<Office>, Path(clinic): Path<String>) -> Result<Response, Problem> {
    let of = office.clinic(&clinic).await?;
    let file = agenda::calendar(&office, &of).await?;
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], file).into_response())
}

#[derive(Deserialize)]
struct Page {
    limit: Option<usize>,
}

async fn outbox(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    page: Result<Query<Page>, QueryRejection>,
) -> Answer<Vec<Sent>> {
    let of = office.clinic(&clinic).await?;
    let limit = query(page)?.limit.unwrap_or(OUTBOX_DEFAULT).min(OUTBOX_MAX);
    let days = (of.since.date_naive(), office.now().date_naive());
    Ok(Json(outbox::latest(&of.tenant, ChannelSet::ALL, days, limit).await?))
}

async fn thread(State(office): State<Office>, Path((clinic, patient)): Path<(String, String)>) -> Answer<Vec<Line>> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(said(&office, &of, &patient_id(&patient)?).await?))
}

async fn consent_of(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Answer<ConsentView> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(consent::consent(&office, &of, &patient_id(&patient)?).await?))
}

async fn consent_said(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
    said: Result<Json<ConsentSaid>, JsonRejection>,
) -> Answer<ConsentView> {
    let of = office.clinic(&clinic).await?;
    let Json(said) = said.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    Ok(Json(consent::record(&office, &of, &patient_id(&patient)?, &said).await?))
}

#[derive(Deserialize)]
struct At {
    at: Option<String>,
}

async fn explain(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
    at: Result<Query<At>, QueryRejection>,
) -> Answer<Why> {
    let of = office.clinic(&clinic).await?;
    let at = query(at)?.at.map(|text| instant(&text, of.clinic.zone)).transpose().map_err(Problem::bad)?;
    Ok(Json(office.why(&of, &patient_id(&patient)?, at).await?))
}

/// The conversation with a patient.
///
/// # Errors
/// [`Problem`] when there is no such patient.
pub async fn said(office: &Office, of: &OpenClinic, patient: &PatientId) -> Result<Vec<Line>, Problem> {
    let collection = office.patient(of, patient).await?;
    thread::lines(office, of, &collection).await
}

/// A patient's number.
///
/// # Errors
/// [`Problem`] when it is none.
pub fn patient_id(text: &str) -> Result<PatientId, Problem> {
    PatientId::parse(text).map_err(|error| Problem::bad(format!("the patient's id: {error}")))
}

/// What was sent as JSON.
///
/// # Errors
/// [`Problem`] says what is expected.
pub fn json_of<T>(body: Result<Json<T>, JsonRejection>, expected: impl Into<String>) -> Result<T, Problem> {
    body.map(|Json(body)| body).map_err(|rejection| Problem::new(rejection.status(), expected))
}

/// What was asked for in the address.
///
/// # Errors
/// [`Problem`] says what is wrong with it.
pub fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))
}

/// An instant: RFC 3339, or local to a zone.
///
/// # Errors
/// What is expected.
pub fn instant(text: &str, zone: Tz) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let local =
        local.ok_or("write the instant as 2026-03-01T09:00 (the clinic's zone) or 2026-03-01T09:00:00-03:00")?;
    Ok(resolve_local(local, zone))
}
