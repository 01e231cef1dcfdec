//! The name of a person, as a greeting uses it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

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

    /// Whether two writings may well be of one person: the same word to greet with and another word
    /// in common, whatever their order, case and accents. A name of one word has none in common with
    /// anything but itself.
    #[must_use]
    pub fn is_of_same_person(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.words(), other.words());
        let same_given = folded(self.given()) == folded(other.given());
        same_given && (ours == theirs || ours.intersection(&theirs).count() >= 2)
    }

    fn words(&self) -> BTreeSet<String> {
        self.0.split(|c: char| !c.is_alphanumeric()).map(folded).filter(|word| !word.is_empty()).collect()
    }
}

fn folded(word: &str) -> String {
    word.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
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
    fn one_person_is_written_in_many_ways_and_a_family_is_not_one() {
        let same = |a: &str, b: &str| PersonName::parse(a).unwrap().is_of_same_person(&PersonName::parse(b).unwrap());
        assert!(same("María Gómez", "maria gomez") && same("Gómez, María José", "María Gómez"));
        assert!(same("Ana", "ANA") && same("Ana Paula de Souza", "Ana Souza"));
        assert!(!same("María Gómez", "Juan Gómez") && !same("María Gómez", "María Paz"));
        assert!(!same("María", "María Gómez") && !same("-", "María"));
    }

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
