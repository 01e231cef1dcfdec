//! A stack's outputs, as its tools print them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::host::HostError;

/// Outputs by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// Reads a file, or standard input where it is called `-`.
    ///
    /// # Errors
    /// [`HostError`] when it cannot be read or holds no outputs.
    pub fn read(path: &Path) -> Result<Self, HostError> {
        let is_stdin = path.as_os_str() == "-";
        let text = if is_stdin { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
        let text = text.map_err(|error| HostError::Io { what: format!("cannot read {}", path.display()), error })?;
        Self::of(&text)
    }

    /// Reads JSON: what `describe-stacks` prints, the list of outputs in it (as `sam list stack-outputs`
    /// prints it), or an object of names and values.
    ///
    /// # Errors
    /// [`HostError::User`] when it is none of these.
    pub fn of(json: &str) -> Result<Self, HostError> {
        let none = || {
            HostError::User(
                "these are no outputs of a stack: give what `aws cloudformation describe-stacks --stack-name NAME` prints"
                    .to_owned(),
            )
        };
        let value: Value = serde_json::from_str(json).map_err(|_| none())?;
        let list = value.pointer("/Stacks/0/Outputs").unwrap_or(&value);
        let text = |of: &Value| of.as_str().map(str::to_owned);
        let found: Option<BTreeMap<String, String>> = match (list.as_array(), list.as_object()) {
            (Some(list), _) => {
                list.iter().map(|one| Some((text(one.get("OutputKey")?)?, text(one.get("OutputValue")?)?))).collect()
            }
            (None, Some(object)) => object.iter().map(|(name, value)| Some((name.clone(), text(value)?))).collect(),
            (None, None) => None,
        };
        found.filter(|found| !found.is_empty()).map(Self).ok_or_else(none)
    }

    /// The output of that name.
    ///
    /// # Errors
    /// [`HostError::User`] when there is none.
    pub fn get(&self, name: &str) -> Result<&str, HostError> {
        let found = self.0.get(name).map(String::as_str);
        found.ok_or_else(|| HostError::User(format!("the stack's outputs have no {name}: is it a stack of Retorno?")))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn all_that_the_tools_print_is_read() {
        let list = r#"[{"OutputKey": "TableName", "OutputValue": "retorno-prod", "Description": ""}]"#;
        let stacks = format!(r#"{{"Stacks": [{{"StackName": "s", "Outputs": {list}}}]}}"#);
        for text in [list, &stacks, r#"{"TableName": "retorno-prod"}"#] {
            assert_eq!(Outputs::of(text).unwrap().get("TableName").unwrap(), "retorno-prod", "{text}");
        }
        let missing = Outputs::of(list).unwrap().get("Stage").unwrap_err().to_string();
        assert!(missing.contains("no Stage"), "{missing}");
        for wrong in ["", "[]", "{}", "[1]", r#"{"Stacks": []}"#] {
            assert!(Outputs::of(wrong).is_err(), "{wrong}");
        }
    }
}
