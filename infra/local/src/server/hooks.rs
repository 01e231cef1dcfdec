//! The doors to the outside: what providers tell enters here as it does in production, and links in
//! messages lead here to the pages that patients see.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use inbound_webhook::hook::{BODY_BYTES_MAX, HookRequest};
use patient_pages::PageRequest;

use super::system::System;

/// Larger than any form; what pages make of one that is too large is theirs to say.
const PAGE_BYTES_MAX: usize = 1 << 20;

pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/hooks/{*rest}", get(hook).post(hook))
        .route("/l/{*rest}", any(page))
        // The limit is the hook's own, and so is its answer.
        .layer(DefaultBodyLimit::disable())
}

async fn hook(State(system): State<System>, query: Query<Vec<(String, String)>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(body) = whole(body, BODY_BYTES_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
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

/// A page that a link in a message leads to.
async fn page(State(system): State<System>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(body) = whole(body, PAGE_BYTES_MAX).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let asked = PageRequest {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: pairs(&parts.headers),
        body: body.to_vec(),
    };
    let answer = system.host.pages().handle(asked).await;
    system.touch();
    system.wake();
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The whole body, unless it is larger than any that matters.
async fn whole(body: Body, most: usize) -> Option<Bytes> {
    axum::body::to_bytes(body, most).await.ok()
}

/// Headers that are text; no other matters to anybody here.
fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair =
        |(name, value): (&HeaderName, &HeaderValue)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
    headers.iter().filter_map(pair).collect()
}
