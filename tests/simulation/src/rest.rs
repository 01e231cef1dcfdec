//! What must hold when everything has come to rest: nothing left open, nothing lost, and the table
//! and the phones tell the same story.

use std::collections::{BTreeMap, BTreeSet};

use retorno::engine::Engine;
use serde_json::{Value, json};

use crate::inbox::Inbox;
use crate::judge::Judge;
use crate::kept;
use crate::wire::{TABLE, tenant_of};
use crate::writes::{Item, kind_of, text};

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

pub(crate) fn kind(item: &Item) -> &'static str {
    kind_of(text(item, "pk").unwrap_or(""), text(item, "sk").unwrap_or(""))
}

/// What is still open: enrollments that go on, and messages whose fate is not final.
#[must_use]
pub fn open(engine: &Engine) -> Vec<String> {
    let is_open = |item: &Item| match (kind(item), text(item, "st")) {
        ("enrollment", state) => state != Some("ended"),
        ("message", state) => matches!(state, Some("ready" | "in_flight" | "unknown")),
        ("answer", state) => matches!(state, Some("ready" | "in_flight")),
        _ => false,
    };
    let name = |item: &Item| format!("{} left {}", kind(item), text(item, "st").unwrap_or(""));
    items(engine).iter().filter(|item| is_open(item)).map(name).collect()
}

/// Holds the table against what the phones received.
pub fn check(now: i64, engine: &Engine, judge: &mut Judge, inbox: &Inbox) {
    let everything = items(engine);
    agenda(now, judge, &everything);
    kept::check(judge, inbox, &everything);
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    for accept in &judge.accepts {
        *received.entry(accept.message.clone()).or_default() += 1;
    }
    let mut seats: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut called = 0;
    for item in everything {
        match kind(&item) {
            "message" | "answer" => {
                let sk = text(&item, "sk").unwrap_or("");
                let message = sk.trim_start_matches(['M', 'A']).trim_start_matches('#').to_owned();
                let times = received.remove(&message).unwrap_or(0);
                message_at_rest(judge, &item, times);
            }
            "enrollment" if text(&item, "st") != Some("ended") => {
                judge.note(0, &format!("goes on: {}", Value::Object(item)));
                judge.object("at rest: an enrollment goes on");
            }
            "patient" if item.contains_key("seq") => judge.object("at rest: a patient is kept in a sequence"),
            "seat" => {
                let segment = text(&item, "sk").unwrap_or("").rsplit_once('#').map_or("", |(head, _)| head).to_owned();
                *seats.entry((text(&item, "pk").unwrap_or("").to_owned(), segment)).or_default() += 1;
            }
            // A call that somebody asked for by opening the link is no message of a sequence.
            "call" => called += usize::from(!item.contains_key("why")),
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

/// A slot that is taken is one booking's, and a booking that stands has its slot.
fn agenda(now: i64, judge: &mut Judge, everything: &[Item]) {
    let mut slots: BTreeMap<(String, String), String> = BTreeMap::new();
    for item in everything.iter().filter(|item| kind(item) == "slot") {
        let of = |name: &str| text(item, name).unwrap_or("").to_owned();
        if item.contains_key("bk") {
            slots.insert((tenant_of(&of("pk")).to_owned(), of("sk")), of("bk"));
        } else {
            judge.rests_free(now, item);
        }
    }
    for item in everything.iter().filter(|item| kind(item) == "booking") {
        let of = |name: &str| text(item, name).unwrap_or("").to_owned();
        judge.reach(&format!("rest booking {}", of("st")));
        // One that the clinic's own system made has no slot of ours.
        if of("st") == "cancelled" || of("slot").is_empty() {
            continue;
        }
        if slots.remove(&(tenant_of(&of("pk")).to_owned(), of("slot"))) != Some(of("id")) {
            judge.object("at rest: a booking whose slot is not its own");
        }
    }
    if !slots.is_empty() {
        judge.object("at rest: a slot is taken by no booking");
    }
    for item in everything.iter().filter(|item| kind(item) == "patient") {
        if twice(text(item, "visits").unwrap_or("[]")) {
            judge.note(0, &format!("two visits: {}", Value::Object(item.clone())));
            judge.object("at rest: a patient has two visits at one instant");
        }
    }
}

/// Whether a visit that was booked through the product stands beside the one that the clinic's system
/// made of it (`[[id, start, status, …], …]`; `k…` is the clinic's number).
fn twice(visits: &str) -> bool {
    let visits: Vec<Value> = serde_json::from_str(visits).unwrap_or_default();
    let stands: Vec<&Value> = visits.iter().filter(|visit| matches!(said(visit, "/2").as_str(), "b" | "f")).collect();
    let starts = |begins: &str| -> BTreeSet<Option<i64>> {
        let named = stands.iter().filter(|visit| said(visit, "/0").starts_with(begins));
        named.map(|visit| visit.pointer("/1").and_then(Value::as_i64)).collect()
    };
    !starts("retorno-").is_disjoint(&starts("k"))
}

fn said(value: &Value, at: &str) -> String {
    value.pointer(at).and_then(Value::as_str).unwrap_or("").to_owned()
}

fn message_at_rest(judge: &mut Judge, item: &Item, received: usize) {
    let state = text(item, "st").unwrap_or("").to_owned();
    let is_answer = kind(item) == "answer";
    judge.reach(&format!("rest {}{state}", if is_answer { "answer " } else { "" }));
    let id = text(item, "sk").unwrap_or("").trim_start_matches(['M', 'A', '#']).to_owned();
    let fits = match state.as_str() {
        "accepted" => received == 1 || judge.in_vain.contains(&id),
        "undetermined" => received <= 1,
        // Nobody told what became of an answer, and it is not said again.
        "unknown" => is_answer && received <= 1,
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
