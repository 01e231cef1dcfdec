//! What people wrote into a clinic's page of consent, with the words they agreed to, for staff: the
//! person may not be the clinic's patient yet.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::channel::{Channel, ChannelSet};
use retorno_domain::contact::{E164, EmailAddress, PersonName};
use retorno_domain::ids::PatientId;

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::{Key, Keys};
use crate::error::{CloudError, sort};

/// An agreement is kept until it is a patient's or set aside: the person may become a patient at any
/// time, and it is the only proof of what they said. Afterwards, for so long.
const SETTLED_KEPT: TimeDelta = TimeDelta::days(90);

/// An agreement. Its Debug shows nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Who says so.
    pub name: PersonName,
    /// The phone given.
    pub phone: E164,
    /// The address given, where e-mail was chosen.
    pub email: Option<EmailAddress>,
    /// The channels chosen.
    pub channels: ChannelSet,
    /// The words agreed to.
    pub wording: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgreementState {
    /// Of nobody on record yet.
    Open,
    /// Recorded as this patient's.
    Recorded(PatientId),
    /// Set aside by staff.
    Dismissed,
}

/// An agreement as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAgreement {
    /// Its id, which tells nobody anything.
    pub id: String,
    /// What was agreed to.
    pub agreement: Agreement,
    /// What became of it.
    pub state: AgreementState,
    /// Patients of an import whom it may be of.
    pub may_be: Vec<PatientId>,
}

impl Agreement {
    /// The same for the same agreement sent twice: who, and to what. Personal: only its hash is kept.
    pub(crate) fn event(&self) -> String {
        let email = self.email.as_ref().map_or("", EmailAddress::as_str);
        let channels: Vec<&str> = self.channels.iter().map(Channel::code).collect();
        [self.phone.as_str(), self.name.as_str(), email, &channels.join(","), &self.wording].join("\u{1f}")
    }
}

impl TenantStore {
    /// Keeps an agreement; the same one sent again keeps its first instant.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn keep_agreement(&self, agreement: &Agreement) -> Result<(), CloudError> {
        let key = Key { pk: Keys(&self.clinic).agreements_pk(), sk: self.hash(&agreement.event()) };
        let mut item = key.item();
        let channels: Vec<String> = agreement.channels.iter().map(|channel| channel.code().to_owned()).collect();
        let fields = [
            ("name", s(agreement.name.as_str())),
            ("phone", s(agreement.phone.as_str())),
            ("channels", s(channels.join(","))),
            ("wording", s(agreement.wording.clone())),
            ("at", ms(agreement.at)),
        ];
        item.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        if let Some(email) = &agreement.email {
            item.insert("email".to_owned(), s(email.as_str()));
        }
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        match call.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("PutItem agreement", &e)),
        }
    }

    /// All agreements, oldest first.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn agreements(&self) -> Result<Vec<StoredAgreement>, CloudError> {
        let items = self.query_partition(Keys(&self.clinic).agreements_pk(), None).await?;
        let mut found: Vec<StoredAgreement> = items.iter().map(agreement_of).collect::<Result<_, _>>()?;
        found.sort_by_key(|stored| stored.agreement.at);
        Ok(found)
    }

    /// One agreement.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn agreement(&self, id: &str) -> Result<Option<StoredAgreement>, CloudError> {
        let item = self.get("GetItem agreement", self.agreement_key(id).item()).await?;
        item.as_ref().map(agreement_of).transpose()
    }

    /// The id under which an agreement is kept.
    #[must_use]
    pub fn agreement_id(&self, agreement: &Agreement) -> String {
        self.hash(&agreement.event())
    }

    /// Notes whose consent an agreement has become. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn settle_agreement(&self, id: &str, patient: &PatientId, now: DateTime<Utc>) -> Result<(), CloudError> {
        let change = "SET patient = :patient, #ttl = :ttl REMOVE dis, may_be";
        let values = [(":patient", s(patient.as_str())), (":ttl", n((now + SETTLED_KEPT).timestamp()))];
        self.change_agreement(id, change, "attribute_exists(pk)", &values).await
    }

    /// Sets an agreement aside, or takes that back; one that is a patient's stays so.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn dismiss_agreement(&self, id: &str, dismissed: bool, now: DateTime<Utc>) -> Result<(), CloudError> {
        let open = "attribute_exists(pk) AND attribute_not_exists(patient)";
        if dismissed {
            let values = [(":now", ms(now)), (":ttl", n((now + SETTLED_KEPT).timestamp()))];
            self.change_agreement(id, "SET dis = :now, #ttl = :ttl", open, &values).await
        } else {
            self.change_agreement(id, "REMOVE dis, #ttl", open, &[]).await
        }
    }

    /// Notes whom an agreement may be of, for a person to say.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_candidates(&self, id: &str, patients: &[PatientId]) -> Result<(), CloudError> {
        let ids = patients.iter().map(|id| id.as_str().to_owned()).collect();
        let values = [(":may", aws_sdk_dynamodb::types::AttributeValue::Ss(ids))];
        self.change_agreement(id, "SET may_be = :may", "attribute_exists(pk)", &values).await
    }

    /// Somebody is no longer one of those of whom an agreement may be. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub(super) async fn forget_candidate(&self, id: &str, patient: &PatientId) -> Result<(), CloudError> {
        let who = aws_sdk_dynamodb::types::AttributeValue::Ss(vec![patient.as_str().to_owned()]);
        self.change_agreement(id, "DELETE may_be :who", "attribute_exists(pk)", &[(":who", who)]).await
    }

    fn agreement_key(&self, id: &str) -> Key {
        Key { pk: Keys(&self.clinic).agreements_pk(), sk: id.to_owned() }
    }

    async fn change_agreement(
        &self,
        id: &str,
        change: &str,
        condition: &str,
        values: &[(&str, aws_sdk_dynamodb::types::AttributeValue)],
    ) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let mut call =
            call.set_key(Some(self.agreement_key(id).item())).update_expression(change).condition_expression(condition);
        if change.contains("#ttl") {
            call = call.expression_attribute_names("#ttl", "ttl");
        }
        for (name, value) in values {
            call = call.expression_attribute_values(*name, value.clone());
        }
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem agreement", &e)),
        }
    }
}

fn agreement_of(item: &Item) -> Result<StoredAgreement, CloudError> {
    let reader = Reader { kind: "agreement", item };
    let email = match reader.text_opt("email") {
        Some(text) => Some(EmailAddress::parse(text).map_err(|_| reader.corrupt("email"))?),
        None => None,
    };
    let channels = reader.text("channels")?.split(',').map(str::parse::<Channel>);
    let agreement = Agreement {
        name: reader.parse("name", |text| PersonName::parse(text).ok())?,
        phone: reader.parse("phone", |text| E164::parse_strict(text).ok())?,
        email,
        channels: channels.collect::<Result<_, _>>().map_err(|()| reader.corrupt("channels"))?,
        wording: reader.text("wording")?.to_owned(),
        at: reader.instant("at")?,
    };
    let state = match (reader.text_opt("patient"), reader.instant_opt("dis")?) {
        (Some(id), _) => AgreementState::Recorded(PatientId::parse(id).map_err(|_| reader.corrupt("patient"))?),
        (None, Some(_)) => AgreementState::Dismissed,
        (None, None) => AgreementState::Open,
    };
    let may_be = item.get("may_be").and_then(|ids| ids.as_ss().ok()).into_iter().flatten();
    let may_be = may_be.filter_map(|id| PatientId::parse(id).ok()).collect();
    Ok(StoredAgreement { id: reader.text("sk")?.to_owned(), agreement, state, may_be })
}
