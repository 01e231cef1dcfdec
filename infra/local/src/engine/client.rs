//! The cheapest configuration of the SDK for a service inside the process.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{Builder, IdentityCache, Region, SharedHttpClient, StalledStreamProtectionConfig};

/// A DynamoDB client configuration over `http`: region `us-east-1`, nothing signed, a fixed
/// endpoint, no retries and no timeouts, since the engine answers in the same thread and a refusal
/// is an answer to be seen. Override what a test wants otherwise.
#[must_use]
pub fn sdk_config(http: SharedHttpClient) -> Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version_latest()
        .http_client(http)
        .region(Region::from_static("us-east-1"))
        .allow_no_auth()
        .endpoint_url("http://dynamodb.local")
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}
