//! Gateways to WhatsApp that clinics operate themselves, as an HTTP server: Evolution API v2 and WAHA,
//! as far as they are called. Every instance exists; whoever holds the sandbox phone links it.

mod evolution;
#[cfg(test)]
mod tests;
mod waha;

use std::fmt;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use qrcode::QrCode;
use qrcode::render::svg;
use retorno_domain::sender::GatewayKind;
use rusqlite::{OptionalExtension as _, params};

use super::{Doubles, DoublesError, instant, stored};

/// The gateways. Clones share them.
#[derive(Debug, Clone)]
pub struct GatewayDouble {
    doubles: Doubles,
}

/// How an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayLink {
    /// No telephone is linked, and nobody tries.
    Unlinked,
    /// It shows codes.
    Linking,
    /// A telephone is linked.
    Linked,
    /// The whole gateway is down.
    Dark,
}

impl GatewayLink {
    fn code(self) -> &'static str {
        match self {
            Self::Unlinked => "unlinked",
            Self::Linking => "linking",
            Self::Linked => "linked",
            Self::Dark => "dark",
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        [Self::Unlinked, Self::Linking, Self::Linked, Self::Dark].into_iter().find(|link| link.code() == code)
    }
}

/// A message that a gateway was given. Its Debug shows neither the recipient nor the text.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayMessage {
    /// When.
    pub at: DateTime<Utc>,
    /// The id that the gateway gave it.
    pub id: String,
    /// Which gateway.
    pub kind: GatewayKind,
    /// Its instance.
    pub instance: String,
    /// The recipient's digits.
    pub to: String,
    /// The text.
    pub text: String,
    /// The id of the message that it quotes.
    pub answers: Option<String>,
}

impl fmt::Debug for GatewayMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayMessage").field("at", &self.at).field("id", &self.id).finish_non_exhaustive()
    }
}

impl GatewayDouble {
    pub(super) fn new(doubles: Doubles) -> Self {
        Self { doubles }
    }

    /// Both APIs, open to this key.
    pub fn router(self, key: impl Into<String>) -> Router {
        let api = Api { double: self, key: key.into() };
        evolution::router().merge(waha::router()).with_state(api)
    }

    /// How an instance stands.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn link(&self, kind: GatewayKind, instance: &str) -> Result<GatewayLink, DoublesError> {
        let link: Option<String> = self.doubles.read(|db| {
            let sql = "SELECT link FROM gateway_instances WHERE kind = ?1 AND instance = ?2";
            Ok(db.prepare_cached(sql)?.query_row(params![kind.code(), instance], |row| row.get(0)).optional()?)
        })?;
        match link {
            None => Ok(GatewayLink::Unlinked),
            Some(code) => GatewayLink::of_code(&code).ok_or_else(|| DoublesError::Record(format!("link {code}"))),
        }
    }

    /// Makes an instance stand so.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn set_link(&self, kind: GatewayKind, instance: &str, link: GatewayLink) -> Result<(), DoublesError> {
        self.doubles.write(|tx| {
            let sql = "INSERT INTO gateway_instances (kind, instance, link) VALUES (?1, ?2, ?3) \
                       ON CONFLICT (kind, instance) DO UPDATE SET link = ?3";
            tx.prepare_cached(sql)?.execute(params![kind.code(), instance, link.code()])?;
            Ok(())
        })
    }

    /// All messages, in the order in which they were given.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn all_sent(&self) -> Result<Vec<GatewayMessage>, DoublesError> {
        self.select("ORDER BY number")
    }

    /// Messages whose arrival nobody was told of yet; told from now on.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn take_untold(&self) -> Result<Vec<GatewayMessage>, DoublesError> {
        let untold = self.select("WHERE told = 0 ORDER BY number")?;
        if !untold.is_empty() {
            self.doubles.write(|tx| {
                tx.prepare_cached("UPDATE gateway_messages SET told = 1 WHERE told = 0")?.execute([])?;
                Ok(())
            })?;
        }
        Ok(untold)
    }

    fn select(&self, which: &str) -> Result<Vec<GatewayMessage>, DoublesError> {
        let sql = format!("SELECT number, at, kind, instance, recipient, text, answers FROM gateway_messages {which}");
        self.doubles.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query([])?;
            let mut sent = Vec::new();
            while let Some(row) = rows.next()? {
                let kind = if row.get::<_, String>(2)? == "waha" { GatewayKind::Waha } else { GatewayKind::Evolution };
                sent.push(GatewayMessage {
                    id: message_id(row.get(0)?),
                    at: instant(row.get(1)?)?,
                    kind,
                    instance: row.get(3)?,
                    to: row.get(4)?,
                    text: row.get(5)?,
                    answers: row.get(6)?,
                });
            }
            Ok(sent)
        })
    }

    fn accept(
        &self,
        (kind, instance): (GatewayKind, &str),
        (to, text): (&str, &str),
        answers: Option<&str>,
    ) -> Result<String, DoublesError> {
        let at = stored(self.doubles.now());
        let number = self.doubles.write(|tx| {
            let sql = "INSERT INTO gateway_messages (at, kind, instance, recipient, text, answers) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            tx.prepare_cached(sql)?.execute(params![at, kind.code(), instance, to, text, answers])?;
            Ok(tx.last_insert_rowid())
        })?;
        Ok(message_id(number))
    }

    /// The next code of an instance, which is linking from now on.
    fn next_code(&self, kind: GatewayKind, instance: &str) -> Result<String, DoublesError> {
        let number: i64 = self.doubles.write(|tx| {
            let sql = "INSERT INTO gateway_instances (kind, instance, link, codes) VALUES (?1, ?2, 'linking', 1) \
                       ON CONFLICT (kind, instance) DO UPDATE SET link = 'linking', codes = codes + 1 \
                       RETURNING codes";
            Ok(tx.prepare_cached(sql)?.query_row(params![kind.code(), instance], |row| row.get(0))?)
        })?;
        Ok(format!("2@retorno-sandbox,{instance},{number}"))
    }
}

fn message_id(number: i64) -> String {
    format!("3EB0{number:016X}")
}

/// A code as a picture, in base64.
fn picture(code: &str) -> String {
    let drawn = QrCode::new(code.as_bytes()).map(|code| code.render::<svg::Color<'_>>().build());
    STANDARD.encode(drawn.unwrap_or_default())
}

#[derive(Clone)]
struct Api {
    double: GatewayDouble,
    key: String,
}

impl Api {
    /// How an instance stands, for whoever has the key; an answer for whoever has not, or while the
    /// gateway is down.
    fn open(&self, headers: &HeaderMap, (kind, instance): (GatewayKind, &str)) -> Result<GatewayLink, Box<Response>> {
        let name = match kind {
            GatewayKind::Evolution => "apikey",
            GatewayKind::Waha => "x-api-key",
        };
        if headers.get(name).and_then(|value| value.to_str().ok()) != Some(&self.key) {
            return Err(Box::new(StatusCode::UNAUTHORIZED.into_response()));
        }
        match self.double.link(kind, instance) {
            Ok(GatewayLink::Dark) => Err(Box::new(StatusCode::BAD_GATEWAY.into_response())),
            Ok(link) => Ok(link),
            Err(error) => Err(Box::new(failed(&error))),
        }
    }
}

fn failed(error: &DoublesError) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}
