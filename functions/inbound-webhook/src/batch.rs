//! One message of the queue of what came in: events of the hooks, or an event of AWS's own (SES and
//! text messages publish through SNS).

use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use retorno_cloud::CloudError;
use serde_json::Value;

use crate::event::Routed;
use crate::process::Inbound;
use crate::wire;

/// Takes a batch in. Each message stands alone: one that fails or panics is handed back by itself.
pub async fn batch(inbound: &Inbound, event: SqsEvent, now: DateTime<Utc>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let body = message.body.as_deref().unwrap_or("");
        let taken = AssertUnwindSafe(take_in(inbound, body, now)).catch_unwind().await;
        if !matches!(taken, Ok(Ok(()))) {
            tracing::warn!(id = message.message_id, "events are handed back");
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    response
}

/// Takes a message in. A message that cannot be read is an error: the queue parks it where it is seen.
///
/// # Errors
/// [`CloudError`]: the queue keeps it and hands it over again.
pub async fn take_in(inbound: &Inbound, body: &str, now: DateTime<Utc>) -> Result<(), CloudError> {
    let unreadable = || CloudError::Permanent { operation: "events", code: "unreadable".to_owned() };
    let events: Vec<Routed> = match serde_json::from_str::<Vec<Routed>>(body) {
        Ok(events) => events,
        Err(_) => {
            let body: Value = serde_json::from_str(body).map_err(|_| unreadable())?;
            if !body.is_object() {
                return Err(unreadable());
            }
            wire::aws::events(&body, now)
        }
    };
    for event in &events {
        inbound.take_in(event).await?;
    }
    Ok(())
}
