//! What staff does in a conversation, over the API: answers, takes it over, hands it back.

use axum::Json;
use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use retorno_cloud::desk::StaffDone;
use serde::Deserialize;

use crate::office::Office;
use crate::problem::Problem;
use crate::routes::{Answer, json_of, patient_id, said};
use crate::talk::{StaffAct, event_name, staff_event};
use crate::thread::Line;

pub(crate) fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Office: FromRef<S>,
{
    Router::new()
        .route("/clinics/{clinic}/patients/{patient}/reply", post(reply))
        .route("/clinics/{clinic}/patients/{patient}/hold", post(hold))
        .route("/clinics/{clinic}/patients/{patient}/release", post(release))
}

/// What is done, and under which name: sent again with the same, it is done once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    text: String,
    event: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    event: Option<String>,
    /// How many words of the patient's whoever hands back has seen.
    heard: Option<usize>,
}

type Given<T> = Result<Json<T>, JsonRejection>;

async fn reply(state: State<Office>, path: Path<(String, String)>, given: Given<Reply>) -> Answer<Vec<Line>> {
    let Reply { text, event } = json_of(given, "send {\"text\": …}, and \"event\" to be sure that it is said once")?;
    act(state, path, event, None, StaffAct::Write(text)).await
}

async fn hold(state: State<Office>, path: Path<(String, String)>, given: Given<Held>) -> Answer<Vec<Line>> {
    let Held { event, .. } = json_of(given, "send {}")?;
    act(state, path, event, None, StaffAct::TakeOver).await
}

async fn release(state: State<Office>, path: Path<(String, String)>, given: Given<Held>) -> Answer<Vec<Line>> {
    let Held { event, heard } = json_of(given, "send {}, and \"heard\" to hand back only what you have read")?;
    act(state, path, event, heard, StaffAct::Release).await
}

/// Does it, and answers with what was added to the conversation.
async fn act(
    State(office): State<Office>,
    Path((clinic, patient)): Path<(String, String)>,
    event: Option<String>,
    heard: Option<usize>,
    act: StaffAct,
) -> Answer<Vec<Line>> {
    let of = office.clinic(&clinic).await?;
    let patient = patient_id(&patient)?;
    if let Some(seen) = heard
        && of.tenant.heard(&patient).await?.len() > seen
    {
        return Err(Problem::busy("the patient has said more since: read it first"));
    }
    let before = said(&office, &of, &patient).await?.len();
    let event = match event {
        Some(event) => event,
        None => event_name()?,
    };
    match office.staff(&of, &patient, &staff_event(&patient, &event)?, &act).await? {
        StaffDone::Done | StaffDone::Repeated => {}
        StaffDone::Nobody => return Err(Problem::missing(format!("patient {patient} of clinic {clinic}"))),
        StaffDone::Refused(why) => return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string())),
    }
    let lines = said(&office, &of, &patient).await?;
    Ok(Json(lines.into_iter().skip(before).collect()))
}
