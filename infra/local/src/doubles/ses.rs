//! SES v2 `SendEmail`: the REST protocol on one side, a mailbox to look into on the other.

mod requests;
#[cfg(test)]
mod tests;

use std::fmt;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use chrono::{DateTime, Utc};
use rusqlite::params;
use serde_json::Value;

use super::wire::{Refusal, Service, in_process};
use super::{Doubles, DoublesError, Provider, id_of, instant, record, stored};
use requests::SendEmail;

/// The mail. Clones share it.
#[derive(Debug, Clone)]
pub struct Ses {
    doubles: Doubles,
}

/// A mail that was accepted. Its Debug shows no addresses and no content.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// The id the sender was given.
    pub message_id: String,
    /// The sender, as given: an address with or without a name.
    pub from: String,
    /// The `To` addresses.
    pub to: Vec<String>,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The plain text body.
    pub text: Option<String>,
    /// The HTML body.
    pub html: Option<String>,
    /// Additional headers, in order: name and value.
    pub headers: Vec<(String, String)>,
    /// Files that go with it, in order: name and content.
    pub attachments: Vec<(String, Vec<u8>)>,
    /// Message tags, in order: name and value.
    pub tags: Vec<(String, String)>,
    /// The configuration set.
    pub configuration_set: Option<String>,
}

impl Ses {
    pub(super) fn new(doubles: Doubles) -> Self {
        Self { doubles }
    }

    /// The HTTP client for an SES v2 client: `SendEmail` with simple content.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        in_process(self.clone())
    }

    /// A client configuration over [`Ses::http_client`]: nothing signed, no retries.
    #[must_use]
    pub fn sdk_config(&self) -> aws_sdk_sesv2::config::Builder {
        aws_sdk_sesv2::Config::builder()
            .behavior_version_latest()
            .http_client(self.http_client())
            .region(aws_sdk_sesv2::config::Region::from_static("us-east-1"))
            .allow_no_auth()
            .endpoint_url("http://email.local")
            .retry_config(aws_sdk_sesv2::config::retry::RetryConfig::disabled())
            .timeout_config(aws_sdk_sesv2::config::timeout::TimeoutConfig::disabled())
            .identity_cache(aws_sdk_sesv2::config::IdentityCache::no_cache())
            .stalled_stream_protection(aws_sdk_sesv2::config::StalledStreamProtectionConfig::disabled())
    }

    /// A page of mails, the newest first.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn mails(&self, limit: usize, offset: usize) -> Result<Vec<Mail>, DoublesError> {
        self.select("ORDER BY number DESC LIMIT ?1 OFFSET ?2", page(limit, offset))
    }

    /// Mails with a tag of that name and value, in the order of acceptance.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn mails_tagged(&self, name: &str, value: &str) -> Result<Vec<Mail>, DoublesError> {
        let tag = "SELECT 1 FROM json_each(request, '$.EmailTags') WHERE \
                   json_extract(value, '$.Name') = ?1 AND json_extract(value, '$.Value') = ?2";
        self.select(&format!("WHERE EXISTS ({tag}) ORDER BY number"), [name, value])
    }

    /// All mails, in the order of acceptance.
    ///
    /// # Errors
    /// [`DoublesError`] when the database fails.
    pub fn all_mails(&self) -> Result<Vec<Mail>, DoublesError> {
        self.select("ORDER BY number LIMIT ?1 OFFSET ?2", page(usize::MAX, 0))
    }

    fn select(&self, which: &str, parameters: impl rusqlite::Params) -> Result<Vec<Mail>, DoublesError> {
        let sql = format!("SELECT number, at, request FROM mails {which}");
        self.doubles.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(parameters)?;
            let mut mails = Vec::new();
            while let Some(row) = rows.next()? {
                let request: String = row.get(2)?;
                mails.push(record::<SendEmail>(&request)?.into_mail(row.get(0)?, instant(row.get(1)?)?));
            }
            Ok(mails)
        })
    }

    fn accept(&self, email: &SendEmail) -> Result<String, DoublesError> {
        let at = stored(self.doubles.now());
        let request = serde_json::to_string(email).map_err(|error| DoublesError::Record(error.to_string()))?;
        let number = self.doubles.write(|tx| {
            let sql = "INSERT INTO mails (at, request) VALUES (?1, ?2)";
            tx.prepare_cached(sql)?.execute(params![at, request])?;
            Ok(tx.last_insert_rowid())
        })?;
        Ok(message_id(number))
    }
}

impl Service for Ses {
    const PROVIDER: Provider = Provider::Ses;
    const THROTTLED: &'static str = "TooManyRequestsException";

    fn doubles(&self) -> &Doubles {
        &self.doubles
    }

    fn handle(&self, request: &HttpRequest) -> Result<Value, Refusal> {
        requests::handle(self, request)
    }
}

fn page(limit: usize, offset: usize) -> [i64; 2] {
    [limit, offset].map(|n| i64::try_from(n).unwrap_or(i64::MAX))
}

fn message_id(number: i64) -> String {
    format!("{}-000000", id_of("ses", number))
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("at", &self.at)
            .field("message_id", &self.message_id)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}
