//! What holds of any bytes, and of any batch.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use inbound_webhook::event::{Event, Routed};
use inbound_webhook::hook::{
    CHUNK_BYTES_MAX, Entry, HookRequest, HookSecrets, MetaApp, Received, Unread, chunks, receive,
};
use inbound_webhook::verify::sns::Unproven;
use inbound_webhook::wire;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::proofs;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// Values that a provider writes, and others in their places.
fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        prop::sample::select(vec![i64::MIN, i64::MAX, -1, 0, 1_790_000_000, 1_790_000_000_000, 253_402_300_800])
            .prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|truth| json!(truth)),
        ".{0,12}".prop_map(|text| json!(text)),
        prop::sample::select(vec![
            "whatsapp_business_account",
            "messages",
            "text",
            "button",
            "interactive",
            "button_reply",
            "system",
            "user_changed_number",
            "sent",
            "failed",
            "1790000000",
            "2026-09-21T14:13:20Z",
            "5491155550101",
            "APPROVED",
            "5491155550101@c.us",
            "false_5491155550101@c.us_3EB0",
            "777@lid",
            "message",
            "message.ack",
            "Bounce",
            "messages.upsert",
            "messages.update",
            "connection.update",
            "open",
            "clinica-1",
            "TEXT_DELIVERED",
            "TIER_2K",
            "user_preferences",
            "smb_message_echoes",
            "account_update",
            "stop",
            "marketing_messages",
            "Complaint",
        ])
        .prop_map(|text| json!(text)),
        Just(Value::Null),
    ]
}

const KEYS: [&str; 57] = [
    "object",
    "entry",
    "id",
    "time",
    "changes",
    "field",
    "value",
    "metadata",
    "phone_number_id",
    "messages",
    "statuses",
    "contacts",
    "wa_id",
    "user_id",
    "from",
    "to",
    "type",
    "text",
    "body",
    "button",
    "payload",
    "interactive",
    "context",
    "button_reply",
    "status",
    "timestamp",
    "errors",
    "code",
    "pricing",
    "category",
    "billable",
    "event",
    "instance",
    "session",
    "data",
    "key",
    "remoteJid",
    "fromMe",
    "message",
    "conversation",
    "messageTimestamp",
    "state",
    "ack",
    "mail",
    "messageId",
    "eventType",
    "bounce",
    "bouncedRecipients",
    "emailAddress",
    "Message",
    "TopicArn",
    "Records",
    "Sns",
    "detail",
    "detail-type",
    "inboundMessageId",
    "user_preferences",
];

/// A tree of the words that the parsers look for, in places where they may not expect them.
fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(KEYS.to_vec()), inner), 0..7)
                .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// All parsers, and that what they make survives the queue and fits it.
fn read_by_all(value: &Value) -> Vec<Routed> {
    let mut events = wire::meta::events(value, now()).unwrap_or_default();
    events.extend(wire::aws::events(value, now()));
    events.extend(wire::waha::events(value, "clinica-1", now()));
    events.extend(wire::evolution::events(value, "clinica-1", now()));
    for event in &events {
        let text = serde_json::to_string(event).unwrap();
        assert!(text.len() < CHUNK_BYTES_MAX);
        assert_eq!(&serde_json::from_str::<Routed>(&text).unwrap(), event);
        assert!(!event.event.dedup_key().is_empty());
    }
    events
}

/// A webhook with this list of changes.
fn webhook(changes: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "900", "time": 1_790_000_000, "changes": changes}]})
}

/// The `number`th message or status.
fn change(number: u32) -> Value {
    let metadata = json!({"phone_number_id": "105"});
    let value = if number.is_multiple_of(2) {
        json!({"metadata": metadata, "messages": [{"from": "5491155550101", "id": format!("wamid.{number}"),
               "timestamp": "1790000000", "type": "text", "text": {"body": "Sí"}}]})
    } else {
        json!({"metadata": metadata, "statuses": [{"id": format!("wamid.{number}"), "status": "read",
               "timestamp": "1790000000", "recipient_id": "5491155550101"}]})
    };
    json!({"field": "messages", "value": value})
}

fn keys(changes: &[Value]) -> BTreeSet<String> {
    let events = wire::meta::events(&webhook(changes), now()).unwrap();
    events.iter().map(|routed| routed.event.dedup_key()).collect()
}

fn request(path: &str, headers: Vec<(String, String)>, body: Vec<u8>, is_base64: bool) -> HookRequest {
    HookRequest { method: "POST".to_owned(), path: path.to_owned(), query: Vec::new(), headers, body, is_base64 }
}

fn secrets() -> HookSecrets {
    let app = MetaApp { secrets: vec![proofs::secret("clave")], ..MetaApp::default() };
    HookSecrets { meta: [("app".to_owned(), app)].into(), ..HookSecrets::default() }
}

proptest! {
    #[test]
    fn no_tree_panics_a_parser(value in tree()) {
        read_by_all(&value);
        read_by_all(&json!({"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": [
            {"field": "messages", "value": value}, {"field": "account_update", "value": value},
            {"field": "user_preferences", "value": value}, {"field": "message_template_status_update", "value": value},
        ]}]}));
        read_by_all(&json!({"session": "clinica-1", "instance": "clinica-1", "event": "messages.upsert", "data": value}));
        read_by_all(&json!({"session": "clinica-1", "event": "message", "payload": value}));
    }

    #[test]
    fn no_bytes_panic_a_hook(bytes in prop::collection::vec(any::<u8>(), 0..200), path in ".{0,40}", base64 in any::<bool>()) {
        let signed = vec![("X-Hub-Signature-256".to_owned(), proofs::meta("clave", &bytes))];
        let received = receive(request("/hooks/meta/app", signed.clone(), bytes.clone(), false), &secrets(), now());
        let taken = matches!(
            received,
            Received::Unreadable(Unread { entry: Entry::Meta(_), .. }) | Received::Partly(..) | Received::Verified(_)
        );
        prop_assert!(taken);
        let unsigned = receive(request(&path, signed, bytes.clone(), base64), &secrets(), now());
        prop_assert!(matches!(unsigned, Received::Refused(..)));
        prop_assert!(Unproven::read(&bytes, &[], now()).is_err());
    }

    #[test]
    fn repeated_and_reordered_changes_are_the_same_set(
        numbers in prop::collection::btree_set(0_u32..1000, 1..20),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let once: Vec<Value> = numbers.iter().map(|number| change(*number)).collect();
        let mut twice: Vec<Value> = once.iter().rev().cloned().collect();
        twice.extend(picks.iter().map(|pick| pick.get(&once).clone()));
        prop_assert_eq!(keys(&once).len(), once.len());
        prop_assert_eq!(keys(&once), keys(&twice));
    }

    #[test]
    fn pieces_hold_everything_in_order_and_fit(count in 0_u32..60, bytes_max in 400_usize..4000) {
        let changes: Vec<Value> = (0..count).map(change).collect();
        let events = wire::meta::events(&webhook(&changes), now()).unwrap();
        let pieces = chunks(events.clone(), bytes_max);
        for piece in &pieces {
            prop_assert!(!piece.is_empty());
            prop_assert!(serde_json::to_string(piece).unwrap().len() <= bytes_max || piece.len() == 1);
        }
        prop_assert_eq!(pieces.concat(), events);
    }
}

#[test]
fn deep_nesting_does_not_break_a_hook() {
    for (open, close) in [("[", "]"), ("{\"entry\":", "}")] {
        let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000)).into_bytes();
        let signed = vec![("X-Hub-Signature-256".to_owned(), proofs::meta("clave", &body))];
        let received = receive(request("/hooks/meta/app", signed, body, false), &secrets(), now());
        assert!(matches!(received, Received::Unreadable(Unread { entry: Entry::Meta(_), .. })));
    }
}

#[test]
fn a_batch_of_three_megabytes_is_cut_to_fit_the_queue() {
    let changes: Vec<Value> = (0..14_000).map(change).collect();
    let body = webhook(&changes).to_string().into_bytes();
    assert!((2_500_000..3_500_000).contains(&body.len()), "{}", body.len());
    let signed = vec![("X-Hub-Signature-256".to_owned(), proofs::meta("clave", &body))];
    let received = receive(request("/hooks/meta/app", signed, body, false), &secrets(), now());
    let Received::Verified(events) = received else { unreachable!() };
    assert_eq!(events.iter().filter(|routed| !matches!(routed.event, Event::Ignored(_))).count(), changes.len());
    let pieces = chunks(events, CHUNK_BYTES_MAX);
    assert!(pieces.iter().all(|piece| serde_json::to_string(piece).unwrap().len() <= CHUNK_BYTES_MAX));
    assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), changes.len());
}
