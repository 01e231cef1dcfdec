//! Who sent a request. Everything here looks at bytes as they came, before anything is read from
//! them, and compares in constant time.

mod gateway;
mod mac;
mod meta;
pub mod sns;

use std::fmt;

use subtle::ConstantTimeEq as _;

pub use gateway::{EvolutionProof, evolution, waha};
pub use meta::{challenge, signed_by_meta};

/// Why a request is not believed. It says nothing of what the request held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unverified {
    /// Nobody is known under this entry, or nothing to verify with.
    #[error("no secret for this entry")]
    NoSecret,
    /// The header that proves the sender is missing.
    #[error("the proof is missing")]
    Missing,
    /// The header is there more than once.
    #[error("more than one proof")]
    Several,
    /// The header is not in the form it must have.
    #[error("the proof is malformed")]
    Malformed,
    /// The proof does not fit the request.
    #[error("the proof does not fit")]
    Mismatch,
    /// The proof is too old, or of the future.
    #[error("the proof is out of its time")]
    OutOfTime,
    /// It comes from, or is for, somebody not on the list.
    #[error("not on the list")]
    NotListed,
}

/// A secret to verify with. No `Display`, a redacting `Debug`.
#[derive(Clone)]
pub struct HookSecret(Vec<u8>);

impl HookSecret {
    /// A secret of these bytes. None for an empty one: with it anybody could sign.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// Whether a text is the secret; constant time for texts of its length.
    fn is(&self, text: &str) -> bool {
        self.0.ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret([redacted])")
    }
}

/// The value of a header that must be there exactly once. Names compare without case.
fn only_header<'a>(headers: &'a [(String, String)], name: &str) -> Result<&'a str, Unverified> {
    let mut values = headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => Err(Unverified::Missing),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Unverified::Several),
    }
}

#[cfg(test)]
mod tests;
