//! Answers API Gateway (HTTP API, payload format 2.0).

use std::pin::Pin;

use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::vault::{Kept, Vault};
use retorno_cloud::{Clock, aws::SdkConfig};
use staff_api::gate;
use staff_api::{Office, SECRETS};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let kept = Kept::of(Vault::from_env(&config, SECRETS));
    run(service_fn(|event: LambdaEvent<ApiGatewayV2httpRequest>| answer(&kept, &config, event.payload))).await
}

async fn answer(
    kept: &Kept<Office>,
    config: &SdkConfig,
    event: ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let office = match kept.get(Clock::System.now(), |secrets| Office::from_env(config, secrets)).await {
        Ok(office) => office,
        Err(error) => {
            tracing::error!(%error, "staff could not be answered");
            return Ok(gate::unavailable().await);
        }
    };
    // Behind a pointer: what it awaits is nested deeper than the compiler lays out in one piece.
    let answered: Pin<Box<dyn Future<Output = ApiGatewayV2httpResponse> + '_>> = Box::pin(gate::answer(&office, event));
    Ok(answered.await)
}
