//! WAHA, as its clients see it. Its engine reserves no ids.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use retorno_domain::sender::GatewayKind::Waha;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, GatewayLink, failed, picture};

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/api/sessions/{session}", get(state))
        .route("/api/sessions/{session}/restart", post(restart))
        .route("/api/sessions/{session}/logout", post(log_out))
        .route("/api/{session}/auth/qr", get(code))
        .route("/api/{session}/new-message-id", get(async || StatusCode::NOT_IMPLEMENTED))
        .route("/api/contacts/check-exists", get(exists))
        .route("/api/sendText", post(send))
}

async fn state(State(api): State<Api>, Path(session): Path<String>, headers: HeaderMap) -> Response {
    let link = match api.open(&headers, (Waha, &session)) {
        Ok(link) => link,
        Err(refusal) => return *refusal,
    };
    let status = match link {
        GatewayLink::Linked => "WORKING",
        GatewayLink::Linking => "SCAN_QR_CODE",
        GatewayLink::Unlinked | GatewayLink::Dark => "STOPPED",
    };
    Json(json!({"name": session, "status": status})).into_response()
}

async fn restart(State(api): State<Api>, Path(session): Path<String>, headers: HeaderMap) -> Response {
    match api.open(&headers, (Waha, &session)) {
        Ok(GatewayLink::Linked) => StatusCode::CREATED.into_response(),
        Ok(GatewayLink::Unlinked | GatewayLink::Linking | GatewayLink::Dark) => {
            set(&api, &session, GatewayLink::Linking)
        }
        Err(refusal) => *refusal,
    }
}

async fn log_out(State(api): State<Api>, Path(session): Path<String>, headers: HeaderMap) -> Response {
    match api.open(&headers, (Waha, &session)) {
        Ok(_) => set(&api, &session, GatewayLink::Unlinked),
        Err(refusal) => *refusal,
    }
}

fn set(api: &Api, session: &str, link: GatewayLink) -> Response {
    match api.double.set_link(Waha, session, link) {
        Ok(()) => (StatusCode::CREATED, Json(json!({}))).into_response(),
        Err(error) => failed(&error),
    }
}

async fn code(State(api): State<Api>, Path(session): Path<String>, headers: HeaderMap) -> Response {
    match api.open(&headers, (Waha, &session)) {
        Ok(GatewayLink::Linking) => match api.double.next_code(Waha, &session) {
            Ok(code) => Json(json!({"mimetype": "image/svg+xml", "data": picture(&code)})).into_response(),
            Err(error) => failed(&error),
        },
        Ok(GatewayLink::Linked | GatewayLink::Unlinked | GatewayLink::Dark) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"error": "no code in this state"}))).into_response()
        }
        Err(refusal) => *refusal,
    }
}

#[derive(Deserialize)]
struct Asked {
    phone: String,
    session: String,
}

async fn exists(State(api): State<Api>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    match api.open(&headers, (Waha, &asked.session)) {
        Ok(_) => Json(json!({"numberExists": true, "chatId": format!("{}@c.us", asked.phone)})).into_response(),
        Err(refusal) => *refusal,
    }
}

async fn send(State(api): State<Api>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let (Some(session), Some(chat), Some(words)) = (text("session"), text("chatId"), text("text")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match api.open(&headers, (Waha, session)) {
        Ok(GatewayLink::Linked) => {}
        Ok(GatewayLink::Unlinked | GatewayLink::Linking | GatewayLink::Dark) => {
            return StatusCode::UNPROCESSABLE_ENTITY.into_response();
        }
        Err(refusal) => return *refusal,
    }
    let to = chat.split('@').next().unwrap_or(chat);
    match api.double.accept((Waha, session), (to, words), text("reply_to")) {
        Ok(id) => (StatusCode::CREATED, Json(json!({"id": format!("true_{chat}_{id}")}))).into_response(),
        Err(error) => failed(&error),
    }
}
