//! Finding patients by what staff types: a name, or the number in the clinic's system. There is no
//! index of names, so that none stands in a key; a search by name reads everybody.

use retorno_domain::ids::PatientId;
use retorno_domain::services::fold;

use super::{StoredPatient, TenantStore};
use crate::error::CloudError;

/// Patients read at a time.
const AT_ONCE: usize = 500;

impl TenantStore {
    /// Patients of that number, or in whose name all these words are; at most so many, by name.
    /// Eventually consistent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn find_patients(&self, words: &str, most: usize) -> Result<Vec<StoredPatient>, CloudError> {
        let words = words.trim();
        let Ok(id) = PatientId::parse(words) else { return Ok(Vec::new()) };
        let mut found = self.patients(std::slice::from_ref(&id), true).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        let wanted = fold(words);
        let wanted: Vec<&str> = wanted.split_whitespace().collect();
        let ids: Vec<PatientId> = self.values().await?.into_iter().map(|entry| entry.patient).collect();
        for chunk in ids.chunks(AT_ONCE) {
            for stored in self.patients(chunk, false).await? {
                let name = fold(stored.patient.profile.name.as_str());
                if !wanted.is_empty() && wanted.iter().all(|word| name.contains(word)) {
                    found.push(stored);
                }
            }
        }
        found.sort_by(|a, b| {
            let of = |stored: &StoredPatient| (fold(stored.patient.profile.name.as_str()), stored.patient.id.clone());
            of(a).cmp(&of(b))
        });
        found.truncate(most);
        Ok(found)
    }
}
