//! When an export lands in the bucket, import it: `uploads/<clinic>/<file>.csv`, free slots as
//! `slots/<clinic>/<file>.csv`.

use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use export_importer::{SECRETS, import, import_slots};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::vault::{Kept, Vault};
use retorno_cloud::{Clock, Reach};
use retorno_domain::ids::ClinicId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let kept = Kept::of(Vault::from_env(&config, SECRETS));
    let s3 = aws_sdk_s3::Client::new(&config);
    run(service_fn(|event: LambdaEvent<S3Event>| async {
        let reach = kept.get(Clock::System.now(), |secrets| Reach::from_env(&config, secrets)).await?;
        handle(&reach, &s3, event).await
    }))
    .await
}

async fn handle(reach: &Reach, s3: &aws_sdk_s3::Client, event: LambdaEvent<S3Event>) -> Result<(), Error> {
    for record in event.payload.records {
        landed(reach, s3, &record, &event.context.request_id).await?;
    }
    Ok(())
}

async fn landed(reach: &Reach, s3: &aws_sdk_s3::Client, record: &S3EventRecord, request: &str) -> Result<(), Error> {
    let bucket = record.s3.bucket.name.as_deref().ok_or("the event names no bucket")?;
    let key = record.s3.object.url_decoded_key.as_deref().or(record.s3.object.key.as_deref());
    let key = key.ok_or("the event names no object")?;
    let mut parts = key.splitn(3, '/');
    let (kind, clinic) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let clinic = ClinicId::parse(clinic)?;
    let object = s3.get_object().bucket(bucket).key(key).send().await?;
    // On disk, so that memory stays bounded whatever lands.
    let path = std::env::temp_dir().join("export.csv");
    let mut file = tokio::fs::File::create(&path).await?;
    tokio::io::copy(&mut object.body.into_async_read(), &mut file).await?;
    let file = std::fs::File::open(&path)?;
    match kind {
        "slots" => {
            let report = import_slots(reach, &clinic, file).await?;
            tracing::info!(%clinic, read = report.read, rejected = report.rejected.len(), "slots imported");
        }
        "uploads" => {
            let report = import(reach, &clinic, request, file, &mut |_| {}).await?;
            tracing::info!(%clinic, read = report.read, accepted = report.accepted, changed = report.changed, "export imported");
        }
        _ => return Err(format!("an object outside uploads/ and slots/ of clinic {clinic}").into()),
    }
    Ok(())
}
