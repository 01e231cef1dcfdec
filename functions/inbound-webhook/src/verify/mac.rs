//! Keyed digests over raw bytes.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha512};

use super::{HookSecret, Unverified};

/// Whether one of the secrets made this HMAC-SHA256; constant time.
pub(super) fn sha256_fits(secrets: &[HookSecret], bytes: &[u8], tag: &[u8; 32]) -> Result<(), Unverified> {
    fits::<Hmac<Sha256>>(secrets, bytes, tag)
}

/// Whether one of the secrets made this HMAC-SHA512; constant time.
pub(super) fn sha512_fits(secrets: &[HookSecret], bytes: &[u8], tag: &[u8; 64]) -> Result<(), Unverified> {
    fits::<Hmac<Sha512>>(secrets, bytes, tag)
}

fn fits<M: Mac + KeyInit>(secrets: &[HookSecret], bytes: &[u8], tag: &[u8]) -> Result<(), Unverified> {
    if secrets.is_empty() {
        return Err(Unverified::NoSecret);
    }
    let made = |secret: &HookSecret| {
        // HMAC takes keys of any length; if one were refused, nothing would fit it.
        <M as KeyInit>::new_from_slice(&secret.0).is_ok_and(|mut mac| {
            mac.update(bytes);
            mac.verify_slice(tag).is_ok()
        })
    };
    if secrets.iter().any(made) { Ok(()) } else { Err(Unverified::Mismatch) }
}

/// Bytes of exactly twice as many hexadecimal digits, in lower case only: a tag has one spelling.
pub(super) fn unhex<const BYTES: usize>(text: &str) -> Result<[u8; BYTES], Unverified> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != BYTES || !rest.is_empty() {
        return Err(Unverified::Malformed);
    }
    let mut bytes = [0; BYTES];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(bytes)
}

fn digit(character: u8) -> Result<u8, Unverified> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(Unverified::Malformed),
    }
}
