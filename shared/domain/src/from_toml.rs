//! Texts and settings are TOML. What reads it is compiled once for all of their shapes, not once for
//! each: of the programs that are deployed it was the largest part otherwise.

use serde::de::{DeserializeOwned, Deserializer, Error as _};

/// Reads a TOML file.
///
/// # Errors
/// [`toml::de::Error`] says where it is not TOML, or not of this shape.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, toml::de::Error> {
    erased(toml::Deserializer::parse(text)?)
}

/// Reads a table that was read before.
///
/// # Errors
/// [`toml::de::Error`] says where it is not of this shape.
pub fn from_table<T: DeserializeOwned>(table: toml::Table) -> Result<T, toml::de::Error> {
    erased(table)
}

fn erased<'de, T: DeserializeOwned>(reader: impl Deserializer<'de>) -> Result<T, toml::de::Error> {
    erased_serde::deserialize(&mut <dyn erased_serde::Deserializer<'_>>::erase(reader)).map_err(toml::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_fault_is_found_by_line_and_column() {
        let fault = |text: &str| from_toml::<BTreeMap<String, u8>>(text).map_err(|fault| fault.to_string());
        let wrong = fault("a = 1\nb = \"two\"\n");
        assert!(wrong.is_err_and(|said| said.contains("line 2, column 5") && said.contains("expected u8")));
        assert!(fault("a = = 1").is_err_and(|said| said.contains("line 1, column")));
        assert_eq!(fault("a = 1"), Ok(BTreeMap::from([("a".to_owned(), 1)])));
    }
}
