//! What can go wrong when reaching outside. Messages name operations and keys' kinds, never people.

use aws_smithy_runtime_api::client::result::SdkError;

/// A failure to reach something.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Worth trying again: throttled, timed out, conflicted, or the service failed.
    #[error("{operation} failed for now: {code}")]
    Retryable {
        /// What was being done.
        operation: &'static str,
        /// The service's code.
        code: String,
    },
    /// Will fail again the same way.
    #[error("{operation} was refused: {code}")]
    Permanent {
        /// What was being done.
        operation: &'static str,
        /// The service's code.
        code: String,
    },
    /// A stored item is not of the shape we write.
    #[error("a stored {kind} cannot be read: {attribute}")]
    Corrupt {
        /// Which kind of item.
        kind: &'static str,
        /// Which attribute.
        attribute: String,
    },
    /// Something that is needed is not there.
    #[error("{0} is not there")]
    Missing(String),
    /// The environment is not set up.
    #[error("the environment is not set up: {0}")]
    Setup(String),
}

impl CloudError {
    /// Whether trying again later may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Retryable { .. })
    }
}

const RETRYABLE: [&str; 9] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "TransactionInProgressException",
    "InternalServerError",
    "InternalServerException",
    "ServiceUnavailable",
    "LimitExceededException",
];

/// Sorts an SDK error into worth trying again or not.
#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK may add kinds of failure; none proves anything")]
pub(crate) fn sort<E, R>(operation: &'static str, error: &SdkError<E, R>) -> CloudError
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(context) => {
            let code = context.err().code().unwrap_or("unknown").to_owned();
            if RETRYABLE.contains(&code.as_str()) {
                CloudError::Retryable { operation, code }
            } else {
                CloudError::Permanent { operation, code }
            }
        }
        SdkError::ConstructionFailure(_) => CloudError::Permanent { operation, code: "request".to_owned() },
        SdkError::TimeoutError(_) => CloudError::Retryable { operation, code: "timeout".to_owned() },
        SdkError::DispatchFailure(_) => CloudError::Retryable { operation, code: "connection".to_owned() },
        _ => CloudError::Retryable { operation, code: "response".to_owned() },
    }
}
