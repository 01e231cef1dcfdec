//! `messages[]`, and the echoes of what the clinic writes from its own phone.

use retorno_domain::channel::Channel;
use serde_json::Value;

use super::Change;
use crate::event::{Echo, Event, InboundMessage, NumberChanged, Private, Routed, Said, Sender};
use crate::wire::json::{at, digits, error_codes, id, instant, list, private_id, sender, text, word};
use crate::wire::{ignored, spoken, unread};

/// What people wrote.
pub(super) fn events(change: &Change<'_>) -> Vec<Routed> {
    let messages = list(change.value, &["messages"]);
    messages.iter().map(|message| change.of_number(event(change, message))).collect()
}

/// What the clinic wrote from its own phone.
pub(super) fn echoes(change: &Change<'_>) -> Vec<Routed> {
    let echoes = list(change.value, &["message_echoes"]);
    echoes.iter().map(|message| change.of_number(echo(change, message))).collect()
}

fn event(change: &Change<'_>, message: &Value) -> Event {
    let kind = word(message, &["type"]).unwrap_or_default();
    let Some(id) = private_id(message, &["id"]) else {
        return unread("a message without id", &kind);
    };
    if at(message, &["group_id"]).is_string() {
        return ignored("a message of a group", &kind);
    }
    if kind == "system" {
        return system(change, message, id);
    }
    let from = author(change, message);
    if from.is_empty() {
        return unread("a message without sender", &kind);
    }
    Event::Message(Box::new(InboundMessage {
        channel: Channel::Whatsapp,
        id,
        from,
        at: spoken(instant(message, &["timestamp"]), change.now),
        said: said(message, &kind),
        answers: private_id(message, &["context", "id"]),
        received_by: word(change.value, &["metadata", "phone_number_id"]).unwrap_or_default(),
    }))
}

/// Who wrote. The list of contacts beside it fills in what the message leaves out, but only where it
/// can be no other: a batch may hold messages of several people.
fn author(change: &Change<'_>, message: &Value) -> Sender {
    let mut from = sender(message, &["from"], &["from_user_id"]);
    let same = |contact: &Sender| {
        let phone = contact.phone.is_some() && contact.phone == from.phone;
        phone || (contact.user_id.is_some() && contact.user_id == from.user_id)
    };
    let contacts: Vec<Sender> =
        list(change.value, &["contacts"]).iter().map(|contact| sender(contact, &["wa_id"], &["user_id"])).collect();
    let alone = contacts.len() == 1 && from.is_empty();
    if let Some(contact) = contacts.into_iter().find(|contact| alone || same(contact)) {
        from = Sender { phone: from.phone.or(contact.phone), user_id: from.user_id.or(contact.user_id) };
    }
    from
}

fn echo(change: &Change<'_>, message: &Value) -> Event {
    let kind = word(message, &["type"]).unwrap_or_default();
    let to = sender(message, &["to"], &["to_user_id"]);
    match private_id(message, &["id"]) {
        Some(id) if !to.is_empty() => Event::Echo(Box::new(Echo {
            to,
            id,
            at: spoken(instant(message, &["timestamp"]), change.now),
            said: said(message, &kind),
            perhaps_ours: false,
        })),
        Some(_) | None => unread("an echo without id or recipient", &kind),
    }
}

fn said(message: &Value, kind: &str) -> Said {
    let unsupported = |kind: &str| Said::Unsupported { kind: kind.to_owned() };
    match kind {
        "text" => text(message, &["text", "body"]).map_or_else(|| unsupported("text"), Said::Text),
        "button" => {
            let title = text(message, &["button", "text"]).unwrap_or_else(|| Private::new(""));
            let payload = id(message, &["button", "payload"]).unwrap_or_default();
            Said::Button { payload, title }
        }
        "interactive" => interactive(message),
        "reaction" => match private_id(message, &["reaction", "message_id"]) {
            Some(to) => Said::Reaction { emoji: word(message, &["reaction", "emoji"]), to },
            None => unsupported(kind),
        },
        "image" | "audio" | "video" | "document" | "sticker" => {
            Said::Media { kind: kind.to_owned(), caption: text(message, &[kind, "caption"]) }
        }
        "contacts" => Said::Contacts,
        "location" => Said::Location,
        "order" => Said::Order,
        "edit" => match original(message, kind) {
            Some(of) => Said::Edited { of, text: text(message, &["edit", "message", "text", "body"]) },
            None => unsupported(kind),
        },
        "revoke" => original(message, kind).map_or_else(|| unsupported(kind), |of| Said::Revoked { of }),
        // Meta's code for what it does not pass on says more than the type does.
        _ => match error_codes(message, &["errors"]).into_iter().next() {
            Some(code) => unsupported(&code.0),
            None => unsupported(kind),
        },
    }
}

fn interactive(message: &Value) -> Said {
    let kind = word(message, &["interactive", "type"]).unwrap_or_default();
    let reply = at(message, &["interactive", &kind]);
    match (kind.as_str(), id(reply, &["id"])) {
        ("button_reply" | "list_reply", Some(id)) => {
            Said::Choice { id, title: text(reply, &["title"]).unwrap_or_else(|| Private::new("")) }
        }
        _ => Said::Unsupported { kind },
    }
}

fn original(message: &Value, kind: &str) -> Option<Private> {
    private_id(message, &[kind, "original_message_id"])
}

/// What WhatsApp itself says about a person.
fn system(change: &Change<'_>, message: &Value, id: Private) -> Event {
    let kind = word(message, &["system", "type"]).unwrap_or_default();
    let old = sender(message, &["from"], &["from_user_id"]);
    let at = spoken(instant(message, &["timestamp"]), change.now);
    match kind.as_str() {
        "user_changed_number" | "user_changed_user_id" if !old.is_empty() => {
            let phone = digits(message, &["system", "wa_id"]).or_else(|| digits(message, &["system", "new_wa_id"]));
            let new = Sender { phone, user_id: private_id(message, &["system", "user_id"]) };
            Event::NumberChanged(NumberChanged { old, new, at, id })
        }
        _ => ignored("a system message of no concern", &kind),
    }
}
