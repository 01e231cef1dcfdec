//! The API about a clinic's templates at Meta.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::Answer;
use crate::doubles::MetaSays;
use crate::server::problem::Problem;
use crate::server::system::System;
use crate::server::templates::{Templates, Wish};

pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/clinics/{clinic}/templates", get(list).post(act))
        .route("/clinics/{clinic}/templates/meta", post(meta))
}

async fn list(State(system): State<System>, Path(clinic): Path<String>) -> Answer<Templates> {
    let of = system.clinic(&clinic).await?;
    Ok(Json(system.templates(&of).await?))
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
    State(system): State<System>,
    Path(clinic): Path<String>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Answer<Templates> {
    let of = system.clinic(&clinic).await?;
    let expected = "send {\"do\": \"refresh\" | \"submit\" | \"subscribe\", \"template\": … (to submit just one)}";
    let Json(asked) = asked.map_err(|rejection| Problem::new(rejection.status(), expected))?;
    let wish = Wish::of_act(&asked.act, asked.template).ok_or_else(|| Problem::bad(expected))?;
    Ok(Json(system.about_templates(&of, &wish).await?))
}

/// What the sandbox's Meta is to say: an event of a template, or `unsubscribe` of the account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Played {
    event: String,
    template: Option<String>,
}

async fn meta(
    State(system): State<System>,
    Path(clinic): Path<String>,
    played: Result<Json<Played>, JsonRejection>,
) -> Answer<Templates> {
    let of = system.clinic(&clinic).await?;
    let words: Vec<&str> = MetaSays::ALL.into_iter().map(MetaSays::code).collect();
    let expected =
        || format!("send {{\"event\": {}, \"template\": …}} or {{\"event\": \"unsubscribe\"}}", words.join(" | "));
    let Json(played) = played.map_err(|rejection| Problem::new(rejection.status(), expected()))?;
    let wish = Wish::of_meta(&played.event, played.template).ok_or_else(|| Problem::bad(expected()))?;
    Ok(Json(system.about_templates(&of, &wish).await?))
}
