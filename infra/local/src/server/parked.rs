//! What a proven sender told and nobody could read: how much, how old and where it came in, never
//! what it says. Read again after an upgrade, or discarded.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, SecondsFormat, Utc};
use inbound_webhook::entrance::Replayed;
use retorno_cloud::store::{ParkedBody, ParkedOver};
use serde::Serialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::system::System;

/// What is parked.
#[derive(Debug, Serialize)]
pub(crate) struct Parked {
    /// Bodies, the oldest first.
    pub(crate) bodies: Vec<BodyView>,
    /// What was too much and is lost.
    pub(crate) lost: Vec<LostView>,
}

/// A body, without what it says.
#[derive(Debug, Serialize)]
pub(crate) struct BodyView {
    /// Its id.
    pub(crate) id: String,
    /// Where it came in.
    pub(crate) entry: String,
    /// Why it could not be read: `not_json`, `unknown`, `lacks` or `other`.
    pub(crate) code: &'static str,
    /// The same in words, for whoever mends it.
    pub(crate) why: String,
    /// When it came first (RFC 3339).
    pub(crate) since: String,
    /// How often it came.
    pub(crate) times: u32,
    /// Its size.
    pub(crate) bytes: u64,
    /// The first instant.
    #[serde(skip)]
    pub(crate) since_at: DateTime<Utc>,
}

/// What was too much within an hour.
#[derive(Debug, Serialize)]
pub(crate) struct LostView {
    /// Where it came in.
    pub(crate) entry: String,
    /// The hour's beginning (RFC 3339).
    pub(crate) hour: String,
    /// How many bodies.
    pub(crate) count: u64,
}

/// What is parked.
///
/// # Errors
/// [`Problem`].
pub(crate) async fn parked(system: &System) -> Result<Parked, Problem> {
    let store = &system.host.reach.store;
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let body = |body: ParkedBody| BodyView {
        since: text(body.first_at),
        since_at: body.first_at,
        id: body.id,
        entry: body.entry,
        code: code_of(&body.why),
        why: body.why,
        times: body.times,
        bytes: body.bytes,
    };
    let lost = |over: ParkedOver| LostView { entry: over.entry, hour: text(over.hour), count: over.count };
    Ok(Parked {
        bodies: store.parked().await?.into_iter().map(body).collect(),
        lost: store.parked_over().await?.into_iter().map(lost).collect(),
    })
}

/// What the hooks say of a body that they do not understand, in a word.
fn code_of(why: &str) -> &'static str {
    match why {
        why if why.starts_with("not an object") => "not_json",
        why if why.contains("unknown") => "unknown",
        why if why.contains("without") || why.starts_with("no ") || why.contains("of nobody") => "lacks",
        _ => "other",
    }
}

/// Reads a body again, and says what came of it: `read`, `partly` or `unreadable`.
///
/// # Errors
/// [`Problem`] when there is no such body.
pub(crate) async fn replay(system: &System, id: &str) -> Result<&'static str, Problem> {
    system.check_free()?;
    let replayed = system.host.replay(id).await?;
    system.take_up_now().await?;
    match replayed {
        Replayed::Read => Ok("read"),
        Replayed::Partly => Ok("partly"),
        Replayed::Unreadable => Ok("unreadable"),
        Replayed::Gone => Err(Problem::missing("a parked body of this id").coded("parked_gone")),
    }
}

/// Forgets a body.
///
/// # Errors
/// [`Problem`] when there is no such body.
pub(crate) async fn discard(system: &System, id: &str) -> Result<(), Problem> {
    if system.host.reach.store.discard_parked(id).await? {
        return Ok(());
    }
    Err(Problem::missing("a parked body of this id").coded("parked_gone"))
}

pub(super) async fn get(State(system): State<System>) -> Result<Json<Parked>, Problem> {
    Ok(Json(parked(&system).await?))
}

pub(super) async fn post_replay(State(system): State<System>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "replayed": replay(&system, &id).await? })))
}

pub(super) async fn post_discard(State(system): State<System>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    discard(&system, &id).await?;
    Ok(Json(json!({ "discarded": true })))
}
