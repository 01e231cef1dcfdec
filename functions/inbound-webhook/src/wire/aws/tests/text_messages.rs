//! Text messages.

use retorno_domain::channel::Channel;
use serde_json::json;

use super::*;
use crate::event::{InboundMessage, Price, Said, Sender};

fn report(kind: &str, part: Value) -> Value {
    let mut report = json!({
        "eventType": kind, "eventVersion": "1.0", "eventTimestamp": 1_790_000_000_000_i64, "isFinal": false,
        "originationPhoneNumber": "+541100000000", "destinationPhoneNumber": "+5491155550101", "messageId": "s-1",
        "context": {"t": "c1", "m": "m1", "a": "1"}, "totalMessageParts": 2, "totalMessagePrice": 0.1234,
    });
    report.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    report
}

fn only(kind: &str, part: Value) -> Receipt {
    let mut found = receipts(&report(kind, part));
    assert_eq!(found.len(), 1);
    found.pop().unwrap()
}

#[test]
fn a_report_says_what_became_of_a_text_message() {
    let delivered = only("TEXT_DELIVERED", json!({"isFinal": true}));
    assert_eq!((delivered.channel, delivered.status), (Channel::Sms, ReceiptStatus::Delivered));
    assert_eq!(delivered.provider_id, Private::new("s-1"));
    assert_eq!(delivered.recipient, Some(Private::new("5491155550101")));
    assert_eq!((delivered.at, delivered.is_final), (at_told(), true));
    assert_eq!(delivered.price, Some(Price::Sms { parts: 2, usd_micros: Some(123_400) }));
    assert_eq!(delivered.tags.message.as_deref(), Some("m1"));
    assert!(events(&report("TEXT_DELIVERED", json!({})), now()).iter().all(|routed| routed.route == clinic()));
}

#[test]
fn every_status_of_a_text_message_has_its_meaning() {
    for (kind, expected) in [
        ("TEXT_PENDING", ReceiptStatus::Accepted),
        ("TEXT_QUEUED", ReceiptStatus::Accepted),
        ("TEXT_SUCCESSFUL", ReceiptStatus::Sent),
        ("TEXT_UNKNOWN", ReceiptStatus::Sent),
        ("TEXT_DELIVERED", ReceiptStatus::Delivered),
    ] {
        assert_eq!(only(kind, json!({})).status, expected);
    }
    for code in [
        "INVALID",
        "INVALID_MESSAGE",
        "UNREACHABLE",
        "CARRIER_UNREACHABLE",
        "BLOCKED",
        "CARRIER_BLOCKED",
        "SPAM",
        "TTL_EXPIRED",
        "PROTECT_BLOCKED",
    ] {
        let receipt = only(&format!("TEXT_{code}"), json!({"isFinal": true}));
        assert_eq!(receipt.status, ReceiptStatus::Failed { code: code.to_owned() });
        assert_eq!(receipt.errors, [ErrorCode(code.to_owned())]);
    }
    let waiting = only("TEXT_UNREACHABLE", json!({}));
    assert_eq!(waiting.status, ReceiptStatus::Delayed { code: "UNREACHABLE".to_owned() });
}

#[test]
fn a_price_that_cannot_be_is_not_believed() {
    let price = |usd: Value| only("TEXT_DELIVERED", json!({"totalMessagePrice": usd})).price;
    for usd in [json!(-1.0), json!(1e300), json!("0.1"), json!(null)] {
        assert_eq!(price(usd), Some(Price::Sms { parts: 2, usd_micros: None }));
    }
    assert_eq!(only("TEXT_DELIVERED", json!({"totalMessageParts": -1})).price, None);
}

#[test]
fn a_person_writes_a_text_message() {
    let inner = json!({"originationNumber": "+5491155550101", "destinationNumber": "+541100000000",
        "messageKeyword": "KEYWORD_1", "messageBody": "PARAR", "inboundMessageId": "i-1",
        "previousPublishedMessageId": "s-1"});
    let topic = json!({"Type": "Notification", "TopicArn": "arn", "Message": inner.to_string(), "Timestamp": TOLD});
    let expected = InboundMessage {
        channel: Channel::Sms,
        id: Private::new("i-1"),
        from: Sender { phone: Some(Private::new("5491155550101")), user_id: None },
        at: at_told(),
        said: Said::Text(Private::new("PARAR")),
        answers: Some(Private::new("s-1")),
        received_by: "541100000000".to_owned(),
    };
    let routed =
        Routed { route: Route::SmsNumber("541100000000".to_owned()), event: Event::Message(Box::new(expected)) };
    assert_eq!(events(&topic, now()), [routed]);
    let nobody = json!({"inboundMessageId": "i-1", "originationNumber": "CLARO", "destinationNumber": "1"});
    assert!(matches!(events(&nobody, now()).as_slice(), [Routed { event: Event::Ignored(_), .. }]));
}
