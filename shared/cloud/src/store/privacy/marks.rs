//! By what somebody who was erased is known again: keyed hashes, which an import compares with what it
//! reads. Of the person's number in the clinic's system, and of each contact together with the name, so
//! that a new number does not bring them back and whoever shares their phone is left alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use retorno_domain::contact::{E164, PersonName};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use retorno_domain::services::fold;

use crate::error::{CloudError, sort};
use crate::store::TenantStore;
use crate::store::item::{Reader, ms};
use crate::store::key::{Key, Keys};

impl TenantStore {
    /// The mark of a patient's number.
    #[must_use]
    pub fn erased_id(&self, patient: &PatientId) -> String {
        self.hash(&format!("erased#id#{patient}"))
    }

    /// The marks of a name at these contact points.
    pub(super) fn erased_person<'a>(
        &self,
        name: &PersonName,
        contacts: impl IntoIterator<Item = &'a String>,
    ) -> BTreeSet<String> {
        let name = fold(name.as_str());
        contacts.into_iter().map(|contact| self.hash(&format!("erased#person#{contact}#{name}"))).collect()
    }

    /// Everything by which a patient would be known again.
    #[must_use]
    pub fn erased_marks_of(&self, patient: &Patient) -> BTreeSet<String> {
        let contacts = self.contacts_of(patient);
        let mut marks = self.erased_person(&patient.profile.name, &contacts);
        marks.insert(self.erased_id(&patient.id));
        marks
    }

    /// The hashes of every contact on a patient's record, the guardian's included, in each spelling.
    pub(super) fn contacts_of(&self, patient: &Patient) -> BTreeSet<String> {
        let mut contacts = self.contact_keys_on_record(patient, true);
        let guardian = patient.guardian().and_then(|guardian| guardian.phone.as_ref().ok());
        for phone in patient.profile.phone.as_ref().ok().into_iter().chain(guardian) {
            contacts.extend(self.spellings(&phone.e164));
        }
        contacts
    }

    pub(super) fn spellings(&self, phone: &E164) -> Vec<String> {
        phone.aliases().iter().map(|digits| self.hash(&format!("+{digits}"))).collect()
    }

    /// The marks of everybody who was erased. Strongly consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn erased_marks(&self) -> Result<BTreeSet<String>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).erased_pk(), None).await?;
        items.iter().map(|item| Ok(Reader { kind: "mark", item }.text("sk")?.to_owned())).collect()
    }

    pub(super) async fn put_erased_mark(&self, mark: &str, now: DateTime<Utc>) -> Result<(), CloudError> {
        let mut item = Key { pk: Keys(&self.clinic).erased_pk(), sk: mark.to_owned() }.item();
        item.insert("at".to_owned(), ms(now));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem mark", &e))
    }

    /// Lets an erased person be imported again, by their number in the clinic's system: they have come
    /// back. Says whether they had been erased.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn readmit(&self, patient: &PatientId, also: &BTreeSet<String>) -> Result<bool, CloudError> {
        let id = self.erased_id(patient);
        let known = self.erased_marks().await?;
        let mut marks = also.clone();
        marks.insert(id.clone());
        for mark in marks {
            self.delete(Key { pk: Keys(&self.clinic).erased_pk(), sk: mark }.item()).await?;
        }
        Ok(known.contains(&id))
    }
}
