//! Messages that SNS delivers by HTTP: signed with the certificate that the message points to.
//!
//! In two steps, since the certificate must be fetched in between: [`Unproven::read`] holds the
//! message against everything that needs no certificate and says where it is; [`Unproven::prove`]
//! takes the certificate. What comes by SQS needs none of this: the queue's policy names the topic.

mod certificate;
mod url;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::Unverified;

pub use url::{CertificateUrl, SubscribeUrl};

/// How old a message may be, or how far ahead: SNS tries for an hour.
const AGE_MAX: TimeDelta = TimeDelta::hours(1);

/// A message as SNS writes it. Lambda's records spell the certificate's address with `Url`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    #[serde(rename = "Type")]
    kind: Kind,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL", alias = "SigningCertUrl")]
    signing_cert_url: String,
    token: Option<String>,
    #[serde(rename = "SubscribeURL", alias = "SubscribeUrl")]
    subscribe_url: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

/// A message that passed every test but the signature's.
pub struct Unproven {
    envelope: Envelope,
    at: DateTime<Utc>,
    certificate: CertificateUrl,
}

/// What a proven message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proven {
    /// A notification.
    Notification {
        /// What it carries.
        message: String,
        /// When SNS took it.
        at: DateTime<Utc>,
    },
    /// The topic asks whether it may deliver here; to be answered by fetching the address.
    Subscription(SubscribeUrl),
    /// The subscription was ended. Nothing is fetched: its address would subscribe again.
    Unsubscribed,
}

impl std::fmt::Debug for Unproven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unproven").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Unproven {
    /// Reads a message, and holds it against everything that needs no certificate.
    ///
    /// # Errors
    /// [`Unverified`]: it cannot be read, is of a topic that is not on the list, older than an hour,
    /// signed by version 1 (SHA-1), or points to a certificate that is not of SNS in the topic's region.
    pub fn read(body: &[u8], topics: &[String], now: DateTime<Utc>) -> Result<Self, Unverified> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|_| Unverified::Malformed)?;
        if !topics.contains(&envelope.topic_arn) {
            return Err(Unverified::NotListed);
        }
        if envelope.signature_version != "2" {
            return Err(Unverified::Malformed);
        }
        let at = DateTime::parse_from_rfc3339(&envelope.timestamp).map_err(|_| Unverified::Malformed)?.to_utc();
        if now - at > AGE_MAX || at - now > AGE_MAX {
            return Err(Unverified::OutOfTime);
        }
        let region = region(&envelope.topic_arn).ok_or(Unverified::Malformed)?;
        let certificate = CertificateUrl::parse(&envelope.signing_cert_url, region).ok_or(Unverified::NotListed)?;
        Ok(Self { envelope, at, certificate })
    }

    /// Where the certificate is.
    #[must_use]
    pub fn certificate(&self) -> &CertificateUrl {
        &self.certificate
    }

    /// Holds the signature against the certificate, in PEM.
    ///
    /// # Errors
    /// [`Unverified`]: the certificate cannot be read or is not of SNS, the signature does not fit, or
    /// the address for subscribing is not one of SNS for this topic.
    pub fn prove(self, certificate: &[u8]) -> Result<Proven, Unverified> {
        let envelope = self.envelope;
        let signature = STANDARD.decode(&envelope.signature).map_err(|_| Unverified::Malformed)?;
        let signed = envelope.signed_text()?;
        certificate::verify(certificate, self.certificate.host(), signed.as_bytes(), &signature)?;
        match envelope.kind {
            Kind::Notification => Ok(Proven::Notification { message: envelope.message, at: self.at }),
            Kind::UnsubscribeConfirmation => Ok(Proven::Unsubscribed),
            Kind::SubscriptionConfirmation => {
                let region = region(&envelope.topic_arn).ok_or(Unverified::Malformed)?;
                let address = envelope.subscribe_url.as_deref().unwrap_or_default();
                let url = SubscribeUrl::parse(address, region, &envelope.topic_arn);
                url.map(Proven::Subscription).ok_or(Unverified::NotListed)
            }
        }
    }
}

impl Envelope {
    /// The text that is signed: keys and values, each on a line, in the order of the keys.
    fn signed_text(&self) -> Result<String, Unverified> {
        let mut lines = vec![("Message", self.message.as_str()), ("MessageId", &self.message_id)];
        let kind = match self.kind {
            Kind::Notification => {
                lines.extend(self.subject.as_deref().map(|subject| ("Subject", subject)));
                lines.push(("Timestamp", &self.timestamp));
                "Notification"
            }
            Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => {
                lines.push(("SubscribeURL", self.subscribe_url.as_deref().ok_or(Unverified::Malformed)?));
                lines.push(("Timestamp", &self.timestamp));
                lines.push(("Token", self.token.as_deref().ok_or(Unverified::Malformed)?));
                if self.kind == Kind::SubscriptionConfirmation {
                    "SubscriptionConfirmation"
                } else {
                    "UnsubscribeConfirmation"
                }
            }
        };
        lines.extend([("TopicArn", self.topic_arn.as_str()), ("Type", kind)]);
        Ok(lines.into_iter().map(|(key, value)| format!("{key}\n{value}\n")).collect())
    }
}

/// The region of `arn:aws:sns:<region>:<account>:<topic>`.
fn region(topic: &str) -> Option<&str> {
    let mut parts = topic.split(':');
    let right = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("sns");
    parts.next().filter(|region| right && !region.is_empty())
}

#[cfg(test)]
mod tests;
