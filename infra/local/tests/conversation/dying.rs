//! An erasure that dies, wherever it may: the next run finishes it, knows what is to be told, and nothing
//! that a run does afterwards brings anything back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use retorno::engine::{Fault, Intercept, sdk_config};
use retorno_cloud::Reach;
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::Store;
use retorno_cloud::store::privacy::erase::{Erased, ErasureError, ErasureReason, erase, resume};
use retorno_domain::ids::PatientId;
use segment_evaluator::Scope;
use serde_json::{Value, json};

use crate::canary::{GUARDIAN, ID, canary, everything, gone, id, imported, key, lived, singing};
use crate::scene::{PHONE, Scene};

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] =
    &[the_morning_finishes_what_nobody_takes_up_again, the_morning_ends_a_sequence_that_an_erasure_did_not_come_to];

/// The system of a process to whose calls to the table something happens.
fn reach_of(scene: &Scene, intercept: Intercept) -> Reach {
    let engine = scene.host.engine.with_intercept(intercept);
    let key = SecretKey::new(b"a seed of at least thirty-two bytes".to_vec()).unwrap();
    let key = SecretKey::new(key.mac(&[b"contact"])).unwrap();
    let client = aws_sdk_dynamodb::Client::from_conf(sdk_config(engine.http_client()).build());
    Reach { store: Store::new(client, "retorno", key).repeatable(), ..scene.host.reach.clone() }
}

fn is_write(operation: &str) -> bool {
    !matches!(operation, "GetItem" | "BatchGetItem" | "Query")
}

/// Erases in a process that dies at a write: before it, or when it is written; says whether it came to its
/// end before.
async fn dying_at(scene: &Scene, patient: &PatientId, writes: usize, at: Fault) -> Option<Erased> {
    let done = AtomicUsize::new(0);
    let intercept = move |operation: &str| {
        let writes_now = is_write(operation);
        let before = done.fetch_add(usize::from(writes_now), Ordering::Relaxed);
        match before + usize::from(writes_now) {
            now if now <= writes => None,
            now if now == writes + 1 && writes_now => Some(at),
            _ => Some(Fault::LostRequest),
        }
    };
    let reach = reach_of(scene, Arc::new(intercept));
    let erased = erase(&reach, &reach.store.of(&scene.clinic), patient, ErasureReason::Requested).await;
    assert!(!matches!(erased, Err(ErasureError::Busy | ErasureError::Nobody)), "{erased:?}");
    erased.ok()
}

/// Erases in a process that dies after so many writes; says whether it came to its end.
async fn dying_after(scene: &Scene, patient: &PatientId, writes: usize) -> bool {
    dying_at(scene, patient, writes, Fault::LostRequest).await.is_some()
}

fn count_of(scene: &Scene, space: &str) -> usize {
    everything(scene).iter().filter(|item| key(item).0.ends_with(space)).count()
}

fn put(scene: &Scene, partition: &str, sort: &str, mut item: Value) {
    item["pk"] = json!({ "S": format!("T#prueba#{partition}") });
    item["sk"] = json!({ "S": sort });
    let request = json!({ "TableName": "retorno", "Item": item });
    assert_eq!(scene.host.engine.answer("PutItem", request.to_string().as_bytes()).0, 200);
}

#[tokio::test]
async fn wherever_an_erasure_dies_the_next_run_finishes_it() {
    let scene = lived().await;
    let told = scene.told(GUARDIAN).len();
    let mut deaths = 0;
    while !dying_after(&scene, &id(), deaths).await {
        deaths += 1;
        // What holds the clinic's records is given up when its time is over.
        scene.pass(TimeDelta::minutes(20)).await;
    }
    assert!(deaths > 10, "{deaths}");
    assert_eq!(singing(&scene), Vec::<String>::new());
    assert_eq!((count_of(&scene, "#TOMBSTONES"), count_of(&scene, "#ERASING")), (1, 0));
    assert_eq!(scene.told(GUARDIAN).len(), told, "nothing was sent since it began");
}

#[tokio::test]
async fn the_morning_finishes_what_nobody_takes_up_again() {
    let scene = lived().await;
    assert!(!dying_after(&scene, &id(), 6).await);
    scene.pass(TimeDelta::minutes(20)).await;
    // Whatever else may lie beside a record.
    let sent = scene.of(ID).await.messages.iter().find_map(|message| message.provider_id.clone()).unwrap();
    put(&scene, &format!("SENT#{}", scene.tenant.hash(&sent)), "SENT", json!({}));
    put(&scene, "AHEAD", ID, json!({}));
    put(&scene, "WAITLIST", ID, json!({}));
    put(&scene, "CALLS", "call", json!({ "patient": { "S": ID } }));
    put(&scene, "AGREED", "somebody", json!({ "may_be": { "SS": [ID, "99"] } }));
    scene.evaluate().await;
    assert_eq!(singing(&scene), Vec::<String>::new());
    assert_eq!(resume(&scene.host.reach, &scene.tenant).await.unwrap(), 0, "nothing is left to finish");
}

#[tokio::test]
async fn the_morning_ends_a_sequence_that_an_erasure_did_not_come_to() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let one = PatientId::parse("1").unwrap();
    assert!(!dying_after(&scene, &one, 3).await);
    scene.pass(TimeDelta::minutes(20)).await;
    scene.evaluate().await;
    assert!(scene.tenant.collection(&one).await.unwrap().is_none());
    assert_eq!(scene.told(PHONE), Vec::<String>::new());
}

#[tokio::test]
async fn wherever_an_erasure_dies_its_visits_are_called_off_and_their_slots_offered() {
    let mut writes = 0;
    loop {
        let scene = lived().await;
        put(&scene, "WAITLIST", "99", json!({ "since": { "N": "0" }, "wish": { "S": "|||||" } }));
        let who = scene.tenant.stranger_groups().await.unwrap()[0].who.clone();
        put(&scene, "STRANGERS", &format!("N#{who}"), json!({ "ver": { "N": "0" } }));
        let done = dying_at(&scene, &id(), writes, Fault::LostAnswer).await;
        let came_to_its_end = done.is_some();
        let erased = match done {
            Some(erased) => erased,
            None => {
                scene.pass(TimeDelta::minutes(20)).await;
                gone(&scene).await
            }
        };
        // When only the last answer was lost, with all after it, the work was done and nobody was told.
        assert!(erased.already || erased.freed.len() == 1, "after {writes} writes: {erased:?}");
        scene.pass(TimeDelta::minutes(1)).await;
        let slots = everything(&scene).into_iter().filter(|item| key(item).0.ends_with("#SLOTS"));
        let held = slots.filter(|slot| slot["held_p"]["S"] == "99").count();
        assert_eq!(held, 1, "after {writes} writes: the slot is held for who waits");
        assert_eq!(singing(&scene), Vec::<String>::new(), "after {writes} writes");
        assert_eq!(count_of(&scene, "#STRANGERS"), 0, "after {writes} writes: nor a trace of the number");
        if came_to_its_end {
            break;
        }
        writes += 1;
    }
    assert!(writes > 30, "{writes}");
}

#[tokio::test]
async fn a_run_that_was_taken_over_brings_nothing_back() {
    // It stands still at a write; its lease runs out, and another run comes to the end; then it goes on.
    for stands_at in (1..60).step_by(4) {
        let scene = lived().await;
        let done = AtomicUsize::new(0);
        let other = scene.host.reach.clone();
        let clinic = scene.clinic.clone();
        let taken_over = Arc::new(AtomicUsize::new(0));
        let noted = Arc::clone(&taken_over);
        let intercept = move |operation: &str| {
            if is_write(operation) && done.fetch_add(1, Ordering::SeqCst) + 1 == stands_at {
                let (other, clinic) = (other.clone(), clinic.clone());
                other.clock.move_to(other.clock.now() + TimeDelta::minutes(20));
                let finishing = move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    let tenant = other.store.of(&clinic);
                    runtime.block_on(erase(&other, &tenant, &id(), ErasureReason::Requested)).is_ok()
                };
                assert!(std::thread::spawn(finishing).join().unwrap());
                noted.store(1, Ordering::SeqCst);
            }
            None
        };
        let reach = reach_of(&scene, Arc::new(intercept));
        let erased = erase(&reach, &reach.store.of(&scene.clinic), &id(), ErasureReason::Requested).await;
        assert!(!matches!(erased, Err(ErasureError::Cloud(_))), "at {stands_at}: {erased:?}");
        let records = everything(&scene).iter().filter(|item| item["event"]["S"] == "patient.erased").count();
        if taken_over.load(Ordering::SeqCst) == 1 {
            assert_eq!(records, 1, "at {stands_at}");
            assert_eq!(count_of(&scene, "#ERASING"), 0, "at {stands_at}");
            assert_eq!(count_of(&scene, "#TOMBSTONES"), 1, "at {stands_at}");
            assert_eq!(singing(&scene), Vec::<String>::new(), "at {stands_at}");
        }
    }
}

#[tokio::test]
async fn what_changed_since_an_erasure_died_is_erased_as_well() {
    let scene = lived().await;
    // The job is noted, its marks are not: the next export brings another phone.
    assert!(!dying_after(&scene, &id(), 2).await);
    assert_eq!((count_of(&scene, "#ERASING"), count_of(&scene, "#ERASED")), (1, 0));
    scene.pass(TimeDelta::minutes(20)).await;
    let row = canary().replace("2026-05-01T08:00:00Z", "2026-05-02T08:00:00Z").replace(GUARDIAN, "5491155556666");
    let report = imported(&scene, std::slice::from_ref(&row)).await;
    assert_eq!(report.suppressed_after_erasure, 0);
    gone(&scene).await;
    let again = row.replace(ID, "NUEVO-8");
    let report = imported(&scene, &[again]).await;
    assert_eq!((report.suppressed_after_erasure, report.added), (1, 0), "known by the new phone too");
    assert_eq!(singing(&scene), Vec::<String>::new());
}

#[tokio::test]
async fn an_erasure_that_cannot_be_finished_keeps_no_other_waiting() {
    let scene = lived().await;
    assert!(!dying_after(&scene, &id(), 6).await);
    scene.pass(TimeDelta::minutes(20)).await;
    put(&scene, "ERASING", "0", json!({ "subject": { "S": "nobody can read this" } }));
    put(&scene, "ERASING", "z", json!({ "subject": { "S": "nor this" } }));
    let failed = resume(&scene.host.reach, &scene.tenant).await;
    assert!(matches!(failed, Err(ErasureError::Cloud(_))), "it is told: {failed:?}");
    assert_eq!(singing(&scene), Vec::<String>::new(), "the other is finished");
    assert_eq!(count_of(&scene, "#ERASING"), 2, "those that cannot be read stay until somebody has looked");
    // The morning says so at its end.
    assert!(scene.host.evaluate(&scene.clinic, Scope::Due).await.is_err());
}
