//! What must hold when everything has come to rest: nothing left open, nothing lost, and the table
//! and the phones tell the same story.

use std::collections::BTreeMap;

use retorno::engine::Engine;
use serde_json::{Map, Value, json};

use crate::judge::Judge;
use crate::wire::TABLE;
use crate::writes::{kind_of, text};

type Item = Map<String, Value>;

/// Every item of the table.
fn items(engine: &Engine) -> Vec<Item> {
    let mut found = Vec::new();
    let mut from = Value::Null;
    loop {
        let mut request = json!({"TableName": TABLE});
        if let (Some(request), false) = (request.as_object_mut(), from.is_null()) {
            request.insert("ExclusiveStartKey".to_owned(), from.clone());
        }
        let (_, answer) = engine.answer("Scan", request.to_string().as_bytes());
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let page = answer.get("Items").and_then(Value::as_array).cloned().unwrap_or_default();
        found.extend(page.into_iter().filter_map(|item| item.as_object().cloned()));
        from = answer.get("LastEvaluatedKey").cloned().unwrap_or_default();
        if from.is_null() {
            return found;
        }
    }
}

fn kind(item: &Item) -> &'static str {
    kind_of(text(item, "pk").unwrap_or(""), text(item, "sk").unwrap_or(""))
}

/// What is still open: enrollments that go on, and messages whose fate is not final.
#[must_use]
pub fn open(engine: &Engine) -> Vec<String> {
    let is_open = |item: &Item| match (kind(item), text(item, "st")) {
        ("enrollment", state) => state != Some("ended"),
        ("message", state) => matches!(state, Some("ready" | "in_flight" | "unknown")),
        _ => false,
    };
    let name = |item: &Item| format!("{} left {}", kind(item), text(item, "st").unwrap_or(""));
    items(engine).iter().filter(|item| is_open(item)).map(name).collect()
}

/// Holds the table against what the phones received.
pub fn check(engine: &Engine, judge: &mut Judge) {
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    for accept in &judge.accepts {
        *received.entry(accept.message.clone()).or_default() += 1;
    }
    let mut seats: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut called = 0;
    for item in items(engine) {
        match kind(&item) {
            "message" => {
                let message = text(&item, "sk").unwrap_or("").trim_start_matches("M#").to_owned();
                let times = received.remove(&message).unwrap_or(0);
                message_at_rest(judge, &item, times);
            }
            "enrollment" if text(&item, "st") != Some("ended") => judge.object("at rest: an enrollment goes on"),
            "patient" if item.contains_key("seq") => judge.object("at rest: a patient is kept in a sequence"),
            "seat" => {
                let segment = text(&item, "sk").unwrap_or("").rsplit_once('#').map_or("", |(head, _)| head).to_owned();
                *seats.entry((text(&item, "pk").unwrap_or("").to_owned(), segment)).or_default() += 1;
            }
            "call" => called += 1,
            _ => {}
        }
    }
    if !received.is_empty() {
        judge.object("at rest: a message was received of which the table knows nothing");
    }
    if called != judge.accepts.iter().filter(|accept| accept.channel == "call").count() {
        judge.object("at rest: calls listed are not those committed");
    }
    for ((week, _), taken) in seats {
        let clinic = week.split('#').nth(1).and_then(|id| judge.clinic_of(id));
        let seats = clinic.and_then(|clinic| Some(judge.clinics.get(clinic)?.limits.seats));
        if seats.is_some_and(|seats| taken > seats) {
            judge.object("at rest: more seats taken in a week than there are");
        }
    }
}

fn message_at_rest(judge: &mut Judge, item: &Item, received: usize) {
    let state = text(item, "st").unwrap_or("").to_owned();
    judge.reach(&format!("rest {state}"));
    let fits = match state.as_str() {
        "accepted" => received == 1,
        "undetermined" => received <= 1,
        "failed" | "dropped" => received == 0,
        _ => false,
    };
    if !fits {
        judge.reach(&format!("at odds {}", text(item, "sk").unwrap_or("")));
        judge.object(&format!("at rest: a message is {state} and was received {received} times"));
    }
    if item.contains_key("g1pk") && matches!(state.as_str(), "accepted" | "failed" | "dropped" | "undetermined") {
        judge.object("at rest: a message that is over is still listed as open");
    }
}
