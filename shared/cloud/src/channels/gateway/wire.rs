//! The wire to a gateway: one call, made once, within a bounded time and size.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use retorno_domain::sender::{Gateway, GatewayKind};
use serde_json::Value;

use crate::channels::Posted;
use crate::error::CloudError;
use crate::secrets::Token;

/// Asking something on the way to sending: all such calls and the sending itself end within 8
/// seconds, as the other channels do.
pub(super) const ASK_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Handing over the message.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_millis(3_500);
/// Managing, with nobody's claim running.
pub(super) const MANAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// The methods that gateways are called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayMethod {
    /// Reads.
    Get,
    /// Does.
    Post,
    /// Ends.
    Delete,
}

/// One call below a gateway's base URL.
#[derive(Clone, PartialEq)]
pub struct GatewayCall {
    /// The method.
    pub method: GatewayMethod,
    /// The path, with its slash.
    pub path: String,
    /// Pairs of the query, to be escaped.
    pub query: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Option<Value>,
    /// The answer must have arrived within this time.
    pub timeout: Duration,
}

impl fmt::Debug for GatewayCall {
    /// Without query and body: they hold numbers and texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayCall").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

impl GatewayCall {
    pub(super) fn new(method: GatewayMethod, path: String, timeout: Duration) -> Self {
        Self { method, path, query: Vec::new(), body: None, timeout }
    }
}

/// What carries calls to gateways. Over HTTP in production; a simulation answers them itself.
pub trait GatewayWire: fmt::Debug + Send + Sync {
    /// Makes a call, once, with the gateway's key.
    fn call<'a>(
        &'a self,
        gateway: &'a Gateway,
        key: &'a Token,
        call: GatewayCall,
    ) -> Pin<Box<dyn Future<Output = Posted> + Send + 'a>>;
}

/// HTTP without retries, redirects or proxies: a redirect would carry the key elsewhere.
#[derive(Debug)]
pub struct GatewayHttp {
    http: reqwest::Client,
}

impl GatewayHttp {
    /// A client.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new() -> Result<Self, CloudError> {
        let http = crate::channels::http::client("gateways")?;
        Ok(Self { http })
    }
}

impl GatewayWire for GatewayHttp {
    fn call<'a>(
        &'a self,
        gateway: &'a Gateway,
        key: &'a Token,
        call: GatewayCall,
    ) -> Pin<Box<dyn Future<Output = Posted> + Send + 'a>> {
        let method = match call.method {
            GatewayMethod::Get => reqwest::Method::GET,
            GatewayMethod::Post => reqwest::Method::POST,
            GatewayMethod::Delete => reqwest::Method::DELETE,
        };
        let key_header = match gateway.kind {
            GatewayKind::Evolution => "apikey",
            GatewayKind::Waha => "X-Api-Key",
        };
        let mut request = self
            .http
            .request(method, format!("{}{}", gateway.base_url, call.path))
            .timeout(call.timeout)
            .header(key_header, key.expose())
            .header(reqwest::header::ACCEPT, "application/json");
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        Box::pin(crate::channels::http::posted(request))
    }
}
