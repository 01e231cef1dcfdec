//! The gateways: WAHA signs; Evolution repeats a token of ours, or shows a short-lived JWT.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::mac::{sha256_fits, sha512_fits, unhex};
use super::{HookSecret, Unverified, only_header};

/// WAHA's header with the HMAC, and the one that names its algorithm.
const WAHA_MAC: &str = "X-Webhook-Hmac";
const WAHA_ALGORITHM: &str = "X-Webhook-Hmac-Algorithm";
/// The header of ours that an Evolution instance is set up to send.
pub(crate) const EVOLUTION_TOKEN: &str = "X-Retorno-Hook-Token";
/// How long Evolution's tokens live (its source: `expiresIn` of ten minutes).
const JWT_LIFE: TimeDelta = TimeDelta::minutes(10);
/// How far two clocks may differ.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Longest bearer token looked at.
const JWT_BYTES_MAX: usize = 4096;

/// Whether one of the session's keys made the HMAC-SHA512 of these bytes.
///
/// # Errors
/// [`Unverified`]: the header is not there exactly once, not 128 digits of lower-case hexadecimal,
/// another algorithm is named, or the MAC does not fit.
pub fn waha(headers: &[(String, String)], body: &[u8], keys: &[HookSecret]) -> Result<(), Unverified> {
    match only_header(headers, WAHA_ALGORITHM) {
        Ok("sha512") | Err(Unverified::Missing) => {}
        Ok(_) => return Err(Unverified::Malformed),
        Err(other) => return Err(other),
    }
    sha512_fits(keys, body, &unhex(only_header(headers, WAHA_MAC)?)?)
}

/// How an Evolution instance proves itself. Neither way covers the body: it rests on TLS.
#[derive(Debug, Clone)]
pub enum EvolutionProof {
    /// It sends a token of ours in `X-Retorno-Hook-Token`; several while one is being replaced.
    Token(Vec<HookSecret>),
    /// It makes a JWT (HS256) with the `jwt_key` that we gave it.
    Jwt(Vec<HookSecret>),
}

/// Whether an Evolution instance is who it says.
///
/// # Errors
/// [`Unverified`]: the header is not there exactly once, does not fit, or is out of its time.
pub fn evolution(headers: &[(String, String)], proof: &EvolutionProof, now: DateTime<Utc>) -> Result<(), Unverified> {
    match proof {
        EvolutionProof::Token(tokens) => {
            if tokens.is_empty() {
                return Err(Unverified::NoSecret);
            }
            let token = only_header(headers, EVOLUTION_TOKEN)?;
            let fits = tokens.iter().fold(false, |fits, ours| fits | ours.is(token));
            if fits { Ok(()) } else { Err(Unverified::Mismatch) }
        }
        EvolutionProof::Jwt(keys) => {
            let header = only_header(headers, "Authorization")?;
            jwt(header.strip_prefix("Bearer ").ok_or(Unverified::Malformed)?, keys, now)
        }
    }
}

#[derive(Deserialize)]
struct JwtHeader {
    alg: String,
    /// A token that demands something is not understood (RFC 7515 §4.1.11).
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct JwtClaims {
    iat: i64,
    exp: i64,
}

/// HS256 and nothing else: the signature is always computed with it, whatever the header says, and
/// a header that says something else is refused.
fn jwt(token: &str, keys: &[HookSecret], now: DateTime<Utc>) -> Result<(), Unverified> {
    if token.len() > JWT_BYTES_MAX {
        return Err(Unverified::Malformed);
    }
    let (signed, tag) = token.rsplit_once('.').ok_or(Unverified::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Unverified::Malformed)?;
    let tag: [u8; 32] = decode(tag)?.try_into().map_err(|_| Unverified::Malformed)?;
    sha256_fits(keys, signed.as_bytes(), &tag)?;
    let header: JwtHeader = serde_json::from_slice(&decode(header)?).map_err(|_| Unverified::Malformed)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(Unverified::Malformed);
    }
    let claims: JwtClaims = serde_json::from_slice(&decode(claims)?).map_err(|_| Unverified::Malformed)?;
    let instant = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(Unverified::Malformed);
    let (made, ends) = (instant(claims.iat)?, instant(claims.exp)?);
    let in_time = made <= now + SKEW && now - SKEW < ends && ends - made <= JWT_LIFE && ends > made;
    if in_time { Ok(()) } else { Err(Unverified::OutOfTime) }
}

fn decode(part: &str) -> Result<Vec<u8>, Unverified> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Unverified::Malformed)
}
