//! The API about a clinic's templates at Meta.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRef, Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use crate::office::Office;
use crate::problem::Problem;
use crate::routes::{Answer, json_of};
use crate::templates::{Templates, act_of};

pub(crate) fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Office: FromRef<S>,
{
    Router::new().route("/clinics/{clinic}/templates", get(list).post(act))
}

async fn list(State(office): State<Office>, Path(clinic): Path<String>) -> Answer<Templates> {
    let of = office.clinic(&clinic).await?;
    Ok(Json(office.templates(&of).await?))
}

/// What is to be done: `refresh`, `submit` (all that are missing, or the one named) or `subscribe`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(rename = "do")]
    act: String,
    template: Option<String>,
}

async fn act(
    State(office): State<Office>,
    Path(clinic): Path<String>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Answer<Templates> {
    let of = office.clinic(&clinic).await?;
    let expected = "send {\"do\": \"refresh\" | \"submit\" | \"subscribe\", \"template\": … (to submit just one)}";
    let asked = json_of(asked, expected)?;
    let act = act_of(&asked.act, asked.template).ok_or_else(|| Problem::bad(expected))?;
    Ok(Json(office.about_templates(&of, &act).await?))
}
