//! Signed links: what a patient may do by opening one, for how long, and nothing else.
//!
//! A token is base64url of `version, key id, purpose, expiry (minutes since 1970, 0 for none),
//! message id, clinic, tag`, the tag being the first 16 bytes of HMAC-SHA256 over all before it. It
//! holds no personal data and is short enough for a List-Unsubscribe header. Keys are rotated: the
//! present one signs, older ones still verify what they signed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::ids::{ClinicId, MessageId};

use crate::error::CloudError;
use crate::secrets::SecretKey;
use crate::vault::Secrets;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkPurpose {
    /// Pick a slot.
    Book,
    /// Want no more messages. Never expires.
    Unsubscribe,
    /// See, confirm, cancel or move an appointment, and take it into a calendar.
    Appointment,
    /// Say by which channels one is written to.
    Preferences,
    /// Say how the visit was.
    Survey,
    /// A clinic's page on which a person agrees to be written to. It stands on posters and names no
    /// message ([`Link::consent`]). Never expires.
    Consent,
}

impl LinkPurpose {
    /// All purposes.
    pub const ALL: [Self; 6] =
        [Self::Book, Self::Unsubscribe, Self::Appointment, Self::Preferences, Self::Survey, Self::Consent];

    /// How long a link works; nothing when it always does.
    #[must_use]
    pub fn lasts(self) -> Option<TimeDelta> {
        match self {
            Self::Book | Self::Preferences | Self::Survey => Some(BOOK_LASTS),
            Self::Appointment => Some(APPOINTMENT_LASTS),
            Self::Unsubscribe | Self::Consent => None,
        }
    }

    /// Part of every token ever sent: never given to another purpose.
    fn byte(self) -> u8 {
        match self {
            Self::Book => 1,
            Self::Unsubscribe => 2,
            Self::Appointment => 3,
            Self::Preferences => 4,
            Self::Survey => 5,
            Self::Consent => 6,
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

impl Link {
    /// The link of a clinic's own page of consent.
    #[must_use]
    pub fn consent(clinic: ClinicId) -> Self {
        Self { clinic, message: MessageId::NONE, purpose: LinkPurpose::Consent }
    }

    /// The link of the same message for another purpose.
    #[must_use]
    pub fn to(&self, purpose: LinkPurpose) -> Self {
        Self { purpose, ..self.clone() }
    }
}

/// A token that we signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Genuine {
    /// It works.
    Valid(Link),
    /// It worked until some time ago. Only the clinic may be shown for it.
    Expired(Link),
}

/// How long a link to book works, and one to preferences or a survey.
pub const BOOK_LASTS: TimeDelta = TimeDelta::days(30);
/// How long a link to an appointment works.
pub const APPOINTMENT_LASTS: TimeDelta = TimeDelta::days(90);

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;
/// The longest clinic id gives 106 characters; what is longer is not looked at.
const TOKEN_CHARS_MAX: usize = 106;

/// Makes and reads links.
#[derive(Debug, Clone)]
pub struct Links {
    base_url: String,
    key_id: u8,
    key: SecretKey,
    older: BTreeMap<u8, SecretKey>,
}

impl Links {
    /// Links below a base URL such as `https://citas.clinica.example`, signed with a key.
    #[must_use]
    pub fn new(base_url: &str, key_id: u8, key: SecretKey) -> Self {
        Self { base_url: base_url.trim_end_matches('/').to_owned(), key_id, key, older: BTreeMap::new() }
    }

    /// Also reads what an older key signed. The present key keeps its id.
    #[must_use]
    pub fn and_older(mut self, key_id: u8, key: SecretKey) -> Self {
        self.older.insert(key_id, key);
        self
    }

    /// From `PAGES_URL` of the environment and the secret `LINK_KEYS`: one or more of `id:key` with
    /// blanks between, of which the first signs and the others still verify.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names what is missing or wrong, never its value.
    pub fn from_env(secrets: &Secrets) -> Result<Self, CloudError> {
        let base_url = std::env::var("PAGES_URL").map_err(|_| CloudError::Setup("PAGES_URL is not set".to_owned()))?;
        Self::with_keys(&base_url, secrets.need("LINK_KEYS")?)
    }

    fn with_keys(base_url: &str, keys: &str) -> Result<Self, CloudError> {
        let wrong = || CloudError::Setup("the secret LINK_KEYS is not of the form id:key".to_owned());
        let mut keys = keys.split_whitespace().map(|pair| {
            let (id, key) = pair.split_once(':')?;
            Some((id.parse().ok()?, SecretKey::new(key).ok()?))
        });
        let (id, key) = keys.next().flatten().ok_or_else(wrong)?;
        let mut links = Self::new(base_url, id, key);
        for older in keys {
            let (id, key) = older.filter(|(id, _)| links.key(*id).is_none()).ok_or_else(wrong)?;
            links = links.and_older(id, key);
        }
        Ok(links)
    }

    /// The URL of a link.
    #[must_use]
    pub fn url(&self, link: &Link, now: DateTime<Utc>) -> String {
        format!("{}/l/{}", self.base_url, self.token(link, now))
    }

    /// The token of a link: what its URL ends with.
    #[must_use]
    pub fn token(&self, link: &Link, now: DateTime<Utc>) -> String {
        let minutes = |lasts: TimeDelta| u32::try_from((now + lasts).timestamp() / 60).unwrap_or(u32::MAX);
        let expiry: u32 = link.purpose.lasts().map_or(0, minutes);
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
        self.read_any(token, now).filter(|link| link.purpose == purpose)
    }

    /// Reads a token whatever it is for; nothing when it is not ours or expired.
    #[must_use]
    pub fn read_any(&self, token: &str, now: DateTime<Utc>) -> Option<Link> {
        match self.genuine(token, now)? {
            Genuine::Valid(link) => Some(link),
            Genuine::Expired(_) => None,
        }
    }

    /// Reads a token whatever it is for, expired or not; nothing when it is not ours.
    #[must_use]
    pub fn genuine(&self, token: &str, now: DateTime<Utc>) -> Option<Genuine> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
        let (head, rest) = signed.split_at_checked(7)?;
        let [version, key_id, kind, expiry @ ..] = head else { return None };
        // Verified before anything but the name of the key is understood.
        if !self.key(*key_id)?.verify(&[b"link", signed], tag) || *version != VERSION {
            return None;
        }
        let purpose = LinkPurpose::ALL.into_iter().find(|purpose| purpose.byte() == *kind)?;
        let expiry = u32::from_be_bytes(expiry.try_into().ok()?);
        let (message, clinic) = rest.split_at_checked(16)?;
        let message = u128::from_be_bytes(message.try_into().ok()?);
        let link = Link {
            clinic: ClinicId::parse(std::str::from_utf8(clinic).ok()?).ok()?,
            message: MessageId::parse(&format!("{message:032x}"))?,
            purpose,
        };
        let alive = expiry == 0 || now.timestamp() < i64::from(expiry) * 60;
        Some(if alive { Genuine::Valid(link) } else { Genuine::Expired(link) })
    }

    fn key(&self, id: u8) -> Option<&SecretKey> {
        if id == self.key_id { Some(&self.key) } else { self.older.get(&id) }
    }
}

#[cfg(test)]
mod tests;
