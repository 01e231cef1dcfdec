//! The name of a person, as a greeting uses it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name that is kept, in characters.
const CHARACTERS_MAX: usize = 200;

/// A person's name: 1 to 200 characters on one line, words parted by single spaces, without
/// control characters and marks that turn the direction of the text around them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonName(String);

/// Why a text cannot be used as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UnusableName {
    /// Nothing that can be seen.
    #[error("no name")]
    Missing,
    /// More than 200 characters.
    #[error("a name of more than {CHARACTERS_MAX} characters")]
    TooLong,
}

impl UnusableName {
    /// Its name in records and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong => "too_long",
        }
    }
}

impl PersonName {
    /// Reads a name; what cannot be seen is taken out and every white space becomes one space.
    ///
    /// # Errors
    /// [`UnusableName`] when nothing is left, or more than 200 characters.
    pub fn parse(raw: &str) -> Result<Self, UnusableName> {
        let mut name = String::with_capacity(raw.len().min(CHARACTERS_MAX));
        let mut characters = 0;
        for word in raw.split_whitespace() {
            let mut seen = word.chars().filter(|character| !is_unseen(*character)).peekable();
            if seen.peek().is_some() && !name.is_empty() {
                name.push(' ');
                characters += 1;
            }
            for character in seen {
                name.push(character);
                characters += 1;
                // Here rather than at the end: a cell may hold megabytes.
                if characters > CHARACTERS_MAX {
                    return Err(UnusableName::TooLong);
                }
            }
        }
        if name.is_empty() {
            return Err(UnusableName::Missing);
        }
        Ok(Self(name))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The word to greet with: the first one with a letter; in a name written `Gómez, Juan`, the
    /// first one after the comma. Empty where there is none, as in a `-` that fills a cell.
    #[must_use]
    pub fn given(&self) -> &str {
        let (before, after) = self.0.split_once(',').unwrap_or((&self.0, ""));
        let mut words = after.split([' ', ',']).chain(before.split(' '));
        words.find(|word| word.contains(char::is_alphabetic)).unwrap_or_default()
    }
}

/// Control characters, marks of text direction, and spaces without width.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00AD}'
                | '\u{061C}'
                | '\u{200B}'
                | '\u{200E}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{2069}'
                | '\u{FEFF}'
        )
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(redacted)")
    }
}

impl TryFrom<String> for PersonName {
    type Error = UnusableName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PersonName> for String {
    fn from(name: PersonName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::{PersonName, UnusableName};

    #[test]
    fn a_name_keeps_its_letters_and_loses_what_is_unseen() {
        for (raw, whole, given) in [
            ("María Gómez", "María Gómez", "María"),
            ("  D'Ávila   Costa\t", "D'Ávila Costa", "D'Ávila"),
            ("João\r\nSilva", "João Silva", "João"),
            ("Ana-Clara Núñez", "Ana-Clara Núñez", "Ana-Clara"),
            ("\u{202E}Ana\u{202C} \u{200B} Paz\u{0}", "Ana Paz", "Ana"),
            ("Gómez, Juan Carlos", "Gómez, Juan Carlos", "Juan"),
            ("Gómez,Juan", "Gómez,Juan", "Juan"),
            ("Gómez,", "Gómez,", "Gómez"),
            ("Gómez, ,", "Gómez, ,", "Gómez"),
            ("Gómez, Juan,Carlos", "Gómez, Juan,Carlos", "Juan"),
            ("- Ana", "- Ana", "Ana"),
            ("-", "-", ""),
            (",", ",", ""),
            ("Ñ", "Ñ", "Ñ"),
        ] {
            let name = PersonName::parse(raw).unwrap();
            assert_eq!((name.as_str(), name.given()), (whole, given));
        }
    }

    #[test]
    fn a_name_has_1_to_200_characters() {
        for raw in ["", " ", "\u{0}", "\u{200B}\u{FEFF}", "\t\r\n"] {
            assert_eq!(PersonName::parse(raw), Err(UnusableName::Missing), "{raw:?}");
        }
        assert!(PersonName::parse(&"ñ".repeat(200)).is_ok());
        assert_eq!(PersonName::parse(&"ñ".repeat(201)), Err(UnusableName::TooLong));
        assert_eq!(UnusableName::Missing.code(), "missing");
        assert_eq!(UnusableName::TooLong.code(), "too_long");
    }

    #[test]
    fn a_name_is_not_shown() {
        let name = PersonName::parse("María Gómez").unwrap();
        assert!(!format!("{name:?}").contains("Mar"));
        let json = serde_json::to_string(&name).unwrap();
        assert_eq!(serde_json::from_str::<PersonName>(&json).unwrap(), name);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_reads_again(raw in any::<String>()) {
            if let Ok(name) = PersonName::parse(&raw) {
                prop_assert!(name.as_str().contains(name.given()));
                prop_assert!(!name.as_str().chars().any(char::is_control));
                prop_assert_eq!(PersonName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
