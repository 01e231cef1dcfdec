//! Evolution API v2: `{event, instance, data, …}`. Its `apikey` is a secret and is never read; its
//! `date_time` is a local time that says it is UTC, so reports count from when they came.

mod content;

use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use serde_json::Value;

use super::json::{at, id, instant, private_id, text, word};
use super::{gateway, ignored, in_time, routed, spoken, unread};
use crate::event::{
    ConnectionNews, ConnectionState, Echo, ErrorCode, Event, GatewayKind, InboundMessage, Receipt, ReceiptStatus,
    Route, Routed, Tags,
};

/// Codes after which the instance does not connect again by itself (its source).
const LOGGED_OUT: [&str; 4] = ["401", "402", "403", "406"];

/// The events of a webhook that came to the entry of this instance.
#[must_use]
pub fn events(body: &Value, instance: &str, now: DateTime<Utc>) -> Vec<Routed> {
    let route = Route::Gateway { kind: GatewayKind::Evolution, instance: instance.to_owned() };
    let name = word(body, &["event"]).unwrap_or_default().to_ascii_lowercase().replace('_', ".");
    if at(body, &["instance"]).as_str() != Some(instance) {
        return vec![routed(&route, ignored("of another instance", &name))];
    }
    let data = at(body, &["data"]);
    // One message each by its documentation, a list in some versions.
    let all = data.as_array().map_or_else(|| std::slice::from_ref(data), Vec::as_slice);
    let event = |data: &Value| match name.as_str() {
        "messages.upsert" => message(data, instance, now),
        "messages.edited" | "messages.delete" => change(data, &name, instance, now),
        "messages.update" => receipt(data, now),
        "connection.update" => connection(data, now),
        "qrcode.updated" => qr(data, now),
        "logout.instance" => news(ConnectionState::LoggedOut, now),
        "remove.instance" => news(ConnectionState::Stopped, now),
        "send.message" => ignored("our own sending", &name),
        _ => ignored("of no concern", &name),
    };
    all.iter().map(|data| routed(&route, event(data))).collect()
}

/// The body without the instance's key, which everything that Evolution sends holds: whatever the body is,
/// also when it is no JSON.
#[must_use]
pub fn without_key(body: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"\"apikey\"";
    let mut kept = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.windows(NAME.len()).position(|bytes| bytes == NAME) {
        let (before, value) = rest.split_at(at + NAME.len());
        kept.extend_from_slice(before);
        let opens = value.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b':').unwrap_or(value.len());
        let (between, value) = value.split_at(opens);
        kept.extend_from_slice(between);
        rest = match value.strip_prefix(b"\"") {
            Some(text) => {
                kept.extend_from_slice(b"\"\"");
                after_text(text)
            }
            None => value,
        };
    }
    kept.extend_from_slice(rest);
    kept
}

/// What follows a text of JSON, after its closing quotation mark.
fn after_text(text: &[u8]) -> &[u8] {
    let mut is_escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.and_then(|end| text.get(end + 1..)).unwrap_or_default()
}

fn message(data: &Value, instance: &str, now: DateTime<Utc>) -> Event {
    let key = at(data, &["key"]);
    let other = |name| at(key, &[name]).as_str();
    let Some(person) = gateway::person(
        other("remoteJid").unwrap_or_default(),
        &[other("remoteJidAlt"), other("senderPn"), other("participantAlt")],
    ) else {
        return ignored("not of a person", "messages.upsert");
    };
    let Some(id) = private_id(key, &["id"]) else {
        return unread("a message without id", "messages.upsert");
    };
    let Some(said) = content::said(at(data, &["message"])) else {
        return ignored("a message without content", "messages.upsert");
    };
    let at_instant = spoken(timestamp(data), now);
    if at(key, &["fromMe"]) == true {
        // What we send by the API is echoed here like what the clinic writes on its phone.
        return Event::Echo(Box::new(Echo { to: person, id, at: at_instant, said, perhaps_ours: true }));
    }
    let answers = private_id(data, &["contextInfo", "stanzaId"]).or_else(|| content::answers(at(data, &["message"])));
    Event::Message(Box::new(InboundMessage {
        channel: Channel::Whatsapp,
        id,
        from: person,
        at: at_instant,
        said,
        answers,
        received_by: instance.to_owned(),
    }))
}

/// A message changed or taken back, where the event is about nothing else: the key is the original's.
fn change(data: &Value, name: &str, instance: &str, now: DateTime<Utc>) -> Event {
    let key = if at(data, &["key"]).is_object() { at(data, &["key"]) } else { data };
    let person = gateway::person(at(key, &["remoteJid"]).as_str().unwrap_or_default(), &[]);
    let (Some(from), Some(of)) = (person, private_id(key, &["id"])) else {
        return ignored("not of a person, or without id", name);
    };
    if at(key, &["fromMe"]) == true {
        return ignored("a change of our own", name);
    }
    let said = content::changed(data, name == "messages.delete", of.clone());
    Event::Message(Box::new(InboundMessage {
        channel: Channel::Whatsapp,
        id: of,
        from,
        at: spoken(timestamp(data), now),
        said,
        answers: None,
        received_by: instance.to_owned(),
    }))
}

/// Seconds, as number, as text, or as the two halves of a 64-bit number.
fn timestamp(data: &Value) -> Option<DateTime<Utc>> {
    instant(data, &["messageTimestamp"]).or_else(|| instant(data, &["messageTimestamp", "low"]))
}

fn receipt(data: &Value, now: DateTime<Utc>) -> Event {
    let told = word(data, &["status"]).unwrap_or_default();
    if at(data, &["fromMe"]) == false {
        return ignored("a report of what we received", &told);
    }
    let status = match told.as_str() {
        "PENDING" => ReceiptStatus::Accepted,
        "SERVER_ACK" => ReceiptStatus::Sent,
        "DELIVERY_ACK" => ReceiptStatus::Delivered,
        "READ" | "PLAYED" => ReceiptStatus::Read,
        "ERROR" => ReceiptStatus::Failed { code: told.clone() },
        _ => return unread("an unknown status", &told),
    };
    let Some(message_id) = id(data, &["keyId"]).or_else(|| id(data, &["key", "id"])) else {
        return unread("a report without id", &told);
    };
    let jid = at(data, &["remoteJid"]).as_str().unwrap_or_default();
    let Some(person) = gateway::person(jid, &[at(data, &["remoteJidAlt"]).as_str()]) else {
        return ignored("not of a person", &told);
    };
    let failed = matches!(status, ReceiptStatus::Failed { .. });
    let receipt = Receipt {
        channel: Channel::Whatsapp,
        // Reports have no instant of their own, so the message and the status name them.
        report_id: Some(format!("{message_id}.{}", status.code())),
        provider_id: crate::event::Private::new(message_id),
        opaque: None,
        tags: Tags::default(),
        status,
        at: now,
        recipient: person.phone,
        recipient_user_id: person.user_id,
        price: None,
        errors: failed.then_some(ErrorCode(told)).into_iter().collect(),
        is_final: false,
    };
    in_time(receipt, now)
}

fn news(state: ConnectionState, now: DateTime<Utc>) -> Event {
    let nothing = ConnectionNews { state, qr: None, pairing_code: None, number: None, reason: None, at: now };
    Event::Connection(nothing)
}

fn connection(data: &Value, now: DateTime<Utc>) -> Event {
    let reason = word(data, &["statusReason"]);
    let logged_out = reason.as_deref().is_some_and(|reason| LOGGED_OUT.contains(&reason));
    let told = word(data, &["state"]).unwrap_or_default();
    let state = match told.as_str() {
        "open" => ConnectionState::Open,
        "connecting" => ConnectionState::Connecting,
        "close" if logged_out => ConnectionState::LoggedOut,
        "close" => ConnectionState::Closed,
        // Too many codes went by unscanned.
        "refused" => ConnectionState::Stopped,
        _ => return unread("an unknown state", &told),
    };
    let number = gateway::person(at(data, &["wuid"]).as_str().unwrap_or_default(), &[]).and_then(|own| own.phone);
    Event::Connection(ConnectionNews { state, qr: None, pairing_code: None, number, reason, at: now })
}

fn qr(data: &Value, now: DateTime<Utc>) -> Event {
    let code = text(data, &["qrcode", "code"]);
    let state = if code.is_some() { ConnectionState::NeedsQr } else { ConnectionState::Stopped };
    let pairing_code = private_id(data, &["qrcode", "pairingCode"]);
    let reason = word(data, &["statusCode"]);
    Event::Connection(ConnectionNews { state, qr: code, pairing_code, number: None, reason, at: now })
}

#[cfg(test)]
mod tests;
