//! Answers API Gateway (HTTP API, payload format 2.0).

use std::pin::Pin;

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use patient_pages::{PageAnswer, PageRequest, Pages, SECRETS, unavailable};
use retorno_cloud::vault::{Kept, Vault};
use retorno_cloud::{Clock, aws::SdkConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let kept = Kept::of(Vault::from_env(&config, SECRETS));
    run(service_fn(|event: LambdaEvent<ApiGatewayV2httpRequest>| answer(&kept, &config, event.payload))).await
}

async fn answer(
    kept: &Kept<Pages>,
    config: &SdkConfig,
    event: ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let request = request(event);
    let pages = match kept.get(Clock::System.now(), |secrets| Pages::from_env(config, secrets)).await {
        Ok(pages) => pages,
        Err(error) => return Ok(response(unavailable(&request, &error))),
    };
    // Behind a pointer: what it awaits is nested deeper than the compiler lays out in one piece.
    let handled: Pin<Box<dyn Future<Output = PageAnswer> + '_>> = Box::pin(pages.handle(request));
    Ok(response(handled.await))
}

fn request(event: ApiGatewayV2httpRequest) -> PageRequest {
    let text = |value: &aws_lambda_events::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let body = event.body.unwrap_or_default();
    PageRequest {
        method: event.request_context.http.method.to_string(),
        path: event.raw_path.unwrap_or_default(),
        query: event.raw_query_string.unwrap_or_default(),
        headers: event.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        // What is not base64 although it says so is no form.
        body: if event.is_base64_encoded { STANDARD.decode(body).unwrap_or_default() } else { body.into_bytes() },
    }
}

fn response(answer: PageAnswer) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(answer.status);
    response.body = Some(Body::Text(answer.body));
    for (name, value) in answer.headers {
        if let Ok(value) = value.parse() {
            response.headers.insert(name, value);
        }
    }
    response
}
