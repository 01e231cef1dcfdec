//! What the three AWS doubles share: an HTTP client inside the process, and AWS's error shape.

use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Doubles, DoublesError, Fault, Provider};

/// An AWS service as seen from its wire.
pub(super) trait Service: Clone + fmt::Debug + Send + Sync + 'static {
    /// Whose fault script applies.
    const PROVIDER: Provider;
    /// The exception by which this service says that requests come too fast.
    const THROTTLED: &'static str;

    fn doubles(&self) -> &Doubles;

    /// Carries out one request: the JSON body of a 200, or a refusal.
    fn handle(&self, request: &HttpRequest) -> Result<Value, Refusal>;
}

/// An AWS error as it goes on the wire.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    exception: String,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, exception: &str, message: impl Into<String>) -> Self {
        Self { status, exception: exception.to_owned(), message: message.into() }
    }

    pub(super) fn bad_request(exception: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, exception, message)
    }

    pub(super) fn unknown_operation(said: &str) -> Self {
        let message = format!("this double does not play '{said}'");
        Self::new(StatusCode::NOT_FOUND, "UnknownOperationException", message)
    }
}

impl From<DoublesError> for Refusal {
    fn from(error: DoublesError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", error.to_string())
    }
}

/// An HTTP client whose every request `service` answers.
pub(super) fn in_process<S: Service>(service: S) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(service));
    http_client_fn(move |_, _| connector.clone())
}

/// Reads a JSON request body.
pub(super) fn parse<T: DeserializeOwned>(request: &HttpRequest, exception: &str) -> Result<T, Refusal> {
    let body = request.body().bytes().unwrap_or_default();
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(exception, error.to_string()))
}

/// Method, path and query of a REST request.
pub(super) fn route(request: &HttpRequest) -> (&str, &str, &str) {
    let uri = request.uri();
    // The SDK writes an absolute URI; what precedes the path is the endpoint, which means nothing here.
    let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    (request.method(), path, query)
}

#[derive(Debug)]
struct Connector<S>(S);

impl<S: Service> HttpConnector for Connector<S> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service = self.0.clone();
        HttpConnectorFuture::new(async move {
            tokio::task::coop::consume_budget().await;
            crate::calls::note_service(&request);
            match service.doubles().next_fault(S::PROVIDER) {
                None => Ok(respond(service.handle(&request))),
                Some(Fault::Throttle) => {
                    let throttled =
                        Refusal::new(StatusCode::TOO_MANY_REQUESTS, S::THROTTLED, "throttled by the fault script");
                    Ok(respond(Err(throttled)))
                }
                Some(Fault::Reject(exception)) => {
                    let rejected = Refusal::bad_request(&exception, "rejected by the fault script");
                    Ok(respond(Err(rejected)))
                }
                Some(Fault::Unavailable) => {
                    let unavailable = Refusal::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "ServiceUnavailable",
                        "unavailable by the fault script",
                    );
                    Ok(respond(Err(unavailable)))
                }
                Some(Fault::AcceptThenDrop) => match service.handle(&request) {
                    Ok(_) => Err(ConnectorError::io("connection closed before the answer".into())),
                    Err(refusal) => Ok(respond(Err(refusal))),
                },
                Some(Fault::Slow(ms)) => {
                    let answer = service.handle(&request);
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    Ok(respond(answer))
                }
            }
        })
    }
}

fn respond(answer: Result<Value, Refusal>) -> HttpResponse {
    match answer {
        Ok(body) => HttpResponse::new(StatusCode::OK.into(), SdkBody::from(body.to_string())),
        Err(refusal) => {
            let body = json!({ "__type": refusal.exception, "message": refusal.message });
            HttpResponse::new(refusal.status.into(), SdkBody::from(body.to_string()))
        }
    }
}
