//! One message of the queue of what came in: events of the hooks, an event of AWS's own (SES and text
//! messages publish through SNS), or the wish that a parked body be read again.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use chrono::{DateTime, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::queue::ReadAgain;
use serde::Deserialize as _;
use serde_json::Value;

use crate::entrance::Entrance;
use crate::event::Routed;
use crate::hook::HookSecrets;
use crate::process::Inbound;
use crate::wire;

/// Reads the queue of what came in.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Takes events up.
    pub inbound: &'a Inbound,
    /// Reads parked bodies again.
    pub entrance: &'a Entrance,
    /// What is configured of the senders.
    pub proofs: &'a HookSecrets,
}

impl Reader<'_> {
    /// Takes a batch in. Each message stands alone: one that fails is handed back by itself.
    pub async fn batch(self, event: SqsEvent, now: DateTime<Utc>) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            let body = message.body.as_deref().unwrap_or("");
            if let Err(error) = self.take_in(body, now).await {
                tracing::warn!(id = message.message_id, %error, "events are handed back");
                response.add_failure(message.message_id.unwrap_or_default());
            }
        }
        response
    }

    /// Takes a message in. A message that cannot be read is an error: the queue parks it where it is seen.
    ///
    /// # Errors
    /// [`CloudError`]: the queue keeps it and hands it over again.
    pub async fn take_in(self, body: &str, now: DateTime<Utc>) -> Result<(), CloudError> {
        let unreadable = || CloudError::Permanent { operation: "events", code: "unreadable".to_owned() };
        let events: Vec<Routed> = match serde_json::from_str::<Vec<Routed>>(body) {
            Ok(events) => events,
            Err(_) => {
                let body: Value = serde_json::from_str(body).map_err(|_| unreadable())?;
                if !body.is_object() {
                    return Err(unreadable());
                }
                if let Ok(ReadAgain { read_again }) = ReadAgain::deserialize(&body) {
                    let replayed = self.entrance.replay(&read_again, self.proofs, now).await?;
                    tracing::info!(id = read_again, ?replayed, "a parked body was read again");
                    return Ok(());
                }
                wire::aws::events(&body, now)
            }
        };
        for event in &events {
            self.inbound.take_in(event).await?;
        }
        Ok(())
    }
}
