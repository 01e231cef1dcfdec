//! Texts and settings are TOML. What reads it is compiled once for all of their shapes, not once for
//! each: of the programs that are deployed it was the largest part otherwise.

use serde::de::{DeserializeOwned, Error as _};

/// Reads a TOML file.
///
/// # Errors
/// [`toml::de::Error`] says in which line it is not TOML, or which key is not of this shape.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, toml::de::Error> {
    from_table(text.parse()?)
}

/// Reads a table that was read before.
///
/// # Errors
/// [`toml::de::Error`] says which key is not of this shape.
pub fn from_table<T: DeserializeOwned>(table: toml::Table) -> Result<T, toml::de::Error> {
    let read = erased_serde::deserialize(&mut <dyn erased_serde::Deserializer<'_>>::erase(table));
    read.map_err(|fault| toml::de::Error::custom(in_one_place(&fault.to_string())))
}

/// A fault names each key on a line of its own, the innermost first; said as one: in `outer.inner`.
fn in_one_place(fault: &str) -> String {
    let key = |line: &str| line.strip_prefix("in `").and_then(|rest| rest.strip_suffix('`')).map(str::to_owned);
    let (mut keys, said): (Vec<&str>, Vec<&str>) =
        fault.lines().filter(|line| !line.is_empty()).partition(|line| key(line).is_some());
    keys.reverse();
    let keys: Vec<String> = keys.into_iter().filter_map(key).collect();
    let said = said.join("\n");
    if keys.is_empty() { said } else { format!("{said}\nin `{}`", keys.join(".")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Nested = BTreeMap<String, BTreeMap<String, u8>>;

    #[test]
    fn a_fault_is_found_by_its_line_or_its_key() {
        let fault = |text: &str| from_toml::<Nested>(text).map_err(|fault| fault.to_string());
        let wrong = fault("[a]\nb = \"two\"\n");
        assert!(wrong.is_err_and(|said| said.contains("in `a.b`") && said.contains("expected u8")));
        assert!(fault("[a]\nb = = 1").is_err_and(|said| said.contains("line 2, column")));
        assert_eq!(fault("[a]\nb = 1"), Ok(BTreeMap::from([("a".to_owned(), [("b".to_owned(), 1)].into())])));
    }
}
