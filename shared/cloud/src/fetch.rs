//! Small public documents over HTTPS: the certificates with which AWS signs, the addresses by which
//! a subscription is confirmed. Whoever asks has checked where the address leads.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::CloudError;

const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest document taken, in bytes; a certificate has two thousand.
const BYTES_MAX: usize = 64 << 10;
/// Documents kept; there are a handful of certificates in a year.
const KEPT_MAX: usize = 16;

/// Fetches, and keeps what was fetched.
#[derive(Debug)]
pub struct Fetcher {
    http: reqwest::Client,
    kept: Mutex<HashMap<String, Vec<u8>>>,
}

impl Fetcher {
    /// Without redirects: the address was checked, another was not.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new() -> Result<Self, CloudError> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_| CloudError::Setup("the HTTP client for certificates".to_owned()))?;
        Ok(Self { http, kept: Mutex::default() })
    }

    /// The document at an address; the one kept, if it was fetched before.
    pub async fn document(&self, url: &str) -> Option<Vec<u8>> {
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(url) {
            return Some(kept.clone());
        }
        let fetched = self.fetch(url).await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(url.to_owned(), fetched.clone());
        Some(fetched)
    }

    /// Opens an address once; says whether it answered well.
    pub async fn open(&self, url: &str) -> bool {
        self.fetch(url).await.is_some()
    }

    async fn fetch(&self, url: &str) -> Option<Vec<u8>> {
        let mut answer = self.http.get(url).send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            if bytes.len() + chunk.len() > BYTES_MAX {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        Some(bytes)
    }
}
