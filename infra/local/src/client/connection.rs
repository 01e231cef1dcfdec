//! The connection to the running system.

use std::error::Error;
use std::path::Path;

use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::session::Session;
use crate::host::HostError;
use crate::server::DataFolder;

/// The API of the running system, or of a stack in the cloud.
pub(super) struct Connection {
    client: Client,
    base: Url,
    /// Of somebody who signed in to a stack.
    token: Option<String>,
}

impl Connection {
    /// To the system that runs over a folder.
    ///
    /// # Errors
    /// [`HostError::User`] when none does.
    pub(super) fn to(data: &Path) -> Result<Self, HostError> {
        let user = |error: &dyn std::fmt::Display| HostError::User(error.to_string());
        let address = DataFolder::address(data).map_err(|error| user(&error))?;
        let base = Url::parse(&address).map_err(|error| user(&error))?;
        // The system is on this machine; a proxy would look for it on its own.
        let client = Client::builder().no_proxy().build().map_err(|error| user(&error))?;
        Ok(Self { client, base, token: None })
    }

    /// To a stack, as somebody who signed in.
    ///
    /// # Errors
    /// [`HostError::User`] when somebody has to sign in again.
    pub(super) async fn by(session: &Path) -> Result<Self, HostError> {
        let user = |error: &dyn std::fmt::Display| HostError::User(error.to_string());
        let mut signed_in = Session::read(session)?;
        let token = signed_in.token(session, retorno_cloud::Clock::System.now()).await?;
        let client = Client::builder().build().map_err(|error| user(&error))?;
        let base = Url::parse(signed_in.url()).map_err(|error| user(&error))?;
        Ok(Self { client, base, token: Some(token) })
    }

    /// Whether it is to a stack in the cloud.
    pub(super) fn is_to_a_stack(&self) -> bool {
        self.token.is_some()
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, HostError> {
        self.answer(self.client.get(self.url(path, query))).await
    }

    pub(super) async fn post_json(&self, path: &[&str], body: &Value) -> Result<Value, HostError> {
        self.answer(self.client.post(self.url(path, &[])).json(body)).await
    }

    pub(super) async fn post_text(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        text: String,
    ) -> Result<Value, HostError> {
        self.answer(self.client.post(self.url(path, query)).body(text)).await
    }

    pub(super) async fn post_file(&self, path: &[&str], file: &Path) -> Result<Value, HostError> {
        let bytes = std::fs::read(file)
            .map_err(|error| HostError::Io { what: format!("cannot read {}", file.display()), error })?;
        self.answer(self.client.post(self.url(path, &[])).body(bytes)).await
    }

    /// Each part of the path is escaped: a patient's id may hold anything.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty();
            if self.token.is_none() {
                segments.push("api");
            }
            segments.extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, HostError> {
        let lost = |error: reqwest::Error| {
            HostError::User(format!("the running system does not answer: {}", chain(&error.without_url())))
        };
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(lost)?;
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| HostError::User(format!("the running system is of another version: {error}")));
        }
        let refused: Option<Value> = serde_json::from_slice(&bytes).ok();
        let said = refused.as_ref().and_then(|refused| refused.get("error")).and_then(Value::as_str);
        // The API's own gate, which knows no words of ours.
        if self.token.is_some() && status == StatusCode::UNAUTHORIZED {
            return Err(HostError::User("the session is over: sign in again with `retorno login`".to_owned()));
        }
        Err(HostError::User(said.map_or_else(|| format!("the running system answered {status}"), str::to_owned)))
    }
}

/// An error with its causes: the reason (refused, reset, closed) is the innermost.
fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}
