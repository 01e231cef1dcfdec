//! What is said to a patient in return: short texts in the clinic's language, from
//! `shared/domain/answers/*.toml`. Free texts inside the window that the patient's own message opens;
//! no template of a provider.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::conversation::Say;
use crate::from_toml::from_toml;
use crate::language::Language;
use crate::template::{Text, Values, Variable};

/// The longest title of a reply button (WhatsApp, interactive messages).
pub const BUTTON_CHARS_MAX: usize = 20;

/// The answers of one language.
#[derive(Debug, Clone)]
pub struct Answers {
    texts: BTreeMap<Say, Text>,
    /// One slot only.
    single: BTreeMap<Say, Text>,
    /// To a minor's guardian, where that differs.
    guardian: BTreeMap<Say, Text>,
    /// The same with one slot only.
    guardian_single: BTreeMap<Say, Text>,
    /// The subject of a confirmation to a guardian by e-mail.
    guardian_subject: String,
    /// The title of a button that picks an option; its number follows.
    option: String,
    /// The title of the button that asks for another time.
    other_time: String,
    /// The subject of a confirmation by e-mail.
    subject: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    option: String,
    other_time: String,
    subject: String,
    texts: BTreeMap<String, String>,
    single: BTreeMap<String, String>,
}

/// What differs when a minor's guardian is answered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardianFile {
    subject: String,
    texts: BTreeMap<String, String>,
    single: BTreeMap<String, String>,
}

/// Why a file of answers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    /// Not TOML, or not of the shape.
    #[error("not readable: {0}")]
    Form(#[from] toml::de::Error),
    /// A text that is no template.
    #[error("{0}: {1}")]
    Text(String, crate::template::TemplateError),
    /// A key that nothing says.
    #[error("nothing is said under {0}")]
    Unknown(String),
    /// Something that has no words.
    #[error("there are no words for {0}")]
    Missing(&'static str),
    /// A title that does not fit on a button.
    #[error("the title {0:?} does not fit on a button")]
    Button(String),
}

/// A language's answers to patients, and what differs for guardians.
const FILES: [(Language, &str, &str); 4] = [
    (Language::EsAr, include_str!("../answers/es-AR.toml"), include_str!("../answers/guardian/es-AR.toml")),
    (Language::EsEs, include_str!("../answers/es-ES.toml"), include_str!("../answers/guardian/es-ES.toml")),
    (Language::EsMx, include_str!("../answers/es-MX.toml"), include_str!("../answers/guardian/es-MX.toml")),
    (Language::PtBr, include_str!("../answers/pt-BR.toml"), include_str!("../answers/guardian/pt-BR.toml")),
];

static EMBEDDED: LazyLock<Vec<(Language, Answers)>> = LazyLock::new(|| {
    // A test holds that all of them can be read.
    let read = |(language, toml, guardian): &(Language, &str, &str)| {
        Some((*language, Answers::read(toml).ok()?.with_guardians(guardian).ok()?))
    };
    FILES.iter().filter_map(read).collect()
});

impl Answers {
    /// The answers in a clinic's language.
    #[must_use]
    pub fn of(language: Language) -> Option<&'static Self> {
        EMBEDDED.iter().find(|(of, _)| *of == language.catalogue()).map(|(_, answers)| answers)
    }

    /// Reads a file of answers.
    ///
    /// # Errors
    /// [`AnswersError`] names what is wrong.
    pub fn read(toml: &str) -> Result<Self, AnswersError> {
        let file: File = from_toml(toml)?;
        let texts = texts(&file.texts)?;
        if let Some(missing) = Say::ALL.into_iter().find(|say| !texts.contains_key(say)) {
            return Err(AnswersError::Missing(missing.code()));
        }
        for title in [format!("{} 1", file.option), file.other_time.clone()] {
            if title.chars().count() > BUTTON_CHARS_MAX {
                return Err(AnswersError::Button(title));
            }
        }
        let single = self::texts(&file.single)?;
        let (guardian, guardian_single) = (BTreeMap::new(), BTreeMap::new());
        let (option, other_time, subject) = (file.option, file.other_time, file.subject);
        let guardian_subject = subject.clone();
        Ok(Self { texts, single, guardian, guardian_single, guardian_subject, option, other_time, subject })
    }

    /// These answers with the words for guardians, from a file of theirs.
    ///
    /// # Errors
    /// [`AnswersError`] names what is wrong.
    pub fn with_guardians(self, toml: &str) -> Result<Self, AnswersError> {
        let file: GuardianFile = from_toml(toml)?;
        let (guardian, guardian_single) = (texts(&file.texts)?, texts(&file.single)?);
        Ok(Self { guardian, guardian_single, guardian_subject: file.subject, ..self })
    }

    /// The text, if every variable in it has a value. With `options` slots in it; in the words for a
    /// minor's guardian if there is a value for who that is.
    #[must_use]
    pub fn text(&self, say: Say, options: usize, values: &Values) -> Option<String> {
        let for_guardian = values.get(Variable::Tutor).is_some();
        let single = self.single.get(&say).filter(|_| options == 1);
        let patients = single.or_else(|| self.texts.get(&say));
        let single = self.guardian_single.get(&say).filter(|_| options == 1);
        let guardians = single.or_else(|| self.guardian.get(&say)).filter(|_| for_guardian);
        guardians.or(patients)?.render(values)
    }

    /// The titles of the buttons under a text with so many slots in it.
    #[must_use]
    pub fn buttons(&self, options: usize) -> Vec<String> {
        if options == 0 {
            return Vec::new();
        }
        let options = (1..=options.min(2)).map(|number| format!("{} {number}", self.option));
        options.chain([self.other_time.clone()]).collect()
    }

    /// The subject of a confirmation by e-mail, to a patient or with these values to a guardian.
    #[must_use]
    pub fn subject(&self, values: &Values) -> &str {
        if values.get(Variable::Tutor).is_some() { &self.guardian_subject } else { &self.subject }
    }
}

fn texts(of: &BTreeMap<String, String>) -> Result<BTreeMap<Say, Text>, AnswersError> {
    of.iter()
        .map(|(key, text)| {
            let say = Say::of_code(key).ok_or_else(|| AnswersError::Unknown(key.clone()))?;
            let text = Text::parse(text.trim()).map_err(|error| AnswersError::Text(key.clone(), error))?;
            Ok((say, text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    #[test]
    fn every_language_says_everything() {
        for (language, toml, guardian) in FILES {
            let answers = Answers::read(toml).unwrap_or_else(|error| panic!("{language}: {error}"));
            let answers = answers.with_guardians(guardian).unwrap_or_else(|error| panic!("{language}: {error}"));
            let (mut patients, mut guardians) = (Values::default(), Values::default());
            for variable in Variable::ALL {
                guardians.set(variable, "x");
                if variable != Variable::Tutor {
                    patients.set(variable, "x");
                }
            }
            for (say, values) in Say::ALL.into_iter().flat_map(|say| [(say, &patients), (say, &guardians)]) {
                for options in 0..3 {
                    let text = answers.text(say, options, values).unwrap();
                    assert!((10..=1_024).contains(&text.chars().count()), "{language} {}: {text}", say.code());
                }
            }
            assert_ne!(answers.text(Say::Booked, 0, &patients), answers.text(Say::Booked, 0, &guardians));
            assert_eq!(answers.buttons(2).len(), 3);
            assert!(answers.buttons(0).is_empty());
        }
        for language in Language::ALL {
            assert!(Answers::of(language).is_some());
        }
    }

    #[test]
    fn a_text_without_a_value_is_not_said() {
        let answers = Answers::of(Language::PtBr).unwrap();
        assert_eq!(answers.text(Say::Booked, 0, &Values::default()), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let toml = FILES[0].1;
        assert!(matches!(Answers::read(&toml.replace("booked =", "boked =")), Err(AnswersError::Unknown(_))));
        assert!(matches!(Answers::read(&toml.replace("{{fecha}}", "{{fetcha}}")), Err(AnswersError::Text(..))));
        assert!(matches!(Answers::read("x"), Err(AnswersError::Form(_))));
    }
}
