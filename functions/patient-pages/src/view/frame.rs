//! What every page has: its language, the clinic's name, and how to reach the clinic.

use maud::{DOCTYPE, Markup, html};
use retorno_domain::clinic::Clinic;
use retorno_domain::contact::{EmailAddress, Phone};
use retorno_domain::language::Language;

use crate::texts::{Texts, fill};

/// Whose page it is, and in which language.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) texts: &'static Texts,
    pub(crate) language: Language,
    /// None where the token is not ours: nothing may be told about anybody.
    pub(crate) clinic: Option<&'a Clinic>,
    /// The token in the page's own address; empty where it has none.
    pub(crate) own: &'a str,
}

impl<'a> Shown<'a> {
    /// A page of a clinic.
    pub(crate) fn of(clinic: &'a Clinic, own: &'a str) -> Self {
        Self { texts: Texts::of(clinic.language), language: clinic.language, clinic: Some(clinic), own }
    }

    /// A page of nobody.
    pub(crate) fn stranger(language: Language) -> Self {
        Self { texts: Texts::of(language), language, clinic: None, own: "" }
    }

    /// The clinic's name.
    pub(crate) fn clinic_name(&self) -> &str {
        self.clinic.map_or("", |clinic| clinic.name.as_str())
    }

    /// A text in which the clinic may be named.
    pub(crate) fn say(&self, text: &str) -> String {
        fill(text, &[("clinic", self.clinic_name())])
    }

    /// A whole page around its body. The title is what a screen reader says first.
    pub(crate) fn page(&self, title: &str, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex, nofollow";
                    meta name="referrer" content="no-referrer";
                    meta name="format-detection" content="telephone=no";
                    title { (title) @if self.clinic.is_some() { " · " (self.clinic_name()) } }
                    // Beside every page; the pages themselves may stand below any address.
                    link rel="stylesheet" href="style.css";
                    link rel="icon" href="data:,";
                }
                body {
                    @if self.clinic.is_some() { header { p.clinic { (self.clinic_name()) } } }
                    main { (body) }
                    @if let Some(clinic) = self.clinic { footer { p {
                        strong { (clinic.name) } br; (self.contact(clinic))
                    } } }
                }
            }
        }
    }

    /// How to reach the clinic; a telephone or an address can be tapped.
    fn contact(&self, clinic: &Clinic) -> Markup {
        let said = fill(&self.texts.frame.contact, &[("contact", &clinic.contact)]);
        match address(clinic) {
            Some(address) => html! { a href=(address) { (said) } },
            None => html! { (said) },
        }
    }
}

/// The clinic's contact is a phrase of its own ("el 11 5555 0000"); what can be dialled or written to
/// is found in it.
fn address(clinic: &Clinic) -> Option<String> {
    let mut words = clinic.contact.split_whitespace();
    if let Some(email) = words.find_map(|word| EmailAddress::parse(word).ok()) {
        return Some(format!("mailto:{}", email.as_str()));
    }
    let digits = clinic.contact.find(|c: char| c == '+' || c == '(' || c.is_ascii_digit())?;
    let phone = Phone::parse(clinic.contact.get(digits..)?, clinic.country).ok()?;
    Some(format!("tel:{}", phone.e164.as_str()))
}
