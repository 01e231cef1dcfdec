//! A queue that a function writes to.

use aws_sdk_sqs::Client;

use crate::error::{CloudError, sort};

/// A queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
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
}
