//! The API about people who are not on record.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::DateTime;
use retorno_cloud::desk::StaffDone;
use retorno_domain::contact::Phone;
use retorno_domain::ids::PatientId;
use serde::Deserialize;

use super::problem::Problem;
use super::strangers::{Candidate, StrangerAct, Strangers, answer_event, find, strangers};
use super::system::{OpenClinic, System};
use crate::host::Written;

type Answer<T> = Result<Json<T>, Problem>;
type Sent<T> = Result<Json<T>, JsonRejection>;

pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/clinics/{clinic}/find", post(look_for))
        .route("/clinics/{clinic}/strangers", get(all))
        .route("/clinics/{clinic}/strangers/write", post(write))
        .route("/clinics/{clinic}/strangers/{who}/attach", post(attach))
        .route("/clinics/{clinic}/strangers/{who}/answer", post(answer))
        .route("/clinics/{clinic}/strangers/{who}/dismiss", post(dismiss))
        .route("/clinics/{clinic}/strangers/{who}/restore", post(restore))
        .route("/clinics/{clinic}/agreements/{id}/attach", post(attach_agreement))
        .route("/clinics/{clinic}/agreements/{id}/dismiss", post(dismiss_agreement))
        .route("/clinics/{clinic}/agreements/{id}/restore", post(restore_agreement))
        .route("/clinics/{clinic}/patients/{patient}/right-number", post(right_number))
        .route("/clinics/{clinic}/patients/{patient}/forget-number", post(forget_number))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    patient: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    text: String,
    /// Sent twice under one name, it is one answer.
    event: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmed {
    #[serde(default)]
    confirm: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnPhone {
    phone: String,
    text: String,
}

async fn all(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(strangers(&system, &of).await?))
}

/// By a body, not by an address: it holds a name.
async fn look_for(
    State(system): State<System>,
    Path(clinic): Path<String>,
    words: Sent<Text>,
) -> Answer<Vec<Candidate>> {
    let of = system.clinic(&clinic).await?;
    let words = sent(words, "send {\"text\": a name, or the patient's number in the clinic's system}")?;
    Ok(Json(find(&of, &words.text).await?))
}

/// Writes on the sandbox phone as somebody who may not be on record.
async fn write(State(system): State<System>, Path(clinic): Path<String>, said: Sent<OnPhone>) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    let said = sent(said, "send {\"phone\": \"+5491155550100\", \"text\": …}")?;
    let phone = Phone::parse(&said.phone, of.clinic.country)
        .map_err(|_| Problem::bad("write the number with its country, as in +5491155550100"))?;
    system.check_free()?;
    // On the next whole second, as providers tell it: after all that was said before.
    let now = system.host.now();
    system.clock.move_to(DateTime::from_timestamp(now.timestamp() + 1, 0).unwrap_or(now))?;
    system.host.write_on_phone(&of.clinic, phone.e164.digits(), &Written::Text(said.text), None).await?;
    system.take_up_now().await?;
    Ok(Json(strangers(&system, &of).await?))
}

async fn attach(
    State(system): State<System>,
    Path((clinic, who)): Path<(String, String)>,
    patient: Sent<Of>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    let patient = patient_of(patient)?;
    done(&system, &of, &StrangerAct::Attach(who, patient)).await
}

async fn answer(
    State(system): State<System>,
    Path((clinic, who)): Path<(String, String)>,
    said: Sent<Said>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    let said = sent(said, "send {\"text\": …}")?;
    let event = match said.event {
        Some(event) => format!("api#{event}"),
        None => {
            let group = of.tenant.stranger_group(&who).await?.ok_or_else(|| Problem::missing("this number"))?;
            answer_event(&group, &said.text)
        }
    };
    done(&system, &of, &StrangerAct::Answer(who, event, said.text)).await
}

async fn dismiss(State(system): State<System>, Path((clinic, who)): Path<(String, String)>) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    done(&system, &of, &StrangerAct::Dismiss(who, true)).await
}

async fn restore(State(system): State<System>, Path((clinic, who)): Path<(String, String)>) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    done(&system, &of, &StrangerAct::Dismiss(who, false)).await
}

async fn attach_agreement(
    State(system): State<System>,
    Path((clinic, id)): Path<(String, String)>,
    patient: Sent<Of>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    let patient = patient_of(patient)?;
    done(&system, &of, &StrangerAct::AttachAgreement(id, patient)).await
}

async fn dismiss_agreement(
    State(system): State<System>,
    Path((clinic, id)): Path<(String, String)>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    done(&system, &of, &StrangerAct::DismissAgreement(id, true)).await
}

async fn restore_agreement(
    State(system): State<System>,
    Path((clinic, id)): Path<(String, String)>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    done(&system, &of, &StrangerAct::DismissAgreement(id, false)).await
}

async fn right_number(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
    confirmed: Sent<Confirmed>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    let confirmed = sent(confirmed, "send {\"confirm\": true}")?.confirm;
    done(&system, &of, &StrangerAct::RightNumber(patient_id(&patient)?, confirmed)).await
}

async fn forget_number(
    State(system): State<System>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Answer<Strangers> {
    let of = system.clinic(&clinic).await?;
    done(&system, &of, &StrangerAct::ForgetNumber(patient_id(&patient)?)).await
}

/// Does it, and shows how everything stands.
async fn done(system: &System, of: &OpenClinic, act: &StrangerAct) -> Answer<Strangers> {
    match system.stranger_act(of, act).await? {
        StaffDone::Done | StaffDone::Repeated => Ok(Json(strangers(system, of).await?)),
        StaffDone::Nobody => Err(Problem::missing("the patient, the number or the agreement")),
        StaffDone::Refused(why) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string())),
    }
}

fn sent<T>(sent: Sent<T>, expected: &str) -> Result<T, Problem> {
    sent.map(|Json(sent)| sent).map_err(|rejection| Problem::new(rejection.status(), expected))
}

fn patient_of(of: Sent<Of>) -> Result<PatientId, Problem> {
    patient_id(&sent(of, "send {\"patient\": the patient's id}")?.patient)
}

fn patient_id(text: &str) -> Result<PatientId, Problem> {
    PatientId::parse(text).map_err(|error| Problem::bad(format!("the patient's id: {error}")))
}
