//! What each function calls: action, and on what. On one machine all functions share a process, so
//! whoever runs one says whose calls those are; the doubles and the embedded table note them. A test
//! holds what was noted against what the stack's template allows.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

tokio::task_local! {
    static FUNCTION: &'static str;
}

static IS_NOTING: AtomicBool = AtomicBool::new(false);
static NOTED: Mutex<BTreeSet<Call>> = Mutex::new(BTreeSet::new());

/// A call of a function's, without what was said: it holds no ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The function.
    pub function: &'static str,
    /// The action, as a role names it: `dynamodb:PutItem`.
    pub action: String,
    /// On what: `table`, one of its indexes, a queue; empty where there is but one.
    pub on: String,
    /// The pattern of the table's partition key, `T#*#P#*`; empty elsewhere.
    pub keys: String,
}

/// Runs what a function does; its calls are noted as that function's.
pub async fn calls_of<T>(function: &'static str, work: impl Future<Output = T>) -> T {
    FUNCTION.scope(function, work).await
}

/// Begins to note calls, in the whole process.
pub fn note_calls() {
    IS_NOTING.store(true, Ordering::SeqCst);
}

/// What was noted so far.
#[must_use]
pub fn noted_calls() -> BTreeSet<Call> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn note(action: &str, on: &str, keys: &str) {
    let Ok(function) = FUNCTION.try_with(|function| *function) else { return };
    let call = Call { function, action: action.to_owned(), on: on.to_owned(), keys: keys.to_owned() };
    NOTED.lock().unwrap_or_else(PoisonError::into_inner).insert(call);
}

fn is_wanted() -> bool {
    IS_NOTING.load(Ordering::Relaxed) && FUNCTION.try_with(|_| ()).is_ok()
}

/// Notes a request to the table.
pub(crate) fn note_table(operation: &str, body: &[u8]) {
    if !is_wanted() {
        return;
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let table = |action: &str, key: &Value| note(&format!("dynamodb:{action}"), "table", &pattern(key));
    match operation {
        "PutItem" => table(operation, at(&body, &["Item", "pk"])),
        "GetItem" | "UpdateItem" | "DeleteItem" => table(operation, at(&body, &["Key", "pk"])),
        "Query" => {
            let on = body.get("IndexName").and_then(Value::as_str).unwrap_or("table");
            note("dynamodb:Query", on, &pattern(queried(&body)));
        }
        "BatchGetItem" => {
            let keys = members(at(&body, &["RequestItems"])).flat_map(|of| list(at(of, &["Keys"])));
            keys.for_each(|key| table(operation, at(key, &["pk"])));
        }
        "BatchWriteItem" => {
            for write in members(at(&body, &["RequestItems"])).flat_map(list) {
                let put = at(write, &["PutRequest", "Item", "pk"]);
                table(operation, if put.is_null() { at(write, &["DeleteRequest", "Key", "pk"]) } else { put });
            }
        }
        "TransactWriteItems" => {
            for (kind, of) in list(at(&body, &["TransactItems"])).iter().filter_map(Value::as_object).flatten() {
                match kind.as_str() {
                    "Put" => table("PutItem", at(of, &["Item", "pk"])),
                    "ConditionCheck" => table("ConditionCheckItem", at(of, &["Key", "pk"])),
                    other => table(&format!("{other}Item"), at(of, &["Key", "pk"])),
                }
            }
        }
        other => note(&format!("dynamodb:{other}"), "table", ""),
    }
}

/// Notes a request to a queue, the schedules, the mail, a key or a bucket.
pub fn note_service(request: &HttpRequest) {
    if !is_wanted() {
        return;
    }
    let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
    if let Some((service, operation)) = request.headers().get("x-amz-target").and_then(|name| name.split_once('.')) {
        let service = if service == "TrentService" { "kms" } else { "sqs" };
        let url = at(&body, &["QueueUrl"]).as_str().unwrap_or("");
        note(&format!("{service}:{operation}"), url.rsplit('/').next().unwrap_or(""), "");
    } else if request.method() == "PUT" && request.uri().contains("x-id=PutObject") {
        // The bucket stands in the host's name; what comes first in the path is the folder.
        let path = request.uri().split("://").nth(1).and_then(|rest| rest.split('/').nth(1)).unwrap_or("");
        note("s3:PutObject", path, "");
        if request.headers().get("x-amz-object-lock-mode").is_some() {
            note("s3:PutObjectRetention", path, "");
        }
    } else if request.method() == "GET" && request.uri().contains("x-id=GetObject") {
        let path = request.uri().split("://").nth(1).and_then(|rest| rest.split('/').nth(1)).unwrap_or("");
        note("s3:GetObject", path, "");
    } else if request.method() == "GET" && request.uri().contains("list-type=2") {
        note("s3:ListBucket", "", "");
    } else if request.uri().contains("/v2/email/outbound-emails") {
        // A sender is an identity of SES's; the configuration set is asked for as well.
        note("ses:SendEmail", "identity", "");
        if at(&body, &["ConfigurationSetName"]).is_string() {
            note("ses:SendEmail", "configuration-set", "");
        }
    } else if request.method() == "POST" && request.uri().contains("/schedules/") {
        note("scheduler:CreateSchedule", "", "");
        // The schedule is given its role.
        note("iam:PassRole", "", "");
    } else {
        note(&format!("{} {}", request.method(), request.uri()), "", "");
    }
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().try_fold(value, |value, name| value.get(name)).unwrap_or(&Value::Null)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn members(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flatten().map(|(_, value)| value)
}

/// The partition key of a query: what its condition compares `pk`, or an index's, with.
fn queried(body: &Value) -> &Value {
    let condition = at(body, &["KeyConditionExpression"]).as_str().unwrap_or("");
    let mut words = condition.split([' ', '=', ',', '(', ')']).filter(|word| !word.is_empty());
    let placeholder = words.find(|word| word.ends_with("pk")).and_then(|_| words.find(|word| word.starts_with(':')));
    placeholder.map_or(&Value::Null, |name| at(body, &["ExpressionAttributeValues", name]))
}

/// The pattern of a key: clinics and whatever follows the kind are anything.
fn pattern(key: &Value) -> String {
    let key = at(key, &["S"]).as_str().unwrap_or("?");
    let mut parts = key.split('#');
    let first = parts.next().unwrap_or("");
    let clinic = (first == "T").then(|| parts.next()).flatten();
    let kind = if clinic.is_some() { parts.next() } else { Some(first) };
    let mut pattern = if clinic.is_some() { "T#*".to_owned() } else { String::new() };
    if let Some(kind) = kind {
        pattern = if clinic.is_some() { format!("{pattern}#{kind}") } else { kind.to_owned() };
    }
    if parts.next().is_some() { format!("{pattern}#*") } else { pattern }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_names_the_kind_and_nobody() {
        let of = |key: &str| pattern(&json!({ "S": key }));
        assert_eq!(of("T#aurora#"), "T#*#");
        assert_eq!(of("T#aurora#SLOTS"), "T#*#SLOTS");
        assert_eq!(of("T#aurora#P#12"), "T#*#P#*");
        assert_eq!(of("T#aurora#AUDIT#2026-01-01#3"), "T#*#AUDIT#*");
        assert_eq!(of("ROUTE#waha#x"), "ROUTE#*");
        assert_eq!((of("PARKED"), of("PARKED#1")), ("PARKED".to_owned(), "PARKED#*".to_owned()));
    }

    #[test]
    fn the_key_of_a_query_is_found_whatever_else_it_compares() {
        let values = json!({ ":a": { "S": "T#c#P#1" }, ":b": { "S": "M#" } });
        for condition in ["pk = :a", "g1pk = :a AND begins_with(g1sk, :b)", "pk=:a AND sk BETWEEN :b AND :b"] {
            let body = json!({ "KeyConditionExpression": condition, "ExpressionAttributeValues": values });
            assert_eq!(pattern(queried(&body)), "T#*#P#*", "{condition}");
        }
    }

    #[tokio::test]
    async fn calls_are_noted_under_the_function_that_makes_them() {
        note_calls();
        let put = br#"{"TransactItems": [{"Put": {"Item": {"pk": {"S": "T#c#P#1"}}}}, {"Delete": {"Key": {"pk": {"S": "T#c#CP#1"}}}}]}"#;
        note_table("TransactWriteItems", put);
        calls_of("a-function", async { note_table("TransactWriteItems", put) }).await;
        let noted: Vec<String> = noted_calls()
            .into_iter()
            .filter(|call| call.function == "a-function")
            .map(|call| format!("{} {} {}", call.action, call.on, call.keys))
            .collect();
        assert_eq!(noted, ["dynamodb:DeleteItem table T#*#CP#*", "dynamodb:PutItem table T#*#P#*"]);
    }
}
