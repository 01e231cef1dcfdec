//! Addresses that a message of SNS gives, and that we would fetch: only those of SNS itself.
//!
//! They are not parsed but held against the one spelling they may have, character by character, so
//! that no two parsers can understand them differently.

/// Longest address looked at, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// The address of a certificate of SNS: `https://sns.<region>.amazonaws.com/<name>.pem`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateUrl {
    url: String,
    host: String,
}

/// The address by which a subscription is confirmed. It holds a token, so its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SubscribeUrl(String);

impl CertificateUrl {
    /// The address, if it is one of SNS in this region.
    pub(super) fn parse(url: &str, region: &str) -> Option<Self> {
        let (host, path) = of_sns(url, region)?;
        let name = path.strip_suffix(".pem")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let right = !name.is_empty() && name.chars().all(plain);
        right.then(|| Self { url: url.to_owned(), host: host.to_owned() })
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl SubscribeUrl {
    /// The address, if it is one of SNS in this region that confirms a subscription to this topic.
    pub(super) fn parse(url: &str, region: &str, topic: &str) -> Option<Self> {
        let (_, query) = of_sns(url, region)?;
        let mut pairs: Vec<_> = query.strip_prefix('?')?.split('&').map(|pair| pair.split_once('=')).collect();
        pairs.sort_unstable();
        let [Some(("Action", "ConfirmSubscription")), Some(("Token", token)), Some(("TopicArn", of))] =
            pairs.as_slice()
        else {
            return None;
        };
        let right = token.bytes().all(|b| b.is_ascii_hexdigit()) && (*of == topic || *of == topic.replace(':', "%3A"));
        (right && !token.is_empty()).then(|| Self(url.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SubscribeUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubscribeUrl([redacted])")
    }
}

/// Host, and what follows its slash, of `https://sns.<region>.amazonaws.com/…`.
fn of_sns<'a>(url: &'a str, region: &str) -> Option<(&'a str, &'a str)> {
    if url.len() > URL_BYTES_MAX || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(3..=20).contains(&region.len()) || !region.bytes().all(plain) {
        return None;
    }
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    (host == format!("sns.{region}.{domain}")).then_some((host, path))
}
