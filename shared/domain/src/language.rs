//! The languages a patient or a member of staff reads, and how each says a day and a time.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;

/// A language as spoken in one country; never inferred, always the clinic's or the patient's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Spanish of Argentina (voseo).
    #[serde(rename = "es-AR")]
    EsAr,
    /// Spanish of Spain (tú).
    #[serde(rename = "es-ES")]
    EsEs,
    /// Spanish of Mexico (usted).
    #[serde(rename = "es-MX")]
    EsMx,
    /// Spanish of Chile, served by the Mexican catalogue.
    #[serde(rename = "es-CL")]
    EsCl,
    /// Spanish of Colombia, served by the Mexican catalogue.
    #[serde(rename = "es-CO")]
    EsCo,
    /// Portuguese of Brazil (você).
    #[serde(rename = "pt-BR")]
    PtBr,
}

impl Language {
    /// Every language, in the order of their tags' country within each tongue.
    pub const ALL: [Self; 6] = [Self::EsAr, Self::EsEs, Self::EsMx, Self::EsCl, Self::EsCo, Self::PtBr];

    /// The BCP 47 tag, as in an HTML `lang` attribute: `es-AR`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::EsAr => "es-AR",
            Self::EsEs => "es-ES",
            Self::EsMx => "es-MX",
            Self::EsCl => "es-CL",
            Self::EsCo => "es-CO",
            Self::PtBr => "pt-BR",
        }
    }

    /// The code of a WhatsApp template's language: case-sensitive, with an underscore. Each is a
    /// separately approved translation, without fallback from one to another.
    #[must_use]
    pub const fn whatsapp_code(self) -> &'static str {
        match self {
            Self::EsAr => "es_AR",
            Self::EsEs => "es_ES",
            Self::EsMx => "es_MX",
            Self::EsCl => "es_CL",
            Self::EsCo => "es_CO",
            Self::PtBr => "pt_BR",
        }
    }

    /// Which of the four written catalogues (es-AR, es-ES, es-MX, pt-BR) serves this language.
    /// Chile and Colombia read the Mexican one: it addresses the patient as *usted*, which is
    /// courteous in all three.
    #[must_use]
    pub const fn catalogue(self) -> Self {
        match self {
            Self::EsAr => Self::EsAr,
            Self::EsEs => Self::EsEs,
            Self::EsMx | Self::EsCl | Self::EsCo => Self::EsMx,
            Self::PtBr => Self::PtBr,
        }
    }

    /// Whether staff and patients read Portuguese; all others read Spanish.
    #[must_use]
    pub const fn is_portuguese(self) -> bool {
        match self {
            Self::PtBr => true,
            Self::EsAr | Self::EsEs | Self::EsMx | Self::EsCl | Self::EsCo => false,
        }
    }

    /// A free slot as a message says it: "jueves 5 de marzo a las 16:30", "quinta-feira, 5 de
    /// março, às 16h30". `local` is the wall clock of the clinic.
    #[must_use]
    pub fn spoken_slot(self, local: NaiveDateTime) -> String {
        match Catalogue::embedded().date_words(self) {
            Some(words) => words.slot(local),
            None => local.format("%Y-%m-%d %H:%M").to_string(),
        }
    }

    /// A day as a message says it: "jueves 5 de marzo".
    #[must_use]
    pub fn spoken_date(self, date: NaiveDate) -> String {
        match Catalogue::embedded().date_words(self) {
            Some(words) => words.date(date),
            None => date.format("%Y-%m-%d").to_string(),
        }
    }

    /// A time of day as a message says it: "16:30", "16h30".
    #[must_use]
    pub fn spoken_time(self, time: NaiveTime) -> String {
        match Catalogue::embedded().date_words(self) {
            Some(words) => words.time(time),
            None => time.format("%H:%M").to_string(),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// A language tag that is none of the six.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown language {0:?}: expected es-AR, es-ES, es-MX, es-CL, es-CO or pt-BR")]
pub struct UnknownLanguage(pub String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads a tag in any case, with a hyphen or an underscore. A bare `es` is refused: which
    /// form of address the patient is used to is not ours to guess.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let tag = text.trim().replace('_', "-");
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(&tag))
            .ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

    use super::*;

    fn at(day: u32, hour: u32, minute: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap().and_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn a_tag_is_read_in_any_case_with_either_separator() {
        for language in Language::ALL {
            assert_eq!(language.tag().parse(), Ok(language));
            assert_eq!(language.whatsapp_code().to_lowercase().parse(), Ok(language));
        }
        assert_eq!("es".parse::<Language>(), Err(UnknownLanguage("es".into())));
    }

    #[test]
    fn chile_and_colombia_read_the_mexican_catalogue() {
        assert_eq!(Language::EsCl.catalogue(), Language::EsMx);
        assert_eq!(Language::EsCo.catalogue(), Language::EsMx);
        for language in Language::ALL {
            assert_eq!(language.catalogue().catalogue(), language.catalogue());
        }
    }

    #[test]
    fn only_brazil_reads_portuguese() {
        let portuguese: Vec<_> = Language::ALL.into_iter().filter(|language| language.is_portuguese()).collect();
        assert_eq!(portuguese, [Language::PtBr]);
    }

    #[test]
    fn a_slot_is_said_as_people_say_it() {
        let thursday = at(5, 16, 30);
        for spanish in [Language::EsAr, Language::EsEs, Language::EsMx, Language::EsCl] {
            assert_eq!(spanish.spoken_slot(thursday), "jueves 5 de marzo a las 16:30");
        }
        assert_eq!(Language::PtBr.spoken_slot(thursday), "quinta-feira, 5 de março, às 16h30");
    }

    #[test]
    fn the_full_hour_and_the_first_of_the_month_are_said_natively() {
        let first = at(1, 9, 0);
        assert_eq!(Language::EsAr.spoken_slot(first), "domingo 1 de marzo a las 9:00");
        assert_eq!(Language::PtBr.spoken_slot(first), "domingo, 1º de março, às 9h");
        assert_eq!(Language::PtBr.spoken_date(first.date()), "domingo, 1º de março");
        assert_eq!(Language::EsCo.spoken_time(at(2, 9, 5).time()), "9:05");
    }
}
