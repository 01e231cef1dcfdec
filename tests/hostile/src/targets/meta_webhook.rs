//! A webhook of Meta, once its signature was verified: it may still hold anything.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use inbound_webhook::event::{Event, Routed};
use inbound_webhook::hook::{CHUNK_BYTES_MAX, chunks};
use inbound_webhook::wire::{CLOCKS_DIFFER_MAX, meta};
use serde_json::Value;

/// Longest text that an event may hold, in characters.
const TEXT_CHARS_MAX: usize = 4096;

/// The bytes are the body.
pub fn run(bytes: &[u8]) {
    let Ok(mut body) = serde_json::from_slice::<Value>(bytes) else { return };
    let Some(events) = meta::events(&body, now()) else { return };
    check_events(&events);
    // In another order, and twice, it says the same.
    let before = names(&events);
    if let Some(Value::Array(entries)) = body.get_mut("entry") {
        let again = entries.clone();
        entries.reverse();
        entries.extend(again);
    }
    assert_eq!(names(&meta::events(&body, now()).unwrap_or_default()), before, "the order matters");
}

/// The instant at which everything comes in.
pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("an instant")
}

fn names(events: &[Routed]) -> BTreeSet<String> {
    events.iter().map(|routed| format!("{:?} {}", routed.route, routed.event.dedup_key())).collect()
}

/// What holds of all events: they survive the queue, fit it, and no text of theirs is too long or
/// holds U+0000; nothing of theirs is of the future.
pub(super) fn check_events(events: &[Routed]) {
    for routed in events {
        let value = serde_json::to_value(routed).expect("an event that can be written");
        check_texts(&value);
        assert_eq!(&serde_json::from_value::<Routed>(value).expect("an event that can be read"), routed);
        match &routed.event {
            Event::Message(message) => assert!(message.at <= now() && !message.from.is_empty(), "nobody, or later"),
            Event::Echo(echo) => assert!(echo.at <= now() && !echo.to.is_empty(), "to nobody, or later"),
            Event::Receipt(receipt) => assert!(receipt.at - now() <= CLOCKS_DIFFER_MAX, "a report of the future"),
            Event::NumberChanged(changed) => assert!(!changed.old.is_empty(), "nobody changed"),
            Event::Preference(preference) => assert!(!preference.from.is_empty(), "nobody wants"),
            Event::Template(_) | Event::Number(_) | Event::Account(_) | Event::Connection(_) | Event::Ignored(_) => {}
        }
    }
    let pieces = chunks(events.to_vec(), CHUNK_BYTES_MAX);
    assert_eq!(pieces.concat(), events, "the pieces are not the whole");
    for piece in pieces {
        let bytes = serde_json::to_vec(&piece).expect("a piece that can be written").len();
        assert!(bytes <= CHUNK_BYTES_MAX, "{bytes} bytes");
    }
}

fn check_texts(value: &Value) {
    match value {
        Value::String(text) => assert!(text.chars().count() <= TEXT_CHARS_MAX && !text.contains('\0'), "a text"),
        Value::Array(list) => list.iter().for_each(check_texts),
        Value::Object(map) => map.values().for_each(check_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
