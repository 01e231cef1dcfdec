//! WhatsApp through a gateway that the clinic operates itself (a linked device): Evolution API v2 or
//! WAHA, for clinics without the Cloud API.
//!
//! A gateway knows no templates and no buttons: a template goes out as its text, with its options as
//! numbered lines. A message is only handed over when the gateway says that it is linked, since a
//! gateway that is not may answer anything. WhatsApp's rules are the same: only people who agreed.

mod evolution;
mod keys;
mod waha;
mod wire;

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use retorno_domain::clinic::Clinic;
use retorno_domain::lint::OPT_OUT_WORD;
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};
use retorno_domain::sender::{Gateway, GatewayKind};

use super::reply::TEXT_CHARS_MAX;
use super::{Dispatch, Posted, ReplyDispatch, with_numbered_options};
use crate::error::CloudError;
use crate::secrets::Token;

pub use keys::GatewayKeys;
pub use wire::{GatewayCall, GatewayHttp, GatewayMethod, GatewayWire};

/// A client of the clinics' gateways.
#[derive(Debug, Clone)]
pub struct GatewayChannel {
    wire: Arc<dyn GatewayWire>,
    keys: GatewayKeys,
}

/// How a gateway stands towards WhatsApp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayState {
    /// Linked: it can send.
    Connected,
    /// On its way.
    Connecting,
    /// A QR code must be read with the clinic's telephone.
    NeedsQr,
    /// The telephone asks for its passkey, to be confirmed at the gateway.
    NeedsPasskey,
    /// Not linked and not trying: restart it.
    Closed,
    /// The gateway has no such instance.
    Missing,
}

impl GatewayState {
    /// The state's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Connecting => "connecting",
            Self::NeedsQr => "needs_qr",
            Self::NeedsPasskey => "needs_passkey",
            Self::Closed => "closed",
            Self::Missing => "missing",
        }
    }
}

/// The QR code itself.
#[derive(Clone, PartialEq, Eq)]
pub enum LinkPicture {
    /// What the picture says.
    Text(String),
    /// The picture.
    Image {
        /// Its MIME type, as in `image/png`.
        content_type: String,
        /// Its bytes, in base64.
        base64: String,
    },
}

/// What links a telephone; whoever reads it speaks for the clinic, so it is shown to staff only.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode {
    /// The code to be read with the telephone.
    pub picture: LinkPicture,
    /// A code to type in place of it, where the gateway gives one.
    pub pairing_code: Option<String>,
}

impl fmt::Debug for LinkPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkPicture([redacted])")
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode([redacted])")
    }
}

/// Why a gateway could not be managed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// The clinic has no gateway in its settings.
    #[error("the clinic has no gateway")]
    NoGateway,
    /// Nobody gave the sender a key for this clinic's gateway.
    #[error("there is no key for the clinic's gateway")]
    NoKey,
    /// It could not be reached, or its answer did not arrive.
    #[error("the gateway was not reached: {0}")]
    Unreached(&'static str),
    /// It answered with this status.
    #[error("the gateway answered {0}")]
    Status(u16),
    /// Its answer was not of the documented form.
    #[error("the gateway's answer was not understood")]
    Unreadable,
}

/// A clinic's gateway with its key, ready to be called.
pub(super) struct Line<'a> {
    wire: &'a dyn GatewayWire,
    gateway: &'a Gateway,
    key: &'a Token,
}

impl Line<'_> {
    async fn call(&self, call: GatewayCall) -> Posted {
        self.wire.call(self.gateway, self.key, call).await
    }

    async fn state(&self) -> Result<GatewayState, GatewayError> {
        match self.gateway.kind {
            GatewayKind::Evolution => evolution::state(self).await,
            GatewayKind::Waha => waha::state(self).await,
        }
    }
}

/// A text to a person.
pub(super) struct Text<'a> {
    to: &'a str,
    body: &'a str,
    answers: Option<&'a str>,
}

impl GatewayChannel {
    /// Over HTTP, with the keys of the clinics' gateways.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new(keys: GatewayKeys) -> Result<Self, CloudError> {
        Ok(Self::over(Arc::new(GatewayHttp::new()?), keys))
    }

    /// Over any wire.
    #[must_use]
    pub fn over(wire: Arc<dyn GatewayWire>, keys: GatewayKeys) -> Self {
        Self { wire, keys }
    }

    pub(super) async fn send(&self, dispatch: &Dispatch<'_>) -> Outcome {
        let body = gateway_text(dispatch);
        self.text(dispatch.clinic, &Text { to: dispatch.message.to(), body: &body, answers: None }).await
    }

    pub(super) async fn reply(&self, reply: &ReplyDispatch<'_>) -> Outcome {
        let body = reply.plain_text();
        self.text(reply.clinic, &Text { to: reply.to, body: &body, answers: reply.answers }).await
    }

    /// Sends a test message to a number (E.164), to see whether the gateway works.
    pub(super) async fn test(&self, clinic: &Clinic, to: &str, body: &str) -> Outcome {
        self.text(clinic, &Text { to, body, answers: None }).await
    }

    /// How the clinic's gateway stands.
    ///
    /// # Errors
    /// [`GatewayError`] when it cannot be told.
    pub async fn state(&self, clinic: &Clinic) -> Result<GatewayState, GatewayError> {
        self.line(clinic)?.state().await
    }

    /// The code that links the clinic's telephone; none when it is linked already.
    ///
    /// # Errors
    /// [`GatewayError`] when the gateway gives none: it may have to be restarted.
    pub async fn link_code(&self, clinic: &Clinic) -> Result<Option<LinkCode>, GatewayError> {
        let line = self.line(clinic)?;
        match line.gateway.kind {
            GatewayKind::Evolution => evolution::link_code(&line).await,
            GatewayKind::Waha => waha::link_code(&line).await,
        }
    }

    /// Restarts the clinic's instance; its link is kept.
    ///
    /// # Errors
    /// [`GatewayError`] when the gateway does not.
    pub async fn restart(&self, clinic: &Clinic) -> Result<(), GatewayError> {
        let line = self.line(clinic)?;
        let (method, path) = match line.gateway.kind {
            GatewayKind::Evolution => (GatewayMethod::Post, format!("/instance/restart/{}", line.gateway.instance)),
            GatewayKind::Waha => (GatewayMethod::Post, format!("/api/sessions/{}/restart", line.gateway.instance)),
        };
        understood(line.call(GatewayCall::new(method, path, wire::MANAGE_TIMEOUT)).await).map(|_| ())
    }

    /// Unlinks the clinic's telephone.
    ///
    /// # Errors
    /// [`GatewayError`] when the gateway does not.
    pub async fn log_out(&self, clinic: &Clinic) -> Result<(), GatewayError> {
        let line = self.line(clinic)?;
        let (method, path) = match line.gateway.kind {
            GatewayKind::Evolution => (GatewayMethod::Delete, format!("/instance/logout/{}", line.gateway.instance)),
            GatewayKind::Waha => (GatewayMethod::Post, format!("/api/sessions/{}/logout", line.gateway.instance)),
        };
        understood(line.call(GatewayCall::new(method, path, wire::MANAGE_TIMEOUT)).await).map(|_| ())
    }

    fn line<'a>(&'a self, clinic: &'a Clinic) -> Result<Line<'a>, GatewayError> {
        let gateway = clinic.gateway.as_ref().ok_or(GatewayError::NoGateway)?;
        let key = self.keys.find(&clinic.id, &gateway.base_url).ok_or(GatewayError::NoKey)?;
        Ok(Line { wire: &*self.wire, gateway, key })
    }

    async fn text(&self, clinic: &Clinic, text: &Text<'_>) -> Outcome {
        if text.body.trim().is_empty() || text.body.chars().count() > TEXT_CHARS_MAX {
            return Outcome::Refused { code: "content".to_owned(), news: RecipientNews::None };
        }
        let line = match self.line(clinic) {
            Ok(line) => line,
            Err(error) => return not_ready(&error),
        };
        match line.state().await {
            Ok(GatewayState::Connected) => match line.gateway.kind {
                GatewayKind::Evolution => evolution::send(&line, text).await,
                GatewayKind::Waha => waha::send(&line, text).await,
            },
            Ok(state) => halted(format!("gateway_{}", state.code())),
            Err(error) => not_ready(&error),
        }
    }
}

/// The text of a template as a gateway sends it. Its options are numbered unless the text numbers
/// them itself; the word that ends all messages stands in every text and needs no number.
#[must_use]
pub fn gateway_text(dispatch: &Dispatch<'_>) -> String {
    let rendered = dispatch.message.rendered();
    let is_numbered = rendered.text.lines().any(|line| line.trim_start().starts_with("1)"));
    if is_numbered {
        return rendered.text.clone();
    }
    let options = rendered.buttons.iter().map(String::as_str).filter(|label| *label != OPT_OUT_WORD);
    with_numbered_options(&rendered.text, options)
}

/// Nothing goes out by this gateway until a person has looked.
fn halted(code: String) -> Outcome {
    Outcome::NotSent { code, again_in: TimeDelta::minutes(15), breaker: Some(BreakerScope::Channel) }
}

fn soon(code: &str) -> Outcome {
    Outcome::NotSent { code: code.to_owned(), again_in: TimeDelta::minutes(2), breaker: None }
}

/// What a failure before the message was handed over means for it: it was not sent.
fn not_ready(error: &GatewayError) -> Outcome {
    match error {
        GatewayError::NoGateway | GatewayError::NoKey => super::no_provider(),
        GatewayError::Unreached(code) => soon(code),
        GatewayError::Status(429) => soon("http_429"),
        GatewayError::Status(status) if *status >= 500 => soon(&format!("http_{status}")),
        GatewayError::Status(status) => halted(format!("http_{status}")),
        GatewayError::Unreadable => halted("unreadable".to_owned()),
    }
}

/// What a call that was to send means when its answer proves nothing good, or never came.
fn unproven(posted: &Posted) -> Outcome {
    let ambiguous = |code: String| Outcome::Ambiguous { code };
    match posted {
        Posted::NeverConnected => soon("connect"),
        Posted::TimedOut => ambiguous("timeout".to_owned()),
        Posted::Broken => ambiguous("connection".to_owned()),
        Posted::Answered(200..=299, _) => ambiguous("unreadable_2xx".to_owned()),
        Posted::Answered(429, _) => soon("http_429"),
        // The key, the instance: refused before anything was sent.
        Posted::Answered(status @ (401 | 403 | 404), _) => halted(format!("http_{status}")),
        Posted::Answered(status @ 400..=499, _) => {
            Outcome::Refused { code: format!("http_{status}"), news: RecipientNews::None }
        }
        Posted::Answered(status, _) => ambiguous(format!("http_{status}")),
    }
}

/// The body of an answer that went well.
fn understood(posted: Posted) -> Result<Vec<u8>, GatewayError> {
    match posted {
        Posted::Answered(200..=299, body) => Ok(body),
        Posted::Answered(status, _) => Err(GatewayError::Status(status)),
        Posted::NeverConnected => Err(GatewayError::Unreached("connect")),
        Posted::TimedOut => Err(GatewayError::Unreached("timeout")),
        Posted::Broken => Err(GatewayError::Unreached("connection")),
    }
}

#[cfg(test)]
mod tests;
