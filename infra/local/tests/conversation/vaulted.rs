//! Sealing as in the cloud: KMS signs, and a digest is locked in a bucket.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use chrono::{DateTime, TimeDelta, Utc};
use ledger_sealer::anchor::Anchors;
use ledger_sealer::key::Signer;
use ledger_sealer::seal::{Sealed, seal};
use retorno::calls::{calls_of, note_service};
use serde_json::json;

use crate::scene::{PHONE, Scene};

const LOCKED_FOR: TimeDelta = TimeDelta::days(1_826);

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[a_digest_is_signed_by_the_key_and_locked_in_the_bucket];

/// A digest that was put: where, and what was said with it.
type Put = (String, Vec<(String, String)>);

/// Answers as KMS and S3 do, and keeps what is put.
#[derive(Debug, Clone)]
struct Aws {
    /// The key's public half, as base64 of its DER.
    public: String,
    puts: Arc<Mutex<Vec<Put>>>,
    /// How the bucket answers.
    bucket: u16,
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        note_service(&request);
        let (status, body) = match request.headers().get("x-amz-target") {
            Some("TrentService.GetPublicKey") => (200, json!({ "PublicKey": self.public }).to_string()),
            Some("TrentService.Sign") => (200, json!({ "Signature": "c2lnbmVk" }).to_string()),
            Some(other) => panic!("{other}"),
            None => {
                assert_eq!(request.method(), "PUT");
                let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
                self.puts.lock().unwrap().push((request.uri().to_owned(), headers.collect()));
                let refused = "<Error><Code>PreconditionFailed</Code></Error>";
                (self.bucket, if self.bucket == 200 { String::new() } else { refused.to_owned() })
            }
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

/// Seals a clinic's conversation, with a bucket that answers so.
async fn sealed(bucket: u16) -> (Scene, Sealed, Vec<Put>) {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "BAJA").await;
    scene.pass(TimeDelta::hours(2)).await;
    let key = Signer::from_pkcs8(&Signer::new_pkcs8().unwrap()).unwrap();
    let public = key.public_key().to_pem().lines().filter(|line| !line.starts_with('-')).collect();
    let aws = Aws { public, puts: Arc::default(), bucket };
    let connector = SharedHttpConnector::new(aws.clone());
    let http = http_client_fn(move |_, _| connector.clone());
    let kms = aws_sdk_kms::Config::builder().behavior_version_latest().allow_no_auth().http_client(http.clone());
    let kms = kms.region(aws_sdk_kms::config::Region::from_static("us-east-1")).endpoint_url("http://kms.local");
    let s3 = aws_sdk_s3::Config::builder().behavior_version_latest().allow_no_auth().http_client(http);
    let s3 = s3.region(aws_sdk_s3::config::Region::from_static("us-east-1")).endpoint_url("http://s3.local");
    let sealing = async {
        let signer = Signer::kms(aws_sdk_kms::Client::from_conf(kms.build()), "the-key".to_owned()).await.unwrap();
        assert_eq!(signer.public_key(), key.public_key());
        let client = aws_sdk_s3::Client::from_conf(s3.build());
        let anchors = Anchors::Bucket { client, bucket: "digests".to_owned(), locked_for: LOCKED_FOR };
        seal(&scene.tenant, &signer, &anchors, scene.host.now()).await.unwrap()
    };
    let sealed = calls_of("ledger-sealer", sealing).await;
    let puts = aws.puts.lock().unwrap().clone();
    (scene, sealed, puts)
}

#[tokio::test]
async fn a_digest_is_signed_by_the_key_and_locked_in_the_bucket() {
    let (scene, sealed, puts) = sealed(200).await;
    assert!(sealed.records > 0, "{sealed:?}");
    let [(uri, headers)] = puts.as_slice() else { panic!("one digest: {puts:?}") };
    assert!(uri.contains("/digests/") && uri.contains(&format!("{}/000000000001.json", scene.clinic)), "{uri}");
    let of = |name: &str| headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str());
    assert_eq!((of("if-none-match"), of("x-amz-object-lock-mode")), (Some("*"), Some("COMPLIANCE")));
    let until: DateTime<Utc> = of("x-amz-object-lock-retain-until-date").unwrap().parse().unwrap();
    assert_eq!((until - scene.host.now()).num_days(), LOCKED_FOR.num_days());
    let head = scene.tenant.ledger_head().await.unwrap().unwrap();
    assert_eq!((head.number, head.anchored), (1, 1));
}

#[tokio::test]
async fn a_digest_that_is_in_the_bucket_already_is_kept() {
    let (scene, _, puts) = sealed(412).await;
    assert_eq!(puts.len(), 1);
    let head = scene.tenant.ledger_head().await.unwrap().unwrap();
    assert_eq!((head.number, head.anchored), (1, 1));
}
