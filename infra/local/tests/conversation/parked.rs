//! What a proven sender tells and nobody can read: parked, listed without its content, read again.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use retorno::engine::sdk_config;
use retorno::host::{Written, signed, webhook};
use retorno_cloud::store::PARKED_PER_HOUR_MAX;
use retorno_domain::channel::PurposeSet;
use serde_json::json;

use crate::scene::{PHONE, Scene};

async fn bring(scene: &Scene, body: &[u8]) {
    let request = signed(&scene.host.sandbox_app_secret(), body.to_vec());
    assert_eq!(scene.host.hook(request).await.status, 200);
}

async fn opted_out(scene: &Scene) -> PurposeSet {
    scene.of("1").await.patient.patient.consent.opted_out(scene.host.now().date_naive())
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_body_that_cannot_be_read_is_parked_once_with_its_bytes,
    a_flood_is_counted_and_does_not_fill_the_table,
    one_change_that_cannot_be_read_is_parked_and_the_rest_of_its_batch_is_taken_up,
    what_can_be_read_by_now_is_taken_up_and_parked_no_more,
];

#[tokio::test]
async fn a_body_that_cannot_be_read_is_parked_once_with_its_bytes() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let store = &scene.host.reach.store;
    let long = [b"not json: ".as_slice(), &vec![b'x'; 700_000]].concat();
    for body in [b"{\"half".as_slice(), &long, &long] {
        bring(&scene, body).await;
    }
    let parked = store.parked().await.unwrap();
    assert_eq!(parked.len(), 2);
    let of_long = parked.iter().find(|parked| parked.times == 2).unwrap();
    assert_eq!((of_long.entry.as_str(), of_long.bytes), ("meta/sandbox", 700_010));
    let (_, bytes) = store.parked_body(&of_long.id).await.unwrap().unwrap();
    assert!(bytes == long, "whole, over several items");
    scene.host.inbound_queue.put_read_again(&of_long.id).await.unwrap();
    scene.pass(chrono::TimeDelta::seconds(20)).await;
    let tried: Vec<_> = store.parked().await.unwrap().into_iter().map(|body| (body.id, body.again)).collect();
    assert_eq!(tried.len(), 2, "it stays until it is read or discarded");
    for (id, again) in tried {
        assert_eq!(again.map(|again| (again.number, again.in_part)), (id == of_long.id).then_some((1, false)));
    }
    assert!(store.discard_parked(&of_long.id).await.unwrap());
    assert!(!store.discard_parked(&of_long.id).await.unwrap());
    assert!(store.parked_body(&of_long.id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_parked_is_sealed_in_the_table() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    bring(&scene, b"not json, and it says PARAR").await;
    let store = &scene.host.reach.store;
    let id = store.parked().await.unwrap().remove(0).id;
    let table = aws_sdk_dynamodb::Client::from_conf(sdk_config(scene.host.engine.http_client()).build());
    let piece = async || {
        let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        let keys = HashMap::from([key("pk", &format!("PARKED#{id}")), key("sk", "000")]);
        table.get_item().table_name("retorno").set_key(Some(keys)).send().await.unwrap().item.unwrap()
    };
    let mut item = piece().await;
    assert!(!item.contains_key("body"));
    let sealed = item.remove("sealed").unwrap().as_b().unwrap().clone().into_inner();
    assert!(!sealed.windows(5).any(|bytes| bytes == b"PARAR"));
    assert_eq!(store.parked_body(&id).await.unwrap().unwrap().1, b"not json, and it says PARAR");
    // One that was kept before bodies were sealed is read as ever.
    item.insert("body".to_owned(), AttributeValue::B(Blob::new(b"of old")));
    table.put_item().table_name("retorno").set_item(Some(item)).send().await.unwrap();
    assert_eq!(store.parked_body(&id).await.unwrap().unwrap().1, b"of old");
}

#[tokio::test]
async fn a_flood_is_counted_and_does_not_fill_the_table() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let store = &scene.host.reach.store;
    for number in 0..PARKED_PER_HOUR_MAX + 5 {
        bring(&scene, format!("not json {number}").as_bytes()).await;
    }
    assert_eq!(store.parked().await.unwrap().len(), usize::try_from(PARKED_PER_HOUR_MAX).unwrap());
    let over = store.parked_over().await.unwrap();
    assert_eq!(over.iter().map(|over| (over.entry.as_str(), over.count)).collect::<Vec<_>>(), [("meta/sandbox", 5)]);
    scene.pass(chrono::TimeDelta::hours(1)).await;
    bring(&scene, b"of the next hour").await;
    assert_eq!(store.parked().await.unwrap().len(), usize::try_from(PARKED_PER_HOUR_MAX).unwrap() + 1);
}

#[tokio::test]
async fn one_change_that_cannot_be_read_is_parked_and_the_rest_of_its_batch_is_taken_up() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    let clinic = scene.tenant.settings(scene.host.now()).await.unwrap().clinic;
    let written = Written::Text("PARAR".to_owned());
    let mut body = webhook(&clinic, PHONE, &written, ("wamid.1", None), scene.host.now());
    let change = json!({"field": "messages_of_tomorrow", "value": {}});
    body["entry"][0]["changes"].as_array_mut().unwrap().push(change);
    bring(&scene, body.to_string().as_bytes()).await;
    scene.pass(chrono::TimeDelta::seconds(20)).await;
    assert_eq!(opted_out(&scene).await, PurposeSet::MARKETING);
    let parked = scene.host.reach.store.parked().await.unwrap();
    assert_eq!(parked[0].why, "an unknown field: messages_of_tomorrow");
    // Read again, what was taken up is so once, and what is unknown stays.
    let said = async || scene.of("1").await.patient.patient.consent.statements().len();
    let before = said().await;
    assert_eq!(parked[0].again, None);
    for number in 1..=2 {
        scene.host.inbound_queue.put_read_again(&parked[0].id).await.unwrap();
        scene.pass(chrono::TimeDelta::seconds(20)).await;
        assert_eq!(said().await, before);
        let again = scene.host.reach.store.parked().await.unwrap().remove(0).again.unwrap();
        assert_eq!((again.number, again.in_part), (number, true), "it stays, and says that it was tried");
    }
}

#[tokio::test]
async fn what_can_be_read_by_now_is_taken_up_and_parked_no_more() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    let (store, now) = (&scene.host.reach.store, scene.host.now());
    let clinic = scene.tenant.settings(now).await.unwrap().clinic;
    let written = Written::Text("PARAR".to_owned());
    let body = webhook(&clinic, PHONE, &written, ("wamid.1", None), now).to_string();
    // As an older version left it, which could not read it.
    store.park("meta/sandbox", "not an object of JSON", body.as_bytes(), now).await.unwrap();
    let id = store.parked().await.unwrap().remove(0).id;
    scene.host.inbound_queue.put_read_again(&id).await.unwrap();
    scene.pass(chrono::TimeDelta::seconds(20)).await;
    assert_eq!(opted_out(&scene).await, PurposeSet::MARKETING);
    assert!(store.parked().await.unwrap().is_empty());
    // Asked for once more, it is gone, and nothing is handed back.
    scene.host.inbound_queue.put_read_again(&id).await.unwrap();
    scene.pass(chrono::TimeDelta::seconds(20)).await;
    assert!(store.parked().await.unwrap().is_empty());
    assert_eq!(scene.host.doubles.sqs().next_visible_at("inbound").unwrap(), None);
}
