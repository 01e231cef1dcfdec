//! Evolution API v2. It takes no id of ours, so a message is handed over once and an answer that
//! does not come leaves its fate unknown.

use retorno_domain::message::{Outcome, RecipientNews};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::{ASK_TIMEOUT, MANAGE_TIMEOUT, SEND_TIMEOUT};
use super::{
    GatewayCall, GatewayError, GatewayMethod, GatewayState, Line, LinkCode, LinkPicture, Text, understood, unproven,
};
use crate::channels::Posted;

#[derive(Deserialize)]
struct StateAnswer {
    instance: Instance,
}

#[derive(Deserialize)]
struct Instance {
    state: String,
}

/// What `/instance/connect` gives: a code, or the state when it is linked already.
#[derive(Deserialize)]
struct ConnectAnswer {
    #[serde(rename = "pairingCode")]
    pairing_code: Option<String>,
    code: Option<String>,
    base64: Option<String>,
    instance: Option<Instance>,
}

#[derive(Deserialize)]
struct Sent {
    key: Key,
}

#[derive(Deserialize)]
struct Key {
    id: String,
}

pub(super) async fn state(line: &Line<'_>) -> Result<GatewayState, GatewayError> {
    let path = format!("/instance/connectionState/{}", line.gateway.instance);
    let answer = match understood(line.call(GatewayCall::new(GatewayMethod::Get, path, ASK_TIMEOUT)).await) {
        Err(GatewayError::Status(404)) => return Ok(GatewayState::Missing),
        answer => answer?,
    };
    let answer: StateAnswer = serde_json::from_slice(&answer).map_err(|_| GatewayError::Unreadable)?;
    match answer.instance.state.as_str() {
        "open" => Ok(GatewayState::Connected),
        // It tries until its QR code is read or given up.
        "connecting" => Ok(GatewayState::Connecting),
        "close" | "refused" => Ok(GatewayState::Closed),
        _ => Err(GatewayError::Unreadable),
    }
}

pub(super) async fn link_code(line: &Line<'_>) -> Result<Option<LinkCode>, GatewayError> {
    let path = format!("/instance/connect/{}", line.gateway.instance);
    let answer = understood(line.call(GatewayCall::new(GatewayMethod::Get, path, MANAGE_TIMEOUT)).await)?;
    let answer: ConnectAnswer = serde_json::from_slice(&answer).map_err(|_| GatewayError::Unreadable)?;
    if answer.instance.is_some_and(|instance| instance.state == "open") {
        return Ok(None);
    }
    let picture = match answer.code.filter(|code| !code.is_empty()) {
        Some(code) => LinkPicture::Text(code),
        None => {
            // A data URL: `data:image/png;base64,…`.
            let url = answer.base64.ok_or(GatewayError::Unreadable)?;
            let parts = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
            let (content_type, base64) = parts.ok_or(GatewayError::Unreadable)?;
            LinkPicture::Image { content_type: content_type.to_owned(), base64: base64.to_owned() }
        }
    };
    Ok(Some(LinkCode { picture, pairing_code: answer.pairing_code }))
}

pub(super) async fn send(line: &Line<'_>, text: &Text<'_>) -> Outcome {
    let path = format!("/message/sendText/{}", line.gateway.instance);
    let mut body = json!({"number": text.to.trim_start_matches('+'), "text": text.body, "linkPreview": false});
    if let (Some(answered), Some(fields)) = (text.answers, body.as_object_mut()) {
        fields.insert("quoted".to_owned(), json!({"key": {"id": answered}}));
    }
    let call = GatewayCall { body: Some(body), ..GatewayCall::new(GatewayMethod::Post, path, SEND_TIMEOUT) };
    let posted = line.call(call).await;
    match &posted {
        Posted::Answered(200..=299, body) => match serde_json::from_slice::<Sent>(body) {
            Ok(sent) if !sent.key.id.is_empty() => Outcome::Accepted { provider_id: sent.key.id },
            Ok(_) | Err(_) => unproven(&posted),
        },
        Posted::Answered(400, body) if says_no_such_number(body) => {
            Outcome::Refused { code: "no_whatsapp".to_owned(), news: RecipientNews::Unreachable }
        }
        Posted::Answered(..) | Posted::NeverConnected | Posted::TimedOut | Posted::Broken => unproven(&posted),
    }
}

/// `{"status": 400, "response": {"message": [{"exists": false, …}]}}`
fn says_no_such_number(body: &[u8]) -> bool {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let found = answer.as_ref().and_then(|answer| answer.pointer("/response/message/0/exists"));
    found.and_then(Value::as_bool) == Some(false)
}
