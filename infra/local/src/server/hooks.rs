//! The doors to the outside: what providers tell enters here as it does in production.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use inbound_webhook::hook::{BODY_BYTES_MAX, HookRequest};

use super::system::System;

pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/hooks/{*rest}", get(hook).post(hook))
        // The limit is the hook's own, and so is its answer.
        .layer(DefaultBodyLimit::disable())
}

async fn hook(State(system): State<System>, query: Query<Vec<(String, String)>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(body) = whole(body).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let Query(query) = query;
    let asked = HookRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query,
        headers: pairs(&parts.headers),
        body: body.to_vec(),
        is_base64: false,
    };
    let answer = system.host.hook(asked).await;
    system.wake();
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
}

/// The whole body, unless it is larger than any that a provider sends.
async fn whole(body: Body) -> Option<Bytes> {
    axum::body::to_bytes(body, BODY_BYTES_MAX).await.ok()
}

/// Headers that are text; no other matters to anybody here.
pub(super) fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(pair).collect()
}
