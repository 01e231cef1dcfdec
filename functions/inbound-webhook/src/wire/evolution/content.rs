//! The content of a message in WhatsApp's own words (its protocol buffer as JSON).

use serde_json::Value;

use crate::event::{Private, Said};
use crate::wire::json::{at, id, private_id, text, word};

/// Wrappers around the content proper; there is one at a time, rarely two.
const WRAPPERS: [&str; 5] =
    ["ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "documentWithCaptionMessage", "editedMessage"];
const WRAPPERS_MAX: usize = 4;
/// Kinds of media: the key of the content, and our word.
const MEDIA: [(&str, &str); 6] = [
    ("imageMessage", "image"),
    ("videoMessage", "video"),
    ("ptvMessage", "video"),
    ("audioMessage", "audio"),
    ("documentMessage", "document"),
    ("stickerMessage", "sticker"),
];
/// Kinds of content that we name and no more.
const OTHERS: [(&str, Said); 5] = [
    ("contactMessage", Said::Contacts),
    ("contactsArrayMessage", Said::Contacts),
    ("locationMessage", Said::Location),
    ("liveLocationMessage", Said::Location),
    ("orderMessage", Said::Order),
];
/// What stands beside the content.
const BESIDE: [&str; 2] = ["messageContextInfo", "senderKeyDistributionMessage"];
/// Revocation and edit among the kinds of protocol messages, by number or word.
const REVOKE: [&str; 2] = ["0", "REVOKE"];
const EDIT: [&str; 2] = ["14", "MESSAGE_EDIT"];

/// What a content says; none if there is nothing in it for a person.
pub(super) fn said(message: &Value) -> Option<Said> {
    let content = unwrapped(message);
    let has = |key: &str| at(content, &[key]).is_object();
    if let Some(words) = text(content, &["conversation"]).or_else(|| text(content, &["extendedTextMessage", "text"])) {
        return Some(Said::Text(words));
    }
    if has("protocolMessage") {
        return protocol(at(content, &["protocolMessage"]));
    }
    if let Some(said) = pressed(content) {
        return Some(said);
    }
    if let Some(to) = private_id(content, &["reactionMessage", "key", "id"]) {
        return Some(Said::Reaction { emoji: word(content, &["reactionMessage", "text"]), to });
    }
    if let Some((key, kind)) = MEDIA.into_iter().find(|(key, _)| has(key)) {
        return Some(Said::Media { kind: kind.to_owned(), caption: text(content, &[key, "caption"]) });
    }
    if let Some((_, said)) = OTHERS.into_iter().find(|(key, _)| has(key)) {
        return Some(said);
    }
    let kind = content.as_object()?.keys().find(|key| !BESIDE.contains(&key.as_str()))?;
    Some(Said::Unsupported { kind: crate::wire::json::clean(kind, crate::wire::json::WORD_CHARS_MAX) })
}

/// The id of the message that a content answers, where the gateway has not put it on top.
pub(super) fn answers(message: &Value) -> Option<Private> {
    let content = unwrapped(message).as_object()?;
    content.values().find_map(|part| private_id(part, &["contextInfo", "stanzaId"]))
}

/// The new words of a message that was changed, or that it was taken back.
pub(super) fn changed(data: &Value, taken_back: bool, of: Private) -> Said {
    if taken_back {
        return Said::Revoked { of };
    }
    let message = if at(data, &["editedMessage"]).is_object() { data } else { at(data, &["message"]) };
    match said(at(message, &["editedMessage"])).or_else(|| said(message)) {
        Some(Said::Text(words)) => Said::Edited { of, text: Some(words) },
        Some(Said::Edited { text, .. }) => Said::Edited { of, text },
        Some(_) | None => Said::Edited { of, text: None },
    }
}

fn unwrapped(message: &Value) -> &Value {
    (0..WRAPPERS_MAX).fold(message, |content, _| {
        let inner =
            WRAPPERS.into_iter().map(|wrapper| at(content, &[wrapper, "message"])).find(|inner| inner.is_object());
        inner.unwrap_or(content)
    })
}

fn protocol(protocol: &Value) -> Option<Said> {
    let kind = word(protocol, &["type"]).unwrap_or_default();
    let of = private_id(protocol, &["key", "id"])?;
    if REVOKE.contains(&kind.as_str()) {
        return Some(Said::Revoked { of });
    }
    if EDIT.contains(&kind.as_str()) {
        let edited = unwrapped(at(protocol, &["editedMessage"]));
        let words = text(edited, &["conversation"]).or_else(|| text(edited, &["extendedTextMessage", "text"]));
        return Some(Said::Edited { of, text: words });
    }
    // History, keys, disappearing messages: WhatsApp's own.
    None
}

/// A button or a row of a list: where its id stands, and where its words.
const PRESSED: [(&str, &[&str], &str); 3] = [
    ("buttonsResponseMessage", &["selectedButtonId"], "selectedDisplayText"),
    ("templateButtonReplyMessage", &["selectedId"], "selectedDisplayText"),
    ("listResponseMessage", &["singleSelectReply", "selectedRowId"], "title"),
];

fn pressed(content: &Value) -> Option<Said> {
    PRESSED.into_iter().find_map(|(key, path, title)| {
        let part = at(content, &[key]);
        let title = text(part, &[title]).unwrap_or_else(|| Private::new(""));
        id(part, path).map(|id| Said::Choice { id, title })
    })
}
