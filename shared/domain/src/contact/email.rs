//! E-mail addresses as people write them.

use std::fmt;

use email_address::Options;
use serde::{Deserialize, Serialize};

/// The longest address that fits a mail transaction, in octets (RFC 5321, 4.5.3.1.3, less the
/// angle brackets).
const OCTETS_MAX: usize = 254;

/// An address a message can be sent to, in lower case.
///
/// ASCII only: the mail service takes no other local part, and an accent in a patient's address is
/// nearly always a slip of the pen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Why a text cannot be used as an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UnusableEmail {
    /// Nothing there, or only punctuation.
    #[error("no e-mail address")]
    Missing,
    /// Not the form of an address on a public domain.
    #[error("not an e-mail address")]
    Malformed,
}

impl UnusableEmail {
    /// Its name in records and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        [Self::Missing, Self::Malformed].into_iter().find(|why| why.code() == code)
    }
}

impl EmailAddress {
    /// Reads an address: white space around it is taken off, capitals become small.
    ///
    /// # Errors
    /// [`UnusableEmail`]: nothing there; or not exactly one `@` between an unquoted local part and
    /// a domain name with a dot and letters at its end, all of printable ASCII and at most 254
    /// octets.
    pub fn parse(raw: &str) -> Result<Self, UnusableEmail> {
        let text = raw.trim();
        if !text.chars().any(|character| character.is_alphanumeric() || character == '@') {
            return Err(UnusableEmail::Missing);
        }
        let address = text.to_ascii_lowercase();
        if is_public(&address) { Ok(Self(address)) } else { Err(UnusableEmail::Malformed) }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Stricter than the standard, which also knows quoted local parts, comments, hosts without a
/// dot and bare network addresses: none of them is a patient's.
fn is_public(address: &str) -> bool {
    let Some((_, domain)) = address.split_once('@') else {
        return false;
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    address.len() <= OCTETS_MAX
        && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
        && !domain.contains('@')
        && last.len() >= 2
        && last.starts_with(|first: char| first.is_ascii_lowercase())
        && email_address::EmailAddress::parse_with_options(address, options).is_ok()
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(redacted)")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = UnusableEmail;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::{EmailAddress, UnusableEmail};

    #[test]
    fn an_address_is_trimmed_and_small() {
        for (raw, address) in [
            ("ana@example.com", "ana@example.com"),
            ("  Ana.Souza@Example.COM \r\n", "ana.souza@example.com"),
            ("o'higgins+turnos@correo.example.cl", "o'higgins+turnos@correo.example.cl"),
            ("a@b.co", "a@b.co"),
            ("ana@xn--cin-0ma.example.org", "ana@xn--cin-0ma.example.org"),
            ("ana_2@sub-dominio.example.com.br", "ana_2@sub-dominio.example.com.br"),
        ] {
            assert_eq!(EmailAddress::parse(raw).unwrap().as_str(), address);
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for raw in ["", " ", "-", "--", "\u{a0}", "."] {
            assert_eq!(EmailAddress::parse(raw), Err(UnusableEmail::Missing), "{raw:?}");
        }
        let long = format!("{}@{}.example.com", "a".repeat(64), "b".repeat(63).repeat(3));
        for raw in [
            "no tiene",
            "nao tem",
            "@",
            "ana",
            "ana@",
            "@example.com",
            "ana@example",
            "ana@localhost",
            "ana@@example.com",
            "ana@example.com@example.com",
            "ana souza@example.com",
            "ana@exam ple.com",
            "ana@example..com",
            ".ana@example.com",
            "ana.@example.com",
            "ana..s@example.com",
            "ana@.example.com",
            "ana@example.com.",
            "ana@-example.com",
            "ana@example.c",
            "ana@10.0.0.1",
            "ana@[10.0.0.1]",
            "Ana <ana@example.com>",
            "\"ana souza\"@example.com",
            "\"ana\"@example.com",
            "ana@example.com, eva@example.com",
            "ana@example.com;eva@example.com",
            "ana@example.com\r\nBcc: eva@example.com",
            "ana\u{0}@example.com",
            "joão@example.com",
            "ana@clínica.example.com",
            "ａna@example.com",
            &long,
        ] {
            assert_eq!(EmailAddress::parse(raw), Err(UnusableEmail::Malformed), "{raw:?}");
        }
        assert_eq!(UnusableEmail::Missing.code(), "missing");
        assert_eq!(UnusableEmail::Malformed.code(), "malformed");
    }

    #[test]
    fn an_address_is_not_shown() {
        let address = EmailAddress::parse("ana@example.com").unwrap();
        assert!(!format!("{address:?}").contains("ana"));
        let refused = serde_json::from_str::<EmailAddress>("\"ana\"").unwrap_err();
        assert!(!refused.to_string().contains("ana"));
        let json = serde_json::to_string(&address).unwrap();
        assert_eq!(serde_json::from_str::<EmailAddress>(&json).unwrap(), address);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_reads_again(raw in "(\\PC|[a-zA-Z0-9@. \"<>+-]){0,40}") {
            if let Ok(address) = EmailAddress::parse(&raw) {
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
            }
        }
    }
}
