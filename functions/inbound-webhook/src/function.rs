//! Both halves of the function with what they need: the hooks' entrance, and what reads the queue.

use std::pin::Pin;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use chrono::{DateTime, Utc};
use retorno_cloud::aws::SdkConfig;
use retorno_cloud::queue::Queue;
use retorno_cloud::vault::{SecretGroup, Secrets};
use retorno_cloud::{CloudError, Reach};

use crate::batch::Reader;
use crate::entrance::Entrance;
use crate::hook::{HookAnswer, HookRequest, HookSecrets};
use crate::process::Inbound;
use crate::secrets;

/// The secrets that [`Function::from_env`] needs.
pub const SECRETS: &[SecretGroup] = &[SecretGroup::Contact, SecretGroup::Opaque, SecretGroup::Verification];

/// Behind a pointer: what is awaited is nested deeper than the compiler lays out in one piece.
type Behind<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The deployed function.
#[derive(Debug)]
pub struct Function {
    entrance: Entrance,
    inbound: Inbound,
    proofs: HookSecrets,
}

impl Function {
    /// From the environment of the function: what [`Reach::from_env`] reads, and `INBOUND_QUEUE_URL`; the
    /// secrets `OPAQUE_KEY` and `HOOK_SECRETS` (see [`secrets::read`]).
    ///
    /// # Errors
    /// [`CloudError::Setup`] names what is missing.
    pub fn from_env(config: &SdkConfig, given: &Secrets) -> Result<Self, CloudError> {
        let reach = Reach::from_env(config, given)?;
        Ok(Self {
            entrance: Entrance::new(Queue::from_env(config, "INBOUND_QUEUE_URL")?, reach.store.clone())?,
            proofs: secrets::read(&given.all("HOOK_SECRETS"))?,
            inbound: Inbound::new(reach, given.key("OPAQUE_KEY")?),
        })
    }

    /// Takes a request to a hook in.
    pub async fn accept(&self, request: HookRequest, now: DateTime<Utc>) -> HookAnswer {
        let answered: Behind<'_, HookAnswer> = Box::pin(self.entrance.accept(request, &self.proofs, now));
        answered.await
    }

    /// Takes a batch of the queue in.
    pub async fn take_in(&self, event: SqsEvent, now: DateTime<Utc>) -> SqsBatchResponse {
        let taken: Behind<'_, SqsBatchResponse> = Box::pin(self.reader().batch(event, now));
        taken.await
    }

    fn reader(&self) -> Reader<'_> {
        Reader { inbound: &self.inbound, entrance: &self.entrance, proofs: &self.proofs }
    }
}
