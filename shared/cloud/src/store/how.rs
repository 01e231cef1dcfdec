//! By which words a consent was given or withdrawn. They may name anybody, so that they stand with the
//! patient and go with them; the audit record holds where they come from, and a mark that only the
//! patient's own key makes of them: while the person is known, the words are proved by it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::TenantStore;
use super::alias::Alias;
use super::audit::consent_audit_item;
use super::commit::put;
use super::item::{Item, Reader, ms, s};
use super::key::Keys;
use super::turn::Turn;
use crate::error::CloudError;

const KIND: &str = "words of a consent";
/// Sort keys of these items begin with this.
pub(crate) const HOW_SK: &str = "HOW#";

/// Where words may come from. What is not listed is recorded as [`ELSEWHERE`]: nothing that anybody wrote
/// can get into a record.
const SOURCES: [&str; 12] = [
    "message",
    "number_changed",
    "echo",
    "desk",
    "page",
    "page of preferences",
    "page of the appointment",
    "page of unsubscribing",
    "one click in the mail program",
    "complained",
    "unsubscribed",
    "bounced",
];
/// Begins what was agreed to elsewhere, by whoever attests to it; and its code.
const ATTESTED: (&str, &str) = ("attested by ", "attested");
/// Begins what was written from a number before it was the patient's; and its code.
const BEFORE: (&str, &str) = ("message of ", "message before");
/// The code of everything else.
const ELSEWHERE: &str = "other";

/// Where words come from, as the record says it.
pub(super) fn source(how: &str) -> &'static str {
    let begins = |with: &(&str, &'static str)| how.starts_with(with.0).then_some(with.1);
    let head = how.split_once(": ").map_or(how, |(head, _)| head);
    let listed = || SOURCES.into_iter().find(|source| *source == head);
    begins(&ATTESTED).or_else(|| begins(&BEFORE)).or_else(listed).unwrap_or(ELSEWHERE)
}

/// Whether the record's code says all there is.
pub(super) fn is_said_by_its_source(how: &str) -> bool {
    how.is_empty() || source(how) == how
}

impl Alias {
    /// The mark of the words of a consent.
    #[must_use]
    pub fn how(&self, how: &str) -> String {
        self.mark("how", how)
    }
}

impl TenantStore {
    /// The records of a turn's consents, and beside them the words they were given by.
    pub(super) fn consent_writes(&self, turn: &Turn<'_>) -> Result<Vec<TransactWriteItem>, CloudError> {
        let keys = Keys(&self.clinic);
        let (alias, new_alias) = self.alias_for(turn.patient, turn.alias)?;
        let event = self.hash(turn.event);
        let (mut writes, mut words) = (Vec::new(), BTreeMap::new());
        for (number, record) in turn.consent.iter().enumerate() {
            let item = consent_audit_item(&keys, &alias, &event, (number, record), turn.now);
            if !is_said_by_its_source(record.how) {
                let of = Reader { kind: "audit record", item: &item }.text("sk")?.to_owned();
                words.insert(of, record.how);
            }
            writes.push(put(self, item, "attribute_not_exists(pk)")?);
        }
        if !words.is_empty() {
            let json = serde_json::to_string(&words).map_err(|e| CloudError::Setup(e.to_string()))?;
            let mut item = keys.how(turn.patient, turn.now, &event).item();
            item.insert("at".to_owned(), ms(turn.now));
            item.insert("how".to_owned(), s(json));
            writes.push(put(self, item, "attribute_not_exists(pk)")?);
        }
        writes.extend(new_alias);
        Ok(writes)
    }
}

/// The words of an item, each with the sort key of the record that it is of.
pub(super) fn words_of(item: &Item) -> Result<BTreeMap<String, String>, CloudError> {
    Reader { kind: KIND, item }.parse("how", |json| serde_json::from_str(json).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_where_words_come_from_and_none_of_them() {
        for (how, code) in [
            ("message", "message"),
            ("page of preferences", "page of preferences"),
            ("page of the appointment: I agree: to all", "page of the appointment"),
            ("desk: her sister Ana called", "desk"),
            ("attested by Laura: paper 7", "attested"),
            ("attested by Laura", "attested"),
            ("message of 2026-02-27T08:00Z, before the number was the patient's: ALTA", "message before"),
            ("Ana said so", "other"),
            ("Ana: said so", "other"),
            ("", "other"),
        ] {
            assert_eq!(source(how), code, "{how}");
        }
        assert!(SOURCES.into_iter().all(is_said_by_its_source));
        assert!(!is_said_by_its_source("desk: her sister Ana called"));
        assert!(!is_said_by_its_source("attested by Laura"));
    }
}
