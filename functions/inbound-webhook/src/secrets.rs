//! The secrets with which senders prove themselves.

use std::collections::BTreeMap;

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
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Evolution {
    Tokens(Vec<String>),
    JwtKeys(Vec<String>),
}

/// Reads the secrets from texts in JSON: `{"meta": {"app": {"secrets": [..], "verify_tokens": [..]}},
/// "waha": {"session": [..]}, "evolution": {"instance": {"tokens": [..]}}, "topics": [..]}` (for an
/// instance that makes JWTs `jwt_keys`); several while one is being replaced. What stands in two texts under one name is one list. Without
/// a text nobody can prove anything, and all are refused.
///
/// # Errors
/// [`CloudError::Setup`] says where a text is wrong, and nothing of what it holds.
pub fn read(texts: &[&str]) -> Result<HookSecrets, CloudError> {
    let mut secrets = HookSecrets::default();
    for text in texts {
        let file: File = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            CloudError::Setup(format!("HOOK_SECRETS is not of its form (line {line}, column {column})"))
        })?;
        for (name, of) in file.meta {
            let app: &mut MetaApp = secrets.meta.entry(name).or_default();
            app.secrets.extend(all(of.secrets));
            app.verify_tokens.extend(all(of.verify_tokens));
        }
        for (name, keys) in file.waha {
            secrets.waha.entry(name).or_default().extend(all(keys));
        }
        for (name, of) in file.evolution {
            let proof = match of {
                Evolution::Tokens(tokens) => EvolutionProof::Token(all(tokens)),
                Evolution::JwtKeys(keys) => EvolutionProof::Jwt(all(keys)),
            };
            if secrets.evolution.insert(name, proof).is_some() {
                return Err(CloudError::Setup("HOOK_SECRETS names an instance of Evolution twice".to_owned()));
            }
        }
        secrets.topics.extend(file.topics);
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
        let text = r#"{"meta": {"a": {"secrets": ["s1", "s2"], "verify_tokens": ["t"]}}, "waha": {"w": ["k"]},
            "evolution": {"e": {"tokens": ["x"]}}, "topics": ["arn:aws:sns:us-east-1:1:t"]}"#;
        let another = r#"{"meta": {"a": {"secrets": ["s3"]}, "b": {"secrets": ["s"]}}}"#;
        let read_one = read(&[text, another]).unwrap();
        assert_eq!(read_one.meta.get("a").unwrap().secrets.len(), 3);
        assert_eq!(read_one.meta.len(), 2);
        assert!(read(&[]).unwrap().meta.is_empty() && read(&[text, text]).is_err());
        assert_eq!((read_one.waha.len(), read_one.evolution.len(), read_one.topics.len()), (1, 1, 1));
        let fault = read(&[r#"{"meta": {"a": {"secret": ["hush"]}}}"#]).unwrap_err().to_string();
        assert!(!fault.contains("hush") && fault.contains("line 1"), "{fault}");
    }
}
