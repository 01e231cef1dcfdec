//! What a segment is offered: a clinical reason, a benefit, one call to action, and perhaps an
//! incentive with an end and a number.

use chrono::NaiveDate;

use crate::catalogue::{Catalogue, IncentiveWords, has_stem};
use crate::language::Language;
use crate::template::Variable;

/// The most characters of an incentive's text, so that benefit and incentive together fit
/// `{{oferta}}`.
pub const INCENTIVE_CHARS_MAX: usize = 80;

/// The offer of one segment in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Names the offer in reports.
    pub id: String,
    /// The segment it is made to.
    pub segment: String,
    /// Why a visit makes sense now, in clinical terms without detail.
    pub reason: String,
    /// What the patient gains, as a sentence: this is what `{{oferta}}` says.
    pub benefit: String,
    /// The one thing asked for, as a label.
    pub cta: String,
    /// Something on top, if the clinic wishes.
    pub incentive: Option<Incentive>,
}

impl Offer {
    /// The value of `{{oferta}}`: the benefit, and the incentive with its last day and number
    /// unless `today` (the clinic's local date) is past it. Whole sentences.
    #[must_use]
    pub fn phrase(&self, language: Language, today: NaiveDate) -> String {
        self.phrase_with(&self.benefit, language, today)
    }

    /// The same for a minor's guardian: why a visit makes sense, since the benefit speaks to the patient.
    #[must_use]
    pub fn phrase_for_guardian(&self, language: Language, today: NaiveDate) -> String {
        self.phrase_with(&self.reason, language, today)
    }

    fn phrase_with(&self, what: &str, language: Language, today: NaiveDate) -> String {
        let benefit = as_sentence(what);
        let current = self.incentive.as_ref().filter(|incentive| today <= incentive.until);
        let words = Catalogue::embedded().incentive_words(language);
        match (current, words) {
            (Some(incentive), Some(words)) => {
                let phrase = as_sentence(&incentive.phrase(language, words));
                let whole = format!("{benefit} {phrase}");
                // Half an incentive would promise something else; without it the offer still holds.
                if whole.chars().count() <= Variable::Oferta.chars_max() { whole } else { benefit }
            }
            (Some(_), None) | (None, _) => benefit,
        }
    }
}

fn as_sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// Something on top of the benefit: on the clinic's fees, up to a day, for so many people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incentive {
    text: String,
    until: NaiveDate,
    limit: u32,
}

impl Incentive {
    /// An incentive that may be offered. Which words speak of fees and which of supplies is listed
    /// in the language's catalogue.
    ///
    /// # Errors
    /// [`IncentiveError`] says why it may not.
    pub fn new(
        language: Language,
        text: impl Into<String>,
        until: NaiveDate,
        limit: u32,
    ) -> Result<Self, IncentiveError> {
        let words = Catalogue::embedded().incentive_words(language);
        Self::judged_by(words, text.into(), until, limit)
    }

    pub(crate) fn judged_by(
        words: Option<&IncentiveWords>,
        text: String,
        until: NaiveDate,
        limit: u32,
    ) -> Result<Self, IncentiveError> {
        let text = text.trim().trim_end_matches('.').to_owned();
        let chars = text.chars().count();
        if text.is_empty() {
            return Err(IncentiveError::Empty);
        }
        if chars > INCENTIVE_CHARS_MAX {
            return Err(IncentiveError::TooLong { chars });
        }
        if limit == 0 {
            return Err(IncentiveError::Unlimited);
        }
        let supplies = words.map_or(&[][..], |words| &words.supplies);
        if let Some(word) = supplies.iter().find(|word| has_stem(&text, word)) {
            return Err(IncentiveError::OnSupplies { word: word.clone() });
        }
        let fees = words.map_or(&[][..], |words| &words.fees);
        if !fees.iter().any(|word| has_stem(&text, word)) {
            return Err(IncentiveError::NotOnFees);
        }
        Ok(Self { text, until, limit })
    }

    /// What is given, as it is said in the message.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The last local date on which it is offered.
    #[must_use]
    pub const fn until(&self) -> NaiveDate {
        self.until
    }

    /// How many people may have it; at least 1.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    fn phrase(&self, language: Language, words: &IncentiveWords) -> String {
        let pattern = match self.limit {
            1 => &words.phrase_one,
            _ => &words.phrase,
        };
        // The clinic's text goes in last, so that nothing in it is read as a part of the pattern.
        pattern
            .replace("{until}", &language.spoken_date(self.until))
            .replace("{limit}", &self.limit.to_string())
            .replace("{text}", &self.text)
    }
}

/// Why an incentive may not be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncentiveError {
    /// It says nothing.
    #[error("the incentive has no text")]
    Empty,
    /// It would not fit the message.
    #[error("the incentive has {chars} characters, at most {INCENTIVE_CHARS_MAX} fit a message")]
    TooLong {
        /// Its characters.
        chars: usize,
    },
    /// It is not limited in number.
    #[error("the incentive needs a number of people: at least 1")]
    Unlimited,
    /// It lowers the price of goods, which cost the clinic money and quality.
    #[error("the incentive is on supplies ({word:?}); offer it on fees")]
    OnSupplies {
        /// The listed beginning of a word that tells.
        word: String,
    },
    /// It does not say that it is on the clinic's own work.
    #[error("the incentive does not say which fee it is on")]
    NotOnFees,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
    }

    fn offer(limit: u32) -> Offer {
        let text = "20 % menos en los honorarios de la consulta";
        Offer {
            id: "x".into(),
            segment: "preventivo-6-12m".into(),
            reason: "Motivo".into(),
            benefit: "Revisamos que todo esté en orden".into(),
            cta: "Reservar".into(),
            incentive: Some(Incentive::new(Language::EsAr, text, day(5), limit).unwrap()),
        }
    }

    #[test]
    fn the_phrase_is_the_benefit_as_a_sentence() {
        let bare = Offer { incentive: None, ..offer(1) };
        assert_eq!(bare.phrase(Language::EsAr, day(1)), "Revisamos que todo esté en orden.");
    }

    #[test]
    fn an_incentive_is_said_with_its_last_day_and_number_up_to_that_day() {
        let said = offer(30).phrase(Language::EsAr, day(5));
        assert!(said.starts_with("Revisamos que todo esté en orden. "), "{said}");
        assert!(said.contains("20 % menos en los honorarios de la consulta"), "{said}");
        assert!(said.contains("jueves 5 de marzo") && said.contains("30"), "{said}");
        assert!(!said.contains('{'), "{said}");
        assert_eq!(offer(30).phrase(Language::EsAr, day(6)), "Revisamos que todo esté en orden.");
    }

    #[test]
    fn a_limit_of_one_is_said_in_the_singular() {
        let said = offer(1).phrase(Language::PtBr, day(1));
        assert!(!said.contains("1 "), "{said}");
        assert!(said.contains("quinta-feira, 5 de março"), "{said}");
    }

    #[test]
    fn a_phrase_that_would_be_cut_leaves_the_incentive_out() {
        let long = Offer { benefit: "bien ".repeat(50), ..offer(3) };
        assert_eq!(long.phrase(Language::EsAr, day(1)), as_sentence(&long.benefit));
    }

    #[test]
    fn incentives_are_on_fees_not_supplies_and_limited() {
        let judge = |language, text: &str, limit| Incentive::new(language, text, day(5), limit).map(|_| ());
        assert_eq!(
            judge(Language::EsAr, "20 % menos en los insumos de la consulta", 5),
            Err(IncentiveError::OnSupplies { word: "insumo".into() })
        );
        assert_eq!(
            judge(Language::PtBr, "10% de desconto nos materiais da consulta", 5),
            Err(IncentiveError::OnSupplies { word: "materia".into() })
        );
        assert_eq!(judge(Language::EsEs, "Un regalo", 5), Err(IncentiveError::NotOnFees));
        assert_eq!(judge(Language::EsMx, "Consulta sin costo", 0), Err(IncentiveError::Unlimited));
        assert_eq!(judge(Language::EsMx, " . ", 1), Err(IncentiveError::Empty));
        assert_eq!(judge(Language::EsMx, &"consulta ".repeat(10), 1), Err(IncentiveError::TooLong { chars: 89 }));
        for (language, text) in [
            (Language::EsAr, "Consulta bonificada"),
            (Language::EsEs, "Primera visita sin coste"),
            (Language::EsCo, "15 % de descuento en honorarios"),
            (Language::PtBr, "10% de desconto nos honorários"),
        ] {
            assert_eq!(judge(language, text, 5), Ok(()), "{text}");
        }
    }
}
