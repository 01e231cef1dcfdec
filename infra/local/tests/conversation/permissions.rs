//! What the functions call on these journeys is what their roles allow, and what their roles allow is
//! called on them or says why not.

use std::collections::{BTreeMap, BTreeSet};

use retorno::calls::{Call, note_calls, noted_calls};

use serde::Deserialize;

/// What is looked at here of a statement of `infra/permissions.toml`.
#[derive(Deserialize)]
struct Statement {
    #[serde(default)]
    effect: String,
    actions: BTreeSet<String>,
    on: BTreeSet<String>,
    #[serde(default)]
    keys: BTreeSet<String>,
    unseen: Option<String>,
    #[serde(default)]
    unseen_keys: BTreeMap<String, String>,
}

fn granted() -> BTreeMap<String, Vec<Statement>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../permissions.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A permission: function, action, on what, key.
type One = (String, String, String, String);

/// The name under which a call notes what an ARN of the template is.
fn noted_as(on: &str) -> &str {
    match on {
        "${Table.Arn}" => "table",
        "${DispatchQueue.Arn}" => "dispatch",
        "${InboundQueue.Arn}" => "inbound",
        other => other.strip_prefix("${Table.Arn}/index/").unwrap_or(""),
    }
}

/// Holds what these journeys show of a function.
pub(crate) fn hold(functions: &[&str], journeys: &[fn()]) {
    note_calls();
    for journey in journeys {
        journey();
    }
    let is_asked = |call: &Call| functions.contains(&call.function);
    let noted = noted_calls().into_iter().filter(is_asked);
    let noted: BTreeSet<One> = noted.map(|call| (call.function.to_owned(), call.action, call.on, call.keys)).collect();
    let (mut allowed, mut excused) = (BTreeSet::new(), BTreeSet::new());
    for (role, statements) in granted() {
        let statements = statements.iter().filter(|statement| statement.effect != "Deny");
        for statement in statements.filter(|_| functions.contains(&role.as_str())) {
            let keys = if statement.keys.is_empty() { BTreeSet::from([String::new()]) } else { statement.keys.clone() };
            for action in &statement.actions {
                for on in &statement.on {
                    for key in &keys {
                        let one = (role.clone(), action.clone(), noted_as(on).to_owned(), key.clone());
                        if statement.unseen.is_some() || statement.unseen_keys.contains_key(key) {
                            excused.insert(one.clone());
                        }
                        allowed.insert(one);
                    }
                }
            }
        }
    }
    let missing: Vec<_> = noted.difference(&allowed).collect();
    for one in &missing { eprintln!("MISSING {one:?}"); }
    let unused: Vec<_> = allowed.iter().filter(|one| !noted.contains(*one) && !excused.contains(*one)).collect();
    for one in &unused { eprintln!("UNUSED {one:?}"); }
    let idle: Vec<_> = excused.iter().filter(|one| noted.contains(*one)).collect();
    for one in &idle { eprintln!("IDLE {one:?}"); }
    assert!(missing.is_empty()&&unused.is_empty()&&idle.is_empty());
}
