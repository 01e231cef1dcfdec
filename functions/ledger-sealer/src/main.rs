//! Started each hour by a clinic's schedule with `{"clinic": "<id>"}`.

use chrono::TimeDelta;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use ledger_sealer::anchor::Anchors;
use ledger_sealer::key::Signer;
use ledger_sealer::seal::seal;
use retorno_cloud::Clock;
use retorno_cloud::store::Store;
use retorno_domain::ids::ClinicId;
use serde::Deserialize;
use tokio::sync::OnceCell;

/// What the schedule carries.
#[derive(Deserialize)]
struct Hour {
    clinic: String,
}

struct Sealer {
    store: Store,
    anchors: Anchors,
    kms: aws_sdk_kms::Client,
    key: String,
    /// Asked for by the first sealing: a start needs no answer of KMS.
    signer: OnceCell<Signer>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let get = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let days = get("DIGEST_LOCK_DAYS")?.parse().map_err(|_| "DIGEST_LOCK_DAYS is no number of days")?;
    let sealer = Sealer {
        store: Store::without_contacts(aws_sdk_dynamodb::Client::new(&config), get("TABLE_NAME")?)?,
        anchors: Anchors::Bucket {
            client: aws_sdk_s3::Client::new(&config),
            bucket: get("DIGEST_BUCKET")?,
            locked_for: TimeDelta::days(days),
        },
        kms: aws_sdk_kms::Client::new(&config),
        key: get("DIGEST_KEY_ID")?,
        signer: OnceCell::new(),
    };
    run(service_fn(|event: LambdaEvent<Hour>| handle(&sealer, event))).await
}

async fn handle(sealer: &Sealer, event: LambdaEvent<Hour>) -> Result<(), Error> {
    let clinic = ClinicId::parse(&event.payload.clinic)?;
    let signer = sealer.signer.get_or_try_init(|| Signer::kms(sealer.kms.clone(), sealer.key.clone())).await?;
    let sealed = seal(&sealer.store.of(&clinic), signer, &sealer.anchors, Clock::System.now()).await?;
    tracing::info!(%clinic, digests = sealed.digests, records = sealed.records, late = sealed.late, "sealed");
    // All is sealed that can be; a person hears of it as of a run that failed.
    sealed.as_it_was()?;
    Ok(())
}
