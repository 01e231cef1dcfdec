//! Meta: HMAC-SHA256 with the app's secret over the body as sent, and the challenge that proves
//! that an address is ours.

use super::mac::{sha256_fits, unhex};
use super::{HookSecret, Unverified, only_header};

/// The header that carries the signature (Meta, "Webhooks: Getting started").
const SIGNATURE: &str = "X-Hub-Signature-256";
/// Longest challenge that is repeated. Meta's are numbers.
const CHALLENGE_CHARS_MAX: usize = 128;

/// Whether one of the app's secrets (several while one is being replaced) signed these bytes.
///
/// # Errors
/// [`Unverified`]: the header is not there exactly once, not `sha256=` and 64 digits of lower-case
/// hexadecimal, or does not fit.
pub fn signed_by_meta(headers: &[(String, String)], body: &[u8], secrets: &[HookSecret]) -> Result<(), Unverified> {
    let digits = only_header(headers, SIGNATURE)?.strip_prefix("sha256=").ok_or(Unverified::Malformed)?;
    sha256_fits(secrets, body, &unhex(digits)?)
}

/// What to answer to the request by which Meta asks whether the address is ours: the challenge, if
/// the token is one of ours. It is repeated only if it is a plain word, so that nothing that a
/// browser would run can be made to come from our address.
///
/// # Errors
/// [`Unverified`]: a parameter is not there exactly once, the mode is not `subscribe`, the token is
/// not ours, or the challenge is not a word of at most 128 letters, digits, `-` and `_`.
pub fn challenge<'a>(query: &'a [(String, String)], tokens: &[HookSecret]) -> Result<&'a str, Unverified> {
    if tokens.is_empty() {
        return Err(Unverified::NoSecret);
    }
    let token = only(query, "hub.verify_token")?;
    // Each is compared, so that the time does not tell which one fits.
    let fits = tokens.iter().fold(false, |fits, ours| fits | ours.is(token));
    if !fits {
        return Err(Unverified::Mismatch);
    }
    let challenge = only(query, "hub.challenge")?;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let plain = !challenge.is_empty() && challenge.len() <= CHALLENGE_CHARS_MAX && challenge.chars().all(word);
    if only(query, "hub.mode")? == "subscribe" && plain { Ok(challenge) } else { Err(Unverified::Malformed) }
}

/// The value of a query parameter that must be there exactly once; its name has a case.
fn only<'a>(query: &'a [(String, String)], name: &str) -> Result<&'a str, Unverified> {
    let mut values = query.iter().filter(|(found, _)| found == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => Err(Unverified::Missing),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Unverified::Several),
    }
}
