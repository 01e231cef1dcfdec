//! The chain and its digests: pure functions over bytes.
//!
//! `leaf = SHA-256(record)`, `hash = SHA-256(hash before | leaf)`, the record being its JSON with the
//! names in order. A digest holds the leaves of what it seals, the hash before and after, and the hash of
//! the digest before it, signature included; it is signed whole.

use crate::secrets::hex;
use crate::store::AuditRecord;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is signed begins with this, so that a signature is of nothing else.
const SIGNED_AS: &str = "retorno audit digest 1\n";

/// Some of a clinic's records, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// Whose.
    pub clinic: String,
    /// Counted from 1, without gaps.
    pub number: u64,
    /// It covers the instants from here on (milliseconds since 1970) …
    pub from_ms: i64,
    /// … and before here; of late records, the same instant: they are older.
    pub until_ms: i64,
    /// Whether these records appeared under hours that had been sealed before.
    pub late: bool,
    /// The first record's place in the clinic's chain, counted from 1.
    pub first: u64,
    /// The records' hashes, in the order of the chain.
    pub leaves: Vec<String>,
    /// The chain's hash before the first record.
    pub before: String,
    /// The chain's hash after the last.
    pub after: String,
    /// The hash of the digest before, signature included; empty for the first.
    pub previous: String,
    /// The key that signs it: a hash of its public half.
    pub key: String,
    /// Counted from 1: a table that was restored to an instant of before begins another.
    #[serde(default = "first_generation", skip_serializing_if = "is_first_generation")]
    pub generation: u64,
    /// Of the first digest of a later generation: where the one before broke off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Box<Restored>>,
}

/// That the table was restored: it knows nothing of digests that are kept outside. The chain goes on from the
/// last one that it knows; those after it stay as they are, outside, and none takes their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// The number of the last digest that the restored table knew; 0 where it knew none.
    pub resumes: u64,
    /// The number of the former generation's last digest.
    pub last: u64,
    /// Its hash, signature included.
    pub hash: String,
}

/// What digests of before there were generations are of.
const fn first_generation() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
const fn is_first_generation(generation: &u64) -> bool {
    *generation == 1
}

/// A digest and its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDigest {
    /// The digest.
    pub digest: Digest,
    /// ECDSA over P-256 and SHA-256, in base64 of its DER.
    pub signature: String,
}

impl Digest {
    /// The bytes that are signed.
    ///
    /// # Errors
    /// That of the serializer; it has none for these types.
    pub fn signed_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok([SIGNED_AS.as_bytes(), &serde_json::to_vec(self)?].concat())
    }

    /// The place in the chain of the record after its last.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.leaves.len()).unwrap_or(u64::MAX))
    }
}

impl SignedDigest {
    /// What the next digest says of this one.
    ///
    /// # Errors
    /// That of the serializer; it has none for these types.
    pub fn hash(&self) -> Result<String, serde_json::Error> {
        let mut hash = Sha256::new();
        hash.update(self.digest.signed_bytes()?);
        hash.update(self.signature.as_bytes());
        Ok(hex(&hash.finalize()))
    }
}

/// The hash before a clinic's first record.
#[must_use]
pub fn genesis(clinic: &str) -> String {
    hex(&Sha256::digest(format!("retorno audit chain 1\n{clinic}")))
}

/// A record's hash.
///
/// # Errors
/// That of the serializer; it has none for these types.
pub fn leaf(record: &AuditRecord) -> Result<String, serde_json::Error> {
    Ok(hex(&Sha256::digest(serde_json::to_vec(record)?)))
}

/// The chain's hash after these records.
#[must_use]
pub fn chained<'a>(before: &str, leaves: impl IntoIterator<Item = &'a String>) -> String {
    let link = |before: String, leaf: &String| {
        let mut hash = Sha256::new();
        hash.update(before.as_bytes());
        hash.update(leaf.as_bytes());
        hex(&hash.finalize())
    };
    leaves.into_iter().fold(before.to_owned(), link)
}
