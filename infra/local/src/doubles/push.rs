//! The browsers' push services, and browsers of the sandbox: they subscribe, and read what only they
//! can read. A real browser's alerts go on to its real service, where that is wanted.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use retorno_cloud::channels::push::{PushHttp, PushPosted, PushRequest, PushWire};
use rusqlite::{OptionalExtension as _, params};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use web_push_native::p256::SecretKey;
use web_push_native::{Auth, decrypt};

use super::{Doubles, DoublesError, instant, stored};

/// What the address of a sandbox browser begins with.
const ADDRESS: &str = "https://updates.push.services.mozilla.com/wpush/retorno-sandbox/";

/// The push services and the sandbox browsers. Clones share them.
#[derive(Debug, Clone)]
pub struct PushDouble {
    doubles: Doubles,
}

/// An alert as a sandbox browser shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownAlert {
    /// When.
    pub at: DateTime<Utc>,
    /// Which browser.
    pub browser: i64,
    /// What it was given.
    pub payload: Value,
    /// Its topic: a later one of the same replaces it.
    pub topic: Option<String>,
}

impl fmt::Debug for ShownAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownAlert").field("at", &self.at).field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl PushDouble {
    pub(super) fn new(doubles: Doubles) -> Self {
        Self { doubles }
    }

    /// A wire that leads here; what is for a real browser goes to `real`, or nowhere.
    #[must_use]
    pub fn wire(self, real: Option<PushHttp>) -> impl PushWire + 'static {
        SandboxWire { double: self, real }
    }

    /// A new browser subscribes: what it gives, as `PushSubscription.toJSON()` does.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn subscribe(&self) -> Result<String, DoublesError> {
        let number = self.doubles.write(|tx| {
            tx.prepare_cached("INSERT INTO push_browsers DEFAULT VALUES")?.execute([])?;
            Ok(tx.last_insert_rowid())
        })?;
        let public = secret_key(number)?.public_key().to_sec1_bytes();
        let keys = json!({ "p256dh": URL_SAFE_NO_PAD.encode(public), "auth": URL_SAFE_NO_PAD.encode(auth(number)) });
        Ok(json!({ "endpoint": format!("{ADDRESS}{number}"), "keys": keys }).to_string())
    }

    /// A browser's owner withdraws its permission: its service says from now on that it is gone.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn withdraw(&self, browser: i64) -> Result<(), DoublesError> {
        self.doubles.write(|tx| {
            tx.prepare_cached("UPDATE push_browsers SET gone = 1 WHERE number = ?1")?.execute([browser])?;
            Ok(())
        })
    }

    /// The same for the browser at an address; nothing if it is none of the sandbox's.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn withdraw_at(&self, endpoint: &str) -> Result<(), DoublesError> {
        number_of(endpoint).map_or(Ok(()), |browser| self.withdraw(browser))
    }

    /// What the sandbox browsers were shown, the newest first.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn shown(&self, limit: usize) -> Result<Vec<ShownAlert>, DoublesError> {
        let rows: Vec<(i64, String, Option<String>, Vec<u8>)> = self.doubles.read(|db| {
            let sql = "SELECT at, endpoint, topic, body FROM push_alerts ORDER BY number DESC LIMIT ?1";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        let mut shown = Vec::new();
        for (at, endpoint, topic, body) in rows {
            let Some(browser) = number_of(&endpoint) else { continue };
            let payload = decrypt(body, &secret_key(browser)?, &Auth::from(auth(browser)));
            let payload = payload.ok().and_then(|payload| serde_json::from_slice(&payload).ok());
            let payload = payload.ok_or_else(|| DoublesError::Record("an alert that nobody can read".to_owned()))?;
            shown.push(ShownAlert { at: instant(at)?, browser, payload, topic });
        }
        Ok(shown)
    }

    fn accept(&self, request: &PushRequest) -> Result<u16, DoublesError> {
        let Some(number) = number_of(&request.url) else { return Ok(404) };
        let at = stored(self.doubles.now());
        self.doubles.write(|tx| {
            let sql = "SELECT gone FROM push_browsers WHERE number = ?1";
            let gone: Option<bool> = tx.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?;
            match gone {
                None => return Ok(404),
                Some(true) => return Ok(410),
                Some(false) => {}
            }
            let sql =
                "INSERT INTO push_alerts (at, endpoint, topic, urgency, ttl, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            tx.prepare_cached(sql)?.execute(params![
                at,
                request.url,
                request.topic,
                request.urgency,
                request.ttl_seconds,
                request.body
            ])?;
            Ok(201)
        })
    }
}

#[derive(Debug)]
struct SandboxWire {
    double: PushDouble,
    real: Option<PushHttp>,
}

impl PushWire for SandboxWire {
    fn post(&self, request: PushRequest) -> Pin<Box<dyn Future<Output = PushPosted> + Send + '_>> {
        match &self.real {
            Some(real) if number_of(&request.url).is_none() => real.post(request),
            Some(_) | None => Box::pin(async move {
                match self.double.accept(&request) {
                    Ok(status) => PushPosted::Answered { status, retry_after: None },
                    Err(_) => PushPosted::Broken,
                }
            }),
        }
    }
}

fn number_of(endpoint: &str) -> Option<i64> {
    endpoint.strip_prefix(ADDRESS)?.parse().ok()
}

/// The keys of a sandbox browser follow from its number: they protect nothing.
fn secret_key(number: i64) -> Result<SecretKey, DoublesError> {
    let bytes = Sha256::digest(format!("sandbox browser {number}"));
    SecretKey::from_slice(&bytes).map_err(|_| DoublesError::Record("a browser without keys".to_owned()))
}

fn auth(number: i64) -> [u8; 16] {
    let digest = Sha256::digest(format!("sandbox browser's secret {number}"));
    let mut auth = [0; 16];
    auth.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    auth
}
