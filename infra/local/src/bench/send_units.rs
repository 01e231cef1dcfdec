//! What one send costs at the table, request by request.

use serde_json::Value;

use segment_evaluator::Scope;

use super::figures::{SendUnits, UnitLine};
use super::made_up::{Population, ZONE, export};
use super::stage::{Stage, at, monday_and, settings};
use crate::engine::TracedRequest;
use crate::host::HostError;

/// Plays one patient's sequence and lists the requests of its first WhatsApp message, its e-mail and
/// its call.
pub(super) async fn measure() -> Result<Vec<SendUnits>, HostError> {
    let stage = Stage::set(&settings(ZONE, "")?, None, at(monday_and(0), 8, 0)).await?;
    stage.import(export(1, Population::Reachable, monday_and(0)).as_bytes()).await?;
    stage.host.evaluate(&stage.id, Scope::Due).await?;
    let mut sends: Vec<SendUnits> = Vec::new();
    while let Some(next) = stage.host.next_event()?.filter(|next| *next < at(monday_and(14), 0, 0)) {
        stage.host.reach.clock.move_to(next);
        let before = accepted(&stage)?;
        stage.host.engine.start_trace();
        let played = stage.host.settle().await?;
        let requests = stage.host.engine.end_trace();
        if played.sent != 1 {
            continue;
        }
        let after = accepted(&stage)?;
        let channel = if after.0 > before.0 {
            "WhatsApp"
        } else if after.1 > before.1 {
            "e-mail"
        } else {
            "call"
        };
        if sends.iter().all(|send| send.channel != channel) {
            sends.push(SendUnits::of(channel, requests.iter().map(line).collect()));
        }
    }
    Ok(sends)
}

/// WhatsApp messages and e-mails accepted so far.
fn accepted(stage: &Stage) -> Result<(usize, usize), HostError> {
    Ok((stage.host.doubles.whatsapp().all_sent()?.len(), stage.host.doubles.ses().all_mails()?.len()))
}

fn line(request: &TracedRequest) -> UnitLine {
    let items = items(&request.request);
    // The settings are at most 15 s old, the week's thresholds are frozen, and the number's places
    // are remembered by whoever takes them.
    let kept = ["settings and halts", "the week's thresholds", "the number's tier"].contains(&items.as_str());
    let mut line = UnitLine {
        operation: request.operation.to_owned(),
        items,
        read: request.units.read,
        write: request.units.write,
        write_index: 0.0,
        kept,
    };
    let indexes = consumed(&request.consumed).into_iter().filter_map(index_units).fold(0.0, |sum, units| sum + units);
    if line.write >= indexes {
        line.write -= indexes;
        line.write_index = indexes;
    }
    line
}

/// One figure for a single table, a list of them for a batch.
fn consumed(figures: &Value) -> Vec<&Value> {
    figures.as_array().map_or_else(|| vec![figures], |list| list.iter().collect())
}

fn index_units(figures: &Value) -> Option<f64> {
    let indexes = figures.get("GlobalSecondaryIndexes")?.as_object()?;
    Some(indexes.values().filter_map(|index| index.get("CapacityUnits")?.as_f64()).fold(0.0, |sum, units| sum + units))
}

/// The kinds of items that a request reads or writes.
fn items(request: &Value) -> String {
    if let Some(writes) = request.get("TransactItems").and_then(Value::as_array) {
        let writes = writes.iter().filter_map(|write| write.as_object()?.values().next());
        return writes.map(|write| item_kind(write.get("Item").or(write.get("Key")))).collect::<Vec<_>>().join(", ");
    }
    if let Some(tables) = request.get("RequestItems").and_then(Value::as_object) {
        let keys = tables.values().filter_map(|table| table.get("Keys")?.as_array()).flatten();
        return keys.map(|key| item_kind(Some(key))).collect::<Vec<_>>().join(", ");
    }
    if let Some(values) = request.get("ExpressionAttributeValues").filter(|_| request.get("Key").is_none()) {
        let text = |name: &str| values.get(name).and_then(|v| v.get("S")).and_then(Value::as_str).unwrap_or("");
        return partition_kind(text(":pk"));
    }
    item_kind(request.get("Key").or(request.get("Item")))
}

fn item_kind(key: Option<&Value>) -> String {
    let text = |name: &str| key.and_then(|k| k.get(name)?.get("S")?.as_str()).unwrap_or("");
    let (pk, sk) = (text("pk"), text("sk"));
    let kind = match (kind_of(pk), sk) {
        ("P", "PATIENT") => "patient",
        ("P", sk) if sk.starts_with("E#") => "enrollment",
        ("P", sk) if sk.starts_with("M#") => "message",
        ("P", "ALIAS") => "alias",
        ("CP", _) => "contact point",
        ("AUDIT", _) => "audit record",
        ("TIER", _) => "place in the tier",
        ("CALLS", _) => "call task",
        ("", sk) if sk.starts_with("THRESHOLD#") => "the week's thresholds",
        (_, "SLOTS") => "whether slots are known",
        (other, _) => other,
    };
    kind.to_owned()
}

fn partition_kind(pk: &str) -> String {
    let kind = match kind_of(pk) {
        "" => "settings and halts",
        "P" => "the patient's collection: patient, enrollments, messages",
        "TIER" => "the number's tier",
        "SLOTS" => "free slots",
        other => other,
    };
    kind.to_owned()
}

/// `T#clinic#KIND#…` → `KIND`.
fn kind_of(pk: &str) -> &str {
    pk.split('#').nth(2).unwrap_or("")
}
