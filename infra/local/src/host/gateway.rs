//! Clinics' own gateways on one machine: whatever address the settings name, calls lead to the double;
//! what a gateway tells enters by its own hook, proven as in production.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use hmac::{KeyInit as _, Mac as _};
use inbound_webhook::hook::{Entry, HookRequest, HookSecrets};
use inbound_webhook::verify::{EvolutionProof, HookSecret};
use retorno_cloud::channels::{GatewayCall, GatewayHttp, GatewayWire, Posted};
use retorno_cloud::secrets::{SecretKey, Token, hex};
use retorno_domain::clinic::Clinic;
use retorno_domain::sender::{Gateway, GatewayKind};
use serde_json::{Value, json};

use super::{Host, HostError};
use crate::doubles::{GatewayLink, GatewayMessage};

/// What is done with the telephone that stands for the clinic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtGateway {
    /// It reads the code.
    Scan,
    /// It logs out.
    LogOut,
    /// The gateway goes down, without a word.
    GoDark,
    /// It comes up again, linked as it was.
    ComeBack,
}

/// The telephone that stands for the clinic's.
const CLINICS_DIGITS: &str = "5491155550100";

/// Leads every gateway's calls to the double, over HTTP.
#[derive(Debug)]
pub(super) struct ToTheDouble {
    http: GatewayHttp,
    base_url: String,
}

impl ToTheDouble {
    pub(super) fn new(address: SocketAddr) -> Result<Self, HostError> {
        Ok(Self { http: GatewayHttp::new()?, base_url: format!("http://{address}") })
    }
}

impl GatewayWire for ToTheDouble {
    fn call<'a>(
        &'a self,
        gateway: &'a Gateway,
        key: &'a Token,
        call: GatewayCall,
    ) -> Pin<Box<dyn Future<Output = Posted> + Send + 'a>> {
        let there = Gateway { base_url: self.base_url.clone(), ..gateway.clone() };
        Box::pin(async move { self.http.call(&there, key, call).await })
    }
}

/// The secret of an instance's hook.
fn secret(app: &SecretKey, kind: GatewayKind, instance: &str) -> String {
    hex(&app.mac(&[b"gateway", kind.code().as_bytes(), instance.as_bytes()]))
}

/// The secrets of all hooks, and that of the instance whose hook this is.
pub(super) fn with_instance(secrets: &HookSecrets, app: &SecretKey, path: &str) -> HookSecrets {
    let mut secrets = secrets.clone();
    if let Some(Entry::Gateway(kind, instance)) = Entry::of(path) {
        let own: Vec<HookSecret> = HookSecret::new(secret(app, kind, &instance)).into_iter().collect();
        match kind {
            GatewayKind::Waha => secrets.waha.insert(instance, own).map(|_| ()),
            GatewayKind::Evolution => secrets.evolution.insert(instance, EvolutionProof::Token(own)).map(|_| ()),
        };
    }
    secrets
}

impl Host {
    /// Does something with the telephone or the gateway of a clinic that has one.
    ///
    /// # Errors
    /// [`HostError::User`] when the clinic has no gateway, or the hook does not open.
    pub async fn at_gateway(&self, clinic: &Clinic, what: AtGateway) -> Result<(), HostError> {
        let gateway = gateway_of(clinic)?;
        let double = self.doubles.gateway();
        let link = match what {
            AtGateway::Scan | AtGateway::ComeBack => GatewayLink::Linked,
            AtGateway::LogOut => GatewayLink::Unlinked,
            AtGateway::GoDark => GatewayLink::Dark,
        };
        double.set_link(gateway.kind, &gateway.instance, link)?;
        let told = match what {
            AtGateway::Scan => Some(true),
            AtGateway::LogOut => Some(false),
            AtGateway::GoDark | AtGateway::ComeBack => None,
        };
        match told {
            Some(is_open) => self.hook_of_gateway(gateway, connection_news(gateway, is_open, self.millis())).await,
            None => Ok(()),
        }
    }

    /// Writes to a clinic's gateway on the phone of those digits; says the gateway's id of the message.
    pub(super) async fn write_to_gateway(
        &self,
        gateway: &Gateway,
        digits: &str,
        text: &str,
        answers: Option<&str>,
    ) -> Result<String, HostError> {
        let number = self.doubles.whatsapp().hear(&gateway.instance, digits)?;
        let id = format!("IN{number:014}");
        let body = written(gateway, digits, (&id, text), answers, self.now().timestamp());
        self.hook_of_gateway(gateway, body).await?;
        Ok(id)
    }

    /// Tells what gateways have delivered since the last time; says of how many messages.
    pub(super) async fn tell_delivered(&self) -> Result<u64, HostError> {
        let untold = self.doubles.gateway().take_untold()?;
        for message in &untold {
            let base_url = String::new();
            let gateway = Gateway { kind: message.kind, base_url, instance: message.instance.clone() };
            self.hook_of_gateway(&gateway, delivered(message, self.millis())).await?;
        }
        Ok(u64::try_from(untold.len()).unwrap_or(u64::MAX))
    }

    /// A webhook of a gateway's, by its hook.
    async fn hook_of_gateway(&self, gateway: &Gateway, body: Value) -> Result<(), HostError> {
        let body = body.to_string().into_bytes();
        let secret = secret(&self.app_secret, gateway.kind, &gateway.instance);
        let proof = match gateway.kind {
            GatewayKind::Evolution => ("X-Retorno-Hook-Token", secret),
            GatewayKind::Waha => {
                let mac = hmac::Hmac::<sha2::Sha512>::new_from_slice(secret.as_bytes());
                let tag = mac.map(|mac| hex(&mac.chain_update(&body).finalize().into_bytes())).unwrap_or_default();
                ("X-Webhook-Hmac", tag)
            }
        };
        let request = HookRequest {
            method: "POST".to_owned(),
            path: format!("/hooks/{}/{}", gateway.kind.code(), gateway.instance),
            query: Vec::new(),
            headers: vec![(proof.0.to_owned(), proof.1)],
            body,
            is_base64: false,
        };
        match self.hook(request).await.status {
            200 => Ok(()),
            status => Err(HostError::User(format!("the gateway's hook answered {status}"))),
        }
    }

    fn millis(&self) -> i64 {
        self.now().timestamp_millis()
    }
}

fn gateway_of(clinic: &Clinic) -> Result<&Gateway, HostError> {
    let none = || HostError::User(format!("clinic {} has no gateway in its settings", clinic.id));
    clinic.gateway.as_ref().ok_or_else(none)
}

fn connection_news(gateway: &Gateway, is_open: bool, ms: i64) -> Value {
    let instance = &gateway.instance;
    match gateway.kind {
        GatewayKind::Evolution => {
            let (state, reason) = if is_open { ("open", 200) } else { ("close", 401) };
            let wuid = is_open.then(|| format!("{CLINICS_DIGITS}@s.whatsapp.net"));
            let data = json!({ "instance": instance, "state": state, "statusReason": reason, "wuid": wuid });
            json!({ "event": "connection.update", "instance": instance, "data": data })
        }
        GatewayKind::Waha => {
            let status = if is_open { "WORKING" } else { "STOPPED" };
            let me = is_open.then(|| json!({ "id": format!("{CLINICS_DIGITS}@c.us") }));
            let payload = json!({ "name": instance, "status": status });
            json!({ "event": "session.status", "session": instance, "timestamp": ms, "me": me, "payload": payload })
        }
    }
}

fn written(gateway: &Gateway, digits: &str, (id, text): (&str, &str), answers: Option<&str>, seconds: i64) -> Value {
    let instance = &gateway.instance;
    match gateway.kind {
        GatewayKind::Evolution => {
            let key = json!({ "remoteJid": format!("{digits}@s.whatsapp.net"), "fromMe": false, "id": id });
            let context = answers.map(|id| json!({ "stanzaId": id }));
            let data = json!({
                "key": key, "pushName": "", "message": { "conversation": text }, "contextInfo": context,
                "messageTimestamp": seconds,
            });
            json!({ "event": "messages.upsert", "instance": instance, "data": data })
        }
        GatewayKind::Waha => {
            let chat = format!("{digits}@c.us");
            let reply = answers.map(|id| json!({ "id": id }));
            let payload = json!({
                "id": format!("false_{chat}_{id}"), "timestamp": seconds, "from": chat, "fromMe": false,
                "body": text, "hasMedia": false, "replyTo": reply,
            });
            json!({ "event": "message", "session": instance, "payload": payload })
        }
    }
}

fn delivered(message: &GatewayMessage, ms: i64) -> Value {
    let (instance, to, id) = (&message.instance, &message.to, &message.id);
    match message.kind {
        GatewayKind::Evolution => {
            let jid = format!("{to}@s.whatsapp.net");
            let data = json!({ "keyId": id, "remoteJid": jid, "fromMe": true, "status": "DELIVERY_ACK" });
            json!({ "event": "messages.update", "instance": instance, "data": data })
        }
        GatewayKind::Waha => {
            let chat = format!("{to}@c.us");
            let payload = json!({
                "id": format!("true_{chat}_{id}"), "to": chat, "fromMe": true, "ack": 2, "ackName": "DEVICE",
            });
            json!({ "event": "message.ack", "session": instance, "timestamp": ms, "payload": payload })
        }
    }
}
