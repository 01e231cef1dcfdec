//! Answers API Gateway for the hooks, and reads the queue of what came in.

use aws_lambda_events::event::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use inbound_webhook::entrance::Entrance;
use inbound_webhook::hook::{HookRequest, HookSecrets};
use inbound_webhook::process::Inbound;
use inbound_webhook::{batch, secrets};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::Reach;
use retorno_cloud::queue::Queue;
use retorno_cloud::secrets::SecretKey;
use serde_json::{Value, json};

struct Function {
    entrance: Entrance,
    inbound: Inbound,
    secrets: HookSecrets,
    clock: retorno_cloud::Clock,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let reach = Reach::from_env(&config)?;
    let function = Function {
        entrance: Entrance::new(Queue::from_env(&config, "INBOUND_QUEUE_URL")?, reach.store.clone())?,
        secrets: secrets::read(&std::env::var("HOOK_SECRETS")?)?,
        clock: reach.clock.clone(),
        inbound: Inbound::new(reach, SecretKey::from_env("OPAQUE_KEY")?),
    };
    run(service_fn(|event: LambdaEvent<Value>| function.take(event.payload))).await
}

impl Function {
    async fn take(&self, event: Value) -> Result<Value, Error> {
        if event.get("Records").is_some() {
            return Ok(json!(batch::batch(&self.inbound, serde_json::from_value(event)?, self.clock.now()).await));
        }
        let request: ApiGatewayV2httpRequest = serde_json::from_value(event)?;
        let answer = self.entrance.accept(HookRequest::from(request), &self.secrets, self.clock.now()).await;
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = i64::from(answer.status);
        response.headers.insert("content-type", answer.content_type.parse()?);
        response.body = Some(answer.body.into());
        Ok(json!(response))
    }
}
