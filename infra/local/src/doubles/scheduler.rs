//! EventBridge Scheduler: the REST protocol on one side, a host that fires what is due on the other.
//!
//! A schedule whose target is an SQS queue puts its input into the queue's double in the same
//! transaction that deletes or re-arms it. One whose target is a Lambda function becomes an
//! [`Invocation`] that the host takes and finishes: at least once, as in the cloud.

mod expression;
mod requests;
#[cfg(test)]
mod tests;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;

use super::wire::{Refusal, Service, in_process};
use super::{Doubles, DoublesError, Provider, instant, record, sqs, stored};
use requests::Definition;

/// The schedules. Clones share them.
#[derive(Debug, Clone)]
pub struct Scheduler {
    doubles: Doubles,
}

/// A schedule that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The schedule's name within its group.
    pub name: String,
    /// The instant it was due, which may lie before the instant it fired.
    pub due: DateTime<Utc>,
    /// Where its input went.
    pub target_arn: String,
    /// What it carried.
    pub input: String,
}

/// A Lambda function to be invoked with `payload`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Names the invocation to [`Scheduler::finish_invocation`].
    pub id: i64,
    /// The schedule that caused it.
    pub schedule: String,
    /// The function's ARN.
    pub target_arn: String,
    /// The schedule's input.
    pub payload: String,
    /// How often it has been taken, this time included.
    pub attempt: u32,
}

impl Scheduler {
    pub(super) fn new(doubles: Doubles) -> Self {
        Self { doubles }
    }

    /// The HTTP client for a Scheduler client: `CreateSchedule`, `UpdateSchedule`, `GetSchedule` and
    /// `DeleteSchedule`.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        in_process(self.clone())
    }

    /// A client configuration over [`Scheduler::http_client`]: nothing signed, no retries.
    #[must_use]
    pub fn sdk_config(&self) -> aws_sdk_scheduler::config::Builder {
        aws_sdk_scheduler::Config::builder()
            .behavior_version_latest()
            .http_client(self.http_client())
            .region(aws_sdk_scheduler::config::Region::from_static("us-east-1"))
            .allow_no_auth()
            .endpoint_url("http://scheduler.local")
            .retry_config(aws_sdk_scheduler::config::retry::RetryConfig::disabled())
            .timeout_config(aws_sdk_scheduler::config::timeout::TimeoutConfig::disabled())
            .identity_cache(aws_sdk_scheduler::config::IdentityCache::no_cache())
            .stalled_stream_protection(aws_sdk_scheduler::config::StalledStreamProtectionConfig::disabled())
    }

    /// When the next schedule is due, past or future.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn next_due(&self) -> Result<Option<DateTime<Utc>>, DoublesError> {
        self.doubles.read(|db| {
            let sql = "SELECT MIN(next_due) FROM schedules WHERE next_due IS NOT NULL";
            let first: Option<i64> = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            first.map(instant).transpose()
        })
    }

    /// Fires everything due at `now`, in the order of due instant, group and name, and delivers it.
    /// A recurring schedule that missed several turns fires once and is next due after `now`.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails; then nothing has fired.
    pub fn fire_due(&self, now: DateTime<Utc>) -> Result<Vec<Fired>, DoublesError> {
        self.doubles.write(|tx| {
            let due = due_schedules(tx, now)?;
            due.into_iter().map(|schedule| fire(tx, schedule, now)).collect()
        })
    }

    /// Takes the oldest invocation that is available, until it is finished or released. One that
    /// was taken when the process died is available again after [`Doubles::open`].
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn take_invocation(&self) -> Result<Option<Invocation>, DoublesError> {
        let now = stored(self.doubles.now());
        self.doubles.write(|tx| {
            let sql = "UPDATE invocations SET taken = 1, attempts = attempts + 1 WHERE number = \
                       (SELECT number FROM invocations WHERE taken = 0 AND available_at <= ?1 \
                        ORDER BY available_at, number LIMIT 1) \
                       RETURNING number, schedule, target_arn, payload, attempts";
            let mut statement = tx.prepare_cached(sql)?;
            let taken = statement.query_row([now], |row| {
                Ok(Invocation {
                    id: row.get(0)?,
                    schedule: row.get(1)?,
                    target_arn: row.get(2)?,
                    payload: row.get(3)?,
                    attempt: row.get(4)?,
                })
            });
            Ok(taken.optional()?)
        })
    }

    /// Forgets an invocation that has been carried out; false when it is gone already.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn finish_invocation(&self, id: i64) -> Result<bool, DoublesError> {
        self.doubles.write(|tx| {
            let sql = "DELETE FROM invocations WHERE number = ?1";
            Ok(tx.prepare_cached(sql)?.execute([id])? == 1)
        })
    }

    /// Gives a failed invocation back, available again at `at`; false when it is gone already.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn release_invocation(&self, id: i64, at: DateTime<Utc>) -> Result<bool, DoublesError> {
        self.doubles.write(|tx| {
            let sql = "UPDATE invocations SET taken = 0, available_at = ?2 WHERE number = ?1";
            Ok(tx.prepare_cached(sql)?.execute(params![id, stored(at)])? == 1)
        })
    }

    /// When the next invocation that nobody has taken is available, past or future.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn next_invocation_at(&self) -> Result<Option<DateTime<Utc>>, DoublesError> {
        self.doubles.read(|db| {
            let sql = "SELECT MIN(available_at) FROM invocations WHERE taken = 0";
            let first: Option<i64> = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            first.map(instant).transpose()
        })
    }
}

impl Service for Scheduler {
    const PROVIDER: Provider = Provider::Scheduler;
    const THROTTLED: &'static str = "ThrottlingException";

    fn doubles(&self) -> &Doubles {
        &self.doubles
    }

    fn handle(&self, request: &HttpRequest) -> Result<Value, Refusal> {
        requests::handle(self, request)
    }
}

struct Due {
    group: String,
    name: String,
    at: DateTime<Utc>,
    definition: Definition,
}

fn due_schedules(tx: &Transaction<'_>, now: DateTime<Utc>) -> Result<Vec<Due>, DoublesError> {
    let sql = "SELECT group_name, name, next_due, request FROM schedules \
               WHERE next_due <= ?1 ORDER BY next_due, group_name, name";
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query([stored(now)])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let request: String = row.get(3)?;
        due.push(Due {
            group: row.get(0)?,
            name: row.get(1)?,
            at: instant(row.get(2)?)?,
            definition: record(&request)?,
        });
    }
    Ok(due)
}

fn fire(tx: &Transaction<'_>, due: Due, now: DateTime<Utc>) -> Result<Fired, DoublesError> {
    let next = due.definition.occurs_after(due.at, now);
    if next.is_none() && due.definition.deletes_itself() {
        let sql = "DELETE FROM schedules WHERE group_name = ?1 AND name = ?2";
        tx.prepare_cached(sql)?.execute(params![due.group, due.name])?;
    } else {
        let sql = "UPDATE schedules SET next_due = ?3 WHERE group_name = ?1 AND name = ?2";
        tx.prepare_cached(sql)?.execute(params![due.group, due.name, next.map(stored)])?;
    }
    let target = due.definition.target;
    match target.queue() {
        Some(queue) => {
            sqs::enqueue(tx, queue, &target.input, now)?;
        }
        None => {
            let sql = "INSERT INTO invocations (schedule, target_arn, payload, available_at) \
                       VALUES (?1, ?2, ?3, ?4)";
            let values = params![due.name, target.arn, target.input, stored(now)];
            tx.prepare_cached(sql)?.execute(values)?;
        }
    }
    Ok(Fired { name: due.name, due: due.at, target_arn: target.arn, input: target.input })
}
