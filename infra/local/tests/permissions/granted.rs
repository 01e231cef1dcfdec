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
    /// Why no journey of the tests shows that it is needed: something else does, see `needed`.
    #[serde(default)]
    pub(crate) unseen: Option<String>,
}

fn allow() -> String {
    "Allow".to_owned()
}

/// Roles by name.
pub(crate) type Roles = BTreeMap<String, Vec<Statement>>;

/// All roles, as the file has them.
pub(crate) fn granted() -> Roles {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../permissions.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A permission: role, action, on what, key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct One {
    pub(crate) role: String,
    pub(crate) action: String,
    pub(crate) on: String,
    pub(crate) key: String,
}

impl One {
    pub(crate) fn new(role: &str, action: &str, on: &str, key: &str) -> Self {
        Self { role: role.to_owned(), action: action.to_owned(), on: on.to_owned(), key: key.to_owned() }
    }
}

impl Statement {
    pub(crate) fn is_denial(&self) -> bool {
        self.effect == "Deny"
    }

    /// Each single permission of it.
    pub(crate) fn ones<'a>(&'a self, role: &'a str) -> impl Iterator<Item = One> + 'a {
        let whole = || BTreeSet::from([String::new()]);
        let keys = if self.keys.is_empty() { whole() } else { self.keys.clone() };
        let on_and_key = self.on.iter().flat_map(move |on| keys.clone().into_iter().map(move |key| (on, key)));
        on_and_key.flat_map(move |(on, key)| self.actions.iter().map(move |action| One::new(role, action, on, &key)))
    }

    /// As one line, so that two of them can be compared and shown.
    pub(crate) fn line(&self) -> String {
        let mut conditions = Vec::new();
        if !self.keys.is_empty() {
            let any_or_all = if self.is_denial() { "ForAnyValue" } else { "ForAllValues" };
            conditions.push(format!("{any_or_all}:StringLike dynamodb:LeadingKeys {:?}", self.keys));
        }
        if let Some((operator, name, value)) = &self.when {
            conditions.push(format!("{operator} {name} {:?}", BTreeSet::from([value])));
        }
        line(&self.sid, &self.effect, &self.actions, &self.on, &conditions)
    }
}

pub(crate) fn line(
    sid: &str,
    effect: &str,
    actions: &BTreeSet<String>,
    on: &BTreeSet<String>,
    conditions: &[String],
) -> String {
    format!("{sid}: {effect} {actions:?} on {on:?} if {conditions:?}")
}
