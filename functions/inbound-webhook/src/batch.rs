//! One message of the queue of what came in: events of the hooks, or an event of AWS's own (SES and
//! text messages publish through SNS).

use chrono::{DateTime, Utc};
use retorno_cloud::CloudError;
use serde_json::Value;

use crate::event::Routed;
use crate::process::Inbound;
use crate::wire;

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
