//! `infra/permissions.toml`: what each role may do, and why.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A statement of a role's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    pub(crate) sid: String,
    #[serde(default = "allow")]
    pub(crate) effect: String,
    pub(crate) actions: BTreeSet<String>,
    pub(crate) on: BTreeSet<String>,
    /// Patterns of the table's partition key, or of an index's.
    #[serde(default)]
    pub(crate) keys: BTreeSet<String>,
    /// Any other condition: operator, name, value.
    pub(crate) when: Option<(String, String, String)>,
    pub(crate) why: String,
    /// Why no journey of the tests shows that it is needed.
    #[serde(default)]
    pub(crate) unseen: Option<String>,
    /// The same for single keys.
    #[serde(default)]
    pub(crate) unseen_keys: BTreeMap<String, String>,
}

fn allow() -> String {
    "Allow".to_owned()
}

/// All roles, by name.
pub(crate) fn granted() -> BTreeMap<String, Vec<Statement>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../permissions.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
