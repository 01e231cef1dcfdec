//! WhatsApp Cloud API: `POST /{version}/{phone_number_id}/messages` with an approved template, or
//! with free text within the 24 hours that a person's own message opens.
//!
//! The API takes no idempotency key, so a request is made once: no retries, no redirects, a bounded
//! time. What came back decides between sent, certainly not sent, refused, and unknown.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use retorno_domain::clinic::Clinic;
use retorno_domain::message::{Outcome, RecipientNews};
use serde::Deserialize;
use serde_json::{Value, json};

use super::meta_templates::{AccountId, MetaTemplates};
use super::reply::whatsapp_reply_request;
use super::whatsapp_errors::{GraphError, outcome_of};
use super::{Dispatch, ReplyDispatch};
use crate::error::CloudError;
use crate::secrets::Token;

/// Meta's API, with the version that is pinned (v23.0 is the one whose OpenAPI is published).
pub const GRAPH_URL: &str = "https://graph.facebook.com/v23.0";

const TIMEOUT: Duration = Duration::from_secs(8);
/// Longest `biz_opaque_callback_data` (Meta, status webhooks reference).
const OPAQUE_CHARS_MAX: usize = 512;

/// What came back from the API, or why nothing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// An answer: its HTTP status and its body.
    Answered(u16, Vec<u8>),
    /// The connection was never made: nothing was written to any socket.
    NeverConnected,
    /// No answer in time.
    TimedOut,
    /// The connection broke, or its answer could not be read to the end.
    Broken,
}

/// The wire to the API: one POST, made once. Over HTTPS in production; a simulation answers it itself.
pub trait Graph: fmt::Debug + Send + Sync {
    /// Posts a JSON body to a path below the API's base.
    fn post<'a>(&'a self, path: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = Posted> + Send + 'a>>;
}

/// A client of the Cloud API.
#[derive(Debug, Clone)]
pub struct WhatsappChannel {
    graph: Arc<dyn Graph>,
    /// The same API, for what concerns no message; nothing over a wire that knows only messages.
    https: Option<Https>,
}

/// The API over HTTPS: no retries, no redirects, a bounded time.
#[derive(Debug, Clone)]
struct Https {
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
        let http = super::http::client("WhatsApp")?;
        let https = Https { http, base_url: base_url.trim_end_matches('/').to_owned(), token };
        Ok(Self { graph: Arc::new(https.clone()), https: Some(https) })
    }

    /// A client over any wire.
    #[must_use]
    pub fn over(graph: Arc<dyn Graph>) -> Self {
        Self { graph, https: None }
    }

    /// The templates of an account, with the same token.
    pub(super) fn templates(&self, account: AccountId) -> Option<MetaTemplates> {
        let Https { http, base_url, token } = self.https.clone()?;
        Some(MetaTemplates::over(http, base_url, token, account))
    }

    pub(super) async fn send(&self, dispatch: &Dispatch<'_>, opaque_id: &str) -> Outcome {
        self.post(dispatch.clinic, &whatsapp_request(dispatch, opaque_id)).await
    }

    pub(super) async fn reply(&self, reply: &ReplyDispatch<'_>) -> Outcome {
        match whatsapp_reply_request(reply) {
            Ok(request) => self.post(reply.clinic, &request).await,
            Err(fault) => Outcome::Refused { code: fault.code().to_owned(), news: RecipientNews::None },
        }
    }

    async fn post(&self, clinic: &Clinic, request: &Value) -> Outcome {
        let path = format!("{}/messages", clinic.whatsapp_phone_number_id);
        let ambiguous = |code: &str| Outcome::Ambiguous { code: code.to_owned() };
        match self.graph.post(path, request.to_string().into_bytes()).await {
            Posted::Answered(status, body) => whatsapp_outcome(status, &body),
            Posted::NeverConnected => {
                Outcome::NotSent { code: "connect".to_owned(), again_in: TimeDelta::minutes(2), breaker: None }
            }
            Posted::TimedOut => ambiguous("timeout"),
            Posted::Broken => ambiguous("connection"),
        }
    }
}

impl Graph for Https {
    fn post<'a>(&'a self, path: String, body: Vec<u8>) -> Pin<Box<dyn Future<Output = Posted> + Send + 'a>> {
        let request = self.http.post(format!("{}/{path}", self.base_url)).bearer_auth(self.token.expose());
        let request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
        Box::pin(super::http::posted(request.timeout(TIMEOUT)))
    }
}

/// The request: a template by name and language, its values in order, and one payload per button,
/// so that an answer by button names the message by itself.
#[must_use]
pub fn whatsapp_request(dispatch: &Dispatch<'_>, opaque_id: &str) -> Value {
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
        "biz_opaque_callback_data": opaque_cut(opaque_id),
    })
}

/// The id as it is echoed in receipts.
pub(super) fn opaque_cut(opaque_id: &str) -> String {
    opaque_id.chars().take(OPAQUE_CHARS_MAX).collect()
}

/// What an answer of the API proves about the message it was asked to send.
#[must_use]
pub fn whatsapp_outcome(status: u16, body: &[u8]) -> Outcome {
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
        assert_eq!(whatsapp_outcome(200, ok), Outcome::Accepted { provider_id: "wamid.1".to_owned() });
        for body in [&b"{}"[..], b"", b"<html>", br#"{"messages":[]}"#, br#"{"messages":[{"id":""}]}"#] {
            assert_eq!(whatsapp_outcome(200, body), Outcome::Ambiguous { code: "unreadable_2xx".to_owned() });
        }
    }

    #[test]
    fn a_failure_nobody_explains_is_ambiguous() {
        assert_eq!(whatsapp_outcome(502, b"<html>"), Outcome::Ambiguous { code: "http_502".to_owned() });
        assert_eq!(whatsapp_outcome(400, b"not json"), Outcome::Ambiguous { code: "http_400".to_owned() });
        assert!(matches!(whatsapp_outcome(429, b""), Outcome::NotSent { .. }));
    }
}
