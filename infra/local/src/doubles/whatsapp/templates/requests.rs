//! The management API at the wire: the list, a submission, another wording, the subscribed apps, and
//! whose token it is.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::requests::Refusal;
use super::super::{Api, cut_off};
use super::{LOOKED_AT, Whatsapp};
use crate::doubles::{Fault, Provider, stored};

/// The sandbox's app, as Meta numbers it.
const APP: &str = "1";
/// Bodies have at most so many characters.
const BODY_CHARS_MAX: usize = 1_024;
/// Labels of buttons have at most so many characters.
const LABEL_CHARS_MAX: usize = 25;

#[derive(Deserialize)]
struct Submitted {
    name: String,
    language: String,
    category: String,
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Edited {
    category: Option<String>,
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    example: Option<Example>,
    #[serde(default)]
    buttons: Vec<Button>,
}

#[derive(Deserialize)]
struct Example {
    body_text: Vec<Vec<String>>,
}

#[derive(Deserialize)]
struct Button {
    text: String,
}

/// The addresses of the management API.
pub(in crate::doubles::whatsapp) fn routes() -> Router<Api> {
    Router::new()
        .route("/{version}/app", get(app))
        .route("/{version}/{id}", post(edit))
        .route("/{version}/{account}/message_templates", get(list).post(create))
        .route("/{version}/{account}/subscribed_apps", get(apps).post(subscribe))
}

async fn app(State(api): State<Api>, Path(_): Path<String>, headers: HeaderMap) -> Response {
    answer(&api, &headers, || Ok(json!({ "id": APP, "name": "sandbox" }))).await
}

async fn list(State(api): State<Api>, Path((_, account)): Path<(String, String)>, headers: HeaderMap) -> Response {
    answer(&api, &headers, || {
        let held = api.whatsapp.held(&account)?;
        Ok(json!({ "data": held.iter().map(super::Held::listed).collect::<Vec<_>>() }))
    })
    .await
}

async fn create(
    State(api): State<Api>,
    Path((_, account)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&api, &headers, || api.whatsapp.submitted(&account, &body)).await
}

async fn edit(
    State(api): State<Api>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&api, &headers, || api.whatsapp.edited(&id, &body)).await
}

async fn apps(State(api): State<Api>, Path((_, account)): Path<(String, String)>, headers: HeaderMap) -> Response {
    answer(&api, &headers, || {
        let app = json!({ "whatsapp_business_api_data": { "id": APP, "name": "sandbox" } });
        let apps = if api.whatsapp.is_subscribed(&account)? { vec![app] } else { Vec::new() };
        Ok(json!({ "data": apps }))
    })
    .await
}

async fn subscribe(State(api): State<Api>, Path((_, account)): Path<(String, String)>, headers: HeaderMap) -> Response {
    answer(&api, &headers, || {
        api.whatsapp.set_subscribed(&account, true)?;
        Ok(json!({ "success": true }))
    })
    .await
}

/// The answer to whoever has the token, unless trouble is scripted.
async fn answer(api: &Api, headers: &HeaderMap, work: impl FnOnce() -> Result<Value, Refusal>) -> Response {
    if !api.is_authorized(headers) {
        return Refusal::bad_token().into_response();
    }
    let work = || work().map_or_else(IntoResponse::into_response, |answer| Json(answer).into_response());
    match api.whatsapp.doubles.next_fault(Provider::Templates) {
        None => work(),
        Some(Fault::Throttle) => Refusal::throttled().into_response(),
        Some(Fault::Reject(code)) => Refusal::scripted(&code).into_response(),
        Some(Fault::Unavailable) => Refusal::unavailable().into_response(),
        Some(Fault::Slow(ms)) => {
            let answer = work();
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer
        }
        Some(Fault::AcceptThenDrop) => {
            let answer = work();
            if answer.status() == StatusCode::OK { cut_off() } else { answer }
        }
    }
}

impl Whatsapp {
    fn submitted(&self, account: &str, body: &[u8]) -> Result<Value, Refusal> {
        let asked: Submitted = serde_json::from_slice(body).map_err(Refusal::not_json)?;
        let snake = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if asked.name.is_empty() || asked.name.len() > 512 || !asked.name.bytes().all(snake) {
            return Err(Refusal::template("the name must be lower snake case"));
        }
        let (text, buttons) = read(&asked.components)?;
        let decide_at = stored(self.doubles.now() + LOOKED_AT);
        let number = self.doubles.write(|tx| {
            let sql = "INSERT OR IGNORE INTO whatsapp_templates \
                       (account, name, language, status, category, body, buttons, decide_at) \
                       VALUES (?1, ?2, ?3, 'PENDING', ?4, ?5, ?6, ?7)";
            let row = params![account, asked.name, asked.language, asked.category, text, buttons, decide_at];
            Ok((tx.execute(sql, row)? > 0).then(|| tx.last_insert_rowid()))
        })?;
        let number = number.ok_or_else(Refusal::template_exists)?;
        Ok(json!({ "id": number.to_string(), "status": "PENDING", "category": asked.category }))
    }

    fn edited(&self, id: &str, body: &[u8]) -> Result<Value, Refusal> {
        let asked: Edited = serde_json::from_slice(body).map_err(Refusal::not_json)?;
        let (text, buttons) = read(&asked.components)?;
        let decide_at = stored(self.doubles.now() + LOOKED_AT);
        let edited = self.doubles.write(|tx| {
            let sql = "UPDATE whatsapp_templates SET body = ?1, buttons = ?2, category = coalesce(?3, category), \
                       status = 'PENDING', reason = 'NONE', decide_at = ?4 \
                       WHERE number = ?5 AND status IN ('APPROVED', 'REJECTED', 'PAUSED')";
            Ok(tx.execute(sql, params![text, buttons, asked.category, decide_at, id])?)
        })?;
        if edited == 0 {
            return Err(Refusal::template("there is no such template, or it cannot be edited now"));
        }
        Ok(json!({ "success": true }))
    }
}

/// The body and the buttons, checked as Meta checks them.
fn read(components: &[Component]) -> Result<(String, String), Refusal> {
    let body = components.iter().find(|component| component.kind == "BODY");
    let body = body.filter(|body| !body.text.is_empty() && body.text.chars().count() <= BODY_CHARS_MAX);
    let body = body.ok_or_else(|| Refusal::template("a body of 1 to 1024 characters is required"))?;
    let examples = body.example.as_ref().and_then(|example| example.body_text.first()).map_or(0, Vec::len);
    let places = (1..).take_while(|at| body.text.contains(&format!("{{{{{at}}}}}"))).count();
    if places != examples {
        return Err(Refusal::template("each variable needs an example"));
    }
    let buttons = components.iter().filter(|component| component.kind == "BUTTONS");
    let labels: Vec<&str> =
        buttons.flat_map(|component| &component.buttons).map(|button| button.text.as_str()).collect();
    if labels.iter().any(|label| label.is_empty() || label.chars().count() > LABEL_CHARS_MAX) {
        return Err(Refusal::template("a label has 1 to 25 characters"));
    }
    Ok((body.text.clone(), json!(labels).to_string()))
}
