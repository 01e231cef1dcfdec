//! The secrets with which senders prove themselves.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use retorno_cloud::CloudError;
use serde::Deserialize;

use crate::hook::{HookSecrets, MetaApp};
use crate::verify::{EvolutionProof, HookSecret};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    meta: BTreeMap<String, App>,
    waha: BTreeMap<String, Vec<String>>,
    evolution: BTreeMap<String, Evolution>,
    topics: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct App {
    secrets: Vec<String>,
    verify_tokens: Vec<String>,
    ids: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Evolution {
    Tokens(Vec<String>),
    JwtKeys(Vec<String>),
}

/// Reads the secrets from texts in JSON: `{"meta": {"app": {"secrets": [..], "verify_tokens": [..], "ids":
/// [..]}}, "waha": {"session": [..]}, "evolution": {"instance": {"tokens": [..]}}, "topics": [..]}` (for an
/// instance that makes JWTs `jwt_keys`); several while one is being replaced. What stands in two texts
/// under one name is one list. Without a text nobody can prove anything, and all are refused.
///
/// A text that is not of its form is left out, and the log says which one by its number and nothing of what
/// it holds: the hooks of all others go on.
///
/// # Errors
/// [`CloudError::Setup`] when there are texts and none is of its form: whoever has former ones keeps them.
pub fn read(texts: &[&str]) -> Result<HookSecrets, CloudError> {
    let mut unread = 0;
    let mut secrets = HookSecrets::default();
    for (at, text) in texts.iter().enumerate() {
        let file: File = match serde_json::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                let (part, line, column) = (at + 1, error.line(), error.column());
                tracing::error!(part, line, column, "a part of HOOK_SECRETS is not of its form: left out");
                unread += 1;
                if unread == texts.len() {
                    let what = format!("HOOK_SECRETS is not of its form (line {line}, column {column})");
                    return Err(CloudError::Setup(what));
                }
                continue;
            }
        };
        for (name, of) in file.meta {
            let app: &mut MetaApp = secrets.meta.entry(name).or_default();
            app.secrets.extend(all(of.secrets));
            app.verify_tokens.extend(all(of.verify_tokens));
            app.ids.extend(of.ids);
        }
        for (name, keys) in file.waha {
            secrets.waha.entry(name).or_default().extend(all(keys));
        }
        for (name, of) in file.evolution {
            let proof = match of {
                Evolution::Tokens(tokens) => EvolutionProof::Token(all(tokens)),
                Evolution::JwtKeys(keys) => EvolutionProof::Jwt(all(keys)),
            };
            match secrets.evolution.entry(name) {
                Entry::Vacant(free) => drop(free.insert(proof)),
                Entry::Occupied(_) => {
                    tracing::error!(
                        part = at + 1,
                        "HOOK_SECRETS names an instance of Evolution twice: the first stays"
                    );
                }
            }
        }
        secrets.topics.extend(file.topics);
    }
    // Who is which clinic's nobody could tell from their signatures.
    if secrets.meta.values().filter(|app| app.ids.is_empty()).count() > 1 {
        tracing::error!(
            "HOOK_SECRETS: of several apps at Meta all but one need \"ids\", the phone_number_ids and accounts that \
             each speaks for; those without are left out"
        );
        secrets.meta.retain(|_, app| !app.ids.is_empty());
    }
    Ok(secrets)
}

fn all(secrets: Vec<String>) -> Vec<HookSecret> {
    secrets.into_iter().filter_map(HookSecret::new).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn all_entries_are_read_and_a_fault_shows_no_secret() {
        let text = r#"{"meta": {"a": {"secrets": ["s1", "s2"], "verify_tokens": ["t"], "ids": ["700"]}},
            "waha": {"w": ["k"]}, "evolution": {"e": {"tokens": ["x"]}}, "topics": ["arn:aws:sns:us-east-1:1:t"]}"#;
        let another = r#"{"meta": {"a": {"secrets": ["s3"]}, "b": {"secrets": ["s"]}}}"#;
        let read_one = read(&[text, another]).unwrap();
        assert_eq!(read_one.meta.get("a").unwrap().secrets.len(), 3);
        assert_eq!(read_one.meta.len(), 2);
        assert!(read(&[]).unwrap().meta.is_empty());
        assert_eq!((read_one.waha.len(), read_one.evolution.len(), read_one.topics.len()), (1, 1, 1));
        let two = |ids: &str| format!(r#"{{"meta": {{"a": {{"secrets": ["s"]}}, "b": {{"secrets": ["t"]{ids}}}}}}}"#);
        assert!(read(&[&two("")]).unwrap().meta.is_empty(), "either could speak for the other's clinics");
        assert!(read(&[&two(r#", "ids": ["105", "900"]"#)]).unwrap().meta.get("b").unwrap().ids.contains("900"));
    }

    #[test]
    fn a_bad_part_and_an_instance_named_twice_take_nobody_else_down() {
        let bad = r#"{"meta": {"a": {"secret": ["hush"]}}}"#;
        let good = r#"{"waha": {"w": ["k"]}, "evolution": {"e": {"tokens": ["x"]}}}"#;
        let again = r#"{"evolution": {"e": {"jwt_keys": ["y"]}, "f": {"tokens": ["z"]}}}"#;
        let fault = read(&[bad]).unwrap_err().to_string();
        assert!(!fault.contains("hush") && fault.contains("line 1"), "{fault}");
        assert!(read(&[bad, "{"]).is_err(), "with none of them nothing could be proved");
        let read = read(&[bad, "{", good, again]).unwrap();
        assert_eq!((read.meta.len(), read.waha.len(), read.evolution.len()), (0, 1, 2));
        assert!(matches!(read.evolution.get("e"), Some(EvolutionProof::Token(_))), "the first stays");
    }
}
