//! What a request to the table writes, item by item, and what kind of item each is.

use serde_json::{Map, Value, json};

/// An item, as the table's protocol writes it.
pub type Item = Map<String, Value>;

/// A write of one item.
#[derive(Debug, Clone)]
pub struct Write {
    /// What it is: `message`, `enrollment`, `patient`, `contact`, …
    pub kind: &'static str,
    /// `Put`, `Update` or `Delete`.
    pub verb: &'static str,
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
    /// The item put, or nothing.
    pub item: Map<String, Value>,
    /// Values of the expressions, by name.
    pub values: Map<String, Value>,
    /// The update expression, or nothing.
    pub update: String,
    /// The condition, or nothing.
    pub condition: String,
}

/// What a claim commits: its audit record, with what the record itself only shows keyed — who, which
/// message, which contact point — by the other items of the same transaction.
#[must_use]
pub fn commitment_of(writes: &[Write]) -> Option<Write> {
    let mut record = writes.iter().find(|write| write.kind == "audit")?.clone();
    let message = writes.iter().find(|write| matches!(write.kind, "message" | "answer"))?;
    let id = message.sk.split_once('#')?.1;
    let contact = text(&message.item, "cp").or_else(|| text(&message.values, ":cp"))?;
    let patient = message.pk.split_once("#P#")?.1;
    for (name, value) in [("message", id), ("cp", contact), ("patient", patient)] {
        record.item.insert(name.to_owned(), json!({ "S": value }));
    }
    Some(record)
}

/// What kind of item a key names.
#[must_use]
pub fn kind_of(pk: &str, sk: &str) -> &'static str {
    let within = pk.splitn(3, '#').nth(2).unwrap_or("");
    let space = within.split('#').next().unwrap_or("");
    match (space, sk) {
        ("P", "PATIENT") => "patient",
        ("P", _) if sk.starts_with("E#") => "enrollment",
        ("P", _) if sk.starts_with("M#") => "message",
        ("P", _) if sk.starts_with("A#") => "answer",
        ("P", _) if sk.starts_with("I#") => "heard",
        ("P", _) if sk.starts_with("SURVEY#") => "survey",
        ("P", "ALIAS") => "alias",
        ("P", _) => "conversation",
        ("EVENT", _) => "event",
        ("AGENDA", _) => "booking",
        ("WAITLIST", _) => "waiting",
        ("STRANGERS", _) => "stranger",
        ("USER", _) => "user",
        ("NEWS", _) => "news",
        ("CP", _) => "contact",
        ("WAVE", "WEEK") => "week",
        ("WAVE", _) => "seat",
        ("TIER", _) => "tier",
        ("SLOTS", _) => "slot",
        ("CALLS", _) => "call",
        ("AUDIT", _) => "audit",
        (_, "CLINIC") => "settings",
        (_, "LEASE#import") => "lease",
        (_, "EVALUATED") => "evaluated",
        _ if sk.starts_with("CLOSED#") => "breaker",
        _ if sk.starts_with("IMPORT#") => "report",
        _ if sk.starts_with("FLOW#") => "flow",
        _ => "other",
    }
}

/// A string attribute.
#[must_use]
pub fn text<'a>(item: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

/// A number attribute.
#[must_use]
pub fn number(item: &Map<String, Value>, name: &str) -> Option<i64> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}

fn map(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn write(verb: &'static str, body: &Value) -> Option<Write> {
    let item = map(body.get("Item"));
    let key = if verb == "Put" { item.clone() } else { map(body.get("Key")) };
    let (pk, sk) = (text(&key, "pk")?.to_owned(), text(&key, "sk")?.to_owned());
    let said = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    Some(Write {
        kind: kind_of(&pk, &sk),
        verb,
        pk,
        sk,
        item,
        values: map(body.get("ExpressionAttributeValues")),
        update: said("UpdateExpression"),
        condition: said("ConditionExpression"),
    })
}

/// The writes of a request, in order.
#[must_use]
pub fn writes_of(operation: &str, body: &Value) -> Vec<Write> {
    let single = |verb| write(verb, body).into_iter().collect();
    match operation {
        "PutItem" => single("Put"),
        "UpdateItem" => single("Update"),
        "DeleteItem" => single("Delete"),
        "TransactWriteItems" => {
            let parts = body.get("TransactItems").and_then(Value::as_array);
            let verbs = ["Put", "Update", "Delete"];
            let of = |part: &Value| verbs.into_iter().find_map(|verb| write(verb, part.get(verb)?));
            parts.into_iter().flatten().filter_map(of).collect()
        }
        "BatchWriteItem" => {
            let requests = body.get("RequestItems").and_then(Value::as_object);
            let each = requests.into_iter().flat_map(Map::values).filter_map(Value::as_array).flatten();
            each.filter_map(|request| write("Put", request.get("PutRequest")?)).collect()
        }
        _ => Vec::new(),
    }
}

/// A request's name, by what it does.
#[must_use]
pub fn label_of(operation: &str, body: &Value, writes: &[Write]) -> String {
    let has = |kind: &str, verb: &str| writes.iter().any(|write| write.kind == kind && write.verb == verb);
    let first = writes.first();
    match operation {
        "TransactWriteItems" if has("event", "Put") => "turn".to_owned(),
        "TransactWriteItems" if has("answer", "Update") => "say".to_owned(),
        "TransactWriteItems" if has("waiting", "Update") && has("slot", "Update") => "hold".to_owned(),
        "TransactWriteItems" if has("audit", "Put") => "claim".to_owned(),
        "TransactWriteItems" if has("enrollment", "Put") => "enroll".to_owned(),
        "TransactWriteItems" if writes.iter().any(|w| w.update.contains("REMOVE seq")) => "end".to_owned(),
        "TransactWriteItems" if first.is_some_and(|w| w.kind == "message" && w.condition.contains(":flying")) => {
            "take_back".to_owned()
        }
        "TransactWriteItems" => "advance".to_owned(),
        "Query" => {
            let index = body.get("IndexName").and_then(Value::as_str).unwrap_or("table");
            let values = map(body.get("ExpressionAttributeValues"));
            let pk = values.values().filter_map(|v| v.get("S")?.as_str()).find(|v| v.starts_with("T#")).unwrap_or("");
            let space = pk.splitn(3, '#').nth(2).and_then(|rest| rest.split('#').next()).unwrap_or("clinic");
            format!("query {index} {space}")
        }
        "BatchGetItem" => {
            let keys = body.pointer("/RequestItems").and_then(Value::as_object).and_then(|m| m.values().next());
            let key = map(keys.and_then(|keys| keys.pointer("/Keys/0")));
            format!("batch get {}", kind_of(text(&key, "pk").unwrap_or(""), text(&key, "sk").unwrap_or("")))
        }
        "GetItem" => {
            let key = map(body.get("Key"));
            format!("get {}", kind_of(text(&key, "pk").unwrap_or(""), text(&key, "sk").unwrap_or("")))
        }
        "UpdateItem" => {
            let write = first.map(|w| (w.kind, w.update.as_str())).unwrap_or_default();
            let verb = match write {
                ("message" | "answer", _) if first.is_some_and(|w| w.condition.starts_with("attribute_exists(pk)")) => {
                    "receipt"
                }
                ("message" | "answer", _) if first.is_some_and(|w| w.condition == "st IN (:flying, :unknown)") => {
                    "settled"
                }
                ("message", update) if update.contains(":until") || update == "SET st = :st REMOVE g1pk, g1sk" => "age",
                ("message", _) => "outcome",
                ("answer", _) if first.is_some_and(|w| w.condition == "st = :was") => "closed",
                ("answer", _) => "outcome",
                ("contact", update) if update.contains("oo_imp") => "imported opt-out",
                ("contact", update) if update.contains("REMOVE") && update.contains("om_") => "opt-in",
                ("contact", update) if update.contains("om_") || update.contains("oc_") => "opt-out",
                ("contact", update) if update.contains("dead_") => "unreachable",
                ("contact", update) if update.contains("busy") => "vacate",
                ("contact", _) => "unlist",
                ("patient", update) if update.contains("paused") => "pause",
                ("patient", _) => "standing",
                _ => "",
            };
            format!("update {} {verb}", write.0)
        }
        _ => format!("{operation} {}", first.map_or("", |write| write.kind)),
    }
}

/// The key of an item as a request's `Key`.
#[must_use]
pub fn key_json(pk: &str, sk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}})
}
