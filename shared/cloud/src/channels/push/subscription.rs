//! What a browser gives when it subscribes. Its endpoint is an address that a stranger could have
//! chosen, so only those of the browsers' own push services are called.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};
use web_push_native::{Auth, encrypt, p256};

/// Services named whole.
const HOSTS: [&str; 2] = ["fcm.googleapis.com", "updates.push.services.mozilla.com"];
/// Services of which each browser gets a host of its own.
const HOST_ENDINGS: [&str; 2] = [".notify.windows.com", ".push.apple.com"];
const ENDPOINT_CHARS_MAX: usize = 2_048;
/// Browsers leave the padding away; some libraries do not.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a subscription cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// Not of the form that browsers give.
    #[error("the subscription is not of the documented form")]
    Form,
    /// Its endpoint is not at a push service that is known.
    #[error("the subscription's endpoint is not at a known push service")]
    Endpoint,
    /// A key that is none.
    #[error("the subscription's keys are not keys")]
    Keys,
}

/// A browser's subscription. Whoever holds it can disturb its owner, so Debug shows the service only.
#[derive(Clone)]
pub struct PushSubscription {
    endpoint: Url,
    public: p256::PublicKey,
    auth: [u8; 16],
}

#[derive(Deserialize)]
struct Form {
    endpoint: String,
    keys: FormKeys,
}

#[derive(Deserialize)]
struct FormKeys {
    p256dh: String,
    auth: String,
}

impl PushSubscription {
    /// Reads `PushSubscription.toJSON()`: `{"endpoint": …, "keys": {"p256dh": …, "auth": …}}`.
    ///
    /// # Errors
    /// [`SubscriptionError`] says what cannot be used; nothing of it is repeated.
    pub fn from_json(text: &str) -> Result<Self, SubscriptionError> {
        let form: Form = serde_json::from_str(text).map_err(|_| SubscriptionError::Form)?;
        Self::new(&form.endpoint, &form.keys.p256dh, &form.keys.auth)
    }

    /// Of an endpoint and the browser's keys in base64url.
    ///
    /// # Errors
    /// [`SubscriptionError`] says which cannot be used.
    pub fn new(endpoint: &str, p256dh: &str, auth: &str) -> Result<Self, SubscriptionError> {
        let key = |text: &str| BASE64URL.decode(text).map_err(|_| SubscriptionError::Keys);
        Ok(Self {
            endpoint: allowed(endpoint).ok_or(SubscriptionError::Endpoint)?,
            public: p256::PublicKey::from_sec1_bytes(&key(p256dh)?).map_err(|_| SubscriptionError::Keys)?,
            auth: key(auth)?.try_into().map_err(|_| SubscriptionError::Keys)?,
        })
    }

    /// The same form as [`Self::from_json`] reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (p256dh, auth) = self.keys();
        let keys = json!({ "p256dh": p256dh, "auth": auth });
        json!({"endpoint": self.endpoint.as_str(), "keys": keys}).to_string()
    }

    /// Its public key and its secret, in base64url.
    #[must_use]
    pub fn keys(&self) -> (String, String) {
        (BASE64URL.encode(self.public.to_sec1_bytes()), BASE64URL.encode(self.auth))
    }

    /// The address it is reached at.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    /// The service, as VAPID names it: scheme and host.
    pub(super) fn origin(&self) -> String {
        self.endpoint.origin().ascii_serialization()
    }

    /// A payload that only this browser can read; a fresh key and salt each time.
    pub(super) fn encrypt(&self, payload: &[u8]) -> Option<Vec<u8>> {
        encrypt(payload.to_vec(), &self.public, &Auth::from(self.auth)).ok()
    }
}

impl fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushSubscription").field("service", &self.origin()).finish_non_exhaustive()
    }
}

/// The endpoint, if it is at a known service: https, its usual port, no user.
fn allowed(endpoint: &str) -> Option<Url> {
    if endpoint.len() > ENDPOINT_CHARS_MAX {
        return None;
    }
    let url = Url::parse(endpoint).ok()?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let is_known = HOSTS.contains(&host) || HOST_ENDINGS.iter().any(|ending| host.ends_with(ending));
    let is_plain =
        url.scheme() == "https" && url.port().is_none() && url.username().is_empty() && url.password().is_none();
    (is_known && is_plain).then_some(url)
}
