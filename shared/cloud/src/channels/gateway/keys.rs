//! The keys of the clinics' gateways, as the sender is given them. A key belongs to a clinic and an
//! address: settings can neither send it elsewhere nor use that of another clinic.

use std::collections::BTreeMap;

use retorno_domain::ids::ClinicId;
use serde::Deserialize;

use crate::error::CloudError;
use crate::secrets::Token;

/// Keys by clinic and address.
#[derive(Debug, Clone, Default)]
pub struct GatewayKeys {
    keys: BTreeMap<(ClinicId, String), Token>,
    everywhere: Option<Token>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    clinic: String,
    base_url: String,
    key: String,
}

impl GatewayKeys {
    /// Reads texts of the form `[{"clinic": "aurora", "base_url": "https://wa.example", "key": "…"}]`.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when one is not of that form; it is not repeated in the error.
    pub fn from_json(texts: &[&str]) -> Result<Self, CloudError> {
        let wrong = || CloudError::Setup("the keys of the gateways are not of the documented form".to_owned());
        let mut entries: Vec<Entry> = Vec::new();
        for text in texts {
            entries.extend(serde_json::from_str::<Vec<Entry>>(text).map_err(|_| wrong())?);
        }
        let mut keys = BTreeMap::new();
        for entry in entries {
            let clinic = ClinicId::parse(&entry.clinic).map_err(|_| wrong())?;
            let base_url = entry.base_url.trim_end_matches('/').to_owned();
            let is_usable = !entry.key.is_empty() && entry.key.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_usable || keys.insert((clinic, base_url), Token::new(entry.key)).is_some() {
                return Err(wrong());
            }
        }
        Ok(Self { keys, everywhere: None })
    }

    /// One key for every clinic and address: for a wire that leads to one place whatever the settings
    /// say, where the key protects nothing.
    #[must_use]
    pub fn everywhere(key: Token) -> Self {
        Self { keys: BTreeMap::new(), everywhere: Some(key) }
    }

    pub(super) fn find(&self, clinic: &ClinicId, base_url: &str) -> Option<&Token> {
        self.keys.get(&(clinic.clone(), base_url.to_owned())).or(self.everywhere.as_ref())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_key_serves_its_clinic_at_its_address_only() {
        let keys = r#"[{"clinic": "aurora", "base_url": "https://wa.example/", "key": "k1"}]"#;
        let keys = GatewayKeys::from_json(&[keys]).unwrap();
        let (aurora, ipe) = (ClinicId::parse("aurora").unwrap(), ClinicId::parse("ipe").unwrap());
        assert_eq!(keys.find(&aurora, "https://wa.example").map(Token::expose), Some("k1"));
        assert!(keys.find(&ipe, "https://wa.example").is_none());
        assert!(keys.find(&aurora, "https://other.example").is_none());
        assert!(!format!("{keys:?}").contains("k1"));
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_without_repeating_it() {
        let entry = |key: &str| format!(r#"{{"clinic": "aurora", "base_url": "https://wa.example", "key": "{key}"}}"#);
        for text in [
            "secret".to_owned(),
            format!("[{}]", entry("")),
            format!("[{}]", entry("sec ret")),
            format!("[{}, {}]", entry("secret"), entry("secret2")),
            format!("[{}]", entry("secret").replace("aurora", "A b")),
        ] {
            let error = GatewayKeys::from_json(&[&text]).unwrap_err().to_string();
            assert!(!error.contains("sec"), "{error}");
        }
    }
}
