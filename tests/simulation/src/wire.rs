//! The wire between the production clients and everything outside: where a task waits, where it
//! dies, where requests and answers get lost — and where the judge looks.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use retorno::engine::Engine;
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::expect::must_refuse;
use crate::guards::Mutant;
use crate::services;
use crate::texts;
use crate::writes::{Write, commitment_of, key_json, label_of, text, writes_of};

/// The table's name.
pub const TABLE: &str = "retorno";

/// Everything outside, as the clients of one run reach it.
#[derive(Debug, Clone)]
pub struct Wire {
    /// The run.
    pub core: Core,
    engine: Engine,
    mutant: Option<Mutant>,
}

/// What becomes of a request.
enum Fate {
    Through,
    Refused(u16, Value),
    LostOnTheWay,
    AnswerLost,
}

impl Wire {
    /// The wire of a run.
    #[must_use]
    pub fn new(core: Core, engine: Engine, mutant: Option<Mutant>) -> Self {
        Self { core, engine, mutant }
    }

    /// The HTTP client for the SDK.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector(Arc::new(self.clone())));
        http_client_fn(move |_, _| connector.clone())
    }

    /// A wait before or after a request: time passes, and the environment may die or freeze.
    pub async fn wait(&self, label: &str, phase: &'static str) {
        let (dies, ms) = {
            let mut state = self.core.state();
            let state = &mut *state;
            let handler = state.running.map_or("", |(_, handler)| handler);
            let place = format!("{handler}: {label}, {phase}");
            let knobs = state.trouble.knobs.clone();
            let dies = state.trouble.strikes(&mut state.chance, knobs.crash_at(&place));
            let mut ms = state.chance.between(1, knobs.latency_ms);
            // The last look at the clock is a breath before the provider is called: no freeze fits in.
            let freezes = !label.starts_with("call ") || phase == "after";
            let rate = if knobs.likes_to_freeze_at(&place) { knobs.freeze * 25 } else { knobs.freeze };
            if freezes && state.trouble.strikes(&mut state.chance, rate) {
                state.trouble.note("frozen");
                ms = state.chance.stretch(2_000, knobs.freeze_ms_max);
            }
            if dies {
                state.trouble.note(if phase == "before" { "crash_before" } else { "crash_after" });
                *state.trouble.crashes.entry(place.clone()).or_default() += 1;
                let now = state.now;
                state.judge.note(now, &format!("crash at {place}"));
            }
            *state.trouble.waits.entry(place).or_default() += 1;
            (dies, ms)
        };
        if dies {
            self.core.die().await;
        }
        self.core.pause(ms).await;
    }

    async fn table(&self, operation: String, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let writes = writes_of(&operation, &request);
        let label = label_of(&operation, &request, &writes);
        self.in_its_own_tenant(&request);
        self.wait(&label, "before").await;
        self.rivals(&label, &writes).await;
        let fate = self.fate(&operation, writes.len());
        let answered = match fate {
            Fate::Refused(status, body) => {
                self.wait(&label, "after").await;
                return response(status, body.to_string().into_bytes());
            }
            Fate::LostOnTheWay => {
                self.wait(&label, "after").await;
                return Err(ConnectorError::io("connection refused".into()));
            }
            Fate::Through | Fate::AnswerLost => self.carry_out(&operation, &label, body, &writes),
        };
        self.wait(&label, "after").await;
        match fate {
            Fate::AnswerLost => Err(ConnectorError::io("connection closed before the answer".into())),
            Fate::Through | Fate::Refused(..) | Fate::LostOnTheWay => response(answered.0, answered.1),
        }
    }

    /// Carries a request out, and looks at what it did.
    fn carry_out(&self, operation: &str, label: &str, body: Vec<u8>, writes: &[Write]) -> (u16, Vec<u8>) {
        let before: Vec<Option<Map<String, Value>>> = writes.iter().map(|write| self.look(write)).collect();
        let (body, token) = without_token(body);
        if let Some(answer) = token.as_ref().and_then(|token| self.told_before(token, &body)) {
            return answer;
        }
        let sent = body.clone();
        let body = match self.mutant {
            Some(mutant) => mutant.rewritten(label, body),
            None => body,
        };
        let (status, answer) = self.engine.answer(operation, &body);
        let reasons = reasons(&answer);
        let mut state = self.core.state();
        let state = &mut *state;
        let now = state.now;
        let about = writes.first().map_or("", |write| if write.kind == "audit" { "" } else { &write.sk });
        let whose = writes.iter().find_map(|write| write.pk.split_once("#P#")).map_or("", |(_, id)| id);
        let task = state.running.map_or(0, |(task, _)| task);
        state.judge.note(now, &format!("[{task}] {label} {whose} {about} {status} {}", reasons.join(",")));
        let done = status == 200;
        if let (Some(token), true) = (token, done) {
            state.tokens.insert(token, (now, sent));
        }
        for (at, (write, stands)) in writes.iter().zip(&before).enumerate() {
            let refused = if done { false } else { reasons.get(at).is_none_or(|r| r == "ConditionalCheckFailed") };
            let excused = !done && reasons.is_empty() && status >= 500;
            if let Some(why) = must_refuse(label, write, stands.as_ref())
                && !refused
                && !excused
            {
                state.judge.object(&format!("{label}: the {} part let pass: {why}", write.kind));
            }
            if done {
                state.judge.moved(now, label, write, stands.as_ref(), self.look(write).as_ref());
            }
        }
        if done && (label == "claim" || label == "say") {
            let record = commitment_of(writes);
            let clinic = record.as_ref().and_then(|record| state.judge.clinic_of(tenant_of(&record.pk)));
            if let (Some(record), Some(clinic)) = (record, clinic) {
                state.judge.committed(now, clinic, &record.item);
                if label == "claim" && text(&record.item, "channel") == Some("call") {
                    state.is_to_be_called(clinic, &record.item);
                }
            }
        }
        (status, answer)
    }

    /// What a transaction with this token is answered, if one was carried out lately: nothing is
    /// done again (10 minutes, the service's documentation of `ClientRequestToken`).
    fn told_before(&self, token: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
        let mut state = self.core.state();
        let now = state.now;
        let (at, first) = state.tokens.get(token)?;
        if now - at > TOKEN_LASTS_MS {
            return None;
        }
        let same = same_request(first, body);
        state.judge.note(now, if same { "a token repeated" } else { "a token of another request" });
        state.judge.reach("transaction repeated by its token");
        Some(if same {
            (200, b"{}".to_vec())
        } else {
            let kind = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException";
            (400, json!({"__type": kind, "message": ""}).to_string().into_bytes())
        })
    }

    /// The item that a write is about, as it stands.
    fn look(&self, write: &Write) -> Option<Map<String, Value>> {
        let request = json!({"TableName": TABLE, "Key": key_json(&write.pk, &write.sk), "ConsistentRead": true});
        let (_, answer) = self.engine.answer("GetItem", request.to_string().as_bytes());
        serde_json::from_slice::<Value>(&answer).ok()?.get("Item")?.as_object().cloned()
    }

    fn fate(&self, operation: &str, parts: usize) -> Fate {
        let mut state = self.core.state();
        let state = &mut *state;
        state.trouble.requests += 1;
        let rate = state.trouble.knobs.request;
        if !state.trouble.strikes(&mut state.chance, rate) {
            return Fate::Through;
        }
        let refused = |status, kind: &str| {
            Fate::Refused(status, json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": ""}))
        };
        let (kind, fate) = match state.chance.below(5) {
            0 => ("table_throttled", refused(400, "ProvisionedThroughputExceededException")),
            1 => ("table_unavailable", refused(500, "InternalServerError")),
            2 if operation == "TransactWriteItems" => {
                let reasons: Vec<Value> = (0..parts)
                    .map(|at| json!({"Code": if at == 0 { "TransactionConflict" } else { "None" }}))
                    .collect();
                let body = json!({"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "message": "", "CancellationReasons": reasons});
                ("table_conflict", Fate::Refused(400, body))
            }
            2 | 3 => ("request_lost", Fate::LostOnTheWay),
            _ => ("answer_lost", Fate::AnswerLost),
        };
        state.trouble.note(kind);
        fate
    }

    /// Every key that a task's request names is its clinic's.
    fn in_its_own_tenant(&self, request: &Value) {
        let mut state = self.core.state();
        let Some(clinic) = state.tenant.clone().filter(|clinic| !clinic.is_empty()) else { return };
        if !all_within(request, &clinic) {
            state.judge.object("a request named another clinic's key");
        }
    }
}

/// A token is remembered so long, in ms.
const TOKEN_LASTS_MS: i64 = 600_000;

/// The body without its token, and the token: the wire itself remembers tokens, by the run's clock.
fn without_token(body: Vec<u8>) -> (Vec<u8>, Option<String>) {
    let Ok(mut request) = serde_json::from_slice::<Value>(&body) else { return (body, None) };
    let token = request.as_object_mut().and_then(|request| request.remove("ClientRequestToken"));
    match token.as_ref().and_then(Value::as_str) {
        Some(token) => (serde_json::to_vec(&request).unwrap_or(body), Some(token.to_owned())),
        None => (body, None),
    }
}

/// Whether two requests ask for the same, in whatever order their attributes are written.
fn same_request(first: &[u8], second: &[u8]) -> bool {
    let read = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
    first == second || read(first) == read(second)
}

fn all_within(value: &Value, clinic: &str) -> bool {
    match value {
        Value::String(text) => text.strip_prefix("T#").is_none_or(|rest| rest.split('#').next() == Some(clinic)),
        Value::Array(values) => values.iter().all(|value| all_within(value, clinic)),
        Value::Object(values) => values.values().all(|value| all_within(value, clinic)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// `T#clinic#…` → `clinic`.
pub(crate) fn tenant_of(pk: &str) -> &str {
    pk.split('#').nth(1).unwrap_or("")
}

/// Why a transaction was cancelled, part by part.
fn reasons(answer: &[u8]) -> Vec<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let reasons = answer.get("CancellationReasons").and_then(Value::as_array);
    let code = |reason: &Value| reason.get("Code").and_then(Value::as_str).unwrap_or("None").to_owned();
    reasons.map(|reasons| reasons.iter().map(code).collect()).unwrap_or_default()
}

/// An answer on the wire.
///
/// # Errors
/// None for a status there is.
pub fn response(status: u16, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status).map_err(|e| ConnectorError::other(Box::new(e), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body)))
}

#[derive(Debug)]
struct Connector(Arc<Wire>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
            let body = request.body().bytes().unwrap_or_default().to_vec();
            match target.split_once('.') {
                Some((service, operation)) if service.starts_with("DynamoDB") => {
                    wire.table(operation.to_owned(), body).await
                }
                Some((service, _)) if service.starts_with("PinpointSMSVoice") => texts::provider(&wire, &body).await,
                Some(_) => services::queue(&wire, &body).await,
                None => services::rest(&wire, request.uri(), &body).await,
            }
        })
    }
}
