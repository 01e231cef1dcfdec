//! The API about people who are not on record.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use retorno_cloud::desk::StaffDone;
use retorno_domain::ids::PatientId;
use serde::Deserialize;

use crate::office::{Office, OpenClinic};
use crate::problem::Problem;
use crate::routes::{Answer, json_of, patient_id};
use crate::strangers::{Candidate, StrangerAct, Strangers, answer_event, find, strangers};

type Sent<T> = Result<Json<T>, JsonRejection>;

pub(crate) fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Office: FromRef<S>,
{
    Router::new()
        .route("/clinics/{clinic}/find", post(look_for))
        .route("/clinics/{clinic}/strangers", get(all))
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

async fn all(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(strangers(&office, &of).await?))
}

/// By a body, not by an address: it holds a name.
async fn look_for(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    words: Sent<Text>,
) -> Answer<Vec<Candidate>> {
    let of = office.clinic(&clinic).await?;
    let words = json_of(words, "send {\"text\": a name, or the patient's number in the clinic's system}")?;
    Ok(Json(find(&of, &words.text).await?))
}

async fn attach(
    State(office): State<Office>,
    Path((clinic, who)): Path<(String, String)>,
    patient: Sent<Of>,
) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    let patient = patient_of(patient)?;
    done(&office, &of, &StrangerAct::Attach(who, patient)).await
}

async fn answer(
    State(office): State<Office>,
    Path((clinic, who)): Path<(String, String)>,
    said: Sent<Said>,
) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    let said = json_of(said, "send {\"text\": …}")?;
    let event = match said.event {
        Some(event) => format!("api#{event}"),
        None => {
            let group = of.tenant.stranger_group(&who).await?.ok_or_else(|| Problem::missing("this number"))?;
            answer_event(&group, &said.text)
        }
    };
    done(&office, &of, &StrangerAct::Answer(who, event, said.text)).await
}

async fn dismiss(State(office): State<Office>, Path((clinic, who)): Path<(String, String)>) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    done(&office, &of, &StrangerAct::Dismiss(who, true)).await
}

async fn restore(State(office): State<Office>, Path((clinic, who)): Path<(String, String)>) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    done(&office, &of, &StrangerAct::Dismiss(who, false)).await
}

async fn attach_agreement(
    State(office): State<Office>,
    Path((clinic, id)): Path<(String, String)>,
    patient: Sent<Of>,
) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    let patient = patient_of(patient)?;
    done(&office, &of, &StrangerAct::AttachAgreement(id, patient)).await
}

async fn dismiss_agreement(
    State(office): State<Office>,
    Path((clinic, id)): Path<(String, String)>,
) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    done(&office, &of, &StrangerAct::DismissAgreement(id, true)).await
}

async fn restore_agreement(
    State(office): State<Office>,
    Path((clinic, id)): Path<(String, String)>,
) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    done(&office, &of, &StrangerAct::DismissAgreement(id, false)).await
}

async fn right_number(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
    confirmed: Sent<Confirmed>,
) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    let confirmed = json_of(confirmed, "send {\"confirm\": true}")?.confirm;
    done(&office, &of, &StrangerAct::RightNumber(patient_id(&patient)?, confirmed)).await
}

async fn forget_number(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
) -> Answer<Strangers> {
    let of = office.clinic(&clinic).await?;
    done(&office, &of, &StrangerAct::ForgetNumber(patient_id(&patient)?)).await
}

/// Does it, and shows how everything stands.
async fn done(office: &Office, of: &OpenClinic, act: &StrangerAct) -> Answer<Strangers> {
    match office.stranger_act(of, act).await? {
        StaffDone::Done | StaffDone::Repeated => Ok(Json(strangers(office, of).await?)),
        StaffDone::Nobody => Err(Problem::missing("the patient, the number or the agreement")),
        StaffDone::Refused(why) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string())),
    }
}

fn patient_of(of: Sent<Of>) -> Result<PatientId, Problem> {
    patient_id(&json_of(of, "send {\"patient\": the patient's id}")?.patient)
}
