//! Started by a clinic's daily schedule with `{"clinic": "<id>"}`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::aws::SdkConfig;
use retorno_cloud::vault::{Kept, Vault};
use retorno_cloud::{Clock, Reach};
use retorno_domain::ids::ClinicId;
use segment_evaluator::{SECRETS, Scope, evaluate};
use serde::Deserialize;

/// What the schedule carries.
#[derive(Deserialize)]
struct Morning {
    clinic: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let kept = Kept::of(Vault::from_env(&config, SECRETS));
    run(service_fn(|event: LambdaEvent<Morning>| handle(&kept, &config, event))).await
}

async fn handle(kept: &Kept<Reach>, config: &SdkConfig, event: LambdaEvent<Morning>) -> Result<(), Error> {
    let reach = kept.get(Clock::System.now(), |secrets| Reach::from_env(config, secrets)).await?;
    let clinic = ClinicId::parse(&event.payload.clinic)?;
    let evaluation = evaluate(&reach, &clinic, Scope::Due).await?;
    let enrolled: u32 = evaluation.wave.enrolled.values().sum();
    tracing::info!(%clinic, looked_at = evaluation.looked_at, moved = evaluation.moved, enrolled, "evaluated");
    Ok(())
}
