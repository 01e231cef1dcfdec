//! Receipts: what providers tell of a message after they took it. Each kind is kept with its first
//! instant, so that their order and their repetition cannot matter; the first of any kind proves that
//! a message of unknown fate was taken.

use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, Utc};
use retorno_domain::ids::{MessageId, PatientId};

use super::TenantStore;
use super::item::{Item, ms, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// What a receipt tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Handed over to the network.
    Sent,
    /// Arrived.
    Delivered,
    /// Read.
    Read,
    /// Could not be delivered.
    Failed,
    /// A link of it was opened.
    Clicked,
}

impl Told {
    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Sent => "sent_at",
            Self::Delivered => "delivered_at",
            Self::Read => "read_at",
            Self::Failed => "failed_at",
            Self::Clicked => "clicked_at",
        }
    }
}

/// A receipt of one of our messages.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// What it tells.
    pub told: Told,
    /// When that was.
    pub at: DateTime<Utc>,
    /// The provider's id of the message.
    pub provider_id: &'a str,
    /// The provider's code of a failure.
    pub code: Option<&'a str>,
    /// Category and whether it is billed, as the provider says.
    pub price: Option<&'a str>,
}

impl TenantStore {
    /// Takes in a receipt of a message or an answer; says whether there is such a one. Harmless to
    /// repeat, in any order.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn take_receipt(
        &self,
        patient: &PatientId,
        message: MessageId,
        evidence: &Evidence<'_>,
    ) -> Result<bool, CloudError> {
        let keys = Keys(&self.clinic);
        for key in [keys.message(patient, message), keys.answer(patient, message)] {
            if let Some(state) = self.keep_evidence(&key, evidence).await? {
                // Nearly always the fate is known by now, and a write in vain costs as much as one that counts.
                if is_open(&state) {
                    self.settle(&key, evidence.told == Told::Failed).await?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes that a link of a message was opened. Whoever opens it has the message: it was taken.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_click(
        &self,
        patient: &PatientId,
        message: MessageId,
        at: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let key = Keys(&self.clinic).message(patient, message);
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(key.item()))
            .update_expression("SET clicked_at = :at")
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(clicked_at) OR clicked_at > :at)")
            .expression_attribute_values(":at", ms(at));
        match call.send().await {
            Ok(_) => self.settle(&key, false).await,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem click", &e)),
        }
    }

    /// Keeps evidence, and says in which state the message is; nothing when there is no such message.
    async fn keep_evidence(
        &self,
        key: &super::key::Key,
        evidence: &Evidence<'_>,
    ) -> Result<Option<String>, CloudError> {
        let state = |item: &Item| item.get("st").and_then(|st| st.as_s().ok()).cloned().unwrap_or_default();
        let name = evidence.told.attribute();
        // The earliest instant told; a second receipt of a kind that is older replaces it.
        let call = self.client().update_item().table_name(self.table());
        let mut set = format!("SET {name} = :at, prov_id = if_not_exists(prov_id, :id)");
        let mut call = call
            .set_key(Some(key.item()))
            .condition_expression(format!("attribute_exists(pk) AND (attribute_not_exists({name}) OR {name} > :at)"))
            .expression_attribute_values(":at", ms(evidence.at))
            .expression_attribute_values(":id", s(evidence.provider_id));
        if let Some(code) = evidence.code {
            set.push_str(", fail_code = :code");
            call = call.expression_attribute_values(":code", s(code));
        }
        if let Some(price) = evidence.price {
            set.push_str(", price = :price");
            call = call.expression_attribute_values(":price", s(price));
        }
        match call.update_expression(set).return_values(ReturnValue::AllNew).send().await {
            Ok(done) => Ok(Some(done.attributes.as_ref().map(state).unwrap_or_default())),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                // Known already, or no such message.
                Ok(self.get("GetItem message", key.item()).await?.as_ref().map(state))
            }
            Err(e) => Err(sort("UpdateItem receipt", &e)),
        }
    }

    /// A receipt is evidence that the provider took a message of unknown fate. One given up for good
    /// stays so: the receipt stands beside it.
    async fn settle(&self, key: &super::key::Key, failed: bool) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(key.item()))
            .update_expression("SET st = :st REMOVE g1pk, g1sk")
            .condition_expression("st IN (:flying, :unknown)")
            .expression_attribute_values(":st", s(if failed { "failed" } else { "accepted" }))
            .expression_attribute_values(":flying", s("in_flight"))
            .expression_attribute_values(":unknown", s("unknown"));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem receipt", &e)),
        }
    }
}

/// Whether it is open what became of a message in that state.
fn is_open(state: &str) -> bool {
    matches!(state, "in_flight" | "unknown")
}
