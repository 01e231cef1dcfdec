#![expect(clippy::unwrap_used, reason = "tests")]

use chrono::TimeDelta;
use retorno_domain::channel::Channel;

use super::*;

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn private(text: &str) -> Private {
    Private::new(text)
}

fn message() -> InboundMessage {
    InboundMessage {
        channel: Channel::Whatsapp,
        id: private("wamid.secreto"),
        from: Sender { phone: Some(private("5491155550101")), user_id: None },
        at: at(),
        said: Said::Text(private("Quiero turno")),
        answers: None,
        received_by: "105".to_owned(),
    }
}

fn receipt() -> Receipt {
    Receipt {
        channel: Channel::Email,
        provider_id: private("0100"),
        opaque: None,
        tags: Tags { clinic: Some("c1".to_owned()), message: Some("m1".to_owned()), attempt: Some(1) },
        status: ReceiptStatus::Bounced { permanent: true, code: "NoEmail".to_owned() },
        at: at(),
        recipient: Some(private("ana@example.com")),
        recipient_user_id: None,
        price: None,
        errors: vec![ErrorCode("5.1.1".to_owned())],
        report_id: Some("f1".to_owned()),
        is_final: true,
    }
}

fn key(of: &InboundMessage) -> String {
    Event::Message(Box::new(of.clone())).dedup_key()
}

fn receipt_key(of: &Receipt) -> String {
    Event::Receipt(Box::new(of.clone())).dedup_key()
}

#[test]
fn an_event_survives_the_queue() {
    let route = Route::Gateway { kind: GatewayKind::Waha, instance: "uno".to_owned() };
    for event in [Event::Message(Box::new(message())), Event::Receipt(Box::new(receipt()))] {
        let routed = Routed { route: route.clone(), event };
        let text = serde_json::to_string(&routed).unwrap();
        assert_eq!(serde_json::from_str::<Routed>(&text).unwrap(), routed);
    }
}

#[test]
fn nothing_of_a_person_is_shown_or_in_a_key() {
    let events = [Event::Message(Box::new(message())), Event::Receipt(Box::new(receipt()))];
    for shown in events.iter().flat_map(|event| [format!("{event:?}"), event.dedup_key()]) {
        for secret in ["5491155550101", "Quiero", "secreto", "ana@"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}

#[test]
fn a_repetition_has_the_same_key_and_another_event_has_not() {
    let first = message();
    let late = InboundMessage { at: at() + TimeDelta::seconds(9), ..message() };
    assert_eq!(key(&first), key(&late));
    let other = InboundMessage { id: private("wamid.otro"), ..message() };
    assert_ne!(key(&first), key(&other));
    let elsewhere = InboundMessage { received_by: "106".to_owned(), ..message() };
    assert_ne!(key(&first), key(&elsewhere));
}

#[test]
fn a_change_under_the_id_of_its_message_is_an_event_of_its_own() {
    let edited = InboundMessage { said: Said::Edited { of: message().id, text: None }, ..message() };
    let again = InboundMessage { at: at() + TimeDelta::seconds(9), ..edited.clone() };
    let revoked = InboundMessage { said: Said::Revoked { of: message().id }, ..message() };
    let keys = std::collections::BTreeSet::from([key(&message()), key(&edited), key(&again), key(&revoked)]);
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_receipt_is_named_by_its_report_or_by_status_and_instant() {
    let first = receipt();
    let late = Receipt { at: at() + TimeDelta::seconds(9), ..receipt() };
    assert_eq!(receipt_key(&first), receipt_key(&late));
    let bare =
        |status, seconds| Receipt { report_id: None, status, at: at() + TimeDelta::seconds(seconds), ..receipt() };
    let sent = receipt_key(&bare(ReceiptStatus::Sent, 0));
    assert_eq!(sent, receipt_key(&bare(ReceiptStatus::Sent, 0)));
    assert_ne!(sent, receipt_key(&bare(ReceiptStatus::Sent, 1)));
    assert_ne!(sent, receipt_key(&bare(ReceiptStatus::Read, 0)));
    let second = Receipt { recipient: Some(private("eva@example.com")), ..receipt() };
    assert_ne!(receipt_key(&first), receipt_key(&second));
}
