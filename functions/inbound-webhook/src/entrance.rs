//! The entrance: a request is verified, its events are put on the queue, and only then it is
//! answered with 200. Whoever delivers keeps what is not.

use chrono::{DateTime, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::fetch::Fetcher;
use retorno_cloud::queue::Queue;

use crate::event::Routed;
use crate::hook::{CHUNK_BYTES_MAX, HookAnswer, HookRequest, HookSecrets, Received, chunks, prove, receive};

/// Takes requests in.
#[derive(Debug)]
pub struct Entrance {
    queue: Queue,
    fetcher: Fetcher,
}

impl Entrance {
    /// Over the queue of events.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new(queue: Queue) -> Result<Self, CloudError> {
        Ok(Self { queue, fetcher: Fetcher::new()? })
    }

    /// Takes a request in, and says what to answer.
    pub async fn accept(&self, request: HookRequest, secrets: &HookSecrets, now: DateTime<Utc>) -> HookAnswer {
        let mut received = receive(request, secrets, now);
        if let Received::NeedsCertificate(unproven) = received {
            let Some(certificate) = self.fetcher.document(unproven.certificate().as_str()).await else {
                // Tried again by SNS.
                return HookAnswer::of(503);
            };
            received = prove(*unproven, &certificate, now);
        }
        match received {
            Received::Refused(answer, why) => {
                tracing::warn!(status = answer.status, ?why, "a request to a hook was refused");
                answer
            }
            Received::Answer(answer) => answer,
            Received::Verified(events) => self.keep(events).await,
            Received::Unreadable(entry) => {
                // The sender is proven and would send it for seven days; what it holds is the sender's.
                tracing::error!(?entry, "a verified request could not be read: a person must look");
                HookAnswer::of(200)
            }
            Received::Confirm(url) => HookAnswer::of(if self.fetcher.open(url.as_str()).await { 200 } else { 503 }),
            // Proven above.
            Received::NeedsCertificate(_) => HookAnswer::of(503),
        }
    }

    async fn keep(&self, events: Vec<Routed>) -> HookAnswer {
        match self.put(events).await {
            Ok(()) => HookAnswer::of(200),
            Err(error) => {
                tracing::warn!(%error, "events could not be kept; they are delivered again");
                HookAnswer::of(503)
            }
        }
    }

    async fn put(&self, events: Vec<Routed>) -> Result<(), CloudError> {
        for chunk in chunks(events, CHUNK_BYTES_MAX) {
            let body = serde_json::to_string(&chunk).map_err(|e| CloudError::Setup(e.to_string()))?;
            self.queue.put(body).await?;
        }
        Ok(())
    }
}
