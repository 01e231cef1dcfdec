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

use crate::canary::{everything, key};
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
        self.check_with(&self.anchors()).await
    }

    async fn check_with(&self, anchors: &BTreeMap<u64, SignedDigest>) -> Result<Report, Fault> {
        let lines = export(&self.scene.tenant, None, None, self.scene.host.now()).await.unwrap();
        self.verified(&lines, Some(anchors), (None, None))
    }

    fn verified(
        &self,
        lines: &[String],
        anchors: Option<&BTreeMap<u64, SignedDigest>>,
        (from_ms, until_ms): (Option<i64>, Option<i64>),
    ) -> Result<Report, Fault> {
        let keys = [self.scene.host.sealing().unwrap().public_key().clone()];
        verify(lines.iter().map(String::as_str), &Against { keys: &keys, anchors, from_ms, until_ms })
    }

    /// The table as it was: what is not in the copy is gone, what is in it is back.
    fn restore(&self, copy: &[Value]) {
        for item in everything(&self.scene) {
            if !copy.iter().any(|of| key(of) == key(&item)) {
                self.delete(&item);
            }
        }
        copy.iter().for_each(|item| self.put(item));
    }

    /// The audit items, as somebody with the right to write the table sees them.
    fn records(&self) -> Vec<Value> {
        everything(&self.scene).into_iter().filter(|item| key(item).0.contains("#AUDIT#")).collect()
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
    let report = ledger.check().await.unwrap();
    assert_eq!((report.digests, report.open), (0, u64::try_from(records).unwrap()), "nothing is sealed yet");
    let (one, other) = tokio::join!(ledger.seal(), ledger.seal());
    assert_eq!(one.records + other.records, records, "two at once seal everything once");
    let report = ledger.check().await.unwrap();
    assert_eq!((report.records, report.late, report.open), (u64::try_from(records).unwrap(), 0, 0));
    assert_eq!(ledger.seal().await, Sealed::default());
    let head = ledger.scene.tenant.ledger_head().await.unwrap().unwrap();
    assert_eq!(head.number, head.anchored);
    // Whoever would write another digest of a number that is there is refused.
    let fork = NewDigest { number: head.number, follows: head.number - 1, until: head.until, json: "{}" };
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
    let blocked: &Path = &ledger.folder.path().join("digests/prueba/000000000001.part");
    std::fs::create_dir_all(blocked).unwrap();
    assert!(ledger.scene.host.seal(&ledger.scene.clinic).await.is_err());
    assert_eq!(ledger.scene.tenant.ledger_head().await.unwrap().unwrap().anchored, 0);
    std::fs::remove_dir(blocked).unwrap();
    ledger.seal().await;
    assert_eq!(ledger.anchors().len(), 1);
    ledger.check().await.unwrap();
}

#[tokio::test]
async fn a_restored_table_begins_a_generation_that_says_so() {
    let ledger = Ledger::sealed_before().await;
    ledger.seal().await;
    let copy = everything(&ledger.scene);
    let known = ledger.scene.tenant.ledger_head().await.unwrap().unwrap().number;
    ledger.scene.says(PHONE, "ALTA").await;
    let open = ledger.check().await.unwrap().open;
    assert!(open > 0);
    ledger.scene.pass(TimeDelta::hours(3)).await;
    ledger.seal().await;
    let outside = *ledger.anchors().last_key_value().unwrap().0;
    assert!(outside > known);
    assert_eq!(ledger.check().await.unwrap().restores, []);

    for generation in 2..4 {
        let last = *ledger.anchors().last_key_value().unwrap().0;
        ledger.restore(&copy);
        assert_eq!(ledger.check().await.unwrap_err().what, What::Truncated, "until it is sealed again");
        // A digest is there outside under the next number: none is written over it, or beside it.
        let sealed = ledger.seal().await;
        assert_eq!(sealed.forgotten, last - known);
        assert!(sealed.as_it_was().unwrap_err().to_string().contains("restored"));
        let report = ledger.check().await.unwrap();
        let [restore] = report.restores.as_slice() else { panic!("{report:?}") };
        assert_eq!((restore.generation, restore.digest), (generation, last + 1));
        assert_eq!((restore.forgotten_from, restore.forgotten_to), (known + 1, last));
        assert_eq!(restore.lost, Some(open), "what was said after the copy");
        // Without what is kept outside it is said all the same.
        let lines = export(&ledger.scene.tenant, None, None, ledger.scene.host.now()).await.unwrap();
        let alone = ledger.verified(&lines, None, (None, None)).unwrap();
        assert_eq!((alone.restores.len(), alone.restores[0].lost), (1, None));
        // It goes on as ever.
        assert_eq!(ledger.seal().await, Sealed::default());
    }
    ledger.scene.pass(TimeDelta::days(1)).await;
    assert!(ledger.seal().await.as_it_was().is_ok());
    ledger.check().await.unwrap();
    let without = |number: u64| {
        let mut anchors = ledger.anchors();
        anchors.remove(&number);
        anchors
    };
    assert_eq!(ledger.check_with(&without(outside + 1)).await.unwrap_err().what, What::NotAnchored, "the last before");
    assert_eq!(ledger.check_with(&without(outside)).await.unwrap().restores[0].lost, None, "nobody knows what it held");
    let mut forked = ledger.anchors();
    forked.get_mut(&(outside + 1)).unwrap().digest.first += 1;
    assert_eq!(ledger.check_with(&forked).await.unwrap_err().what, What::Forked);
}

#[tokio::test]
async fn a_table_of_which_nothing_is_left_begins_a_generation_too() {
    let ledger = Ledger::unsealed().await;
    let copy = everything(&ledger.scene);
    ledger.seal().await;
    let last = ledger.anchors().len();
    ledger.restore(&copy);
    assert_eq!(ledger.seal().await.forgotten, u64::try_from(last).unwrap());
    let report = ledger.check().await.unwrap();
    assert_eq!((report.restores.len(), report.restores[0].lost), (1, Some(0)), "all of it is sealed again");
}

#[tokio::test]
async fn more_of_one_instant_than_a_digest_holds_is_sealed_and_proved() {
    let ledger = Ledger::unsealed().await;
    let one = ledger.records()[0].clone();
    let (instant, _) = key(&one).1.split_once('#').unwrap();
    let copy_of = |number: usize| {
        let mut copy = one.clone();
        copy["sk"] = json!({ "S": format!("{instant}#copy{number:05}#1") });
        copy
    };
    (0..4_500).for_each(|number| ledger.put(&copy_of(number)));
    let records = ledger.records().len();
    let sealed = ledger.seal().await;
    assert_eq!((sealed.records, sealed.late), (records, 0));
    assert!(sealed.digests >= 3);
    let report = ledger.check().await.unwrap();
    assert_eq!((report.records, report.open), (u64::try_from(records).unwrap(), 0));
    ledger.delete(&copy_of(2_500));
    assert_eq!(ledger.check().await.unwrap_err().what, What::Deleted);
    ledger.put(&copy_of(2_500));
    ledger.put(&copy_of(9_999));
    assert_eq!(ledger.check().await.unwrap_err().what, What::Inserted);
}

#[tokio::test]
async fn a_range_is_exported_whole_and_proved_by_itself() {
    let ledger = Ledger::sealed_before().await;
    for _ in 0..3 {
        ledger.scene.pass(TimeDelta::days(1)).await;
        ledger.scene.says(PHONE, "ALTA").await;
        ledger.scene.says(PHONE, "BAJA").await;
        ledger.scene.pass(TimeDelta::hours(3)).await;
        ledger.seal().await;
    }
    ledger.scene.pass(TimeDelta::hours(3)).await;
    ledger.seal().await;
    let all = ledger.check().await.unwrap();
    let anchors = ledger.anchors();
    let (now, tenant) = (ledger.scene.host.now(), &ledger.scene.tenant);
    let (from, until) = (now - TimeDelta::hours(60), now - TimeDelta::hours(40));
    let bounds = (Some(from.timestamp_millis()), Some(until.timestamp_millis()));
    let lines = export(tenant, Some(from), Some(until), now).await.unwrap();
    let report = ledger.verified(&lines, Some(&anchors), bounds).unwrap();
    assert!(report.numbers.0 > 1 && report.numbers.1 < all.numbers.1, "{report:?} of {all:?}");
    assert!(report.covers_ms.0 <= from.timestamp_millis() && report.covers_ms.1 >= until.timestamp_millis());
    assert!(report.records >= 2 && report.records < all.records && report.open == 0, "{report:?}");
    let of_range = |record: &&Value| {
        let at = key(record).1[..15].parse::<i64>().unwrap();
        (report.covers_ms.0..report.covers_ms.1).contains(&at)
    };
    let records = ledger.records();
    assert_eq!(report.records, u64::try_from(records.iter().filter(of_range).count()).unwrap());
    // It is what was asked for, and not taken for more.
    let asked = |bounds| ledger.verified(&lines, Some(&anchors), bounds).map_err(|fault| fault.what);
    assert_eq!(asked((None, bounds.1)), Err(What::DigestMissing));
    assert_eq!(asked((bounds.0, None)), Err(What::Truncated));
    // From an instant on, with what is open; up to one, from the beginning; and of a time without anything.
    let later = export(tenant, Some(from), None, now).await.unwrap();
    assert_eq!(ledger.verified(&later, Some(&anchors), (bounds.0, None)).unwrap().numbers.1, all.numbers.1);
    let earlier = export(tenant, None, Some(until), now).await.unwrap();
    assert_eq!(ledger.verified(&earlier, Some(&anchors), (None, bounds.1)).unwrap().numbers.0, 1);
    let to_come = export(tenant, Some(now + TimeDelta::days(9)), Some(now + TimeDelta::days(10)), now).await.unwrap();
    assert_eq!(to_come.len(), 1, "a head, and nothing under it");
    // What is changed within it is found in it.
    let mut edited = records.iter().find(of_range).unwrap().clone();
    edited["channel"] = json!({ "S": "call" });
    ledger.put(&edited);
    let lines = export(tenant, Some(from), Some(until), now).await.unwrap();
    assert_eq!(ledger.verified(&lines, Some(&anchors), bounds).unwrap_err().what, What::Edited);
}
