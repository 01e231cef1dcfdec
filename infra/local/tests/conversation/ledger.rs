//! The audit chain over a living table: sealed, exported, checked; and what is found when somebody writes
//! the table itself.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::TimeDelta;
use ledger_sealer::anchor::kept_in;
use ledger_sealer::digest::SignedDigest;
use ledger_sealer::export::export;
use ledger_sealer::seal::Sealed;
use ledger_sealer::verify::{Against, Fault, Report, What, verify};
use retorno::host::Sealing;
use retorno_cloud::store::NewDigest;
use serde_json::{Value, json};

use crate::scene::{PHONE, Scene};

struct Ledger {
    scene: Scene,
    folder: tempfile::TempDir,
}

impl Ledger {
    /// After a conversation, with nothing sealed yet.
    async fn unsealed() -> Self {
        Self::begun(false).await
    }

    /// The same, in a clinic that was sealed before.
    async fn sealed_before() -> Self {
        Self::begun(true).await
    }

    async fn begun(is_sealed: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Scene::with(&[("1", PHONE)], 40).await;
        scene.host = scene.host.clone().sealing_in(Sealing::in_folder(folder.path()).unwrap());
        if is_sealed {
            scene.host.seal(&scene.clinic).await.unwrap();
        }
        scene.until_sent().await;
        scene.says(PHONE, "1").await;
        scene.says(PHONE, "BAJA").await;
        scene.pass(TimeDelta::hours(2)).await;
        Self { scene, folder }
    }

    async fn seal(&self) -> Sealed {
        self.scene.host.seal(&self.scene.clinic).await.unwrap()
    }

    fn anchors(&self) -> BTreeMap<u64, SignedDigest> {
        kept_in(&self.folder.path().join("digests"), &self.scene.clinic).unwrap()
    }

    async fn check(&self) -> Result<Report, Fault> {
        let lines = export(&self.scene.tenant, None, None, self.scene.host.now()).await.unwrap();
        let keys = [self.scene.host.sealing().unwrap().public_key().clone()];
        let anchors = self.anchors();
        let against = Against { keys: &keys, anchors: Some(&anchors), from_ms: None, until_ms: None };
        verify(lines.iter().map(String::as_str), &against)
    }

    /// The audit items, as somebody with the right to write the table sees them.
    fn records(&self) -> Vec<Value> {
        let (_, answer) =
            self.scene.host.engine.answer("Scan", json!({ "TableName": "retorno" }).to_string().as_bytes());
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let is_record = |item: &&Value| item["pk"]["S"].as_str().unwrap().contains("#AUDIT#");
        answer["Items"].as_array().unwrap().iter().filter(is_record).cloned().collect()
    }

    fn put(&self, item: &Value) {
        let request = json!({ "TableName": "retorno", "Item": item });
        assert_eq!(self.scene.host.engine.answer("PutItem", request.to_string().as_bytes()).0, 200);
    }

    fn delete(&self, item: &Value) {
        let request = json!({ "TableName": "retorno", "Key": { "pk": item["pk"], "sk": item["sk"] } });
        assert_eq!(self.scene.host.engine.answer("DeleteItem", request.to_string().as_bytes()).0, 200);
    }
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    what_was_recorded_is_sealed_once_and_proved,
    a_record_that_appears_under_a_sealed_hour_is_sealed_late_and_told,
    a_digest_that_could_not_be_kept_outside_is_kept_by_the_next_run,
];

#[tokio::test]
async fn what_was_recorded_is_sealed_once_and_proved() {
    let ledger = Ledger::unsealed().await;
    let records = ledger.records().len();
    assert!(records >= 4, "{records}");
    let (one, other) = tokio::join!(ledger.seal(), ledger.seal());
    assert_eq!(one.records + other.records, records, "two at once seal everything once");
    let report = ledger.check().await.unwrap();
    assert_eq!((report.records, report.late, report.open), (u64::try_from(records).unwrap(), 0, 0));
    assert_eq!(ledger.seal().await, Sealed::default());
    let head = ledger.scene.tenant.ledger_head().await.unwrap().unwrap();
    assert_eq!(head.number, head.anchored);
    // Whoever would write another digest of a number that is there is refused.
    let fork = NewDigest { number: head.number, until: head.until, json: "{}" };
    assert!(!ledger.scene.tenant.put_digest(&fork).await.unwrap());
    // A day without anything has its digest all the same.
    ledger.scene.pass(TimeDelta::days(2)).await;
    assert_eq!(ledger.seal().await.digests, 1);
    ledger.check().await.unwrap();
}

#[tokio::test]
async fn what_somebody_does_to_the_table_is_found() {
    let ledger = Ledger::sealed_before().await;
    ledger.seal().await;
    let records = ledger.records();
    let mut edited = records[0].clone();
    edited["channel"] = json!({ "S": "email" });
    ledger.put(&edited);
    assert_eq!(ledger.check().await.unwrap_err().what, What::Edited);
    ledger.put(&records[0]);
    ledger.check().await.unwrap();
    ledger.delete(&records[0]);
    assert_eq!(ledger.check().await.unwrap_err().what, What::Deleted);
    // The sealer itself notices, while it still looks back.
    ledger.scene.pass(TimeDelta::days(1)).await;
    assert_eq!(ledger.seal().await.gone, 1);
}

#[tokio::test]
async fn a_record_that_appears_under_a_sealed_hour_is_sealed_late_and_told() {
    let ledger = Ledger::unsealed().await;
    ledger.seal().await;
    let mut late = ledger.records()[0].clone();
    let sk = late["sk"]["S"].as_str().unwrap().replacen('#', "#late", 1);
    late["sk"] = json!({ "S": sk });
    ledger.put(&late);
    assert_eq!(ledger.check().await.unwrap_err().what, What::Inserted, "until it is sealed, nobody vouches for it");
    ledger.scene.pass(TimeDelta::days(1)).await;
    let sealed = ledger.seal().await;
    assert_eq!((sealed.late, sealed.gone), (1, 0));
    assert!(sealed.as_it_was().unwrap_err().to_string().starts_with("1 records appeared"));
    assert_eq!(ledger.check().await.unwrap().late, 1);
}

#[tokio::test]
async fn a_digest_that_could_not_be_kept_outside_is_kept_by_the_next_run() {
    let ledger = Ledger::unsealed().await;
    let blocked: &Path = &ledger.folder.path().join("digests");
    std::fs::write(blocked, "in the way").unwrap();
    assert!(ledger.scene.host.seal(&ledger.scene.clinic).await.is_err());
    std::fs::remove_file(blocked).unwrap();
    ledger.seal().await;
    assert_eq!(ledger.anchors().len(), 1);
    ledger.check().await.unwrap();
}
