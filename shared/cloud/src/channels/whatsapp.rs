//! WhatsApp Cloud API: `POST /{version}/{phone_number_id}/messages` with an approved template.
//!
//! The API takes no idempotency key, so a request is made once: no retries, no redirects, a bounded
//! time. What came back decides between sent, certainly not sent, refused, and unknown.

use std::time::Duration;

use chrono::TimeDelta;
use retorno_domain::message::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Dispatch;
use super::whatsapp_errors::{GraphError, outcome_of};
use crate::error::CloudError;
use crate::secrets::Token;

/// Meta's API, with the version that is pinned (v23.0 is the one whose OpenAPI is published).
pub const GRAPH_URL: &str = "https://graph.facebook.com/v23.0";

const TIMEOUT: Duration = Duration::from_secs(8);
/// Longest `biz_opaque_callback_data` (Meta, status webhooks reference).
const OPAQUE_CHARS_MAX: usize = 512;

/// A client of the Cloud API.
#[derive(Debug, Clone)]
pub struct WhatsappChannel {
    http: reqwest::Client,
    base_url: String,
    token: Token,
}

#[derive(Deserialize)]
struct Accepted {
    messages: Vec<AcceptedMessage>,
}

#[derive(Deserialize)]
struct AcceptedMessage {
    id: String,
}

#[derive(Deserialize)]
struct Refused {
    error: GraphError,
}

impl WhatsappChannel {
    /// A client for a base URL such as [`GRAPH_URL`].
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new(base_url: &str, token: Token) -> Result<Self, CloudError> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|_| CloudError::Setup("the HTTP client for WhatsApp".to_owned()))?;
        Ok(Self { http, base_url: base_url.trim_end_matches('/').to_owned(), token })
    }

    pub(super) async fn send(&self, dispatch: &Dispatch<'_>, opaque_id: &str) -> Outcome {
        let url = format!("{}/{}/messages", self.base_url, dispatch.clinic.whatsapp_phone_number_id);
        let body = request(dispatch, opaque_id);
        match self.http.post(url).bearer_auth(self.token.expose()).json(&body).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                match response.bytes().await {
                    Ok(bytes) => understand(status, &bytes),
                    Err(_) => Outcome::Ambiguous { code: "response".to_owned() },
                }
            }
            // The connection was never made: nothing was written.
            Err(e) if e.is_connect() || e.is_builder() => {
                Outcome::NotSent { code: "connect".to_owned(), again_in: TimeDelta::minutes(2), breaker: None }
            }
            Err(e) => Outcome::Ambiguous { code: if e.is_timeout() { "timeout" } else { "connection" }.to_owned() },
        }
    }
}

/// The request: a template by name and language, its values in order, and one payload per button,
/// so that an answer by button names the message by itself.
fn request(dispatch: &Dispatch<'_>, opaque_id: &str) -> Value {
    let rendered = dispatch.message.rendered();
    let mut components = Vec::new();
    if !rendered.parameters.is_empty() {
        let parameters: Vec<Value> =
            rendered.parameters.iter().map(|text| json!({"type": "text", "text": text})).collect();
        components.push(json!({"type": "body", "parameters": parameters}));
    }
    for (index, _) in rendered.buttons.iter().enumerate() {
        let payload = format!("{opaque_id}.{index}");
        components.push(json!({
            "type": "button", "sub_type": "quick_reply", "index": index.to_string(),
            "parameters": [{"type": "payload", "payload": payload}],
        }));
    }
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": dispatch.message.to().trim_start_matches('+'),
        "type": "template",
        "template": {
            "name": dispatch.template_name,
            "language": {"code": dispatch.language.whatsapp_code(), "policy": "deterministic"},
            "components": components,
        },
        "biz_opaque_callback_data": opaque_id.chars().take(OPAQUE_CHARS_MAX).collect::<String>(),
    })
}

fn understand(status: u16, body: &[u8]) -> Outcome {
    if (200..300).contains(&status) {
        // Accepted, but under which id? Without one nothing can be proved.
        let id =
            serde_json::from_slice::<Accepted>(body).ok().and_then(|accepted| accepted.messages.into_iter().next());
        return match id {
            Some(message) if !message.id.is_empty() => Outcome::Accepted { provider_id: message.id },
            Some(_) | None => Outcome::Ambiguous { code: "unreadable_2xx".to_owned() },
        };
    }
    match serde_json::from_slice::<Refused>(body) {
        Ok(refused) => outcome_of(status, &refused.error),
        Err(_) if status == 429 => outcome_of(status, &GraphError::default()),
        Err(_) => Outcome::Ambiguous { code: format!("http_{status}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_2xx_without_an_id_proves_nothing() {
        let ok = br#"{"messaging_product":"whatsapp","messages":[{"id":"wamid.1"}]}"#;
        assert_eq!(understand(200, ok), Outcome::Accepted { provider_id: "wamid.1".to_owned() });
        for body in [&b"{}"[..], b"", b"<html>", br#"{"messages":[]}"#, br#"{"messages":[{"id":""}]}"#] {
            assert_eq!(understand(200, body), Outcome::Ambiguous { code: "unreadable_2xx".to_owned() });
        }
    }

    #[test]
    fn a_failure_nobody_explains_is_ambiguous() {
        assert_eq!(understand(502, b"<html>"), Outcome::Ambiguous { code: "http_502".to_owned() });
        assert_eq!(understand(400, b"not json"), Outcome::Ambiguous { code: "http_400".to_owned() });
        assert!(matches!(understand(429, b""), Outcome::NotSent { .. }));
    }
}
