//! The sandbox phone's way in: what a patient writes on it becomes a webhook of Meta's — its JSON, its
//! signature — and enters by the same door as in production.

use chrono::{DateTime, Utc};
use inbound_webhook::batch::Reader;
use inbound_webhook::hook::{HookAnswer, HookRequest, HookSecrets, MetaApp};
use inbound_webhook::verify::HookSecret;
use retorno_cloud::secrets::{SecretKey, hex};
use retorno_domain::clinic::Clinic;
use serde_json::{Value, json};

use super::{Host, HostError, Work};
use crate::calls::calls_of;

/// The app at Meta that the sandbox stands for.
pub const SANDBOX_APP: &str = "sandbox";

/// What is written on the phone.
#[derive(Clone)]
pub enum Written {
    /// A text.
    Text(String),
    /// A template's button: its payload and its title.
    Button(String, String),
    /// A button of an answer: its id and its title.
    Choice(String, String),
}

pub(super) fn hook_secrets(app: &SecretKey) -> HookSecrets {
    let secrets = HookSecret::new(app_secret(app)).into_iter().collect();
    let app = MetaApp { secrets, verify_tokens: Vec::new(), ..MetaApp::default() };
    HookSecrets { meta: [(SANDBOX_APP.to_owned(), app)].into(), ..HookSecrets::default() }
}

/// The app's secret, as Meta would show it.
fn app_secret(key: &SecretKey) -> String {
    hex(&key.mac(&[b"app-secret"]))
}

impl Host {
    /// A request to a hook, from outside or from the phone.
    pub async fn hook(&self, request: HookRequest) -> HookAnswer {
        let secrets = super::gateway::with_instance(&self.hook_secrets, &self.app_secret, &request.path);
        let accepting = self.entrance.accept(request, &secrets, self.now());
        self.counted(Work::Hook, calls_of("inbound-webhook", accepting)).await
    }

    /// What reads the queue of what came in.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { inbound: &self.inbound, entrance: &self.entrance, proofs: &self.hook_secrets }
    }

    /// The secret with which the sandbox's webhooks are signed: hexadecimal digits. Protects nothing
    /// but this machine.
    #[must_use]
    pub fn sandbox_app_secret(&self) -> String {
        app_secret(&self.app_secret)
    }

    /// Writes on the phone of those digits to a clinic; says the provider's id of the message.
    ///
    /// # Errors
    /// [`HostError::User`] when the door does not open.
    pub async fn write_on_phone(
        &self,
        clinic: &Clinic,
        digits: &str,
        written: &Written,
        answers: Option<&str>,
    ) -> Result<String, HostError> {
        if let Some(gateway) = &clinic.gateway {
            let (Written::Text(text) | Written::Button(_, text) | Written::Choice(_, text)) = written;
            return self.write_to_gateway(gateway, digits, text, answers).await;
        }
        let number = self.doubles.whatsapp().hear(&clinic.whatsapp_phone_number_id, digits)?;
        let wamid = format!("wamid.in.{number}");
        let body = webhook(clinic, digits, written, (&wamid, answers), self.now()).to_string();
        let answer = self.hook(signed(&self.sandbox_app_secret(), body.into_bytes())).await;
        if answer.status == 200 {
            return Ok(wamid);
        }
        Err(HostError::User(format!("the hook answered {}", answer.status)))
    }
}

/// A request as Meta signs it.
#[must_use]
pub fn signed(app_secret: &str, body: Vec<u8>) -> HookRequest {
    use hmac::{KeyInit as _, Mac as _};
    let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(app_secret.as_bytes());
    let tag = mac.map(|mac| hex(&mac.chain_update(&body).finalize().into_bytes())).unwrap_or_default();
    HookRequest {
        method: "POST".to_owned(),
        path: format!("/hooks/meta/{SANDBOX_APP}"),
        query: Vec::new(),
        headers: vec![("X-Hub-Signature-256".to_owned(), format!("sha256={tag}"))],
        body,
        is_base64: false,
    }
}

/// A webhook that brings one message (Cloud API, field `messages`).
#[must_use]
pub fn webhook(
    clinic: &Clinic,
    digits: &str,
    written: &Written,
    (wamid, answers): (&str, Option<&str>),
    now: DateTime<Utc>,
) -> Value {
    let mut message = json!({ "from": digits, "id": wamid, "timestamp": now.timestamp().to_string() });
    let (kind, content) = match written {
        Written::Text(text) => ("text", json!({ "body": text })),
        Written::Button(payload, title) => ("button", json!({ "payload": payload, "text": title })),
        Written::Choice(id, title) => {
            ("interactive", json!({ "type": "button_reply", "button_reply": { "id": id, "title": title } }))
        }
    };
    if let Some(fields) = message.as_object_mut() {
        fields.insert("type".to_owned(), json!(kind));
        fields.insert(kind.to_owned(), content);
        if let Some(answered) = answers {
            fields.insert("context".to_owned(), json!({ "from": clinic.whatsapp_phone_number_id, "id": answered }));
        }
    }
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "sandbox", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "0", "phone_number_id": clinic.whatsapp_phone_number_id },
            "contacts": [{ "profile": { "name": "" }, "wa_id": digits }],
            "messages": [message],
        } }] }],
    })
}
