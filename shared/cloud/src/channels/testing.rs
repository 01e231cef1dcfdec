//! A provider on loopback that answers as it is told and keeps what it was asked.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate};
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::clinic::Clinic;
use retorno_domain::consent::{Consent, Source, Statement, Wish};
use retorno_domain::ids::{ClinicId, MessageId, StepId};
use retorno_domain::language::Language;
use retorno_domain::message::{ClearedMessage, Intent};
use retorno_domain::patient::Address;
use retorno_domain::settings::clinic_from_toml;
use retorno_domain::template::Rendered;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Dispatch;

/// What it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// An answer: a status, headers, a body.
pub(crate) type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
}

/// The provider; it stops when it is dropped.
pub(crate) struct Loopback {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    _server: JoinSet<()>,
}

impl Loopback {
    /// One that gives these answers in turn, then 500.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let json = |(status, body): (u16, Value)| (status, Vec::new(), body.to_string().into_bytes());
        Self::with(answers.into_iter().map(json)).await
    }

    /// The same with headers and any bytes.
    pub(crate) async fn with(answers: impl IntoIterator<Item = Answer>) -> Self {
        let script = Arc::new(Mutex::new(Script { answers: answers.into_iter().collect(), asked: Vec::new() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script, _server: server }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// The only request there was.
    pub(crate) fn asked_once(&self) -> Asked {
        let [asked] = <[Asked; 1]>::try_from(self.asked()).unwrap();
        asked
    }

    /// What clients of the AWS SDK need to speak to it.
    pub(crate) fn aws(&self) -> SdkConfig {
        let credentials = Credentials::new("id", "secret", None, None, "tests");
        SdkConfig::builder()
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .http_client(crate::aws::https())
            .endpoint_url(&self.url)
            .build()
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut script = script.lock().unwrap();
    script.asked.push(Asked { method, uri: uri.to_string(), headers, body: body.to_vec() });
    let (status, headers, body) = script.answers.pop_front().unwrap_or((500, Vec::new(), Vec::new()));
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A clinic in Buenos Aires with these settings.
pub(crate) fn clinic(own: &str) -> Clinic {
    clinic_from_toml(ClinicId::parse("aurora").unwrap(), own, Some(chrono_tz::America::Argentina::Buenos_Aires))
        .unwrap()
}

/// A message that may be sent.
pub(crate) fn cleared(channel: Channel, purpose: Purpose, to: Address<'_>, rendered: Rendered) -> ClearedMessage {
    let on = NaiveDate::default();
    let statement = Statement::of_all(on, Wish::OptIn(ChannelSet::ALL), Source::Import);
    let proof = Consent::from_statements(vec![statement]).prove(channel, purpose, on).unwrap();
    let intent = Intent {
        message: MessageId::parse(MESSAGE).unwrap(),
        step: 0,
        step_id: StepId::parse("d1").unwrap(),
        channel,
        purpose,
        template: "churn-18m/d1".to_owned(),
        claim_before: DateTime::UNIX_EPOCH,
        places: None,
    };
    ClearedMessage::new(intent, proof, to, rendered).unwrap()
}

/// The id of every message made here.
pub(crate) const MESSAGE: &str = "00112233445566778899aabbccddeeff";

/// A filled text with these buttons.
pub(crate) fn rendered(text: &str, buttons: &[&str]) -> Rendered {
    let buttons = buttons.iter().map(|label| (*label).to_owned()).collect();
    Rendered { subject: None, text: text.to_owned(), html: None, parameters: Vec::new(), buttons }
}

/// The first attempt at a message, in Spanish.
pub(crate) fn dispatch<'a>(clinic: &'a Clinic, message: &'a ClearedMessage) -> Dispatch<'a> {
    Dispatch {
        clinic,
        message,
        attempt: 1,
        template_name: "retorno_churn_18m_d1_sin_fecha_v1",
        language: Language::EsAr,
        unsubscribe_url: "https://citas.example/l/baja",
        book_url: "https://citas.example/l/cita",
        topic: "0123456789abcdef0123456789abcdef",
        at: DateTime::UNIX_EPOCH,
    }
}
