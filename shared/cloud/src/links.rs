//! Signed links: what a patient may do by opening one, for how long, and nothing else.
//!
//! A token is base64url of `version, key id, purpose, expiry (minutes since 1970, 0 for none),
//! message id, clinic, tag`, the tag being the first 16 bytes of HMAC-SHA256 over all before it. It
//! holds no personal data and is short enough for a List-Unsubscribe header.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::ids::{ClinicId, MessageId};

use crate::secrets::SecretKey;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Pick a slot.
    Book,
    /// Want no more messages. Never expires.
    Unsubscribe,
}

impl LinkPurpose {
    const ALL: [Self; 2] = [Self::Book, Self::Unsubscribe];

    fn byte(self) -> u8 {
        match self {
            Self::Book => 1,
            Self::Unsubscribe => 2,
        }
    }
}

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose patients.
    pub clinic: ClinicId,
    /// The message the link stood in.
    pub message: MessageId,
    /// What it is for.
    pub purpose: LinkPurpose,
}

/// How long a link to book works.
pub const BOOK_LASTS: TimeDelta = TimeDelta::days(30);

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;

/// Makes and reads links.
#[derive(Debug, Clone)]
pub struct Links {
    base_url: String,
    key_id: u8,
    key: SecretKey,
}

impl Links {
    /// Links below a base URL such as `https://citas.clinica.example`, signed with a key.
    #[must_use]
    pub fn new(base_url: &str, key_id: u8, key: SecretKey) -> Self {
        Self { base_url: base_url.trim_end_matches('/').to_owned(), key_id, key }
    }

    /// The URL of a link.
    #[must_use]
    pub fn url(&self, link: &Link, now: DateTime<Utc>) -> String {
        format!("{}/l/{}", self.base_url, self.token(link, now))
    }

    fn token(&self, link: &Link, now: DateTime<Utc>) -> String {
        let expiry = match link.purpose {
            LinkPurpose::Book => u32::try_from((now + BOOK_LASTS).timestamp() / 60).unwrap_or(u32::MAX),
            LinkPurpose::Unsubscribe => 0,
        };
        let mut bytes = vec![VERSION, self.key_id, link.purpose.byte()];
        bytes.extend(expiry.to_be_bytes());
        bytes.extend(link.message.as_u128().to_be_bytes());
        bytes.extend(link.clinic.as_str().as_bytes());
        let tag = self.key.mac(&[b"link", &bytes]);
        bytes.extend(tag.iter().take(TAG_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; nothing when it is not ours, for another purpose, or expired.
    #[must_use]
    pub fn read(&self, token: &str, purpose: LinkPurpose, now: DateTime<Utc>) -> Option<Link> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
        // Verified before anything is understood.
        if !self.key.verify(&[b"link", signed], tag) {
            return None;
        }
        let (head, rest) = signed.split_at_checked(7)?;
        let [version, key_id, kind, expiry @ ..] = head else { return None };
        let found = LinkPurpose::ALL.into_iter().find(|purpose| purpose.byte() == *kind)?;
        let expiry = u32::from_be_bytes(expiry.try_into().ok()?);
        let alive = expiry == 0 || now.timestamp() < i64::from(expiry) * 60;
        if *version != VERSION || *key_id != self.key_id || found != purpose || !alive {
            return None;
        }
        let (message, clinic) = rest.split_at_checked(16)?;
        let message = u128::from_be_bytes(message.try_into().ok()?);
        Some(Link {
            clinic: ClinicId::parse(std::str::from_utf8(clinic).ok()?).ok()?,
            message: MessageId::parse(&format!("{message:032x}"))?,
            purpose,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn links() -> Links {
        Links::new("https://x.example/", 1, SecretKey::new("0123456789abcdef0123456789abcdef").unwrap())
    }
    fn link(purpose: LinkPurpose) -> Link {
        let message = MessageId::parse("00112233445566778899aabbccddeeff").unwrap();
        Link { clinic: ClinicId::parse("aurora").unwrap(), message, purpose }
    }
    fn token(purpose: LinkPurpose, now: DateTime<Utc>) -> String {
        links().url(&link(purpose), now).strip_prefix("https://x.example/l/").unwrap().to_owned()
    }

    #[test]
    fn a_link_says_what_it_was_made_for_and_nothing_else() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let book = token(LinkPurpose::Book, now);
        assert_eq!(links().read(&book, LinkPurpose::Book, now), Some(link(LinkPurpose::Book)));
        assert_eq!(links().read(&book, LinkPurpose::Unsubscribe, now), None);
        assert_eq!(links().read(&book, LinkPurpose::Book, now + BOOK_LASTS), None);
        let out = token(LinkPurpose::Unsubscribe, now);
        assert!(links().read(&out, LinkPurpose::Unsubscribe, now + TimeDelta::days(9_999)).is_some());
        assert!(out.len() < 120);
    }

    #[test]
    fn no_changed_bit_is_accepted() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let bytes = URL_SAFE_NO_PAD.decode(token(LinkPurpose::Book, now)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(links().read(&URL_SAFE_NO_PAD.encode(forged), LinkPurpose::Book, now), None, "bit {bit}");
        }
    }
}
