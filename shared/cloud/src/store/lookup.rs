//! Finding whose something is: a phone's patients, a message's patient. A third sparse index, keys
//! only; under hashes and ids, never under a phone.

use retorno_domain::contact::E164;
use retorno_domain::ids::{MessageId, PatientId};

use super::TenantStore;
use super::item::{Item, Reader, s};
use super::key::{Keys, patient_of_pk};
use crate::error::{CloudError, sort};

impl TenantStore {
    /// The patients who have this phone, in any of its spellings. Eventually consistent: somebody
    /// imported a moment ago may be missing.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn patients_with_phone(&self, phone: &E164) -> Result<Vec<PatientId>, CloudError> {
        let mut found = Vec::new();
        for digits in phone.aliases() {
            let pk = Keys(&self.clinic).phone_pk(&self.hash(&format!("+{digits}")));
            for item in self.query_index("g3", pk, None, None).await? {
                found.push(owner(&item)?);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Whose a message or an answer is.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn owner_of(&self, message: MessageId) -> Result<Option<PatientId>, CloudError> {
        let found = self.query_index("g3", Keys(&self.clinic).message_pk(message), None, Some(1)).await?;
        found.first().map(owner).transpose()
    }

    /// The phone under which an id of a messenger is known (a person may write without showing their
    /// number), as its hash.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn phone_of_user(&self, user: &str) -> Result<Option<String>, CloudError> {
        let key = Keys(&self.clinic).user(&self.hash(user));
        let item = self.get("GetItem user", key.item()).await?;
        item.map(|item| Ok(Reader { kind: "user", item: &item }.text("cp")?.to_owned())).transpose()
    }

    /// Notes under which id of a messenger a phone writes.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_user(&self, user: &str, phone: &E164) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).user(&self.hash(user)).item();
        item.insert("cp".to_owned(), s(self.hash(phone.as_str())));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem user", &e))
    }

    /// The patients who have the phone of that hash.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn patients_with_hash(&self, hash: &str) -> Result<Vec<PatientId>, CloudError> {
        let found = self.query_index("g3", Keys(&self.clinic).phone_pk(hash), None, None).await?;
        found.iter().map(owner).collect()
    }
}

fn owner(item: &Item) -> Result<PatientId, CloudError> {
    Reader { kind: "lookup", item }.parse("pk", patient_of_pk)
}
