#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;

fn at_told() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn now() -> DateTime<Utc> {
    at_told() + chrono::TimeDelta::seconds(30)
}

fn webhook(event: &str, payload: Value) -> Value {
    json!({"id": "evt_1", "timestamp": 1_790_000_000_500_i64, "event": event, "session": "clinica-1",
           "me": {"id": "541100000000@c.us"}, "engine": "NOWEB", "payload": payload})
}

fn only(event: &str, payload: Value) -> Event {
    let mut events = events(&webhook(event, payload), "clinica-1", now());
    assert_eq!(events.len(), 1);
    let routed = events.pop().unwrap();
    assert_eq!(routed.route, Route::Gateway { kind: GatewayKind::Waha, instance: "clinica-1".to_owned() });
    routed.event
}

fn payload(part: Value) -> Value {
    let mut payload = json!({"id": "false_5491155550101@c.us_3EB0A", "timestamp": 1_790_000_000,
        "from": "5491155550101@c.us", "to": "541100000000@c.us", "fromMe": false, "body": "Sí", "hasMedia": false});
    payload.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    payload
}

fn message(event: &str, part: Value) -> InboundMessage {
    let Event::Message(message) = only(event, payload(part)) else { unreachable!() };
    *message
}

fn private(text: &str) -> Private {
    Private::new(text)
}

#[test]
fn a_text_is_a_message_with_its_own_part_of_the_id() {
    let text = message("message", json!({"replyTo": {"id": "true_5491155550101@c.us_3EB0Z"}}));
    assert_eq!(text.id, private("3EB0A"));
    assert_eq!(text.from, Sender { phone: Some(private("5491155550101")), user_id: None });
    assert_eq!((text.at, text.said), (at_told(), Said::Text(private("Sí"))));
    assert_eq!(text.answers, Some(private("3EB0Z")));
}

#[test]
fn the_same_message_under_a_hidden_chat_has_the_same_key() {
    let plain = only("message", payload(json!({})));
    let hidden = json!({"id": "false_777@lid_3EB0A", "from": "777@lid"});
    assert_eq!(only("message.any", payload(hidden.clone())).dedup_key(), plain.dedup_key());
    assert_eq!(message("message", hidden).from.phone, None);
    let known = json!({"from": "777@lid", "_data": {"key": {"remoteJidAlt": "5491155550101@s.whatsapp.net"}}});
    let known = message("message", known).from;
    assert_eq!((known.phone, known.user_id), (Some(private("5491155550101")), Some(private("777@lid"))));
}

#[test]
fn everything_else_has_its_word() {
    let said = |part: Value| message("message", part).said;
    for (mime, kind) in
        [("image/png", "image"), ("audio/ogg", "audio"), ("application/pdf", "document"), ("", "document")]
    {
        let media = said(json!({"hasMedia": true, "media": {"mimetype": mime}}));
        assert_eq!(media, Said::Media { kind: kind.to_owned(), caption: Some(private("Sí")) });
    }
    assert_eq!(said(json!({"location": {"latitude": "1"}})), Said::Location);
    assert_eq!(said(json!({"vCards": ["BEGIN:VCARD"]})), Said::Contacts);
    assert_eq!(said(json!({"body": null})), Said::Unsupported { kind: "empty".to_owned() });
    let to = private("3EB0Z");
    let reaction = json!({"reaction": {"text": "👍", "messageId": "true_5491155550101@c.us_3EB0Z"}});
    let expected = Said::Reaction { emoji: Some("👍".to_owned()), to: to.clone() };
    assert_eq!(message("message.reaction", reaction).said, expected);
    let edited = json!({"editedMessageId": "3EB0Z", "body": "No"});
    let expected = Said::Edited { of: to.clone(), text: Some(private("No")) };
    assert_eq!(message("message.edited", edited).said, expected);
    let revoked = json!({"before": payload(json!({})), "after": {}, "revokedMessageId": "3EB0Z"});
    let Event::Message(revoked) = only("message.revoked", revoked) else { unreachable!() };
    assert_eq!(revoked.said, Said::Revoked { of: to });
}

#[test]
fn what_the_clinic_writes_is_an_echo_and_what_we_send_is_not() {
    let echo = |part: Value| {
        let mut own = payload(json!({"fromMe": true, "from": "541100000000@c.us", "to": "5491155550101@c.us"}));
        own.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        only("message.any", own)
    };
    for (part, expected) in [(json!({"source": "app"}), false), (json!({}), true)] {
        let Event::Echo(echo) = echo(part) else { unreachable!() };
        assert_eq!((echo.perhaps_ours, echo.to.phone), (expected, Some(private("5491155550101"))));
    }
    assert!(matches!(echo(json!({"source": "api"})), Event::Ignored(_)));
}

#[test]
fn an_ack_is_a_receipt() {
    let ack = |ack: i64, id: &str| {
        only("message.ack", json!({"id": id, "from": "541100000000@c.us", "fromMe": true, "ack": ack}))
    };
    for (number, expected) in [
        (-1, ReceiptStatus::Failed { code: "ERROR".to_owned() }),
        (0, ReceiptStatus::Accepted),
        (1, ReceiptStatus::Sent),
        (2, ReceiptStatus::Delivered),
        (3, ReceiptStatus::Read),
        (4, ReceiptStatus::Read),
    ] {
        let Event::Receipt(receipt) = ack(number, "true_5491155550101@c.us_3EB0B") else { unreachable!() };
        assert_eq!((receipt.status, receipt.provider_id), (expected, private("3EB0B")));
        assert_eq!(receipt.recipient, Some(private("5491155550101")));
    }
    let hidden = ack(3, "true_777@lid_3EB0B");
    assert_eq!(hidden.dedup_key(), ack(3, "true_5491155550101@c.us_3EB0B").dedup_key());
    assert_ne!(hidden.dedup_key(), ack(2, "true_777@lid_3EB0B").dedup_key());
    for event in [ack(9, "true_1@c.us_3EB0B"), ack(1, "true_1-2@g.us_3EB0B_1@c.us")] {
        assert!(matches!(event, Event::Ignored(_)));
    }
    let theirs = json!({"id": "false_1@c.us_3EB0B", "fromMe": false, "ack": 3});
    assert!(matches!(only("message.ack", theirs), Event::Ignored(_)));
}

#[test]
fn a_session_says_how_it_stands() {
    for (status, expected) in [
        ("WORKING", ConnectionState::Open),
        ("STARTING", ConnectionState::Connecting),
        ("SCAN_QR_CODE", ConnectionState::NeedsQr),
        ("PASSKEY_REQUIRED", ConnectionState::NeedsPasskey),
        ("PASSKEY_CONFIRMATION_REQUIRED", ConnectionState::NeedsPasskey),
        ("STOPPED", ConnectionState::Stopped),
        ("FAILED", ConnectionState::Stopped),
    ] {
        let Event::Connection(news) = only("session.status", json!({"name": "x", "status": status})) else {
            unreachable!()
        };
        assert_eq!((news.state, news.reason.as_deref()), (expected, Some(status)));
        assert_eq!(news.number, Some(private("541100000000")));
    }
    assert!(matches!(only("session.status", json!({"status": "NOVEDAD"})), Event::Ignored(_)));
}

#[test]
fn groups_statuses_and_other_sessions_do_not_concern_us() {
    for from in ["1-2@g.us", "status@broadcast", "1@newsletter", "", "x"] {
        assert!(matches!(only("message", payload(json!({"from": from}))), Event::Ignored(_)), "{from}");
    }
    for event in ["presence.update", "message.waiting", "group.v2.join", "call.received", ""] {
        assert!(matches!(only(event, payload(json!({}))), Event::Ignored(_)), "{event}");
    }
    let other = events(&webhook("message", payload(json!({}))), "clinica-2", now());
    assert!(matches!(other.as_slice(), [Routed { event: Event::Ignored(_), .. }]));
}
