//! Finding whose something is: a phone's patients, a message's patient. A third sparse index, keys
//! only; under hashes and ids, never under a phone.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::NaiveDate;
use retorno_domain::contact::E164;
use retorno_domain::ids::{MessageId, PatientId};
use retorno_domain::patient::Patient;

use super::TenantStore;
use super::item::{Item, Reader, n, s};
use super::key::{Keys, patient_of_pk};
use crate::error::{CloudError, sort};

impl TenantStore {
    /// The patients who are reached at this phone on a day of the clinic's, in any of its spellings; a
    /// minor at the guardian's. Eventually consistent: somebody imported a moment ago may be missing.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn patients_with_phone(&self, phone: &E164, today: NaiveDate) -> Result<Vec<PatientId>, CloudError> {
        let mut found = Vec::new();
        for digits in phone.aliases() {
            let pk = Keys(&self.clinic).phone_pk(&self.hash(&format!("+{digits}")));
            found.extend(self.reached_at(pk, today).await?);
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
        let (hash, contact) = (self.hash(user), self.hash(phone.as_str()));
        let mut item = Keys(&self.clinic).user(&hash).item();
        item.insert("cp".to_owned(), s(contact.clone()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        let call = call.condition_expression("attribute_not_exists(pk) OR cp <> :cp");
        match call.expression_attribute_values(":cp", s(contact.clone())).send().await {
            Ok(_) => {}
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => return Ok(()),
            Err(e) => return Err(sort("PutItem user", &e)),
        }
        // So that whoever erases the person finds it by the phone.
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).contact_point(&contact).item()))
            .update_expression("ADD #users :user, ver :one")
            .expression_attribute_names("#users", "users")
            .expression_attribute_values(":user", AttributeValue::Ss(vec![hash]))
            .expression_attribute_values(":one", n(1));
        call.send().await.map(|_| ()).map_err(|e| sort("UpdateItem user", &e))
    }

    /// The patients who are reached at the contact point of that hash on a day of the clinic's: a phone,
    /// or an e-mail address of those who have no phone.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn patients_with_hash(&self, hash: &str, today: NaiveDate) -> Result<Vec<PatientId>, CloudError> {
        self.reached_at(Keys(&self.clinic).phone_pk(hash), today).await
    }

    async fn reached_at(&self, pk: String, today: NaiveDate) -> Result<Vec<PatientId>, CloudError> {
        let found = self.query_index("g3", pk, None, None).await?;
        let mut patients = Vec::with_capacity(found.len());
        for item in &found {
            // Who came of age is no longer reached at the guardian's, whether or not the entry has been
            // written anew since.
            let sk = Reader { kind: "lookup", item }.text("g3sk")?;
            let until = sk.strip_prefix(UNTIL).map(str::parse::<NaiveDate>);
            if until.is_none_or(|until| until.is_ok_and(|until| today < until)) {
                patients.push(owner(item)?);
            }
        }
        Ok(patients)
    }
}

/// A patient's entry, found by phone.
const OWN: &str = "PATIENT";
/// The entry of a minor, found by the guardian's phone; the day of coming of age follows.
const UNTIL: &str = "UNTIL#";

/// The keys by which a patient is found when somebody writes: of their own phone, or of a minor's
/// guardian's; of the e-mail address where there is no phone; nothing where there is neither.
pub(super) fn lookup_keys(tenant: &TenantStore, patient: &Patient, today: NaiveDate) -> Option<(String, String)> {
    let through = patient.through(today);
    let email = through.email().map(|email| email.as_str());
    let hash = tenant.hash(through.phone().map(|phone| phone.e164.as_str()).or(email)?);
    let sk = match (through.guardian(), patient.of_age_on()) {
        (Some(_), Some(of_age)) => format!("{UNTIL}{of_age}"),
        (Some(_) | None, _) => OWN.to_owned(),
    };
    Some((Keys(&tenant.clinic).phone_pk(&hash), sk))
}

fn owner(item: &Item) -> Result<PatientId, CloudError> {
    Reader { kind: "lookup", item }.parse("pk", patient_of_pk)
}
