//! VAPID (RFC 8292): the deployment's key, by which a push service knows who asks.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use web_push_native::p256::ecdsa::signature::Signer as _;
use web_push_native::p256::ecdsa::{Signature, SigningKey};

use crate::error::CloudError;

/// How long a token is good; services refuse more than 24 hours.
const TOKEN_LASTS: TimeDelta = TimeDelta::hours(12);

/// The key that signs, and whom a service may write to about it.
#[derive(Clone)]
pub struct VapidKey {
    key: SigningKey,
    public: String,
    contact: String,
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl VapidKey {
    /// A private key (32 bytes on P-256, in base64url) and a contact, `mailto:…` or `https://…`.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when either is none; the key is not repeated.
    pub fn new(private: &str, contact: &str) -> Result<Self, CloudError> {
        let setup = |what: &str| CloudError::Setup(what.to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(private.trim_end_matches('='));
        let bytes = bytes.map_err(|_| setup("the VAPID key is not base64url"))?;
        let key = SigningKey::from_slice(&bytes).map_err(|_| setup("the VAPID key is not a key on P-256"))?;
        let is_contact = ["mailto:", "https://"].iter().any(|scheme| contact.starts_with(scheme));
        if !is_contact || contact.contains(char::is_whitespace) {
            return Err(setup("the VAPID contact is neither mailto: nor https:"));
        }
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().to_encoded_point(false).as_bytes());
        Ok(Self { key, public, contact: contact.to_owned() })
    }

    /// Its public half, as browsers take it: a point on P-256, uncompressed, in base64 for URLs.
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The header for a service: a token for it alone, and the key to check it with.
    pub(super) fn authorization(&self, origin: &str, now: DateTime<Utc>) -> Option<String> {
        let expiry = now.checked_add_signed(TOKEN_LASTS)?.timestamp();
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({"typ": "JWT", "alg": "ES256"}));
        let claims = part(json!({"aud": origin, "exp": expiry, "sub": self.contact}));
        let signed = format!("{header}.{claims}");
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        Some(format!("vapid t={signed}.{signature}, k={}", self.public))
    }
}
