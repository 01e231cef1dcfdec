//! Standard SQS queues: the JSON protocol on one side, a host that takes messages on the other.
//!
//! A queue exists by being used. Messages come back in the order in which they became visible, then
//! in the order of arrival; after five receives a message moves to the queue's `-dlq`.

mod requests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::Value;

use super::wire::{Refusal, Service, in_process};
use super::{Doubles, DoublesError, Provider, id_of, instant, stored};

/// How often a message is handed out before it is set aside, as the template's redrive policy says.
const MAX_RECEIVES: u32 = 5;

/// The queue a message of `queue` ends in when nobody could handle it.
const DEAD_LETTERS: &str = "-dlq";

/// The queues. Clones share them.
#[derive(Debug, Clone)]
pub struct Sqs {
    doubles: Doubles,
}

/// A message as its consumer receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// The message's id, the same at every receive.
    pub id: String,
    /// Proves this receive; a later receive of the same message makes it worthless.
    pub receipt: String,
    /// What was sent.
    pub body: String,
    /// How often it has been received, this time included.
    pub receive_count: u32,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Ready to be received.
    pub visible: u64,
    /// Received, neither deleted nor visible again.
    pub in_flight: u64,
    /// Sent with a delay that has not passed.
    pub delayed: u64,
}

impl QueueDepth {
    /// All messages in the queue.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// The URL by which the SDK names `queue`.
#[must_use]
pub fn queue_url(queue: &str) -> String {
    format!("http://sqs.local/000000000000/{queue}")
}

impl Sqs {
    pub(super) fn new(doubles: Doubles) -> Self {
        Self { doubles }
    }

    /// The HTTP client for an SQS client: `SendMessage`, `SendMessageBatch`, `GetQueueUrl` and
    /// `GetQueueAttributes`.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        in_process(self.clone())
    }

    /// A client configuration over [`Sqs::http_client`]: nothing signed, no retries.
    #[must_use]
    pub fn sdk_config(&self) -> aws_sdk_sqs::config::Builder {
        aws_sdk_sqs::Config::builder()
            .behavior_version_latest()
            .http_client(self.http_client())
            .region(aws_sdk_sqs::config::Region::from_static("us-east-1"))
            .allow_no_auth()
            .endpoint_url("http://sqs.local")
            .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
            .timeout_config(aws_sdk_sqs::config::timeout::TimeoutConfig::disabled())
            .identity_cache(aws_sdk_sqs::config::IdentityCache::no_cache())
            .stalled_stream_protection(aws_sdk_sqs::config::StalledStreamProtectionConfig::disabled())
    }

    /// Hands out up to `max` visible messages of `queue`, each hidden for `visibility`. Messages
    /// that were received five times already move to `{queue}-dlq` instead.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn receive(&self, queue: &str, max: usize, visibility: Duration) -> Result<Vec<QueuedMessage>, DoublesError> {
        let now = self.doubles.now();
        let hidden_until = now + TimeDelta::from_std(visibility).unwrap_or(TimeDelta::MAX);
        self.doubles.write(|tx| {
            set_aside_the_exhausted(tx, queue, now)?;
            let numbers = visible_messages(tx, queue, max, now)?;
            numbers.into_iter().map(|number| hand_out(tx, number, hidden_until)).collect()
        })
    }

    /// Deletes the message; false when the receipt is no longer the latest, or it is gone already.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn delete(&self, receipt: &str) -> Result<bool, DoublesError> {
        let Some((number, receives)) = parse_receipt(receipt) else {
            return Ok(false);
        };
        self.doubles.write(|tx| {
            let sql = "DELETE FROM queue_messages WHERE number = ?1 AND receives = ?2";
            Ok(tx.prepare_cached(sql)?.execute(params![number, receives])? == 1)
        })
    }

    /// Gives the message back, visible again at `at`; false as for [`Sqs::delete`].
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn release(&self, receipt: &str, at: DateTime<Utc>) -> Result<bool, DoublesError> {
        let Some((number, receives)) = parse_receipt(receipt) else {
            return Ok(false);
        };
        self.doubles.write(|tx| {
            let sql = "UPDATE queue_messages SET visible_at = ?3 WHERE number = ?1 AND receives = ?2";
            Ok(tx.prepare_cached(sql)?.execute(params![number, receives, stored(at)])? == 1)
        })
    }

    /// The first instant at which [`Sqs::receive`] has something to do, past or future: the
    /// earliest end of a delay or of a visibility. `None` when the queue is empty.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn next_visible_at(&self, queue: &str) -> Result<Option<DateTime<Utc>>, DoublesError> {
        self.doubles.read(|db| {
            let sql = "SELECT MIN(visible_at) FROM queue_messages WHERE queue = ?1";
            let first: Option<i64> = db.prepare_cached(sql)?.query_row([queue], |row| row.get(0))?;
            first.map(instant).transpose()
        })
    }

    /// How many messages `queue` holds now.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn depth(&self, queue: &str) -> Result<QueueDepth, DoublesError> {
        let now = stored(self.doubles.now());
        self.doubles.read(|db| depth_at(db, queue, now))
    }
}

impl Service for Sqs {
    const PROVIDER: Provider = Provider::Sqs;
    const THROTTLED: &'static str = "RequestThrottled";

    fn doubles(&self) -> &Doubles {
        &self.doubles
    }

    fn handle(&self, request: &HttpRequest) -> Result<Value, Refusal> {
        requests::handle(self, request)
    }
}

/// Puts a message into `queue` and gives its number.
pub(super) fn enqueue(
    tx: &Transaction<'_>,
    queue: &str,
    body: &str,
    visible_at: DateTime<Utc>,
) -> Result<i64, DoublesError> {
    let sql = "INSERT INTO queue_messages (queue, body, visible_at) VALUES (?1, ?2, ?3)";
    tx.prepare_cached(sql)?.execute(params![queue, body, stored(visible_at)])?;
    Ok(tx.last_insert_rowid())
}

fn message_id(number: i64) -> String {
    id_of("sqs", number).to_string()
}

fn set_aside_the_exhausted(tx: &Transaction<'_>, queue: &str, now: DateTime<Utc>) -> Result<(), DoublesError> {
    if queue.ends_with(DEAD_LETTERS) {
        return Ok(());
    }
    let sql = "UPDATE queue_messages SET queue = ?2 \
               WHERE queue = ?1 AND visible_at <= ?3 AND receives >= ?4";
    let dead_letters = format!("{queue}{DEAD_LETTERS}");
    tx.prepare_cached(sql)?.execute(params![queue, dead_letters, stored(now), MAX_RECEIVES])?;
    Ok(())
}

fn visible_messages(
    tx: &Transaction<'_>,
    queue: &str,
    max: usize,
    now: DateTime<Utc>,
) -> Result<Vec<i64>, DoublesError> {
    let sql = "SELECT number FROM queue_messages WHERE queue = ?1 AND visible_at <= ?2 \
               ORDER BY visible_at, number LIMIT ?3";
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let mut statement = tx.prepare_cached(sql)?;
    let numbers = statement.query_map(params![queue, stored(now), max], |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

fn hand_out(tx: &Transaction<'_>, number: i64, hidden_until: DateTime<Utc>) -> Result<QueuedMessage, DoublesError> {
    let sql = "UPDATE queue_messages SET receives = receives + 1, visible_at = ?2 \
               WHERE number = ?1 RETURNING body, receives";
    let mut statement = tx.prepare_cached(sql)?;
    let (body, receive_count): (String, u32) =
        statement.query_row(params![number, stored(hidden_until)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let receipt = format!("{number}.{receive_count}");
    Ok(QueuedMessage { id: message_id(number), receipt, body, receive_count })
}

fn parse_receipt(receipt: &str) -> Option<(i64, u32)> {
    let (number, receives) = receipt.split_once('.')?;
    Some((number.parse().ok()?, receives.parse().ok()?))
}

fn depth_at(db: &Connection, queue: &str, now: i64) -> Result<QueueDepth, DoublesError> {
    let sql = "SELECT SUM(visible_at <= ?2), SUM(visible_at > ?2 AND receives > 0), \
               SUM(visible_at > ?2 AND receives = 0) FROM queue_messages WHERE queue = ?1 \
               HAVING COUNT(*) > 0";
    let depth = db.prepare_cached(sql)?.query_row(params![queue, now], |row| {
        Ok(QueueDepth { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? })
    });
    Ok(depth.optional()?.unwrap_or_default())
}
