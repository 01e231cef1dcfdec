//! The Scheduler REST protocol: what the SDK sends, checked as the service checks it.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Scheduler;
use super::expression::Expression;
use crate::doubles::wire::{Refusal, parse, route};
use crate::doubles::{DoublesError, record, stored};

const INVALID: &str = "ValidationException";
const DEFAULT_GROUP: &str = "default";

pub(super) fn handle(scheduler: &Scheduler, request: &HttpRequest) -> Result<Value, Refusal> {
    let (method, path, query) = route(request);
    let Some(name) = path.strip_prefix("/schedules/") else {
        return Err(Refusal::unknown_operation(&format!("{method} {path}")));
    };
    check_name(name)?;
    let group = parameter(query, "groupName").unwrap_or(DEFAULT_GROUP);
    match method {
        "POST" => create(scheduler, name, parse(request, INVALID)?),
        "PUT" => update(scheduler, name, parse(request, INVALID)?),
        "GET" => get(scheduler, group, name),
        "DELETE" => delete(scheduler, group, name),
        _ => Err(Refusal::unknown_operation(&format!("{method} {path}"))),
    }
}

/// A schedule as it was created, and as it is stored.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Definition {
    #[serde(default = "default_group")]
    group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    schedule_expression: String,
    #[serde(default = "utc")]
    schedule_expression_timezone: String,
    #[serde(default = "enabled")]
    state: String,
    #[serde(default = "keep")]
    action_after_completion: String,
    flexible_time_window: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<Value>,
    pub(super) target: Target,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Target {
    pub(super) arn: String,
    role_arn: String,
    #[serde(default = "no_input")]
    pub(super) input: String,
    /// Retry policy, dead-letter queue and what else a target may carry: kept, not played.
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

fn default_group() -> String {
    DEFAULT_GROUP.to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

fn enabled() -> String {
    "ENABLED".to_owned()
}

fn keep() -> String {
    "NONE".to_owned()
}

fn no_input() -> String {
    "{}".to_owned()
}

impl Target {
    /// The queue's name when the target is an SQS queue.
    pub(super) fn queue(&self) -> Option<&str> {
        let resource = self.arn.strip_prefix("arn:aws:sqs:")?;
        resource.rsplit(':').next()
    }

    fn is_function(&self) -> bool {
        self.arn.starts_with("arn:aws:lambda:") && self.arn.contains(":function:")
    }
}

impl Definition {
    /// When it is due again after `now`, having fired for `due`. `None`: never.
    pub(super) fn occurs_after(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (expression, zone) = self.timing().ok()?;
        expression.after(zone, due, now)
    }

    pub(super) fn deletes_itself(&self) -> bool {
        self.action_after_completion == "DELETE"
    }

    fn timing(&self) -> Result<(Expression, Tz), String> {
        let zone = self.schedule_expression_timezone.parse::<Tz>();
        let zone = zone.map_err(|_| format!("Invalid timezone {}.", self.schedule_expression_timezone))?;
        Ok((Expression::parse(&self.schedule_expression)?, zone))
    }

    /// Checks a request and gives the instant it is first due; `None` when it is disabled.
    fn first_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Refusal> {
        let refuse = |message: String| Refusal::bad_request(INVALID, message);
        check_name(&self.group_name)?;
        if self.target.queue().is_none_or(str::is_empty) && !self.target.is_function() {
            let played = "this double delivers to SQS queues and Lambda functions only";
            return Err(refuse(format!("{}: {played}", self.target.arn)));
        }
        let (expression, zone) = self.timing().map_err(refuse)?;
        let recurs = !matches!(expression, Expression::At(_));
        if recurs && (self.start_date.is_some() || self.end_date.is_some()) {
            return Err(refuse("this double does not play StartDate and EndDate".to_owned()));
        }
        let due = expression.first(zone, now);
        if due.is_none_or(|due| due.timestamp() < now.timestamp()) {
            let expression = &self.schedule_expression;
            return Err(refuse(format!("Invalid Schedule Expression {expression}: it is past.")));
        }
        Ok(due.filter(|_| self.state == "ENABLED"))
    }
}

fn create(scheduler: &Scheduler, name: &str, wanted: Definition) -> Result<Value, Refusal> {
    let now = scheduler.doubles.now();
    let due = wanted.first_due(now)?;
    let existing = scheduler.doubles.write(|tx| {
        let existing = find(tx, &wanted.group_name, name)?;
        if existing.is_none() {
            let sql = "INSERT INTO schedules VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
            let request = json!(wanted).to_string();
            let values = params![wanted.group_name, name, request, due.map(stored), stored(now)];
            tx.prepare_cached(sql)?.execute(values)?;
        }
        Ok(existing)
    })?;
    // The same client token is the same request, sent again.
    let repeated =
        |existing: &Definition| wanted.client_token.is_some() && existing.client_token == wanted.client_token;
    match existing {
        Some(existing) if !repeated(&existing) => {
            Err(Refusal::new(StatusCode::CONFLICT, "ConflictException", format!("Schedule {name} already exists.")))
        }
        _ => Ok(json!({ "ScheduleArn": arn(&wanted.group_name, name) })),
    }
}

fn update(scheduler: &Scheduler, name: &str, wanted: Definition) -> Result<Value, Refusal> {
    let now = scheduler.doubles.now();
    let due = wanted.first_due(now)?;
    let changed = scheduler.doubles.write(|tx| {
        let sql = "UPDATE schedules SET request = ?3, next_due = ?4, modified_at = ?5 \
                   WHERE group_name = ?1 AND name = ?2";
        let request = json!(wanted).to_string();
        let values = params![wanted.group_name, name, request, due.map(stored), stored(now)];
        Ok(tx.prepare_cached(sql)?.execute(values)? == 1)
    })?;
    if !changed {
        return Err(not_found(name));
    }
    Ok(json!({ "ScheduleArn": arn(&wanted.group_name, name) }))
}

fn get(scheduler: &Scheduler, group: &str, name: &str) -> Result<Value, Refusal> {
    let row = scheduler.doubles.read(|db| {
        let sql = "SELECT request, created_at, modified_at FROM schedules \
                   WHERE group_name = ?1 AND name = ?2";
        let row = db.prepare_cached(sql)?.query_row(params![group, name], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let Some((request, created, modified)) = row.optional()? else {
            return Ok(None);
        };
        Ok(Some((record::<Value>(&request)?, created, modified)))
    })?;
    let Some((mut schedule, created, modified)) = row else {
        return Err(not_found(name));
    };
    if let Some(fields) = schedule.as_object_mut() {
        fields.remove("ClientToken");
        fields.insert("Name".to_owned(), json!(name));
        fields.insert("Arn".to_owned(), json!(arn(group, name)));
        // The protocol writes instants as whole seconds since the Unix epoch.
        fields.insert("CreationDate".to_owned(), json!(created / 1_000_000));
        fields.insert("LastModificationDate".to_owned(), json!(modified / 1_000_000));
    }
    Ok(schedule)
}

fn delete(scheduler: &Scheduler, group: &str, name: &str) -> Result<Value, Refusal> {
    let deleted = scheduler.doubles.write(|tx| {
        let sql = "DELETE FROM schedules WHERE group_name = ?1 AND name = ?2";
        Ok(tx.prepare_cached(sql)?.execute(params![group, name])? == 1)
    })?;
    if deleted { Ok(json!({})) } else { Err(not_found(name)) }
}

fn find(tx: &Transaction<'_>, group: &str, name: &str) -> Result<Option<Definition>, DoublesError> {
    let sql = "SELECT request FROM schedules WHERE group_name = ?1 AND name = ?2";
    let mut statement = tx.prepare_cached(sql)?;
    let request = statement.query_row(params![group, name], |row| row.get::<_, String>(0));
    request.optional()?.map(|request| record(&request)).transpose()
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let message = format!("'{name}' must satisfy the pattern ^[0-9a-zA-Z-_.]+$ and 1 to 64 characters");
    Err(Refusal::bad_request(INVALID, message))
}

fn not_found(name: &str) -> Refusal {
    let message = format!("Schedule {name} does not exist.");
    Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
}

fn arn(group: &str, name: &str) -> String {
    format!("arn:aws:scheduler:us-east-1:000000000000:schedule/{group}/{name}")
}

/// The value of `name` in a query string. Names and groups need no decoding: their alphabet is free
/// of escapes.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
