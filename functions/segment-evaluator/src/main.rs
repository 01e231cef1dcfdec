//! Started by a clinic's daily schedule with `{"clinic": "<id>"}`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::Reach;
use retorno_domain::ids::ClinicId;
use segment_evaluator::{Scope, evaluate};
use serde::Deserialize;

/// What the schedule carries.
#[derive(Deserialize)]
struct Morning {
    clinic: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let reach = Reach::from_env(&retorno_cloud::aws::config_from_env()?)?;
    run(service_fn(|event: LambdaEvent<Morning>| handle(&reach, event))).await
}

async fn handle(reach: &Reach, event: LambdaEvent<Morning>) -> Result<(), Error> {
    let clinic = ClinicId::parse(&event.payload.clinic)?;
    let evaluation = evaluate(reach, &clinic, Scope::Due).await?;
    let enrolled: u32 = evaluation.wave.enrolled.values().sum();
    tracing::info!(%clinic, looked_at = evaluation.looked_at, moved = evaluation.moved, enrolled, "evaluated");
    Ok(())
}
