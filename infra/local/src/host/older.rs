//! A folder that an earlier version wrote: the clinics' own items stood under `T#<clinic>` before their
//! partition key had a shape of its own.

use serde_json::{Value, json};

use super::{HostError, TABLE};
use crate::engine::Engine;

/// Puts a clinic's own items where they are read now. Nothing where none is left over; a run that died
/// is finished by the next one.
pub(super) fn moved(engine: &Engine, clinic: &str) -> Result<(), HostError> {
    let old = json!({ "S": format!("T#{clinic}") });
    loop {
        let query = json!({
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :old",
            "ExpressionAttributeValues": { ":old": old },
        });
        let found = ask(engine, "Query", &query)?;
        let items = found.get("Items").and_then(Value::as_array).cloned().unwrap_or_default();
        if items.is_empty() {
            return Ok(());
        }
        for mut item in items {
            let key = json!({ "pk": old, "sk": item.get("sk") });
            if let Some(item) = item.as_object_mut() {
                item.insert("pk".to_owned(), json!({ "S": format!("T#{clinic}#") }));
            }
            ask(engine, "PutItem", &json!({ "TableName": TABLE, "Item": item }))?;
            ask(engine, "DeleteItem", &json!({ "TableName": TABLE, "Key": key }))?;
        }
    }
}

fn ask(engine: &Engine, operation: &str, body: &Value) -> Result<Value, HostError> {
    let (status, answer) = engine.answer(operation, body.to_string().as_bytes());
    if status != 200 {
        return Err(HostError::User(format!(
            "the folder of an earlier version cannot be taken over: {operation} {status}"
        )));
    }
    serde_json::from_slice(&answer).map_err(|error| HostError::User(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use retorno_cloud::store::create_table;

    use super::*;
    use crate::engine::sdk_config;

    #[tokio::test]
    async fn what_an_earlier_version_stored_is_found_under_its_new_key() {
        let engine = Engine::in_memory().unwrap();
        let client = aws_sdk_dynamodb::Client::from_conf(sdk_config(engine.http_client()).build());
        create_table(&client, TABLE).await.unwrap();
        let key = |pk: &str, sk: &str| json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        for (pk, sk) in [("T#aurora", "CLINIC"), ("T#aurora", "CONNECTION"), ("T#boreal", "CLINIC")] {
            ask(&engine, "PutItem", &json!({ "TableName": TABLE, "Item": key(pk, sk) })).unwrap();
        }
        moved(&engine, "aurora").unwrap();
        moved(&engine, "aurora").unwrap();
        let is_there = |pk: &str, sk: &str| {
            let found = ask(&engine, "GetItem", &json!({ "TableName": TABLE, "Key": key(pk, sk) })).unwrap();
            found.get("Item").is_some()
        };
        assert!(is_there("T#aurora#", "CLINIC") && is_there("T#aurora#", "CONNECTION"));
        assert!(!is_there("T#aurora", "CLINIC") && is_there("T#boreal", "CLINIC"));
    }
}
