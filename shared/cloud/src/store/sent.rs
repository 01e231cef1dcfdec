//! What is found again by the id that a provider gave it. Gateways take no id of ours, so their
//! receipts name only their own.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::ids::MessageId;

use super::TenantStore;
use super::item::{Reader, n, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// Receipts come for so long at most.
const SENT_REMEMBERED: TimeDelta = TimeDelta::days(30);

impl TenantStore {
    /// Notes under which id of a gateway's a message, an answer or a test went out. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn note_sent(&self, provider_id: &str, id: MessageId, now: DateTime<Utc>) -> Result<(), CloudError> {
        let mut item = Keys(&self.clinic).sent(&self.hash(provider_id)).item();
        item.insert("of".to_owned(), s(id.to_string()));
        item.insert("ttl".to_owned(), n((now + SENT_REMEMBERED).timestamp()));
        let call = self.client().put_item().table_name(self.table()).set_item(Some(item));
        call.send().await.map(|_| ()).map_err(|e| sort("PutItem sent", &e))
    }

    /// What went out under an id of a gateway's.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn sent_as(&self, provider_id: &str) -> Result<Option<MessageId>, CloudError> {
        let key = Keys(&self.clinic).sent(&self.hash(provider_id));
        let Some(item) = self.get("GetItem sent", key.item()).await? else { return Ok(None) };
        Reader { kind: "sent", item: &item }.parse("of", MessageId::parse).map(Some)
    }
}
