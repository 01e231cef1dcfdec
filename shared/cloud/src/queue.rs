//! A queue that a function writes to.

use aws_sdk_sqs::Client;
use serde::{Deserialize, Serialize};

use crate::error::{CloudError, sort};

/// A queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message of the queue of what came in: that a parked body be read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadAgain {
    /// The body's id.
    pub read_again: String,
}

impl Queue {
    /// The queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// The queue whose URL is in an environment variable.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names the variable when it is missing.
    pub fn from_env(config: &aws_types::SdkConfig, name: &str) -> Result<Self, CloudError> {
        let url = std::env::var(name).map_err(|_| CloudError::Setup(format!("{name} is not set")))?;
        Ok(Self::new(Client::new(config), url))
    }

    /// Puts a message on it.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn put(&self, body: String) -> Result<(), CloudError> {
        let call = self.client.send_message().queue_url(&self.url).message_body(body);
        call.send().await.map(|_| ()).map_err(|e| sort("SendMessage", &e))
    }

    /// Asks that a parked body be read again: this is the queue of what came in.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn put_read_again(&self, id: &str) -> Result<(), CloudError> {
        let message = serde_json::to_string(&ReadAgain { read_again: id.to_owned() });
        self.put(message.map_err(|e| CloudError::Setup(e.to_string()))?).await
    }
}
