//! What a proven sender told and nobody could read: how much, how old and where it came in, never
//! what it says. Read again after an upgrade, or discarded.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, SecondsFormat, Utc};
use retorno_cloud::store::{ParkedBody, ParkedOver, ReadAgainOnce};
use serde::Serialize;
use serde_json::{Value, json};

use crate::office::{Office, Tick};
use crate::problem::Problem;

/// What is parked.
#[derive(Debug, Serialize)]
pub struct Parked {
    /// Bodies, the oldest first.
    pub bodies: Vec<BodyView>,
    /// What was too much and is lost.
    pub lost: Vec<LostView>,
}

/// A body, without what it says.
#[derive(Debug, Serialize)]
pub struct BodyView {
    /// Its id.
    pub id: String,
    /// Where it came in.
    pub entry: String,
    /// Why it could not be read: `not_json`, `unknown`, `lacks` or `other`.
    pub code: &'static str,
    /// The same in words, for whoever mends it.
    pub why: String,
    /// When it came first (RFC 3339).
    pub since: String,
    /// How often it came.
    pub times: u32,
    /// Its size.
    pub bytes: u64,
    /// What came of reading it again, the last time; nothing when it was not.
    pub again: Option<AgainView>,
    /// The first instant.
    #[serde(skip)]
    pub since_at: DateTime<Utc>,
}

/// An attempt to read a body again, after which it stays.
#[derive(Debug, Serialize)]
pub struct AgainView {
    /// When (RFC 3339).
    pub at: String,
    /// `partly`, and what could be read is taken up; or `unreadable`.
    pub came: &'static str,
    /// The same instant as `at`.
    #[serde(skip)]
    pub instant: DateTime<Utc>,
}

/// What was too much within an hour.
#[derive(Debug, Serialize)]
pub struct LostView {
    /// Where it came in.
    pub entry: String,
    /// The hour's beginning (RFC 3339).
    pub hour: String,
    /// How many bodies.
    pub count: u64,
}

/// What is parked.
///
/// # Errors
/// [`Problem`].
pub async fn parked(office: &Office) -> Result<Parked, Problem> {
    let store = &office.reach.store;
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
        again: body.again.map(|again| AgainView { at: text(again.at), came: came(again), instant: again.at }),
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

fn came(again: ReadAgainOnce) -> &'static str {
    if again.in_part { "partly" } else { "unreadable" }
}

/// Has a body read again by the hooks. What came of it: `read`, and it is parked no more; `partly` or
/// `unreadable`, and it stays; `asked` while that is not known yet.
///
/// # Errors
/// [`Problem`] when there is no such body.
pub async fn replay(office: &Office, id: &str) -> Result<&'static str, Problem> {
    let find = async || Ok::<_, Problem>(office.reach.store.parked().await?.into_iter().find(|body| body.id == id));
    let before = find().await?.ok_or_else(gone)?.again;
    office.begin(Tick::Now)?;
    office.inbound.put_read_again(id).await?;
    office.done().await?;
    Ok(match find().await? {
        None => "read",
        Some(ParkedBody { again: Some(again), .. }) if Some(again) != before => came(again),
        Some(_) => "asked",
    })
}

fn gone() -> Problem {
    Problem::missing("a parked body of this id").coded("parked_gone")
}

/// Forgets a body.
///
/// # Errors
/// [`Problem`] when there is no such body.
pub async fn discard(office: &Office, id: &str) -> Result<(), Problem> {
    if office.reach.store.discard_parked(id).await? {
        return Ok(());
    }
    Err(gone())
}

pub(crate) async fn get(State(office): State<Office>) -> Result<Json<Parked>, Problem> {
    Ok(Json(parked(&office).await?))
}

pub(crate) async fn post_discard(State(office): State<Office>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    discard(&office, &id).await?;
    Ok(Json(json!({ "discarded": true })))
}

pub(crate) async fn post_replay(State(office): State<Office>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "replayed": replay(&office, &id).await? })))
}
