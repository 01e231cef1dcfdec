//! The entrance: a request is verified, its events are put on the queue, and only then it is
//! answered with 200. Whoever delivers keeps what is not. A proven body that cannot be read is parked
//! with its bytes, and read again when somebody asks for it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::fetch::Fetcher;
use retorno_cloud::metrics::Metric;
use retorno_cloud::queue::Queue;
use retorno_cloud::store::{Parking, Store};

use crate::event::{GatewayKind, Routed};
use crate::hook::{
    CHUNK_BYTES_MAX, Entry, HookAnswer, HookRequest, HookSecrets, Received, Unread, chunks, prove, read_again, receive,
};
use crate::wire::evolution;

/// Takes requests in.
#[derive(Debug)]
pub struct Entrance {
    queue: Queue,
    fetcher: Fetcher,
    store: Store,
}

/// What came of reading a parked body again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// Read: its events are on the queue, and it is parked no more.
    Read,
    /// What can be read of it is on the queue; something still cannot, and it stays.
    Partly,
    /// It still cannot be read, and stays.
    Unreadable,
    /// There is no such body: read, discarded, or kept for too long.
    Gone,
}

impl Entrance {
    /// Over the queue of events, and the table for what cannot be read.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when TLS cannot be set up.
    pub fn new(queue: Queue, store: Store) -> Result<Self, CloudError> {
        Ok(Self { queue, fetcher: Fetcher::new()?, store })
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
                if matches!(answer.status, 401 | 403) {
                    Metric::SignatureFailures.tell(1);
                }
                answer
            }
            Received::Answer(answer) => answer,
            Received::Verified(events) => self.keep(events).await,
            // The sender is proven and would send it for seven days; what it holds is the sender's.
            Received::Unreadable(unread) => Self::answer(self.park(&unread, now).await),
            // First what was not read: should the rest fail, all of it is delivered again.
            Received::Partly(events, unread) => match self.park(&unread, now).await {
                Ok(()) => self.keep(events).await,
                failed => Self::answer(failed),
            },
            Received::Confirm(url) => HookAnswer::of(if self.fetcher.open(url.as_str()).await { 200 } else { 503 }),
            // Proven above.
            Received::NeedsCertificate(_) => HookAnswer::of(503),
        }
    }

    /// Reads a parked body again, by the ways of now. What was taken up before is so once. What still
    /// cannot be read stays, with a note of the attempt.
    ///
    /// # Errors
    /// [`CloudError`]; repeating it finishes it.
    pub async fn replay(&self, id: &str, secrets: &HookSecrets, now: DateTime<Utc>) -> Result<Replayed, CloudError> {
        let Some((parked, body)) = self.store.parked_body(id).await? else { return Ok(Replayed::Gone) };
        let entry = Entry::of(&format!("/hooks/{}", parked.entry));
        let (replayed, why) = match entry.map(|entry| read_again(entry, body, secrets, parked.first_at)) {
            Some(Received::Verified(events)) => {
                self.put(events).await?;
                self.store.discard_parked(id).await?;
                return Ok(Replayed::Read);
            }
            Some(Received::Partly(events, unread)) => {
                self.put(events).await?;
                (Replayed::Partly, unread.why)
            }
            Some(Received::Unreadable(unread)) => (Replayed::Unreadable, unread.why),
            None
            | Some(
                Received::Refused(..) | Received::Answer(_) | Received::NeedsCertificate(_) | Received::Confirm(_),
            ) => (Replayed::Unreadable, parked.why),
        };
        self.store.read_parked_again(id, replayed == Replayed::Partly, &why, now).await?;
        Ok(replayed)
    }

    async fn park(&self, unread: &Unread, now: DateTime<Utc>) -> Result<(), CloudError> {
        let entry = unread.entry.to_string();
        let body = match &unread.entry {
            Entry::Gateway(GatewayKind::Evolution, _) => Cow::Owned(evolution::without_key(&unread.body)),
            Entry::Gateway(GatewayKind::Waha, _) | Entry::Meta(_) | Entry::Sns => Cow::Borrowed(&*unread.body),
        };
        match self.store.park(&entry, &unread.why, &body, now).await? {
            Parking::Parked => {
                tracing::error!(
                    entry,
                    why = unread.why,
                    "a verified request could not be read and is parked: a person must look"
                );
                Metric::ParkedBodies.tell(1);
            }
            Parking::Known => tracing::info!(entry, "a parked request was delivered again"),
            Parking::Counted => {
                tracing::error!(
                    entry,
                    why = unread.why,
                    "too many verified requests cannot be read: this one is only counted"
                );
            }
        }
        Ok(())
    }

    async fn keep(&self, events: Vec<Routed>) -> HookAnswer {
        Self::answer(self.put(events).await)
    }

    fn answer(kept: Result<(), CloudError>) -> HookAnswer {
        match kept {
            Ok(()) => HookAnswer::of(200),
            Err(error) => {
                tracing::warn!(%error, "a request could not be kept; it is delivered again");
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
