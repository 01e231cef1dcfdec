//! How a patient is reached: telephone numbers, e-mail addresses, and the name to greet with.
//!
//! All of them are personal data. None has a `Display`, their `Debug` is redacted, and no error of
//! this module repeats what it was given.

mod dialled;
mod email;
mod name;
mod phone;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use email::{EmailAddress, UnusableEmail};
pub use name::{PersonName, UnusableName};
pub use phone::{Line, Phone, UnusablePhone};

/// A telephone number in the form of ITU-T E.164: a plus and 8 to 15 digits, `+5491155551234`.
///
/// This is only the form; that a number of a country can exist is [`Phone::parse`]'s to say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

/// A stored text that is not in the form of E.164.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a plus and 8 to 15 digits")]
pub struct NotE164;

impl E164 {
    /// Reads a stored value. What people type goes through [`Phone::parse`].
    ///
    /// # Errors
    /// [`NotE164`] unless it is a plus and 8 to 15 ASCII digits, the first not 0.
    pub fn parse_strict(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?;
        let right = (8..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        right.then(|| Self(text.to_owned())).ok_or(NotE164)
    }

    /// With the plus.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the plus, as WhatsApp writes it.
    #[must_use]
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// The digits under which the same line may write to us, its own first.
    ///
    /// WhatsApp's identifiers keep what a country's numbering plan has since changed: Brazilian
    /// mobiles with or without the 9 after the area code, Argentine ones with or without the 9
    /// after 54, Mexican ones with or without the 1 after 52.
    ///
    /// For finding who wrote, and for holding an opt-out against every spelling. Not for merging
    /// patients: `54 11 …` may be another person's landline.
    #[must_use]
    pub fn aliases(&self) -> Vec<String> {
        let digits = self.digits();
        let mut aliases = vec![digits.to_owned()];
        aliases.extend(other_spelling(digits));
        aliases
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("E164(redacted)")
    }
}

impl TryFrom<String> for E164 {
    type Error = NotE164;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse_strict(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

/// The one other way the digits may be written, in the countries that have one.
fn other_spelling(digits: &str) -> Option<String> {
    let (country, national) = digits.split_at_checked(2)?;
    match (country, national.len()) {
        ("55", 11) => {
            let (area, subscriber) = national.split_at_checked(2)?;
            // Only these had eight digits once; without their 9 the others are somebody's landline.
            let eight = subscriber.strip_prefix('9').filter(|rest| rest.starts_with(['6', '7', '8', '9']))?;
            Some(format!("55{area}{eight}"))
        }
        ("55", 10) => {
            let (area, subscriber) = national.split_at_checked(2)?;
            subscriber.starts_with(['6', '7', '8', '9']).then(|| format!("55{area}9{subscriber}"))
        }
        ("54", 11) => national.strip_prefix('9').map(|rest| format!("54{rest}")),
        ("54", 10) => Some(format!("549{national}")),
        ("52", 11) => national.strip_prefix('1').map(|rest| format!("52{rest}")),
        ("52", 10) => Some(format!("521{national}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
