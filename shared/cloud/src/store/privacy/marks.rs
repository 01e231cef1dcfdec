//! By what somebody who was erased is known again: keyed hashes, which an import compares with what it
//! reads. Of the person's number in the clinic's system, and of each contact together with the name, so
//! that a new number does not bring them back and whoever shares their phone is left alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use retorno_domain::contact::{E164, PersonName};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use retorno_domain::services::fold;
use serde::Serialize;

use super::job::json;
use crate::error::{CloudError, sort};
use crate::store::TenantStore;
use crate::store::item::{Reader, ms, s};
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
        // What stands behind a phone that staff noted: the export may say it again.
        let noted = patient
            .noted
            .as_ref()
            .map(|noted| [Some(&noted.phone), noted.told.as_ref().ok(), noted.in_place_of.as_ref().ok()]);
        let noted = noted.into_iter().flatten().flatten();
        for phone in patient.profile.phone.as_ref().ok().into_iter().chain(guardian).chain(noted) {
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

    /// The mark of a patient's number, with those of the person that belong to the same erasure: whoever lets
    /// the number in again lets in the person.
    pub(super) async fn put_erased_id(
        &self,
        patient: &PatientId,
        persons: &BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let mut item = Key { pk: Keys(&self.clinic).erased_pk(), sk: self.erased_id(patient) }.item();
        item.insert("at".to_owned(), ms(now));
        item.insert("also".to_owned(), s(json(persons)?));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem mark", &e))
    }

    pub(super) async fn put_erased_mark(&self, mark: &str, now: DateTime<Utc>) -> Result<(), CloudError> {
        let mut item = Key { pk: Keys(&self.clinic).erased_pk(), sk: mark.to_owned() }.item();
        item.insert("at".to_owned(), ms(now));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem mark", &e))
    }

    /// Lets an erased person be imported again: they have come back. Every mark of the erasure is taken away,
    /// of the number and of the name with each contact, but those that another erased number has as well.
    /// Nothing when nobody of that number was erased.
    ///
    /// # Errors
    /// [`CloudError`]; repeating finishes it.
    pub async fn readmit(&self, patient: &PatientId) -> Result<Option<Readmitted>, CloudError> {
        let id = self.erased_id(patient);
        let (mut ours, mut of_others, mut is_erased) = (None, BTreeSet::new(), false);
        for item in self.query_partition(Keys(&self.clinic).erased_pk(), None).await? {
            let reader = Reader { kind: "mark", item: &item };
            let also: Option<BTreeSet<String>> = match reader.text_opt("also") {
                Some(json) => Some(serde_json::from_str(json).map_err(|_| reader.corrupt("also"))?),
                None => None,
            };
            if reader.text("sk")? == id {
                (ours, is_erased) = (also, true);
            } else {
                of_others.extend(also.into_iter().flatten());
            }
        }
        if !is_erased {
            return Ok(None);
        }
        let knows_all = ours.is_some();
        let ours = ours.unwrap_or_default();
        let kept = u64::try_from(ours.intersection(&of_others).count()).unwrap_or(u64::MAX);
        let mut lifted = 0;
        // That of the number last: until then the next run finds the others.
        for mark in ours.difference(&of_others).chain([&id]) {
            self.delete(Key { pk: Keys(&self.clinic).erased_pk(), sk: mark.clone() }.item()).await?;
            lifted += 1;
        }
        Ok(Some(Readmitted { lifted, kept, knows_all }))
    }
}

/// What stands no more in the way of somebody who comes back, and what still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Readmitted {
    /// Marks taken away, that of the number among them.
    pub lifted: u64,
    /// Marks of the name with a contact that stay: another erased number has them too, and until that is let
    /// in as well, nobody of that name and contact comes in.
    pub kept: u64,
    /// Whether it is known which marks the erasure had placed. It is not of one done before that was kept:
    /// then only the number is let in.
    pub knows_all: bool,
}
