//! What went wrong with a request, as its asker hears it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use retorno_cloud::CloudError;

use crate::doubles::DoublesError;
use crate::host::HostError;

/// A refused or failed request: `{"error": …}` with a status.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad(message: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message.to_string())
    }

    pub(crate) fn missing(what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} is not there"))
    }

    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }
}

impl From<HostError> for Problem {
    fn from(error: HostError) -> Self {
        use export_importer::ImportError;
        let status = match &error {
            HostError::User(_) | HostError::Settings(_) => StatusCode::BAD_REQUEST,
            HostError::Import(ImportError::NotAnExport(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            HostError::Import(ImportError::Busy | ImportError::LeaseLost | ImportError::HasTimetable) => {
                StatusCode::CONFLICT
            }
            HostError::Cloud(cloud) | HostError::Import(ImportError::Cloud(cloud)) => status_of(cloud),
            HostError::Engine(_) | HostError::Doubles(_) | HostError::Seal(_) | HostError::Io { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(%error, "a request failed");
        }
        Self::new(status, error.to_string())
    }
}

fn status_of(error: &CloudError) -> StatusCode {
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
        HostError::from(error).into()
    }
}

impl From<DoublesError> for Problem {
    fn from(error: DoublesError) -> Self {
        HostError::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.message }))).into_response()
    }
}
