//! What staff is told outside the console: on a locked screen, or by a test message. Short texts from
//! `shared/domain/notices/*.toml`, with nothing in them about any patient.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::channel::Channel;
use crate::from_toml::from_toml;
use crate::language::Language;

/// A notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notice {
    /// The message that tests a connection.
    Test,
    /// A conversation waits for a person.
    Waits,
    /// The same, and it is urgent.
    WaitsUrgent,
    /// The clinic's gateway does not send.
    GatewayDown,
    /// A channel is halted.
    Halted(Channel),
    /// The alert that tests a browser.
    PushTest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    test: String,
    waits: String,
    waits_urgent: String,
    gateway_down: String,
    whatsapp_halted: String,
    email_halted: String,
    sms_halted: String,
    patients_push_halted: String,
    push_test: String,
}

// A test holds that both can be read.
static SPANISH: LazyLock<Option<File>> = LazyLock::new(|| from_toml(include_str!("../notices/es.toml")).ok());
static PORTUGUESE: LazyLock<Option<File>> = LazyLock::new(|| from_toml(include_str!("../notices/pt.toml")).ok());

impl Notice {
    /// Its words in a clinic's language; none for what is no notice (calls are never halted).
    #[must_use]
    pub fn text(self, language: Language, clinic: &str) -> Option<String> {
        let file = if language.is_portuguese() { PORTUGUESE.as_ref() } else { SPANISH.as_ref() }?;
        let text = match self {
            Self::Test => &file.test,
            Self::Waits => &file.waits,
            Self::WaitsUrgent => &file.waits_urgent,
            Self::GatewayDown => &file.gateway_down,
            Self::Halted(Channel::Whatsapp) => &file.whatsapp_halted,
            Self::Halted(Channel::Email) => &file.email_halted,
            Self::Halted(Channel::Sms) => &file.sms_halted,
            Self::Halted(Channel::Push) => &file.patients_push_halted,
            Self::Halted(Channel::Call) => return None,
            Self::PushTest => &file.push_test,
        };
        Some(text.replace("{clinic}", clinic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_has_words_in_every_language_that_fit_on_a_screen() {
        let halted = [Channel::Whatsapp, Channel::Email, Channel::Sms, Channel::Push].map(Notice::Halted);
        let others = [Notice::Test, Notice::Waits, Notice::WaitsUrgent, Notice::GatewayDown, Notice::PushTest];
        for language in Language::ALL {
            for notice in others.into_iter().chain(halted) {
                let text = notice.text(language, "Clínica Aurora").unwrap_or_default();
                assert!((10..=200).contains(&text.chars().count()) && !text.contains('{'), "{notice:?}: {text}");
            }
            assert_eq!(Notice::Halted(Channel::Call).text(language, ""), None);
        }
        let test = Notice::Test.text(Language::PtBr, "Clínica Ipê").unwrap_or_default();
        assert!(test.contains("teste") && test.contains("Clínica Ipê"));
    }
}
