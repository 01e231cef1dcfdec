//! HTTP to providers: a request is made once. No retries, no redirects (they would carry a secret
//! elsewhere, or lead past a list of known hosts), no proxies, and no answer larger than it should be.

use super::Posted;
use crate::error::CloudError;

/// The largest answer read, in bytes; all of them are short JSON, a QR picture at most.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A client for `what`.
///
/// # Errors
/// [`CloudError::Setup`] when TLS cannot be set up.
pub(crate) fn client(what: &str) -> Result<reqwest::Client, CloudError> {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    builder.build().map_err(|_| CloudError::Setup(format!("the HTTP client for {what}")))
}

/// Sends a request, and reads its answer to the end.
pub(super) async fn posted(request: reqwest::RequestBuilder) -> Posted {
    match request.send().await {
        Ok(response) => read(response).await,
        Err(e) if e.is_connect() || e.is_builder() => Posted::NeverConnected,
        Err(e) if e.is_timeout() => Posted::TimedOut,
        Err(_) => Posted::Broken,
    }
}

async fn read(mut response: reqwest::Response) -> Posted {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => body.extend_from_slice(&chunk),
            Ok(None) => return Posted::Answered(status, body),
            Err(e) if e.is_timeout() => return Posted::TimedOut,
            Ok(Some(_)) | Err(_) => return Posted::Broken,
        }
    }
}
