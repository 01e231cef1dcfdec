//! The engine through the real SDK client.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod around;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, Put, PutRequest, ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TransactWriteItem,
    Update, WriteRequest,
};

use super::{Engine, sdk_config};

const TABLE: &str = "retorno";
type Item = HashMap<String, AttributeValue>;

fn client(engine: &Engine) -> Client {
    Client::from_conf(sdk_config(engine.http_client()).build())
}

fn s(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn item(pk: &str, sk: &str) -> Item {
    Item::from([("pk".into(), s(pk)), ("sk".into(), s(sk))])
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
}

fn text_attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
}

/// A table with one sparse index, `due_index`, on `due`.
async fn with_table(engine: &Engine) -> Client {
    let client = client(engine);
    let index = GlobalSecondaryIndex::builder()
        .index_name("due_index")
        .key_schema(key("due", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(text_attribute("pk"))
        .attribute_definitions(text_attribute("sk"))
        .attribute_definitions(text_attribute("due"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index)
        .send()
        .await
        .unwrap();
    client
}

async fn put(client: &Client, item: Item) {
    client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
}

async fn get(client: &Client, pk: &str, sk: &str) -> Option<Item> {
    let request = client.get_item().table_name(TABLE).set_key(Some(item(pk, sk)));
    request.send().await.unwrap().item
}

#[tokio::test]
async fn what_is_put_is_got_back_and_deleted() {
    let client = with_table(&Engine::in_memory().unwrap()).await;
    let mut written = item("P#1", "PROFILE");
    written.insert("seats".into(), AttributeValue::N("200".into()));
    written.insert("channels".into(), AttributeValue::L(vec![s("whatsapp"), s("email")]));
    put(&client, written.clone()).await;
    assert_eq!(get(&client, "P#1", "PROFILE").await, Some(written));

    let delete = client.delete_item().table_name(TABLE).set_key(Some(item("P#1", "PROFILE")));
    delete.send().await.unwrap();
    assert_eq!(get(&client, "P#1", "PROFILE").await, None);
}

#[tokio::test]
async fn a_refused_condition_hands_over_the_item_that_stood_in_the_way() {
    let client = with_table(&Engine::in_memory().unwrap()).await;
    let mut first = item("M#1", "MSG");
    first.insert("state".into(), s("INFLIGHT"));
    put(&client, first.clone()).await;

    let refused = client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(item("M#1", "MSG")))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err();
    let PutItemError::ConditionalCheckFailedException(refused) = refused.into_service_error() else {
        panic!("not the typed error")
    };
    assert_eq!(refused.item, Some(first));
}

fn put_once(pk: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(TABLE)
        .set_item(Some(item(pk, "EVT")))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .unwrap();
    TransactWriteItem::builder().put(put).build()
}

fn count_up(pk: &str) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(TABLE)
        .set_key(Some(item(pk, "N")))
        .update_expression("ADD ver :one")
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .build()
        .unwrap();
    TransactWriteItem::builder().update(update).build()
}

#[tokio::test]
async fn a_cancelled_transaction_says_which_item_failed_and_leaves_nothing() {
    let client = with_table(&Engine::in_memory().unwrap()).await;
    put(&client, item("E#2", "EVT")).await;

    let cancelled = client
        .transact_write_items()
        .transact_items(put_once("E#1"))
        .transact_items(put_once("E#2"))
        .transact_items(put_once("E#3"))
        .send()
        .await
        .unwrap_err();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = cancelled.into_service_error() else {
        panic!("not the typed error")
    };
    let codes: Vec<_> = cancelled.cancellation_reasons().iter().map(|r| r.code().unwrap_or_default()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed", "None"]);
    assert_eq!(get(&client, "E#1", "EVT").await, None);
    assert_eq!(get(&client, "E#3", "EVT").await, None);
}

#[tokio::test]
async fn a_repeated_request_token_carries_a_transaction_out_once() {
    let client = with_table(&Engine::in_memory().unwrap()).await;
    for _ in 0..3 {
        let request = client.transact_write_items().client_request_token("attempt-1");
        request.transact_items(count_up("C#1")).send().await.unwrap();
    }
    let counted = get(&client, "C#1", "N").await.unwrap();
    assert_eq!(counted["ver"], AttributeValue::N("1".into()));

    let other = client.transact_write_items().client_request_token("attempt-1");
    let mismatch = other.transact_items(count_up("C#2")).send().await.unwrap_err();
    assert!(mismatch.into_service_error().is_idempotent_parameter_mismatch_exception());
}

#[tokio::test]
async fn a_query_pages_through_a_collection_in_order() {
    let client = with_table(&Engine::in_memory().unwrap()).await;
    for n in 0..7 {
        put(&client, item("P#1", &format!("MSG#{n}"))).await;
    }
    put(&client, item("P#2", "MSG#0")).await;

    let mut start = None;
    let mut pages = Vec::new();
    loop {
        let page = client
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :p AND begins_with(sk, :m)")
            .expression_attribute_values(":p", s("P#1"))
            .expression_attribute_values(":m", s("MSG#"))
            .limit(3)
            .set_exclusive_start_key(start)
            .send()
            .await
            .unwrap();
        let keys: Vec<_> = page.items().iter().map(|i| i["sk"].as_s().unwrap().clone()).collect();
        pages.push(keys);
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let expected: Vec<_> = (0..7).map(|n| format!("MSG#{n}")).collect();
    assert_eq!(pages.concat(), expected);
}

#[tokio::test]
async fn a_batch_takes_25_items_and_no_more() {
    let client = with_table(&Engine::in_memory().unwrap()).await;
    let write = |n: usize| {
        let put = PutRequest::builder().set_item(Some(item("B", &format!("{n:03}")))).build();
        WriteRequest::builder().put_request(put.unwrap()).build()
    };
    let batch = |size: usize| client.batch_write_item().request_items(TABLE, (0..size).map(write).collect()).send();
    let refused = batch(26).await.unwrap_err();
    assert_eq!(refused.as_service_error().unwrap().meta().code(), Some("ValidationException"));
    let taken = batch(25).await.unwrap();
    assert_eq!(taken.unprocessed_items().map(HashMap::len), Some(0));
    assert_eq!(client.scan().table_name(TABLE).send().await.unwrap().count(), 25);
}

#[tokio::test]
async fn a_sparse_index_holds_only_the_items_that_have_its_key() {
    let client = with_table(&Engine::in_memory().unwrap()).await;
    put(&client, item("P#1", "PATIENT")).await;
    let mut due = item("P#2", "PATIENT");
    due.insert("due".into(), s("2026-03-01"));
    put(&client, due.clone()).await;

    let found = client
        .query()
        .table_name(TABLE)
        .index_name("due_index")
        .key_condition_expression("due = :d")
        .expression_attribute_values(":d", s("2026-03-01"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.items(), [due]);
    assert_eq!(client.scan().table_name(TABLE).index_name("due_index").send().await.unwrap().count, 1);
}
