//! The clinic's lists of services, matched without regard to case and accents.

use unicode_normalization::UnicodeNormalization;

/// Named lists of services; a rule refers to a list by its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceLists {
    lists: Vec<(String, Vec<String>)>,
}

impl ServiceLists {
    /// Builds the lists from (name, services).
    #[must_use]
    pub fn new(lists: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        let folded = |services: Vec<String>| services.iter().map(|s| fold(s)).filter(|s| !s.is_empty()).collect();
        Self { lists: lists.into_iter().map(|(name, services)| (name, folded(services))).collect() }
    }

    /// The place of the list of that name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<u8> {
        self.lists.iter().position(|(n, _)| n == name).and_then(|place| u8::try_from(place).ok())
    }

    /// The places of the lists that a service is on. A listed word matches a service in which it
    /// begins a word: `implante` matches `Implante dental`, `toxina` matches `aplicación de toxina`.
    pub fn matching(&self, service: &str) -> impl Iterator<Item = u8> {
        let service = fold(service);
        self.lists.iter().zip(0u8..).filter_map(move |((_, words), place)| {
            words.iter().any(|word| begins_a_word(&service, word)).then_some(place)
        })
    }
}

fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        text.get(..at).and_then(|before| before.chars().next_back()).is_none_or(|c| !c.is_alphanumeric())
    })
}

/// Text in lower case, without accents and with single spaces.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain: String = text
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_word_matches_at_the_beginning_of_a_word_only() {
        let lists = ServiceLists::new([
            ("procedures".to_owned(), vec!["cirugía".to_owned(), "implante".to_owned()]),
            ("cleaning".to_owned(), vec!["limpieza".to_owned()]),
        ]);
        let of = |service: &str| lists.matching(service).collect::<Vec<_>>();
        assert_eq!(of("CIRUGIA oral"), [0]);
        assert_eq!(of("  Implante   dental y limpieza"), [0, 1]);
        assert_eq!(of("microcirugia"), [] as [u8; 0]);
        assert_eq!(of(""), [] as [u8; 0]);
        assert_eq!(lists.place("cleaning"), Some(1));
    }
}
