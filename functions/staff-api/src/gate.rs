//! From API Gateway (HTTP API, payload format 2.0) to the addresses, and back.

use std::convert::Infallible;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body as Answered;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::audit;
use crate::caller::Caller;
use crate::office::Office;
use crate::problem::Problem;
use crate::routes::{router, with_fallbacks};

/// Where the addresses begin.
const BELOW: &str = "/api";
/// Lambda answers no more than 6 MB, and JSON within JSON takes more than it says.
const ANSWER_BYTES_MAX: usize = 5 << 20;

/// Answers a request whose token API Gateway has checked.
pub async fn answer(office: &Office, event: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    let response = match request(event) {
        Ok((caller, request)) => asked(office, caller, request).await,
        Err(problem) => problem.into_response(),
    };
    told(response).await
}

/// What is answered while secrets or the table cannot be reached.
pub async fn unavailable() -> ApiGatewayV2httpResponse {
    told(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not now; ask again in a moment").into_response()).await
}

async fn asked(office: &Office, caller: Caller, request: Request<Body>) -> Response {
    if !caller.may_ask(request.uri().path()) {
        return Problem::new(StatusCode::FORBIDDEN, "this is not of a clinic of yours").into_response();
    }
    let addresses =
        Router::new().route("/me", get(me)).route("/clinics/{clinic}/audit", get(audit::state)).merge(router());
    let mut addresses = with_fallbacks(addresses).layer(Extension(caller)).with_state(office.clone());
    let answered: Result<Response, Infallible> = addresses.call(request).await;
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// What the caller may see.
async fn me(Extension(caller): Extension<Caller>) -> Json<Value> {
    let clinics: Vec<&str> = caller.clinics().map(retorno_domain::ids::ClinicId::as_str).collect();
    Json(json!({ "agency": caller.is_agency(), "clinics": clinics }))
}

fn request(event: ApiGatewayV2httpRequest) -> Result<(Caller, Request<Body>), Problem> {
    let caller = Caller::of(&event.request_context);
    let path = event.raw_path.unwrap_or_default();
    let below = path.strip_prefix(BELOW).filter(|below| below.starts_with('/'));
    let below = below.ok_or_else(|| Problem::missing("this address of the API"))?;
    let query = event.raw_query_string.filter(|query| !query.is_empty());
    let uri = query.map_or_else(|| below.to_owned(), |query| format!("{below}?{query}"));
    let body = event.body.unwrap_or_default();
    let body = match event.is_base64_encoded {
        true => STANDARD.decode(body).map_err(|_| Problem::bad("the body is not what the gateway says it is"))?,
        false => body.into_bytes(),
    };
    let mut request = Request::builder().method(event.request_context.http.method).uri(uri);
    if let Some(kind) = event.headers.get(header::CONTENT_TYPE) {
        request = request.header(header::CONTENT_TYPE, kind);
    }
    let request = request.body(Body::from(body)).map_err(|_| Problem::bad("this is no address"))?;
    Ok((caller, request))
}

async fn told(response: Response) -> ApiGatewayV2httpResponse {
    let (mut parts, body) = response.into_parts();
    let body = match to_bytes(body, ANSWER_BYTES_MAX).await {
        Ok(body) => body,
        Err(_) => {
            parts.status = StatusCode::PAYLOAD_TOO_LARGE;
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            r#"{"error":"the answer is too large: ask for less"}"#.into()
        }
    };
    let mut told = ApiGatewayV2httpResponse::default();
    told.status_code = i64::from(parts.status.as_u16());
    told.headers = parts.headers;
    told.headers.remove(header::CONTENT_LENGTH);
    told.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    told.headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    told.body = Some(match String::from_utf8(body.into()) {
        Ok(text) => Answered::Text(text),
        Err(other) => {
            told.is_base64_encoded = true;
            Answered::Text(STANDARD.encode(other.into_bytes()))
        }
    });
    told
}
