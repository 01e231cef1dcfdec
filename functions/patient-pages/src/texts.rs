//! What the pages say, by language: four files with the same keys.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use retorno_domain::channel::Channel;
use retorno_domain::from_toml::from_toml;
use retorno_domain::language::Language;
use serde::Deserialize;

/// Declares sections of texts: each field is a key that must be in every file.
macro_rules! sections {
    ($($(#[$doc:meta])* $section:ident { $($key:ident)* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $section { $(pub(crate) $key: String,)* })*
    };
}

sections! {
    /// What all pages share.
    Frame { contact zone with minutes }
    /// The names of the channels.
    Channels { whatsapp email sms call push }
    /// Picking a slot, for a first booking or to move one.
    Pick { title lead more first taken_title taken move_title move_lead keep }
    /// The waitlist.
    Waitlist {
        title lead none_fits none_fits_lead when any morning afternoon evening join joined_title joined held_title held
    }
    /// An appointment.
    Visit {
        booked_title confirmed_title confirmed cancelled_title cancelled past_title past none_title none confirm
        calendar change cancel again private cancel_title cancel_lead cancel_yes cancel_no calendar_title calendar_text
    }
    /// What is received, and by which channels.
    Preferences { title lead marketing care save saved later stop_title stop_lead stop stopped }
    /// Notifications in a browser.
    Push { title wording here here_too told on off stop working denied failed not_here no_script }
    /// How the visit was.
    Survey { title question low high comment comment_hint send missing thanks_title thanks }
    /// No more messages.
    Unsubscribe { title lead stop choose done_title done title_all lead_all stop_all done_title_all done_all }
    /// A person agrees to be written to.
    Consent {
        title lead wording name name_hint phone phone_hint email email_hint channels agree correct name_missing phone_missing
        phone_wrong email_missing email_wrong channels_missing done_title done
    }
    /// What stands in the way.
    Problem {
        expired_title expired unused_title unused invalid_title invalid missing_title missing method_title method
        large_title large busy_title busy
    }
}

/// The texts of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    pub(crate) frame: Frame,
    pub(crate) channels: Channels,
    pub(crate) pick: Pick,
    pub(crate) waitlist: Waitlist,
    pub(crate) visit: Visit,
    pub(crate) preferences: Preferences,
    pub(crate) push: Push,
    pub(crate) survey: Survey,
    pub(crate) unsubscribe: Unsubscribe,
    pub(crate) consent: Consent,
    pub(crate) problem: Problem,
    /// Cities whose names an IANA zone spells otherwise.
    places: BTreeMap<String, String>,
}

const FILES: [(Language, &str); 4] = [
    (Language::EsAr, include_str!("../texts/es-AR.toml")),
    (Language::EsEs, include_str!("../texts/es-ES.toml")),
    (Language::EsMx, include_str!("../texts/es-MX.toml")),
    (Language::PtBr, include_str!("../texts/pt-BR.toml")),
];

/// A fault in a file leaves its language without words; a test holds that there is none.
static TEXTS: LazyLock<BTreeMap<Language, Texts>> =
    LazyLock::new(|| FILES.into_iter().map(|(of, file)| (of, from_toml(file).unwrap_or_default())).collect());
static NONE: LazyLock<Texts> = LazyLock::new(Texts::default);

impl Texts {
    /// Those of a clinic's language.
    pub(crate) fn of(language: Language) -> &'static Self {
        TEXTS.get(&language.catalogue()).unwrap_or(&NONE)
    }

    /// A channel's name.
    pub(crate) fn channel(&self, channel: Channel) -> &str {
        match channel {
            Channel::Whatsapp => &self.channels.whatsapp,
            Channel::Email => &self.channels.email,
            Channel::Sms => &self.channels.sms,
            Channel::Call => &self.channels.call,
            Channel::Push => &self.channels.push,
        }
    }

    /// A zone as people call it: by its city.
    pub(crate) fn place(&self, zone: chrono_tz::Tz) -> String {
        let city = zone.name().rsplit('/').next().unwrap_or_default();
        self.places.get(city).cloned().unwrap_or_else(|| city.replace('_', " "))
    }
}

/// The language of a page that belongs to no clinic, by the browser's `Accept-Language`: Portuguese
/// where it is asked for before Spanish, else Spanish with *usted*.
pub(crate) fn preferred(accept_language: &str) -> Language {
    let first = accept_language.split([',', ';']).map(|tag| tag.trim().to_ascii_lowercase());
    let known = first.into_iter().find(|tag| tag.starts_with("pt") || tag.starts_with("es"));
    if known.is_some_and(|tag| tag.starts_with("pt")) { Language::PtBr } else { Language::EsMx }
}

/// A text with its `{parts}` filled in. A value is never looked at again.
pub(crate) fn fill(text: &str, parts: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        out.push_str(parts.iter().find(|(part, _)| *part == name).map_or("", |(_, value)| value));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn table(file: &str) -> BTreeMap<String, String> {
        let table: toml::Table = file.parse().unwrap();
        let sections = table.iter().filter(|(name, _)| *name != "places");
        let texts = sections.flat_map(|(name, section)| {
            section.as_table().unwrap().iter().map(move |(key, text)| (format!("{name}.{key}"), text))
        });
        texts.map(|(key, text)| (key, text.as_str().unwrap().to_owned())).collect()
    }

    fn parts(text: &str) -> Vec<String> {
        let mut parts: Vec<_> =
            text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
        parts.sort();
        parts
    }

    #[test]
    fn all_files_are_whole_and_have_the_same_keys_with_the_same_parts() {
        let spanish = table(FILES[0].1);
        assert!(spanish.len() > 100);
        for (language, file) in FILES {
            toml::from_str::<Texts>(file).unwrap();
            let texts = table(file);
            assert_eq!(texts.keys().collect::<Vec<_>>(), spanish.keys().collect::<Vec<_>>(), "{language}");
            for (key, text) in &texts {
                assert!(!text.trim().is_empty(), "{language} {key}");
                assert_eq!(parts(text), parts(spanish.get(key).unwrap()), "{language} {key}");
            }
        }
    }

    #[test]
    fn every_language_has_words() {
        for language in Language::ALL {
            assert!(!Texts::of(language).pick.title.is_empty(), "{language}");
        }
        assert_ne!(Texts::of(Language::EsAr).pick.title, Texts::of(Language::EsMx).pick.title);
    }

    #[test]
    fn a_part_is_filled_once_and_an_unknown_one_is_left_out() {
        assert_eq!(fill("de {a} a {b}{c}.", &[("a", "{b}"), ("b", "2")]), "de {b} a 2.");
        assert_eq!(fill("un { solo", &[]), "un { solo");
    }

    #[test]
    fn zones_are_called_by_their_city() {
        let texts = Texts::of(Language::PtBr);
        assert_eq!(texts.place(chrono_tz::America::Sao_Paulo), "São Paulo");
        assert_eq!(texts.place(chrono_tz::America::Argentina::Buenos_Aires), "Buenos Aires");
        assert_eq!(Texts::of(Language::EsCo).place(chrono_tz::America::Bogota), "Bogotá");
    }

    #[test]
    fn a_page_of_no_clinic_speaks_what_the_browser_asks_for() {
        for (asked, expected) in [
            ("pt-BR,pt;q=0.9,en;q=0.8", Language::PtBr),
            ("en,es-AR;q=0.8,pt;q=0.1", Language::EsMx),
            ("", Language::EsMx),
            ("fr;q=;;,,PT", Language::PtBr),
        ] {
            assert_eq!(preferred(asked), expected, "{asked}");
        }
    }
}
