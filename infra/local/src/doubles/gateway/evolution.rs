//! Evolution API v2, as its clients see it.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use retorno_domain::sender::GatewayKind::Evolution;
use serde_json::{Value, json};

use super::{Api, GatewayLink, failed, picture};

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/instance/connectionState/{instance}", get(state))
        .route("/instance/connect/{instance}", get(connect))
        .route("/instance/restart/{instance}", post(restart))
        .route("/instance/logout/{instance}", delete(log_out))
        .route("/message/sendText/{instance}", post(send))
}

async fn state(State(api): State<Api>, Path(instance): Path<String>, headers: HeaderMap) -> Response {
    let link = match api.open(&headers, (Evolution, &instance)) {
        Ok(link) => link,
        Err(refusal) => return *refusal,
    };
    let state = match link {
        GatewayLink::Linked => "open",
        GatewayLink::Linking => "connecting",
        GatewayLink::Unlinked | GatewayLink::Dark => "close",
    };
    Json(json!({"instance": {"instanceName": instance, "state": state}})).into_response()
}

async fn connect(State(api): State<Api>, Path(instance): Path<String>, headers: HeaderMap) -> Response {
    match api.open(&headers, (Evolution, &instance)) {
        Ok(GatewayLink::Linked) => {
            Json(json!({"instance": {"instanceName": instance, "state": "open"}})).into_response()
        }
        Ok(GatewayLink::Unlinked | GatewayLink::Linking | GatewayLink::Dark) => {
            match api.double.next_code(Evolution, &instance) {
                Ok(code) => {
                    let base64 = format!("data:image/svg+xml;base64,{}", picture(&code));
                    Json(json!({"pairingCode": null, "code": code, "base64": base64, "count": 1})).into_response()
                }
                Err(error) => failed(&error),
            }
        }
        Err(refusal) => *refusal,
    }
}

async fn restart(State(api): State<Api>, Path(instance): Path<String>, headers: HeaderMap) -> Response {
    match api.open(&headers, (Evolution, &instance)) {
        Ok(_) => Json(json!({"instance": {"instanceName": instance}})).into_response(),
        Err(refusal) => *refusal,
    }
}

async fn log_out(State(api): State<Api>, Path(instance): Path<String>, headers: HeaderMap) -> Response {
    match api.open(&headers, (Evolution, &instance)) {
        Ok(_) => match api.double.set_link(Evolution, &instance, GatewayLink::Unlinked) {
            Ok(()) => Json(json!({"status": "SUCCESS", "error": false})).into_response(),
            Err(error) => failed(&error),
        },
        Err(refusal) => *refusal,
    }
}

async fn send(
    State(api): State<Api>,
    Path(instance): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    match api.open(&headers, (Evolution, &instance)) {
        Ok(GatewayLink::Linked) => {}
        Ok(GatewayLink::Unlinked | GatewayLink::Linking | GatewayLink::Dark) => {
            let said =
                json!({"status": 500, "error": "Internal Server Error", "response": {"message": "Connection Closed"}});
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(said)).into_response();
        }
        Err(refusal) => return *refusal,
    }
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let (Some(to), Some(words)) = (text("/number"), text("/text")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match api.double.accept((Evolution, &instance), (to, words), text("/quoted/key/id")) {
        Ok(id) => {
            let key = json!({"remoteJid": format!("{to}@s.whatsapp.net"), "fromMe": true, "id": id});
            let sent = json!({"key": key, "message": {"conversation": words}, "status": "PENDING"});
            (StatusCode::CREATED, Json(sent)).into_response()
        }
        Err(error) => failed(&error),
    }
}
