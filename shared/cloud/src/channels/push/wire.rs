//! The wire to the push services: one POST, made once.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::error::CloudError;

const TIMEOUT: Duration = Duration::from_secs(8);

/// A request to a push service (RFC 8030, section 5).
#[derive(Clone, PartialEq, Eq)]
pub struct PushRequest {
    /// The subscription's endpoint.
    pub url: String,
    /// The value of `Authorization`.
    pub authorization: String,
    /// `TTL`.
    pub ttl_seconds: u32,
    /// `Urgency`.
    pub urgency: &'static str,
    /// `Topic`.
    pub topic: Option<String>,
    /// The encrypted payload (`aes128gcm`).
    pub body: Vec<u8>,
}

impl fmt::Debug for PushRequest {
    /// Without the address and the token: who has them can disturb the browser's owner.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushRequest")
            .field("urgency", &self.urgency)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What came back, or why nothing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushPosted {
    /// An answer.
    Answered {
        /// Its HTTP status.
        status: u16,
        /// Its header `Retry-After`.
        retry_after: Option<String>,
    },
    /// The connection was never made.
    NeverConnected,
    /// No answer in time.
    TimedOut,
    /// The connection broke.
    Broken,
}

/// What carries requests to push services. Over HTTPS in production; a simulation answers them itself.
pub trait PushWire: fmt::Debug + Send + Sync {
    /// Posts a request, once.
    fn post(&self, request: PushRequest) -> Pin<Box<dyn Future<Output = PushPosted> + Send + '_>>;
}

/// HTTPS without retries, redirects (they would lead past the list of known services) or proxies.
#[derive(Debug)]
pub struct PushHttp {
    http: reqwest::Client,
}

impl PushHttp {
    /// A client.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new() -> Result<Self, CloudError> {
        let http = crate::channels::http::client("web push")?;
        Ok(Self { http })
    }
}

impl PushWire for PushHttp {
    fn post(&self, request: PushRequest) -> Pin<Box<dyn Future<Output = PushPosted> + Send + '_>> {
        let mut post = self
            .http
            .post(request.url)
            .timeout(TIMEOUT)
            .header(reqwest::header::AUTHORIZATION, request.authorization)
            .header(reqwest::header::CONTENT_ENCODING, "aes128gcm")
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .header("TTL", request.ttl_seconds)
            .header("Urgency", request.urgency);
        if let Some(topic) = request.topic {
            post = post.header("Topic", topic);
        }
        let post = post.body(request.body);
        Box::pin(async move {
            match post.send().await {
                Ok(response) => {
                    let retry_after = response.headers().get(reqwest::header::RETRY_AFTER);
                    let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
                    PushPosted::Answered { status: response.status().as_u16(), retry_after }
                }
                Err(e) if e.is_connect() || e.is_builder() => PushPosted::NeverConnected,
                Err(e) if e.is_timeout() => PushPosted::TimedOut,
                Err(_) => PushPosted::Broken,
            }
        })
    }
}
