//! The WhatsApp Cloud API's `POST /{version}/{phone_number_id}/messages` as an HTTP server, and a
//! phone to look into; and the templates of accounts, submitted and followed as at Meta. Messages do not
//! look there: names and parameters are taken as they come.

mod requests;
mod templates;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http_body::Frame;
use rusqlite::params;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Doubles, DoublesError, Fault, Provider, instant, record, stored};
use requests::{Refusal, Request};
pub use templates::MetaSays;

/// The WhatsApp number. Clones share it.
#[derive(Debug, Clone)]
pub struct Whatsapp {
    doubles: Doubles,
}

/// A message that was accepted. Its Debug shows neither the recipient nor the content.
#[derive(Clone, PartialEq)]
pub struct SentMessage {
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// The id the sender was given.
    pub wamid: String,
    /// The sending number's id, from the request's path.
    pub phone_number_id: String,
    /// The recipient's digits, without `+`.
    pub to: String,
    /// The template, for a template message.
    pub template: Option<SentTemplate>,
    /// The body, for a text message.
    pub text: Option<String>,
    /// Its reply buttons: id and title.
    pub replies: Vec<(String, String)>,
    /// `biz_opaque_callback_data`.
    pub opaque: Option<String>,
    /// The whole request body.
    pub body: Value,
}

/// The template of a message, flattened.
#[derive(Clone, PartialEq, Eq)]
pub struct SentTemplate {
    /// The template's name.
    pub name: String,
    /// The language code, e.g. `es_AR`.
    pub language: String,
    /// The body's parameters, in order.
    pub parameters: Vec<SentParameter>,
    /// The buttons that were given something, in order.
    pub buttons: Vec<SentButton>,
}

/// A parameter of a template's body.
#[derive(Clone, PartialEq, Eq)]
pub struct SentParameter {
    /// The variable's name, when the template's variables are named.
    pub name: Option<String>,
    /// What is put in its place.
    pub text: String,
}

/// A button of a template.
#[derive(Clone, PartialEq, Eq)]
pub struct SentButton {
    /// `quick_reply` or `url`.
    pub sub_type: String,
    /// Its place, from `"0"`.
    pub index: String,
    /// A quick reply's payload, or the suffix of a URL.
    pub value: String,
}

/// Serves `router` on a free port of 127.0.0.1, until the handle is aborted or the runtime ends.
///
/// # Errors
/// When no port can be bound.
pub async fn serve(router: Router) -> io::Result<(SocketAddr, JoinHandle<io::Result<()>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    #[expect(clippy::disallowed_methods, reason = "the handle is given to whoever asked for the server")]
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((address, server))
}

impl Whatsapp {
    pub(super) fn new(doubles: Doubles) -> Self {
        Self { doubles }
    }

    /// The API, open to `Authorization: Bearer {token}`.
    pub fn router(self, token: impl Into<String>) -> Router {
        let api = Api { whatsapp: self, token: token.into() };
        Router::new()
            .route("/{version}/{phone_number_id}/messages", post(send))
            .merge(templates::routes())
            .fallback(async || Refusal::unknown_path().into_response())
            .with_state(api)
    }

    /// A page of messages, the newest first.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn sent(&self, limit: usize, offset: usize) -> Result<Vec<SentMessage>, DoublesError> {
        self.select("ORDER BY number DESC LIMIT ?1 OFFSET ?2", page(limit, offset))
    }

    /// Messages whose `biz_opaque_callback_data` begins with `prefix` (ASCII, without `~`), in the
    /// order of acceptance.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn sent_as(&self, prefix: &str) -> Result<Vec<SentMessage>, DoublesError> {
        let opaque = "json_extract(request, '$.biz_opaque_callback_data')";
        let condition = format!("WHERE {opaque} >= ?1 AND {opaque} < ?2 ORDER BY number");
        self.select(&condition, [prefix.to_owned(), format!("{prefix}~")])
    }

    /// All messages, in the order of acceptance.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn all_sent(&self) -> Result<Vec<SentMessage>, DoublesError> {
        self.select("ORDER BY number LIMIT ?1 OFFSET ?2", page(usize::MAX, 0))
    }

    fn select(&self, which: &str, parameters: impl rusqlite::Params) -> Result<Vec<SentMessage>, DoublesError> {
        let sql = format!("SELECT number, at, phone_number_id, request FROM whatsapp_messages {which}");
        self.doubles.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(parameters)?;
            let mut sent = Vec::new();
            while let Some(row) = rows.next()? {
                let body: Value = record(&row.get::<_, String>(3)?)?;
                let request = Request::read(&body).map_err(|refusal| DoublesError::Record(refusal.to_string()))?;
                sent.push(SentMessage {
                    at: instant(row.get(1)?)?,
                    wamid: wamid(row.get(0)?),
                    phone_number_id: row.get(2)?,
                    to: request.to,
                    template: request.template,
                    text: request.text,
                    replies: request.replies,
                    opaque: request.opaque,
                    body,
                });
            }
            Ok(sent)
        })
    }

    /// Notes that somebody wrote to a number; says how many have done so before, and this one.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn hear(&self, phone_number_id: &str, sender: &str) -> Result<i64, DoublesError> {
        let at = stored(self.doubles.now());
        self.doubles.write(|tx| {
            let sql = "INSERT INTO whatsapp_inbound (at, phone_number_id, sender) VALUES (?1, ?2, ?3)";
            tx.prepare_cached(sql)?.execute(params![at, phone_number_id, sender])?;
            Ok(tx.last_insert_rowid())
        })
    }

    /// One may write freely for 24 hours after the person's last word.
    fn window_is_open(&self, phone_number_id: &str, to: &str, now: DateTime<Utc>) -> Result<bool, DoublesError> {
        let since = stored(now - chrono::TimeDelta::hours(24));
        self.doubles.read(|db| {
            let sql = "SELECT 1 FROM whatsapp_inbound WHERE phone_number_id = ?1 AND sender = ?2 AND at > ?3";
            Ok(db.prepare_cached(sql)?.exists(params![phone_number_id, to, since])?)
        })
    }

    fn accept(&self, phone_number_id: &str, body: &[u8]) -> Result<Value, Refusal> {
        let body: Value = serde_json::from_slice(body).map_err(Refusal::not_json)?;
        let request = Request::read(&body)?;
        let now = self.doubles.now();
        if request.template.is_none() && !self.window_is_open(phone_number_id, &request.to, now)? {
            return Err(Refusal::window_closed());
        }
        let at = stored(now);
        let number = self.doubles.write(|tx| {
            let sql = "INSERT INTO whatsapp_messages (at, phone_number_id, request) \
                       VALUES (?1, ?2, ?3)";
            tx.prepare_cached(sql)?.execute(params![at, phone_number_id, body.to_string()])?;
            Ok(tx.last_insert_rowid())
        })?;
        Ok(json!({
            "messaging_product": "whatsapp",
            "contacts": [{ "input": request.input, "wa_id": request.to }],
            "messages": [{ "id": wamid(number), "message_status": "accepted" }],
        }))
    }
}

fn page(limit: usize, offset: usize) -> [i64; 2] {
    [limit, offset].map(|n| i64::try_from(n).unwrap_or(i64::MAX))
}

#[derive(Clone)]
struct Api {
    whatsapp: Whatsapp,
    token: String,
}

impl Api {
    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        bearer.and_then(|value| value.strip_prefix("Bearer ")) == Some(&self.token)
    }
}

async fn send(
    State(api): State<Api>,
    Path((version, phone_number_id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_version(&version) {
        return Refusal::unknown_path().into_response();
    }
    if !api.is_authorized(&headers) {
        return Refusal::bad_token().into_response();
    }
    let accept = || match api.whatsapp.accept(&phone_number_id, &body) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    match api.whatsapp.doubles.next_fault(Provider::Whatsapp) {
        None => accept(),
        Some(Fault::Throttle) => Refusal::throttled().into_response(),
        Some(Fault::Reject(code)) => Refusal::scripted(&code).into_response(),
        Some(Fault::Unavailable) => Refusal::unavailable().into_response(),
        Some(Fault::Slow(ms)) => {
            let answer = accept();
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer
        }
        Some(Fault::AcceptThenDrop) => {
            let answer = accept();
            if answer.status() == StatusCode::OK { cut_off() } else { answer }
        }
    }
}

/// `v23.0`
fn is_version(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parts = text.strip_prefix('v').and_then(|text| text.split_once('.'));
    parts.is_some_and(|(major, minor)| digits(major) && digits(minor))
}

fn wamid(number: i64) -> String {
    format!("wamid.{}", STANDARD.encode(format!("retorno{number:012}")))
}

/// An answer that never leaves: its body fails before the first byte is flushed, and the server
/// closes the connection.
fn cut_off() -> Response {
    Response::new(Body::new(Cut))
}

struct Cut;

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

impl fmt::Debug for SentMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentMessage")
            .field("at", &self.at)
            .field("wamid", &self.wamid)
            .field("template", &self.template)
            .field("opaque", &self.opaque)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SentTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentTemplate")
            .field("name", &self.name)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SentParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentParameter").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for SentButton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentButton").field("index", &self.index).finish_non_exhaustive()
    }
}
