//! Reads the dispatch queue.

use std::pin::Pin;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::Clock;
use retorno_cloud::aws::SdkConfig;
use retorno_cloud::vault::{Kept, Vault};
use step_dispatcher::{Dispatcher, SECRETS, batch};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let kept = Kept::of(Vault::from_env(&config, SECRETS));
    run(service_fn(|event: LambdaEvent<SqsEvent>| take_up(&kept, &config, event))).await
}

async fn take_up(
    kept: &Kept<Dispatcher>,
    config: &SdkConfig,
    event: LambdaEvent<SqsEvent>,
) -> Result<SqsBatchResponse, Error> {
    let dispatcher = kept.get(Clock::System.now(), |secrets| Dispatcher::from_env(config, secrets)).await?;
    let deadline = event.context.deadline();
    // Behind a pointer: what it awaits is nested deeper than the compiler lays out in one piece.
    let taken: Pin<Box<dyn Future<Output = SqsBatchResponse> + '_>> =
        Box::pin(batch(&dispatcher, event.payload, deadline));
    Ok(taken.await)
}
