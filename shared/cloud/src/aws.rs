//! Clients of the AWS SDK, set up once: region and credentials from the environment (as Lambda
//! gives them), retries off for whoever sends, rustls with ring.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
pub use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::error::CloudError;

/// A call that sends must be over within this time; later its fate is unknown.
const SENDER_TIMEOUT: Duration = Duration::from_secs(8);

fn from_env(name: &str) -> Result<String, CloudError> {
    std::env::var(name).map_err(|_| CloudError::Setup(format!("{name} is not set")))
}

/// The connector over rustls.
#[must_use]
pub fn https() -> SharedHttpClient {
    Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https()
}

/// What all clients share: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// `AWS_SESSION_TOKEN`, and `AWS_ENDPOINT_URL` where the services stand elsewhere.
///
/// # Errors
/// [`CloudError::Setup`] names the variable that is missing.
pub fn config_from_env() -> Result<SdkConfig, CloudError> {
    let credentials = Credentials::new(
        from_env("AWS_ACCESS_KEY_ID")?,
        from_env("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let mut config = SdkConfig::builder()
        .region(Region::new(from_env("AWS_REGION")?))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .http_client(https());
    if let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL") {
        config = config.endpoint_url(endpoint);
    }
    Ok(config.build())
}

/// SES for the one function that sends. The SDK's own retries are off: it would send twice.
#[must_use]
pub fn ses(config: &SdkConfig) -> aws_sdk_sesv2::Client {
    let timeouts = TimeoutConfig::builder().operation_timeout(SENDER_TIMEOUT).build();
    let config =
        aws_sdk_sesv2::config::Builder::from(config).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    aws_sdk_sesv2::Client::from_conf(config.build())
}

/// End User Messaging SMS, for the one function that sends; retries are off as for [`ses`].
#[must_use]
pub fn sms(config: &SdkConfig) -> aws_sdk_pinpointsmsvoicev2::Client {
    let timeouts = TimeoutConfig::builder().operation_timeout(SENDER_TIMEOUT).build();
    let config = aws_sdk_pinpointsmsvoicev2::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    aws_sdk_pinpointsmsvoicev2::Client::from_conf(config.build())
}
