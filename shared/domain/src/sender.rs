//! Through whom a clinic's messages leave where there is a choice: the sender of its text messages,
//! and a gateway of its own in place of WhatsApp's Cloud API. Credentials are not settings: they are
//! kept with whoever sends.

use serde::{Deserialize, Serialize};

use crate::settings::{SettingsError, wrong};

/// The sender of a clinic's text messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsSender {
    /// The number, sender id, pool or ARN they come from, at the provider.
    pub origination: String,
    /// The most that one message may cost, in millionths of a US dollar; a dearer one is refused.
    pub price_max_micros: Option<u64>,
}

/// A program that speaks to WhatsApp as a linked device, operated by the clinic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GatewayKind {
    /// Evolution API v2.
    Evolution,
    /// WAHA.
    Waha,
}

impl GatewayKind {
    /// The word in settings.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Evolution => "evolution",
            Self::Waha => "waha",
        }
    }
}

/// Where a clinic's gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Which program.
    pub kind: GatewayKind,
    /// Its address, without a slash at the end: https, or http on this very machine.
    pub base_url: String,
    /// The clinic's instance (Evolution) or session (WAHA) there.
    pub instance: String,
}

/// The table `[sms]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmsFile {
    origination: Option<String>,
    price_max: Option<f64>,
}

/// The table `[whatsapp]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhatsappFile {
    gateway: Option<GatewayKind>,
    base_url: Option<String>,
    instance: Option<String>,
}

impl SmsFile {
    pub(crate) fn read(self) -> Result<Option<SmsSender>, SettingsError> {
        let Some(origination) = self.origination else {
            return match self.price_max {
                None => Ok(None),
                Some(_) => Err(wrong("sms.price_max", "needs sms.origination")),
            };
        };
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_:/+-".contains(c);
        if origination.is_empty() || origination.len() > 256 || !origination.chars().all(is_allowed) {
            let why = "is a number, sender id, pool or ARN: 1 to 256 letters, digits and _ : / + -";
            return Err(wrong("sms.origination", why));
        }
        let price_max_micros = match self.price_max {
            None => None,
            // Rounded to the five decimals that the provider reads.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0..=99")]
            Some(price) if (0.00001..=99.0).contains(&price) => Some((price * 100_000.0).round() as u64 * 10),
            Some(_) => return Err(wrong("sms.price_max", "must be between 0.00001 and 99 dollars")),
        };
        Ok(Some(SmsSender { origination, price_max_micros }))
    }
}

impl WhatsappFile {
    pub(crate) fn read(self) -> Result<Option<Gateway>, SettingsError> {
        let (kind, base_url, instance) = match (self.gateway, self.base_url, self.instance) {
            (None, None, None) => return Ok(None),
            (Some(kind), Some(base_url), Some(instance)) => (kind, base_url, instance),
            _ => return Err(wrong("whatsapp.gateway", "needs gateway, base_url and instance together")),
        };
        let base_url = base_url.trim_end_matches('/').to_owned();
        if !is_safe_base_url(&base_url) {
            let why = "must be like https://gateway.example (http only on localhost, 127.0.0.1 or [::1])";
            return Err(wrong("whatsapp.base_url", why));
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if instance.is_empty() || instance.len() > 64 || !instance.chars().all(is_allowed) {
            return Err(wrong("whatsapp.instance", "must be 1 to 64 letters, digits, _ and -"));
        }
        Ok(Some(Gateway { kind, base_url, instance }))
    }
}

/// Scheme, host, port and path of plain letters, so that nothing in it can be read in two ways: no
/// user, no query, no escapes, no step upwards.
fn is_safe_base_url(url: &str) -> bool {
    let (is_https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return false,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = match authority.strip_prefix("[::1]") {
        Some(rest) => ("[::1]", rest),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_loopback = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_host = is_loopback || (!host.is_empty() && host.chars().all(is_name) && host.contains('.'));
    let is_port =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|p| p > 0));
    let is_path = path.split('/').all(|part| {
        part != "." && part != ".." && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    });
    url.len() <= 200 && (is_https || is_loopback) && is_host && is_port && is_path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_reached_by_https_or_on_this_machine() {
        for url in [
            "https://wa.clinica.example",
            "https://wa.clinica.example:8443/evolution/v2",
            "http://localhost:8080",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "https://10.0.0.5",
        ] {
            assert!(is_safe_base_url(url), "{url}");
        }
        for url in [
            "http://wa.clinica.example",
            "https://",
            "https://gateway",
            "ftp://wa.clinica.example",
            "https://user@wa.clinica.example",
            "http://localhost@evil.example",
            "http://localhost.evil.example",
            "https://wa.example/../x",
            "https://wa.example/%2e",
            "https://wa.example?x=1",
            "https://wa.example#x",
            "https://wa.example\\x",
            "https://wa.example:0",
            "https://wa.example:99999",
            "https://wa.éxample.com",
        ] {
            assert!(!is_safe_base_url(url), "{url}");
        }
    }
}
