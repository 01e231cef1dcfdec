//! The written copies: templates, offers and words of each language, embedded as TOML.
//!
//! A clinic may bring its own copies in the same form ([`Catalogue::parse`]) and lay them over
//! these ([`Catalogue::with_templates`]).

mod file;
mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::language::Language;
use crate::offer::{IncentiveError, Offer};
use crate::template::{Template, TemplateChannel, TemplateError, Variable};

use file::CatalogueFile;
pub(crate) use words::{DateWords, IncentiveWords, LintWords, Words, has_stem, has_words};

/// The segments for which every embedded catalogue holds a sequence, an offer and a name, in order
/// of precedence.
pub const SEGMENTS: [&str; 6] =
    ["posproc", "plan-pendiente", "alto-valor", "preventivo-6-12m", "inactivo-12-18m", "churn-18m"];

const EMBEDDED: [(Language, &str); 4] = [
    (Language::EsAr, include_str!("../catalogue/es-AR.toml")),
    (Language::EsEs, include_str!("../catalogue/es-ES.toml")),
    (Language::EsMx, include_str!("../catalogue/es-MX.toml")),
    (Language::PtBr, include_str!("../catalogue/pt-BR.toml")),
];

/// The copies for the guardians of minors ([`crate::flow::GUARDIANS`]).
const FOR_GUARDIANS: [(Language, &str); 4] = [
    (Language::EsAr, include_str!("../catalogue/guardian/es-AR.toml")),
    (Language::EsEs, include_str!("../catalogue/guardian/es-ES.toml")),
    (Language::EsMx, include_str!("../catalogue/guardian/es-MX.toml")),
    (Language::PtBr, include_str!("../catalogue/guardian/pt-BR.toml")),
];

/// What a browser shows of each step.
const NOTIFICATIONS: [(Language, &str); 4] = [
    (Language::EsAr, include_str!("../catalogue/push/es-AR.toml")),
    (Language::EsEs, include_str!("../catalogue/push/es-ES.toml")),
    (Language::EsMx, include_str!("../catalogue/push/es-MX.toml")),
    (Language::PtBr, include_str!("../catalogue/push/pt-BR.toml")),
];

/// Every copy at hand.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    templates: Vec<Template>,
    words: BTreeMap<Language, Words>,
    faults: Vec<CatalogueError>,
}

impl Catalogue {
    /// The catalogue that comes with the product, parsed on first use. A fault in one of its files
    /// leaves that language empty and is kept in [`Catalogue::faults`]; a test holds that there is
    /// none.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
            let mut catalogue = Catalogue::default();
            for (language, text) in EMBEDDED {
                match CatalogueFile::read(language, text) {
                    Ok((templates, words)) => {
                        catalogue.templates.extend(templates);
                        catalogue.words.insert(language, words);
                    }
                    Err(fault) => catalogue.faults.push(fault),
                }
            }
            for (language, text) in FOR_GUARDIANS.into_iter().chain(NOTIFICATIONS) {
                match Catalogue::parse(language, text) {
                    Ok(templates) => catalogue.templates.extend(templates),
                    Err(fault) => catalogue.faults.push(fault),
                }
            }
            catalogue
        });
        &CATALOGUE
    }

    /// What was wrong with an embedded file; empty in every build that passed its tests.
    #[must_use]
    pub fn faults(&self) -> &[CatalogueError] {
        &self.faults
    }

    /// Reads the templates of a file in the embedded catalogues' form; its other tables are
    /// checked for form and left.
    ///
    /// # Errors
    /// The first fault, with the template or the line it is in.
    pub fn parse(language: Language, toml_text: &str) -> Result<Vec<Template>, CatalogueError> {
        CatalogueFile::read(language, toml_text).map(|(templates, _)| templates)
    }

    /// Reads the offers of such a file.
    ///
    /// # Errors
    /// The first fault, with the offer or the line it is in.
    pub fn parse_offers(language: Language, toml_text: &str) -> Result<Vec<Offer>, CatalogueError> {
        CatalogueFile::read(language, toml_text).map(|(_, words)| words.offers)
    }

    /// This catalogue with a clinic's own templates, which are found before those already there.
    #[must_use]
    pub fn with_templates(&self, own: Vec<Template>) -> Self {
        Self {
            templates: own.into_iter().chain(self.templates.iter().cloned()).collect(),
            words: self.words.clone(),
            faults: self.faults.clone(),
        }
    }

    /// The copy for a step (`SEGMENT/STEP`) on a channel. One written in the very language wins
    /// over its catalogue's ([`Language::catalogue`]). Where dates are at hand but the only copy
    /// has none (a call script), that one serves; never the reverse.
    #[must_use]
    pub fn find(&self, key: &str, channel: TemplateChannel, language: Language, dated: bool) -> Option<&Template> {
        let copy = |language: Language, dated: bool| {
            self.templates.iter().find(|template| {
                template.key == key
                    && template.channel == channel
                    && template.language == language
                    && template.dated == dated
            })
        };
        let written = |dated: bool| copy(language, dated).or_else(|| copy(language.catalogue(), dated));
        match written(dated) {
            None if dated => written(false),
            found => found,
        }
    }

    /// All templates; a clinic's own come first.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// What staff calls a segment.
    #[must_use]
    pub fn segment_name(&self, language: Language, id: &str) -> Option<&str> {
        let segment = self.words(language)?.segments.get(id)?;
        Some(&segment.name)
    }

    /// A segment in one line, for staff.
    #[must_use]
    pub fn segment_description(&self, language: Language, id: &str) -> Option<&str> {
        let segment = self.words(language)?.segments.get(id)?;
        Some(&segment.description)
    }

    /// The default offers, one per segment.
    #[must_use]
    pub fn offers(&self, language: Language) -> &[Offer] {
        self.words(language).map_or(&[], |words| &words.offers)
    }

    /// The default offer of a segment.
    #[must_use]
    pub fn offer(&self, language: Language, segment: &str) -> Option<&Offer> {
        self.offers(language).iter().find(|offer| offer.segment == segment)
    }

    /// What an anchor says instead of its address; only link variables have one.
    #[must_use]
    pub fn link_label(&self, language: Language, variable: Variable) -> Option<&str> {
        let label = self.words(language)?.links.get(variable.name())?;
        Some(label)
    }

    /// A made-up value of a variable, for whoever judges a template before it is used.
    #[must_use]
    pub fn example(&self, language: Language, variable: Variable) -> Option<&str> {
        let example = self.words(language)?.examples.get(variable.name())?;
        Some(example)
    }

    pub(crate) fn date_words(&self, language: Language) -> Option<&DateWords> {
        self.words(language)?.dates.as_ref()
    }

    pub(crate) fn incentive_words(&self, language: Language) -> Option<&IncentiveWords> {
        self.words(language)?.incentive.as_ref()
    }

    pub(crate) fn lint_words(&self, language: Language) -> Option<&LintWords> {
        self.words(language)?.lint.as_ref()
    }

    fn words(&self, language: Language) -> Option<&Words> {
        self.words.get(&language.catalogue())
    }
}

/// Why a catalogue cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML, or a key or value that a catalogue does not have.
    #[error("catalogue {language}: {source}")]
    Form {
        /// The catalogue's language.
        language: Language,
        /// What the reader says, with line and column.
        source: toml::de::Error,
    },
    /// A key that is not `SEGMENT/STEP` in lower-case letters, digits and hyphens.
    #[error("template {key:?}: the key must be SEGMENT/STEP in lower-case letters, digits and hyphens")]
    Key {
        /// The key as written.
        key: String,
    },
    /// A subject or body that is not a template.
    #[error("template {key}, {field}: {source}")]
    Text {
        /// The template's key.
        key: String,
        /// `subject` or `body`.
        field: &'static str,
        /// What is wrong with it.
        source: TemplateError,
    },
    /// A subject where the channel has none, or none where it needs one; likewise buttons.
    #[error("template {key}: {fault}")]
    Channel {
        /// The template's key.
        key: String,
        /// What the channel asks for.
        fault: &'static str,
    },
    /// Offers dates without saying so (`dated = true`), or says so without offering both.
    #[error("template {key}: dated = {dated}, which its fecha_opcion_1 and fecha_opcion_2 deny")]
    Dated {
        /// The template's key.
        key: String,
        /// What it says.
        dated: bool,
    },
    /// Names the service without `clinical_detail = true`.
    #[error("template {key} names the service: set clinical_detail = true if the clinic allows it")]
    ClinicalDetail {
        /// The template's key.
        key: String,
    },
    /// Two templates of one key, channel and variant.
    #[error("template {key} appears twice for the same channel and variant")]
    Duplicate {
        /// The template's key.
        key: String,
    },
    /// An incentive that may not be offered.
    #[error("offer {offer}: {source}")]
    Incentive {
        /// The offer's id.
        offer: String,
        /// Why not.
        source: IncentiveError,
    },
}

#[cfg(test)]
mod tests;
