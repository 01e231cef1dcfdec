//! Keys and tokens. They have no Display, a redacting Debug, and never leave the process.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::CloudError;

/// A secret key for HMAC-SHA256.
#[derive(Clone)]
pub struct SecretKey(Vec<u8>);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey([redacted])")
    }
}

/// The shortest key accepted, in bytes.
pub const KEY_BYTES_MIN: usize = 32;

impl SecretKey {
    /// A key of these bytes.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when it has fewer than [`KEY_BYTES_MIN`] bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, CloudError> {
        let bytes = bytes.into();
        if bytes.len() < KEY_BYTES_MIN {
            return Err(CloudError::Setup(format!("a secret key needs at least {KEY_BYTES_MIN} bytes")));
        }
        Ok(Self(bytes))
    }

    /// HMAC-SHA256 over parts, each preceded by its length, so that no two lists of parts collide.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.keyed(parts).finalize().into_bytes().into()
    }

    /// Whether a tag (possibly shortened to at least 10 bytes) is that of the parts; constant time.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() >= 10 && self.keyed(parts).verify_truncated_left(tag).is_ok()
    }

    fn keyed(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // HMAC takes keys of any length; the fallback cannot be reached and is keyed all the same.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| Hmac::new(&Default::default()));
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

/// A token that a provider gave us.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

impl Token {
    /// Wraps a token.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_short_key_is_refused_and_none_is_shown() {
        assert!(SecretKey::new("short").is_err());
        let key = SecretKey::new("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(format!("{key:?} {:?}", Token::new("abc")), "SecretKey([redacted]) Token([redacted])");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = SecretKey::new("0123456789abcdef0123456789abcdef").unwrap();
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        let tag = key.mac(&[b"ab"]);
        assert!(key.verify(&[b"ab"], &tag) && key.verify(&[b"ab"], &tag[..10]));
        assert!(!key.verify(&[b"ac"], &tag) && !key.verify(&[b"ab"], &tag[..9]));
    }
}
