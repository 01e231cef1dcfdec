//! WAHA. Where its engine can, the message's id is reserved first and sent along: WhatsApp drops a
//! second message of the same id, and the id is known even if the answer says nothing.

use retorno_domain::message::{Outcome, RecipientNews};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::{ASK_TIMEOUT, MANAGE_TIMEOUT, SEND_TIMEOUT};
use super::{
    GatewayCall, GatewayError, GatewayMethod, GatewayState, Line, LinkCode, LinkPicture, Text, halted, not_ready,
    understood, unproven,
};
use crate::channels::Posted;

#[derive(Deserialize)]
struct Session {
    status: String,
}

#[derive(Deserialize)]
struct Qr {
    mimetype: String,
    data: String,
}

#[derive(Deserialize)]
struct Exists {
    #[serde(rename = "numberExists")]
    number_exists: bool,
    #[serde(rename = "chatId")]
    chat_id: Option<String>,
}

#[derive(Deserialize)]
struct NewId {
    id: String,
}

pub(super) async fn state(line: &Line<'_>) -> Result<GatewayState, GatewayError> {
    let path = format!("/api/sessions/{}", line.gateway.instance);
    let answer = match understood(line.call(GatewayCall::new(GatewayMethod::Get, path, ASK_TIMEOUT)).await) {
        Err(GatewayError::Status(404)) => return Ok(GatewayState::Missing),
        answer => answer?,
    };
    let session: Session = serde_json::from_slice(&answer).map_err(|_| GatewayError::Unreadable)?;
    match session.status.as_str() {
        "WORKING" => Ok(GatewayState::Connected),
        "STARTING" => Ok(GatewayState::Connecting),
        "SCAN_QR_CODE" => Ok(GatewayState::NeedsQr),
        "PASSKEY_REQUIRED" | "PASSKEY_CONFIRMATION_REQUIRED" => Ok(GatewayState::NeedsPasskey),
        "STOPPED" | "FAILED" => Ok(GatewayState::Closed),
        _ => Err(GatewayError::Unreadable),
    }
}

pub(super) async fn link_code(line: &Line<'_>) -> Result<Option<LinkCode>, GatewayError> {
    if state(line).await? == GatewayState::Connected {
        return Ok(None);
    }
    let path = format!("/api/{}/auth/qr", line.gateway.instance);
    let call = GatewayCall::new(GatewayMethod::Get, path, MANAGE_TIMEOUT);
    let call = GatewayCall { query: vec![("format", "image".to_owned())], ..call };
    let answer = understood(line.call(call).await)?;
    let qr: Qr = serde_json::from_slice(&answer).map_err(|_| GatewayError::Unreadable)?;
    let picture = LinkPicture::Image { content_type: qr.mimetype, base64: qr.data };
    Ok(Some(LinkCode { picture, pairing_code: None }))
}

pub(super) async fn send(line: &Line<'_>, text: &Text<'_>) -> Outcome {
    let chat = match chat_of(line, text.to).await {
        Ok(Some(chat)) => chat,
        Ok(None) => return Outcome::Refused { code: "no_whatsapp".to_owned(), news: RecipientNews::Unreachable },
        Err(error) => return not_ready(&error),
    };
    let reserved = reserved_id(line).await;
    let mut body = json!({"session": line.gateway.instance, "chatId": chat, "text": text.body, "linkPreview": false});
    if let Some(fields) = body.as_object_mut() {
        let answered = text.answers.map(|id| ("reply_to", id));
        for (name, value) in reserved.as_deref().map(|id| ("id", id)).into_iter().chain(answered) {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    let call = GatewayCall::new(GatewayMethod::Post, "/api/sendText".to_owned(), SEND_TIMEOUT);
    let posted = line.call(GatewayCall { body: Some(body), ..call }).await;
    match &posted {
        Posted::Answered(200..=299, body) => match reserved.or_else(|| sent_id(body)) {
            Some(provider_id) => Outcome::Accepted { provider_id },
            None => unproven(&posted),
        },
        // The session is not working (any more): it says so before it sends.
        Posted::Answered(422, _) => halted("http_422".to_owned()),
        Posted::Answered(..) | Posted::NeverConnected | Posted::TimedOut | Posted::Broken => unproven(&posted),
    }
}

/// The chat of a number as WhatsApp knows it, which in Brazil may have a digit less; none when the
/// number has no WhatsApp.
async fn chat_of(line: &Line<'_>, to: &str) -> Result<Option<String>, GatewayError> {
    let digits = to.trim_start_matches('+').to_owned();
    let query = vec![("phone", digits.clone()), ("session", line.gateway.instance.clone())];
    let call = GatewayCall::new(GatewayMethod::Get, "/api/contacts/check-exists".to_owned(), ASK_TIMEOUT);
    let answer = understood(line.call(GatewayCall { query, ..call }).await)?;
    let answer: Exists = serde_json::from_slice(&answer).map_err(|_| GatewayError::Unreadable)?;
    Ok(answer.number_exists.then(|| answer.chat_id.unwrap_or_else(|| format!("{digits}@c.us"))))
}

/// An id for the message; none where the engine, or an older version, cannot reserve one.
async fn reserved_id(line: &Line<'_>) -> Option<String> {
    let path = format!("/api/{}/new-message-id", line.gateway.instance);
    let answer = understood(line.call(GatewayCall::new(GatewayMethod::Get, path, ASK_TIMEOUT)).await).ok()?;
    let id = serde_json::from_slice::<NewId>(&answer).ok()?.id;
    (!id.is_empty()).then_some(id)
}

/// The id in an answer, of whatever engine: `{"key": {"id"}}`, `{"id": {"id"}}`, or `{"id"}` as
/// `true_CHAT_ID`, of which the third part is the id.
fn sent_id(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
    let id = text("/key/id").or_else(|| text("/id/id")).or_else(|| text("/id"))?;
    let id = id.split('_').nth(2).unwrap_or(id);
    (!id.is_empty()).then(|| id.to_owned())
}
