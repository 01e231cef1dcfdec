//! The SQS JSON protocol: what the SDK sends, checked as the service checks it.

use std::collections::BTreeSet;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use chrono::TimeDelta;
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Sqs, enqueue, message_id, queue_url};
use crate::doubles::DoublesError;
use crate::doubles::wire::{Refusal, parse};

/// The default `MaximumMessageSize` of a queue, and the limit of a whole batch: 256 KiB.
const MAX_BYTES: usize = 256 * 1024;
const MAX_BATCH: usize = 10;
const MAX_DELAY_SECONDS: i64 = 900;

const INVALID: &str = "InvalidParameterValue";

pub(super) fn handle(sqs: &Sqs, request: &HttpRequest) -> Result<Value, Refusal> {
    match request.headers().get("x-amz-target").unwrap_or_default() {
        "AmazonSQS.SendMessage" => send(sqs, parse(request, INVALID)?),
        "AmazonSQS.SendMessageBatch" => send_batch(sqs, parse(request, INVALID)?),
        "AmazonSQS.GetQueueAttributes" => attributes(sqs, &parse(request, INVALID)?),
        "AmazonSQS.GetQueueUrl" => {
            let named: GetQueueUrl = parse(request, INVALID)?;
            Ok(json!({ "QueueUrl": queue_url(&named.queue_name) }))
        }
        other => Err(Refusal::unknown_operation(other)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(flatten)]
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    message_body: String,
    #[serde(default)]
    delay_seconds: i64,
    #[serde(default)]
    message_attributes: Map<String, Value>,
    message_deduplication_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
}

fn send(sqs: &Sqs, request: SendMessage) -> Result<Value, Refusal> {
    let queue = queue_of(&request.queue_url)?;
    check(&request.message)?;
    let number = sqs.doubles.write(|tx| insert(sqs, tx, queue, &request.message))?;
    Ok(receipt_of(number, &request.message))
}

fn send_batch(sqs: &Sqs, request: SendMessageBatch) -> Result<Value, Refusal> {
    let queue = queue_of(&request.queue_url)?;
    check_batch(&request.entries)?;
    let accepted = sqs.doubles.write(|tx| {
        let entries = request.entries.iter().filter(|entry| check(&entry.message).is_ok());
        let numbered = entries.map(|entry| Ok((insert(sqs, tx, queue, &entry.message)?, entry)));
        numbered.collect::<Result<Vec<_>, DoublesError>>()
    })?;
    let successful = accepted.into_iter().map(|(number, entry)| {
        let mut result = receipt_of(number, &entry.message);
        if let Some(fields) = result.as_object_mut() {
            fields.insert("Id".to_owned(), json!(entry.id));
        }
        result
    });
    let failed = request.entries.iter().filter_map(|entry| {
        let refusal = check(&entry.message).err()?;
        let Refused { code, message } = refusal;
        Some(json!({ "Id": entry.id, "SenderFault": true, "Code": code, "Message": message }))
    });
    Ok(json!({
        "Successful": successful.collect::<Vec<_>>(),
        "Failed": failed.collect::<Vec<_>>(),
    }))
}

fn insert(sqs: &Sqs, tx: &Transaction<'_>, queue: &str, message: &Message) -> Result<i64, DoublesError> {
    let visible_at = sqs.doubles.now() + TimeDelta::seconds(message.delay_seconds);
    enqueue(tx, queue, &message.message_body, visible_at)
}

fn receipt_of(number: i64, message: &Message) -> Value {
    let digest = md5::compute(&message.message_body);
    json!({ "MessageId": message_id(number), "MD5OfMessageBody": format!("{digest:x}") })
}

fn attributes(sqs: &Sqs, request: &GetQueueAttributes) -> Result<Value, Refusal> {
    let depth = sqs.depth(queue_of(&request.queue_url)?)?;
    let known = [
        ("ApproximateNumberOfMessages", depth.visible),
        ("ApproximateNumberOfMessagesNotVisible", depth.in_flight),
        ("ApproximateNumberOfMessagesDelayed", depth.delayed),
    ];
    let asked = |name: &str| request.attribute_names.iter().any(|a| a == "All" || a == name);
    let told: Map<String, Value> = known
        .into_iter()
        .filter(|(name, _)| asked(name))
        .map(|(name, count)| (name.to_owned(), json!(count.to_string())))
        .collect();
    Ok(json!({ "Attributes": told }))
}

/// `https://sqs.region.amazonaws.com/account/name` → `name`.
fn queue_of(url: &str) -> Result<&str, Refusal> {
    let name = url.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 80 || !name.chars().all(plain) {
        // A FIFO queue's name ends in `.fifo`: order and deduplication are not played.
        let exception = "com.amazonaws.sqs#InvalidAddress";
        return Err(Refusal::bad_request(exception, "this is not the URL of a standard queue"));
    }
    Ok(name)
}

struct Refused {
    code: &'static str,
    message: &'static str,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::bad_request(refused.code, refused.message)
    }
}

fn check(message: &Message) -> Result<(), Refused> {
    let refuse = |code, message| Err(Refused { code, message });
    if message.message_body.is_empty() {
        return refuse("MissingParameter", "the request must contain a message body");
    }
    if message.message_body.len() > MAX_BYTES {
        return refuse(INVALID, "message must be shorter than 262144 bytes");
    }
    if !message.message_body.chars().all(allowed) {
        let found = "invalid binary character in the message body";
        return refuse("com.amazonaws.sqs#InvalidMessageContents", found);
    }
    if !(0..=MAX_DELAY_SECONDS).contains(&message.delay_seconds) {
        return refuse(INVALID, "DelaySeconds must be between 0 and 900");
    }
    if !message.message_attributes.is_empty() {
        return refuse(INVALID, "this double does not carry message attributes");
    }
    if message.message_deduplication_id.is_some() {
        return refuse(INVALID, "a standard queue takes no MessageDeduplicationId");
    }
    Ok(())
}

fn check_batch(entries: &[Entry]) -> Result<(), Refusal> {
    let refuse = |exception, message| Err(Refusal::bad_request(exception, message));
    if entries.is_empty() {
        return refuse("com.amazonaws.sqs#EmptyBatchRequest", "the batch has no entries");
    }
    if entries.len() > MAX_BATCH {
        return refuse("com.amazonaws.sqs#TooManyEntriesInBatchRequest", "a batch holds at most 10");
    }
    if entries.iter().map(|entry| &entry.id).collect::<BTreeSet<_>>().len() < entries.len() {
        return refuse("com.amazonaws.sqs#BatchEntryIdsNotDistinct", "two entries share an id");
    }
    if entries.iter().map(|entry| entry.message.message_body.len()).sum::<usize>() > MAX_BYTES {
        return refuse("com.amazonaws.sqs#BatchRequestTooLong", "a batch holds at most 262144 bytes");
    }
    Ok(())
}

/// The characters SQS accepts: `#x9 | #xA | #xD | #x20–#xD7FF | #xE000–#xFFFD | #x10000–#x10FFFF`.
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}
