//! Contacts as staff recognises them, without showing them.

use retorno_domain::contact::{E164, EmailAddress};

/// Digits of a phone left to see.
const DIGITS_SHOWN: usize = 4;

/// A phone, all but its last four digits hidden: `•••1234`.
#[must_use]
pub(crate) fn phone(phone: &E164) -> String {
    let digits = phone.digits();
    let shown = digits.get(digits.len().saturating_sub(DIGITS_SHOWN)..).unwrap_or_default();
    format!("•••{shown}")
}

/// An address, all but its first letter and its domain hidden: `c•••@example.com`.
#[must_use]
pub(crate) fn email(address: &EmailAddress) -> String {
    let (local, domain) = address.as_str().split_once('@').unwrap_or_default();
    let first: String = local.chars().take(1).collect();
    format!("{first}•••@{domain}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn little_is_shown() {
        assert_eq!(phone(&E164::parse_strict("+5491155551234").unwrap()), "•••1234");
        assert_eq!(email(&EmailAddress::parse("carolina@example.com").unwrap()), "c•••@example.com");
    }
}
