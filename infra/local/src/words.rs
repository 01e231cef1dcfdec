//! What the command's report says, in the clinic's language. Texts stand in catalogues, never in code.

use std::sync::LazyLock;

use retorno_domain::language::Language;

static ES: LazyLock<toml::Table> =
    LazyLock::new(|| include_str!("../words/report.es.toml").parse().unwrap_or_default());
static PT: LazyLock<toml::Table> =
    LazyLock::new(|| include_str!("../words/report.pt.toml").parse().unwrap_or_default());

/// The texts of one language.
#[derive(Debug, Clone, Copy)]
pub struct Words(&'static toml::Table);

impl Words {
    /// The texts for a clinic that writes in this language.
    #[must_use]
    pub fn of(language: Language) -> Self {
        Self(if language.is_portuguese() { &PT } else { &ES })
    }

    /// The text of a key; the key itself where a text is lacking, so that nothing is hidden.
    #[must_use]
    pub fn get<'a>(&self, key: &'a str) -> &'a str
    where
        'static: 'a,
    {
        self.0.get(key).and_then(toml::Value::as_str).unwrap_or(key)
    }

    /// The text of a key with its `{names}` replaced.
    #[must_use]
    pub fn fill(&self, key: &str, values: &[(&str, String)]) -> String {
        values.iter().fold(self.get(key).to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert!(!ES.is_empty());
        let keys = |table: &toml::Table| table.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&ES), keys(&PT));
    }
}
