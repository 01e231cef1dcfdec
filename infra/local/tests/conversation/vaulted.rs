//! Sealing as in the cloud: KMS signs, and a digest is locked in a bucket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use chrono::{DateTime, TimeDelta, Utc};
use ledger_sealer::anchor::Anchors;
use ledger_sealer::key::Signer;
use ledger_sealer::seal::{SealError, Sealed, seal};
use retorno::calls::{calls_of, note_service};
use serde_json::{Value, json};

use crate::canary::{everything, key};
use crate::scene::{PHONE, Scene};

const LOCKED_FOR: TimeDelta = TimeDelta::days(1_826);

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_digest_is_signed_by_the_key_and_locked_in_the_bucket,
    a_table_that_knows_less_than_the_bucket_begins_a_generation,
    another_digest_in_the_bucket_is_told,
];

/// A digest that was put: where, and what was said with it.
type Put = (String, Vec<(String, String)>);

/// Answers as KMS and S3 do, and keeps what is put.
#[derive(Debug, Clone)]
struct Aws {
    /// The key's public half, as base64 of its DER.
    public: String,
    puts: Arc<Mutex<Vec<Put>>>,
    /// What the bucket holds, by key.
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// It is written to between being looked at and being put to.
    another: bool,
}

impl Aws {
    fn bucket(&self, request: &HttpRequest) -> (u16, String) {
        let uri = request.uri();
        let key = || uri.split(".local/").nth(1).unwrap().split('?').next().unwrap().to_owned();
        let mut objects = self.objects.lock().unwrap();
        match request.method() {
            "PUT" => {
                let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
                self.puts.lock().unwrap().push((uri.to_owned(), headers.collect()));
                if self.another {
                    objects.insert(key(), b"{}".to_vec());
                }
                if objects.contains_key(&key()) {
                    return (412, "<Error><Code>PreconditionFailed</Code></Error>".to_owned());
                }
                // The body may come in chunks, with a checksum after it.
                let body = request.body().bytes().unwrap();
                let [from, to] = [body.iter().position(|b| *b == b'{'), body.iter().rposition(|b| *b == b'}')];
                objects.insert(key(), body[from.unwrap()..=to.unwrap()].to_vec());
                (200, String::new())
            }
            "GET" if uri.contains("list-type=2") => {
                let asked = |name: &str| uri.split(name).nth(1).unwrap().split('&').next().unwrap().replace("%2F", "/");
                let (prefix, after) = (asked("prefix="), asked("start-after="));
                let found = objects.keys().filter(|key| key.starts_with(&prefix) && **key > after);
                let found: String = found.map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
                (200, format!("<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"))
            }
            "GET" => (200, String::from_utf8(objects[&key()].clone()).unwrap()),
            other => panic!("{other} {uri}"),
        }
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        note_service(&request);
        let (status, body) = match request.headers().get("x-amz-target") {
            Some("TrentService.GetPublicKey") => (200, json!({ "PublicKey": self.public }).to_string()),
            Some("TrentService.Sign") => (200, json!({ "Signature": "c2lnbmVk" }).to_string()),
            Some(other) => panic!("{other}"),
            None => self.bucket(&request),
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

/// A clinic's conversation, and what seals it.
struct Vault {
    scene: Scene,
    aws: Aws,
    signer: Signer,
    anchors: Anchors,
}

impl Vault {
    async fn with(another: bool) -> Self {
        let scene = Scene::with(&[("1", PHONE)], 40).await;
        scene.until_sent().await;
        scene.says(PHONE, "BAJA").await;
        scene.pass(TimeDelta::hours(2)).await;
        let key = Signer::from_pkcs8(&Signer::new_pkcs8().unwrap()).unwrap();
        let public = key.public_key().to_pem().lines().filter(|line| !line.starts_with('-')).collect();
        let aws = Aws { public, puts: Arc::default(), objects: Arc::default(), another };
        let connector = SharedHttpConnector::new(aws.clone());
        let http = http_client_fn(move |_, _| connector.clone());
        let kms = aws_sdk_kms::Config::builder().behavior_version_latest().allow_no_auth().http_client(http.clone());
        let kms = kms.region(aws_sdk_kms::config::Region::from_static("us-east-1")).endpoint_url("http://kms.local");
        let s3 = aws_sdk_s3::Config::builder().behavior_version_latest().allow_no_auth().http_client(http);
        let s3 = s3.region(aws_sdk_s3::config::Region::from_static("us-east-1")).endpoint_url("http://s3.local");
        let kms = aws_sdk_kms::Client::from_conf(kms.build());
        let signer = calls_of("ledger-sealer", Signer::kms(kms, "the-key".to_owned())).await.unwrap();
        assert_eq!(signer.public_key(), key.public_key());
        let client = aws_sdk_s3::Client::from_conf(s3.build());
        let anchors = Anchors::Bucket { client, bucket: "digests".to_owned(), locked_for: LOCKED_FOR };
        Self { scene, aws, signer, anchors }
    }

    async fn seal(&self) -> Result<Sealed, SealError> {
        let now = self.scene.host.now();
        calls_of("ledger-sealer", seal(&self.scene.tenant, &self.signer, &self.anchors, now)).await
    }

    fn puts(&self) -> Vec<Put> {
        self.aws.puts.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_digest_is_signed_by_the_key_and_locked_in_the_bucket() {
    let vault = Vault::with(false).await;
    let sealed = vault.seal().await.unwrap();
    let (scene, puts) = (&vault.scene, vault.puts());
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
    let vault = Vault::with(false).await;
    vault.seal().await.unwrap();
    // The run died before it noted so.
    let key = json!({ "pk": { "S": "T#prueba#LEDGER" }, "sk": { "S": "HEAD" } });
    let forgets = json!({ "TableName": "retorno", "Key": key, "UpdateExpression": "REMOVE anchored" });
    assert_eq!(vault.scene.host.engine.answer("UpdateItem", forgets.to_string().as_bytes()).0, 200);
    vault.seal().await.unwrap();
    assert_eq!(vault.puts().len(), 2);
    let head = vault.scene.tenant.ledger_head().await.unwrap().unwrap();
    assert_eq!((head.number, head.anchored), (1, 1));
}

#[tokio::test]
async fn another_digest_in_the_bucket_is_told() {
    let vault = Vault::with(true).await;
    let failed = vault.seal().await.unwrap_err();
    assert!(failed.to_string().contains("the chain was forked"), "{failed}");
    assert_eq!(vault.scene.tenant.ledger_head().await.unwrap().unwrap().anchored, 0);
}

#[tokio::test]
async fn a_table_that_knows_less_than_the_bucket_begins_a_generation() {
    let vault = Vault::with(false).await;
    let ledger = |scene: &Scene| -> Vec<Value> {
        everything(scene).into_iter().filter(|item| key(item).0.ends_with("#LEDGER")).collect()
    };
    vault.seal().await.unwrap();
    for item in ledger(&vault.scene) {
        let request = json!({ "TableName": "retorno", "Key": { "pk": item["pk"], "sk": item["sk"] } });
        assert_eq!(vault.scene.host.engine.answer("DeleteItem", request.to_string().as_bytes()).0, 200);
    }
    assert_eq!(vault.seal().await.unwrap().forgotten, 1);
    let objects = vault.aws.objects.lock().unwrap().clone();
    let second: Value = serde_json::from_slice(objects.last_key_value().unwrap().1).unwrap();
    assert_eq!((&second["digest"]["number"], &second["digest"]["generation"]), (&json!(2), &json!(2)));
    assert_eq!(second["digest"]["restored"]["last"], 1);
}
