//! Around the table: units, files, expiry, faults and what is not served.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, TimeToLiveSpecification};

use super::{TABLE, client, count_up, get, item, put, with_table};
use crate::engine::{Engine, Fault, RequestUnits};

#[tokio::test]
async fn units_are_counted_whether_or_not_the_caller_asks_for_them() {
    let engine = Engine::in_memory().unwrap();
    let client = with_table(&engine).await;

    let silent = client.put_item().table_name(TABLE).set_item(Some(item("P#1", "A")));
    assert_eq!(silent.send().await.unwrap().consumed_capacity, None);
    let told = client.put_item().table_name(TABLE).set_item(Some(item("P#1", "B")));
    let told = told.return_consumed_capacity(ReturnConsumedCapacity::Indexes).send().await.unwrap();
    assert_eq!(told.consumed_capacity().unwrap().capacity_units(), Some(1.0));
    assert!(told.consumed_capacity().unwrap().table().is_some());
    assert_eq!(engine.units(), RequestUnits { read: 0.0, write: 2.0 });

    let before = engine.units();
    let transaction = client.transact_write_items().transact_items(count_up("C#1"));
    transaction.transact_items(count_up("C#2")).send().await.unwrap();
    assert_eq!(engine.units() - before, RequestUnits { read: 0.0, write: 4.0 });

    get(&client, "P#1", "A").await;
    let by_operation = engine.units_by_operation();
    assert_eq!(by_operation["PutItem"].calls, 2);
    assert_eq!(by_operation["GetItem"].read, 0.5);
    assert_eq!(by_operation["TransactWriteItems"].write, 4.0);

    let again = client.put_item().table_name(TABLE).set_item(Some(item("P#1", "A")));
    let refused = again.condition_expression("attribute_not_exists(pk)").send().await;
    assert!(refused.is_err());
    assert_eq!(engine.units_by_operation()["PutItem"].write, 3.0, "a refused write is billed");
}

#[tokio::test]
async fn a_file_keeps_its_items_though_the_first_engine_is_never_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    let never_closed = with_table(&Engine::open(&path).unwrap()).await;
    put(&never_closed, item("P#1", "PROFILE")).await;
    let client = client(&Engine::open(&path).unwrap());
    assert_eq!(get(&client, "P#1", "PROFILE").await, Some(item("P#1", "PROFILE")));
}

#[tokio::test]
async fn expired_items_go_when_swept() {
    let engine = Engine::in_memory().unwrap();
    let client = with_table(&engine).await;
    let ttl = TimeToLiveSpecification::builder().attribute_name("ttl").enabled(true);
    let request = client.update_time_to_live().table_name(TABLE);
    request.time_to_live_specification(ttl.build().unwrap()).send().await.unwrap();
    let mut expired = item("EVT#1", "EVT");
    // An hour before the real clock: expiry is read from it, and items years past are kept.
    let hour_ago = retorno_cloud::Clock::System.now().timestamp() - 3600;
    expired.insert("ttl".into(), AttributeValue::N(hour_ago.to_string()));
    put(&client, expired).await;
    put(&client, item("EVT#2", "EVT")).await;
    assert_eq!(engine.sweep_ttl().unwrap(), 1);
    assert!(get(&client, "EVT#2", "EVT").await.is_some());
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_served_are_said_clearly() {
    let client = client(&Engine::in_memory().unwrap());
    let missing = client.describe_table().table_name(TABLE).send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());

    let unserved = client.list_tables().send().await.unwrap_err().into_service_error();
    assert_eq!(unserved.meta().code(), Some("UnknownOperationException"));
    assert!(unserved.meta().message().unwrap().contains("ListTables"));
}

#[tokio::test]
async fn faults_strike_before_or_after_the_table_as_scripted() {
    let engine = Engine::in_memory().unwrap();
    with_table(&engine).await;
    let fails = |fault: Fault| {
        let intercept = move |operation: &str| (operation == "PutItem").then_some(fault);
        client(&engine.with_intercept(Arc::new(intercept)))
    };
    let try_put = |client: Client, pk: &'static str| async move {
        client.put_item().table_name(TABLE).set_item(Some(item(pk, "X"))).send().await.unwrap_err()
    };
    let throttled = try_put(fails(Fault::Throttled), "T").await.into_service_error();
    assert!(throttled.is_provisioned_throughput_exceeded_exception());
    let down = try_put(fails(Fault::Unavailable), "U").await.into_service_error();
    assert!(down.is_internal_server_error());
    let lost = try_put(fails(Fault::LostRequest), "R").await;
    assert!(matches!(lost, SdkError::DispatchFailure(_)));
    let unanswered = try_put(fails(Fault::LostAnswer), "A").await;
    assert!(matches!(unanswered, SdkError::DispatchFailure(_)));

    let client = client(&engine);
    for (pk, written) in [("T", false), ("U", false), ("R", false), ("A", true)] {
        assert_eq!(get(&client, pk, "X").await.is_some(), written, "{pk}");
    }
}
