#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::json;

use super::*;
use crate::event::{Private, Said, Sender};

fn at_told() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn now() -> DateTime<Utc> {
    at_told() + chrono::TimeDelta::seconds(30)
}

fn webhook(event: &str, data: Value) -> Value {
    json!({"event": event, "instance": "clinica-1", "data": data, "destination": "https://x",
           "date_time": "2026-09-21T11:13:20.000Z", "sender": "541100000000@s.whatsapp.net", "apikey": "SECRETO"})
}

fn only(event: &str, data: Value) -> Event {
    let mut events = events(&webhook(event, data), "clinica-1", now());
    assert_eq!(events.len(), 1);
    let routed = events.pop().unwrap();
    assert_eq!(routed.route, Route::Gateway { kind: GatewayKind::Evolution, instance: "clinica-1".to_owned() });
    assert!(!serde_json::to_string(&routed).unwrap().contains("SECRETO"));
    routed.event
}

fn upsert(key: Value, message: Value) -> Value {
    let mut whole =
        json!({"remoteJid": "5491155550101@s.whatsapp.net", "fromMe": false, "id": "3EB0A", "participant": ""});
    whole.as_object_mut().unwrap().extend(key.as_object().unwrap().clone());
    json!({"key": whole, "pushName": "Ana", "message": message, "messageTimestamp": 1_790_000_000})
}

fn message(message: Value) -> InboundMessage {
    let Event::Message(message) = only("messages.upsert", upsert(json!({}), message)) else { unreachable!() };
    *message
}

fn private(text: &str) -> Private {
    Private::new(text)
}

fn phone() -> Sender {
    Sender { phone: Some(private("5491155550101")), user_id: None }
}

#[test]
fn a_text_is_a_message() {
    let text = message(json!({"messageContextInfo": {"x": 1}, "conversation": "Sí"}));
    assert_eq!((text.id, text.from, text.at), (private("3EB0A"), phone(), at_told()));
    assert_eq!((text.said, text.answers), (Said::Text(private("Sí")), None));
    let quoting = json!({"extendedTextMessage": {"text": "Sí", "contextInfo": {"stanzaId": "3EB0Z"}}});
    assert_eq!(message(quoting).answers, Some(private("3EB0Z")));
    let mut hoisted = upsert(json!({}), json!({"conversation": "Sí"}));
    hoisted["contextInfo"] = json!({"stanzaId": "3EB0Z"});
    let Event::Message(hoisted) = only("MESSAGES_UPSERT", hoisted) else { unreachable!() };
    assert_eq!(hoisted.answers, Some(private("3EB0Z")));
}

#[test]
fn an_instant_is_written_in_three_ways() {
    for written in [json!(1_790_000_000), json!("1790000000"), json!({"low": 1_790_000_000, "high": 0})] {
        let mut data = upsert(json!({}), json!({"conversation": "Sí"}));
        data["messageTimestamp"] = written;
        let Event::Message(message) = only("messages.upsert", data) else { unreachable!() };
        assert_eq!(message.at, at_told());
    }
}

#[test]
fn everything_else_has_its_word() {
    let said = |content: Value| message(content).said;
    let choice = Said::Choice { id: "t1".to_owned(), title: private("Jueves") };
    let pressed = json!({"selectedButtonId": "t1", "selectedDisplayText": "Jueves"});
    assert_eq!(said(json!({"buttonsResponseMessage": pressed})), choice);
    let pressed = json!({"selectedId": "t1", "selectedDisplayText": "Jueves"});
    assert_eq!(said(json!({"templateButtonReplyMessage": pressed})), choice);
    let row = json!({"title": "Jueves", "singleSelectReply": {"selectedRowId": "t1"}});
    assert_eq!(said(json!({"listResponseMessage": row})), choice);
    let to = private("3EB0Z");
    let reaction = json!({"reactionMessage": {"text": "👍", "key": {"id": "3EB0Z"}}});
    assert_eq!(said(reaction), Said::Reaction { emoji: Some("👍".to_owned()), to: to.clone() });
    let media = |kind: &str| Said::Media { kind: kind.to_owned(), caption: Some(private("mi muela")) };
    assert_eq!(said(json!({"imageMessage": {"caption": "mi muela"}})), media("image"));
    let wrapped = json!({"documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "mi muela"}}}});
    assert_eq!(said(wrapped), media("document"));
    assert_eq!(said(json!({"ephemeralMessage": {"message": {"conversation": "Sí"}}})), Said::Text(private("Sí")));
    assert_eq!(said(json!({"contactsArrayMessage": {}})), Said::Contacts);
    assert_eq!(said(json!({"liveLocationMessage": {}})), Said::Location);
    assert_eq!(said(json!({"orderMessage": {}})), Said::Order);
    let revoke = json!({"protocolMessage": {"type": "REVOKE", "key": {"id": "3EB0Z"}}});
    assert_eq!(said(revoke), Said::Revoked { of: to.clone() });
    let edit = json!({"editedMessage": {"message": {"protocolMessage":
        {"type": 14, "key": {"id": "3EB0Z"}, "editedMessage": {"conversation": "No"}}}}});
    assert_eq!(said(edit), Said::Edited { of: to, text: Some(private("No")) });
    let other = Said::Unsupported { kind: "pollUpdateMessage".to_owned() };
    assert_eq!(said(json!({"messageContextInfo": {}, "pollUpdateMessage": {}})), other);
}

#[test]
fn changes_come_as_events_of_their_own_too() {
    let key = json!({"remoteJid": "5491155550101@s.whatsapp.net", "fromMe": false, "id": "3EB0Z"});
    let Event::Message(revoked) = only("messages.delete", key.clone()) else { unreachable!() };
    assert_eq!(revoked.said, Said::Revoked { of: private("3EB0Z") });
    let data = json!({"key": key, "editedMessage": {"conversation": "No"}});
    let Event::Message(edited) = only("messages.edited", data) else { unreachable!() };
    assert_eq!(edited.said, Said::Edited { of: private("3EB0Z"), text: Some(private("No")) });
    let own = json!({"remoteJid": "5491155550101@s.whatsapp.net", "fromMe": true, "id": "3EB0Z"});
    assert!(matches!(only("messages.delete", own), Event::Ignored(_)));
}

#[test]
fn a_hidden_id_tells_its_phone_by_the_other_address() {
    let hidden = json!({"remoteJid": "777@lid", "remoteJidAlt": "5491155550101@s.whatsapp.net"});
    let data = upsert(hidden, json!({"conversation": "Sí"}));
    let Event::Message(message) = only("messages.upsert", data) else { unreachable!() };
    let both = Sender { phone: Some(private("5491155550101")), user_id: Some(private("777@lid")) };
    assert_eq!(message.from, both);
}

#[test]
fn our_own_messages_are_echoes_that_may_be_ours() {
    let data = upsert(json!({"fromMe": true}), json!({"conversation": "Te llamo"}));
    let Event::Echo(echo) = only("messages.upsert", data) else { unreachable!() };
    assert_eq!((echo.to, echo.perhaps_ours), (phone(), true));
    assert!(matches!(only("send.message", upsert(json!({"fromMe": true}), json!({}))), Event::Ignored(_)));
}

#[test]
fn an_update_is_a_receipt_named_by_message_and_status() {
    let update = |status: &str| {
        only(
            "messages.update",
            json!({"keyId": "3EB0B", "remoteJid": "5491155550101@s.whatsapp.net", "fromMe": true, "status": status}),
        )
    };
    for (word, expected) in [
        ("PENDING", ReceiptStatus::Accepted),
        ("SERVER_ACK", ReceiptStatus::Sent),
        ("DELIVERY_ACK", ReceiptStatus::Delivered),
        ("READ", ReceiptStatus::Read),
        ("PLAYED", ReceiptStatus::Read),
        ("ERROR", ReceiptStatus::Failed { code: "ERROR".to_owned() }),
    ] {
        let Event::Receipt(receipt) = update(word) else { unreachable!() };
        assert_eq!((receipt.status, receipt.provider_id, receipt.at), (expected, private("3EB0B"), now()));
    }
    let mut later = webhook("messages.update", json!({"keyId": "3EB0B", "remoteJid": "777@lid", "status": "READ"}));
    later["date_time"] = json!("2026-09-21T12:13:20.000Z");
    let later = events(&later, "clinica-1", now() + chrono::TimeDelta::seconds(9)).pop().unwrap().event;
    assert_eq!(later.dedup_key(), update("READ").dedup_key());
    assert!(matches!(update("DELETED"), Event::Ignored(_)));
}

#[test]
fn a_connection_says_how_it_stands() {
    let state = |state: &str, reason: i64| {
        let data = json!({"state": state, "statusReason": reason, "wuid": "541100000000@s.whatsapp.net"});
        let Event::Connection(news) = only("connection.update", data) else { unreachable!() };
        assert_eq!(news.number, Some(private("541100000000")));
        news.state
    };
    assert_eq!(state("open", 200), ConnectionState::Open);
    assert_eq!(state("connecting", 200), ConnectionState::Connecting);
    assert_eq!(state("close", 428), ConnectionState::Closed);
    for reason in [401, 402, 403, 406] {
        assert_eq!(state("close", reason), ConnectionState::LoggedOut);
    }
    assert_eq!(state("refused", 500), ConnectionState::Stopped);
    let code = json!({"qrcode": {"code": "2@abc", "base64": "data:image/png;base64,x", "pairingCode": "ABCD1234"}});
    let Event::Connection(news) = only("qrcode.updated", code) else { unreachable!() };
    assert_eq!((news.state, news.qr), (ConnectionState::NeedsQr, Some(private("2@abc"))));
    assert_eq!(news.pairing_code, Some(private("ABCD1234")));
    let limit = json!({"message": "QR code limit reached", "statusCode": 500});
    let Event::Connection(news) = only("qrcode.updated", limit) else { unreachable!() };
    assert_eq!((news.state, news.qr, news.reason.as_deref()), (ConnectionState::Stopped, None, Some("500")));
}

#[test]
fn groups_statuses_and_other_instances_do_not_concern_us() {
    for jid in ["1-2@g.us", "status@broadcast", "1@newsletter", ""] {
        let data = upsert(json!({"remoteJid": jid}), json!({"conversation": "Sí"}));
        assert!(matches!(only("messages.upsert", data), Event::Ignored(_)), "{jid}");
    }
    for event in ["presence.update", "contacts.upsert", "chats.update", "call", ""] {
        assert!(matches!(only(event, json!({})), Event::Ignored(_)), "{event}");
    }
    let other = webhook("messages.upsert", upsert(json!({}), json!({"conversation": "Sí"})));
    let other = events(&other, "clinica-2", now());
    assert!(matches!(other.as_slice(), [Routed { event: Event::Ignored(_), .. }]));
}

#[test]
fn the_key_of_an_instance_is_taken_out_of_whatever_is_kept() {
    let kept = |body: &str| String::from_utf8(without_key(body.as_bytes())).unwrap();
    let body = r#"{"event":"x","apikey" : "B6-\"7","data":{"apikey":"B6","n":1},"sender":"5"}"#;
    assert_eq!(kept(body), r#"{"event":"x","apikey" : "","data":{"apikey":"","n":1},"sender":"5"}"#);
    assert_eq!(kept(r#"half {"apikey":"B67"#), r#"half {"apikey":"""#);
    assert_eq!(kept(r#"{"apikey":null,"a":"apikey"}"#), r#"{"apikey":null,"a":"apikey"}"#);
}
