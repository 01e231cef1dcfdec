//! Under which name a patient stands in the audit records: a random one, and everything in a record
//! that could be traced to the person is keyed with it. It stands with the patient and is destroyed
//! with them, so that erasing somebody takes the link away and leaves every record as it was sealed.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use retorno_domain::ids::PatientId;

use super::TenantStore;
use super::commit::put;
use super::item::{Item, Reader, s};
use super::key::{Keys, patient_of_pk};
use crate::error::CloudError;
use crate::secrets::{SecretKey, hex, random_bytes};

const KIND: &str = "alias";
/// The sort key of a patient's alias.
pub(crate) const ALIAS_SK: &str = "ALIAS";
/// Bytes of what is shown of a keyed hash.
const SHOWN: usize = 16;

/// A patient's name in the audit records, and the key that only their record holds.
#[derive(Debug, Clone)]
pub struct Alias(SecretKey);

impl Alias {
    /// The name.
    #[must_use]
    pub fn name(&self) -> String {
        self.mark("who", "")
    }

    /// What stands in a record for something of the patient's: the same for the same thing, and nothing
    /// that anybody could find out without the key.
    #[must_use]
    pub fn mark(&self, of: &str, value: &str) -> String {
        let mac = self.0.mac(&[of.as_bytes(), value.as_bytes()]);
        hex(mac.get(..SHOWN).unwrap_or(&mac))
    }
}

/// Where the keys of aliases come from.
#[derive(Debug, Clone)]
pub(super) enum Chance {
    /// The operating system.
    System,
    /// Derived, where a run must be repeated byte for byte.
    Repeatable,
}

impl TenantStore {
    /// A patient's alias, and the write that makes it when they have none yet: part of the transaction
    /// that records something of them first.
    pub(super) fn alias_for(
        &self,
        patient: &PatientId,
        known: Option<&Alias>,
    ) -> Result<(Alias, Option<TransactWriteItem>), CloudError> {
        if let Some(alias) = known {
            return Ok((alias.clone(), None));
        }
        let (alias, key) = self.new_alias(&[b"alias", patient.as_str().as_bytes()])?;
        let keys = Keys(&self.clinic);
        let mut item = keys.alias(patient).item();
        item.insert("key".to_owned(), key);
        // So that whoever lists the records finds whose they are.
        item.insert("g3pk".to_owned(), s(keys.alias_pk(&alias.name())));
        item.insert("g3sk".to_owned(), s(ALIAS_SK));
        // Two that make it at once: the second finds that something changed, and reads again.
        Ok((alias, Some(put(self, item, "attribute_not_exists(pk)")?)))
    }

    /// A name, and its key as it is stored with whatever is destroyed with it.
    pub(super) fn new_alias(&self, what_for: &[&[u8]]) -> Result<(Alias, AttributeValue), CloudError> {
        let bytes = self.by_chance(what_for)?;
        Ok((Alias(SecretKey::new(bytes)?), s(hex(&bytes))))
    }

    /// Bytes that nobody can guess; where a run must be repeated, derived from what they are for.
    pub(super) fn by_chance(&self, what_for: &[&[u8]]) -> Result<[u8; 32], CloudError> {
        match self.store.chance {
            Chance::System => random_bytes(),
            Chance::Repeatable => {
                Ok(self.store.contact_key.mac(&[&[b"chance", self.clinic.as_str().as_bytes()], what_for].concat()))
            }
        }
    }

    /// Whose records stand under a name; nobody's any more when the person was erased.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn patient_called(&self, name: &str) -> Result<Option<PatientId>, CloudError> {
        let found = self.query_index("g3", Keys(&self.clinic).alias_pk(name), None, Some(1)).await?;
        found.first().map(|item| Reader { kind: KIND, item }.parse("pk", patient_of_pk)).transpose()
    }
}

pub(super) fn alias_of(item: &Item) -> Result<Alias, CloudError> {
    let reader = Reader { kind: KIND, item };
    let bytes = reader.parse("key", unhex)?;
    SecretKey::new(bytes).map(Alias).map_err(|_| reader.corrupt("key"))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn two_people_share_no_mark_and_a_key_is_read_as_it_was_written() {
        let alias = |byte: u8| Alias(SecretKey::new([byte; 32]).unwrap());
        assert_ne!(alias(1).mark("message", "m"), alias(2).mark("message", "m"));
        assert_ne!(alias(1).mark("message", "m"), alias(1).mark("contact", "m"));
        assert_eq!(alias(1).name(), alias(1).name());
        assert_eq!(unhex(&hex(&[1; 32])).unwrap(), vec![1; 32]);
        assert_eq!((unhex("0"), unhex("zz")), (None, None));
        assert_eq!(format!("{:?}", alias(1)), "Alias(SecretKey([redacted]))");
    }
}
