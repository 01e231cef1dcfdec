//! WAHA: `{event, session, payload, …}`.
//!
//! Its ids are `{fromMe}_{chat}_{id}[_{participant}]`, and the same message may come under a hidden
//! chat and under the phone's; only the third part is the message's own, and only it is kept.

use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use serde_json::Value;

use super::json::{at, id, instant, list, text, word};
use super::{gateway, ignored, in_time, routed, spoken, unread};
use crate::event::{
    ConnectionNews, ConnectionState, Echo, ErrorCode, Event, GatewayKind, InboundMessage, Private, Receipt,
    ReceiptStatus, Route, Routed, Said, Sender, Tags,
};

/// The events of a webhook that came to the entry of this session.
#[must_use]
pub fn events(body: &Value, session: &str, now: DateTime<Utc>) -> Vec<Routed> {
    let route = Route::Gateway { kind: GatewayKind::Waha, instance: session.to_owned() };
    let name = word(body, &["event"]).unwrap_or_default();
    if at(body, &["session"]).as_str() != Some(session) {
        return vec![routed(&route, ignored("of another session", &name))];
    }
    let payload = at(body, &["payload"]);
    let told = instant(body, &["timestamp"]);
    let event = match name.as_str() {
        "message" | "message.any" => message(payload, session, now, said(payload)),
        "message.edited" => message(payload, session, now, edited(payload)),
        "message.reaction" => message(payload, session, now, reaction(payload)),
        "message.revoked" => {
            let before = at(payload, &["before"]);
            let original = if before.is_object() { before } else { at(payload, &["after"]) };
            message(original, session, now, revoked(payload, original))
        }
        "message.ack" => receipt(payload, told, now),
        "session.status" => session_status(body, told, now),
        _ => ignored("of no concern", &name),
    };
    vec![routed(&route, event)]
}

/// The chat of an id, and the message's own part of it.
fn parts(id: &str) -> (Option<&str>, &str) {
    let parts: Vec<&str> = id.splitn(4, '_').collect();
    match parts.as_slice() {
        ["true" | "false", chat, own] | ["true" | "false", chat, own, _] if !own.is_empty() => (Some(chat), own),
        _ => (None, id),
    }
}

/// The message's own part of an id.
fn own_id(value: &Value, path: &[&str]) -> Option<Private> {
    id(value, path).map(|id| Private::new(parts(&id).1))
}

/// The person of an address, whose phone the engine may know by another one.
fn person(payload: &Value, address: &str) -> Option<Sender> {
    let engine = |path: &[&str]| at(payload, path).as_str();
    let alternatives = [
        engine(&["_data", "key", "remoteJidAlt"]),
        engine(&["_data", "Info", "SenderAlt"]),
        engine(&["_data", "Info", "RecipientAlt"]),
    ];
    gateway::person(address, &alternatives)
}

fn message(payload: &Value, session: &str, now: DateTime<Utc>, said: Option<Said>) -> Event {
    let from_me = at(payload, &["fromMe"]) == true;
    let source = at(payload, &["source"]).as_str();
    if from_me && source == Some("api") {
        return ignored("our own sending", "message");
    }
    let address = at(payload, &[if from_me { "to" } else { "from" }]).as_str().unwrap_or_default();
    let Some(person) = person(payload, address) else {
        return ignored("not of a person", "message");
    };
    let (Some(id), Some(said)) = (own_id(payload, &["id"]), said) else {
        return ignored("a message without id or content", "message");
    };
    let at = spoken(instant(payload, &["timestamp"]), now);
    if from_me {
        return Event::Echo(Box::new(Echo { to: person, id, at, said, perhaps_ours: source != Some("app") }));
    }
    Event::Message(Box::new(InboundMessage {
        channel: Channel::Whatsapp,
        id,
        from: person,
        at,
        said,
        answers: own_id(payload, &["replyTo", "id"]),
        received_by: session.to_owned(),
    }))
}

fn said(payload: &Value) -> Option<Said> {
    let words = text(payload, &["body"]);
    if at(payload, &["hasMedia"]) == true {
        let mime = word(payload, &["media", "mimetype"]).unwrap_or_default();
        let kind = mime.split('/').next().filter(|kind| ["image", "audio", "video"].contains(kind));
        return Some(Said::Media { kind: kind.unwrap_or("document").to_owned(), caption: words });
    }
    if at(payload, &["location"]).is_object() {
        return Some(Said::Location);
    }
    if !list(payload, &["vCards"]).is_empty() {
        return Some(Said::Contacts);
    }
    words.map(Said::Text).or_else(|| Some(Said::Unsupported { kind: "empty".to_owned() }))
}

fn edited(payload: &Value) -> Option<Said> {
    own_id(payload, &["editedMessageId"]).map(|of| Said::Edited { of, text: text(payload, &["body"]) })
}

fn reaction(payload: &Value) -> Option<Said> {
    let to = own_id(payload, &["reaction", "messageId"])?;
    Some(Said::Reaction { emoji: word(payload, &["reaction", "text"]), to })
}

fn revoked(payload: &Value, original: &Value) -> Option<Said> {
    let of = own_id(payload, &["revokedMessageId"]).or_else(|| own_id(original, &["id"]))?;
    Some(Said::Revoked { of })
}

fn receipt(payload: &Value, told: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Event {
    let ack = word(payload, &["ack"]).unwrap_or_default();
    if at(payload, &["fromMe"]) == false {
        return ignored("a report of what we received", &ack);
    }
    let status = match ack.as_str() {
        "-1" => ReceiptStatus::Failed { code: "ERROR".to_owned() },
        "0" => ReceiptStatus::Accepted,
        "1" => ReceiptStatus::Sent,
        "2" => ReceiptStatus::Delivered,
        "3" | "4" => ReceiptStatus::Read,
        _ => return unread("an unknown status", &ack),
    };
    let Some(serialized) = id(payload, &["id"]) else {
        return unread("a report without id", &ack);
    };
    let (chat, own) = parts(&serialized);
    // Which of `from` and `to` is the patient depends on the engine; the chat is always the patient's.
    let address = chat.or_else(|| at(payload, &["to"]).as_str()).unwrap_or_default();
    let Some(person) = person(payload, address) else {
        return ignored("not of a person", &ack);
    };
    let failed = matches!(status, ReceiptStatus::Failed { .. });
    let receipt = Receipt {
        channel: Channel::Whatsapp,
        // The same report may come again with another instant, under the other name of the chat.
        report_id: Some(format!("{own}.{}", status.code())),
        provider_id: Private::new(own),
        opaque: None,
        tags: Tags::default(),
        status,
        at: told.unwrap_or(now),
        recipient: person.phone,
        recipient_user_id: person.user_id,
        price: None,
        errors: failed.then(|| ErrorCode("ERROR".to_owned())).into_iter().collect(),
        is_final: false,
    };
    in_time(receipt, now)
}

fn session_status(body: &Value, told: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Event {
    let status = word(body, &["payload", "status"]).unwrap_or_default();
    let state = match status.as_str() {
        "WORKING" => ConnectionState::Open,
        "STARTING" => ConnectionState::Connecting,
        "SCAN_QR_CODE" => ConnectionState::NeedsQr,
        "PASSKEY_REQUIRED" | "PASSKEY_CONFIRMATION_REQUIRED" => ConnectionState::NeedsPasskey,
        "STOPPED" | "FAILED" => ConnectionState::Stopped,
        _ => return unread("an unknown state", &status),
    };
    let number = gateway::person(at(body, &["me", "id"]).as_str().unwrap_or_default(), &[]).and_then(|own| own.phone);
    Event::Connection(ConnectionNews {
        state,
        qr: None,
        pairing_code: None,
        number,
        reason: Some(status),
        at: told.unwrap_or(now).min(now),
    })
}

#[cfg(test)]
mod tests;
