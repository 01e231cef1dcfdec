//! What went wrong with a request, as its asker hears it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use retorno_cloud::CloudError;

/// A refused or failed request: `{"error": …}` with a status. The message is English, for the API and the
/// commands; what the pages say goes by the code.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What kind of answer it is.
    pub status: StatusCode,
    /// What is wrong, in English.
    pub message: String,
    /// Its word in the pages' texts; none where only the status says what is the matter.
    pub code: Option<String>,
    /// What the words are filled in with.
    pub args: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem without a word of its own.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, args: Vec::new() }
    }

    /// The same, with its word in the pages' texts.
    #[must_use]
    pub fn coded(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// The same, with something that its words are filled in with.
    pub fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// A form or an address that is not as the pages make it.
    #[must_use]
    pub fn form(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, message).coded("form")
    }

    /// What was sent is not what is expected.
    #[must_use]
    pub fn bad(message: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message.to_string())
    }

    /// There is no such thing.
    #[must_use]
    pub fn missing(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} is not there"))
    }

    /// Something is under way that comes first.
    #[must_use]
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }
}

/// The status that says what became of a request to the table or the queues.
#[must_use]
pub fn status_of(error: &CloudError) -> StatusCode {
    match error {
        CloudError::Missing(_) => StatusCode::NOT_FOUND,
        CloudError::Retryable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        CloudError::Permanent { .. } | CloudError::Corrupt { .. } | CloudError::Setup(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

impl From<CloudError> for Problem {
    fn from(error: CloudError) -> Self {
        let status = status_of(&error);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(%error, "a request failed");
        }
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.message }))).into_response()
    }
}
