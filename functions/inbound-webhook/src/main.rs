//! Answers API Gateway for the hooks, and reads the queue of what came in.

use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use inbound_webhook::function::{Function, SECRETS};
use inbound_webhook::hook::{HookAnswer, HookRequest};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::aws::SdkConfig;
use retorno_cloud::vault::{Kept, Vault};
use retorno_cloud::{Clock, CloudError};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let kept = Kept::of(Vault::from_env(&config, SECRETS));
    run(service_fn(|event: LambdaEvent<Value>| take(&kept, &config, event.payload))).await
}

async fn take(kept: &Kept<Function>, config: &SdkConfig, event: Value) -> Result<Value, Error> {
    let now = Clock::System.now();
    let function = kept.get(now, |secrets| Function::from_env(config, secrets)).await;
    if event.get("Records").is_some() {
        return Ok(json!(function?.take_in(serde_json::from_value(event)?, now).await));
    }
    let request: ApiGatewayV2httpRequest = serde_json::from_value(event)?;
    let answer = match function {
        Ok(function) => function.accept(HookRequest::from(request), now).await,
        Err(error) => unavailable(&error),
    };
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(answer.status);
    response.headers.insert("content-type", answer.content_type.parse()?);
    response.body = Some(answer.body.into());
    Ok(json!(response))
}

/// Whoever delivers keeps it, and delivers again.
fn unavailable(error: &CloudError) -> HookAnswer {
    tracing::error!(%error, "a request could not be verified");
    HookAnswer::of(503)
}
