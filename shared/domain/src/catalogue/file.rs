//! A catalogue file as written, and what it must hold before it becomes templates.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::CatalogueError;
use super::words::{DateWords, IncentiveWords, LintWords, SegmentWords, Words};
use crate::from_toml::from_toml;
use crate::language::Language;
use crate::offer::{Incentive, Offer};
use crate::template::{Template, TemplateChannel, Text, Variable};

/// The tables of a catalogue; a clinic's own file may hold any of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogueFile {
    dates: Option<DateWords>,
    #[serde(default)]
    links: BTreeMap<String, String>,
    #[serde(default)]
    examples: BTreeMap<String, String>,
    #[serde(default)]
    segments: BTreeMap<String, SegmentWords>,
    incentive: Option<IncentiveWords>,
    lint: Option<LintWords>,
    #[serde(default)]
    offer: Vec<OfferEntry>,
    #[serde(default)]
    template: Vec<TemplateEntry>,
}

impl CatalogueFile {
    pub(super) fn read(language: Language, toml_text: &str) -> Result<(Vec<Template>, Words), CatalogueError> {
        let file: Self = from_toml(toml_text).map_err(|source| CatalogueError::Form { language, source })?;
        let mut templates: Vec<Template> = Vec::with_capacity(file.template.len());
        for entry in file.template {
            let template = entry.into_template(language)?;
            let same = |other: &Template| {
                (&other.key, other.channel, other.dated) == (&template.key, template.channel, template.dated)
            };
            if templates.iter().any(same) {
                return Err(CatalogueError::Duplicate { key: template.key });
            }
            templates.push(template);
        }
        // An embedded file brings the words its own offers are judged by; a clinic's file is
        // judged by the embedded ones.
        let offers = file
            .offer
            .into_iter()
            .map(|entry| entry.into_offer(language, file.incentive.as_ref()))
            .collect::<Result<_, _>>()?;
        let words = Words {
            dates: file.dates,
            links: file.links,
            examples: file.examples,
            segments: file.segments,
            incentive: file.incentive,
            lint: file.lint,
            offers,
        };
        Ok((templates, words))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateEntry {
    key: String,
    #[serde(default = "first_version")]
    version: u32,
    channel: TemplateChannel,
    #[serde(default)]
    dated: bool,
    #[serde(default)]
    clinical_detail: bool,
    subject: Option<String>,
    body: String,
    #[serde(default)]
    buttons: Vec<String>,
}

fn first_version() -> u32 {
    1
}

impl TemplateEntry {
    fn into_template(self, language: Language) -> Result<Template, CatalogueError> {
        let key = self.key;
        if !is_key(&key) {
            return Err(CatalogueError::Key { key });
        }
        let text = |field: &'static str, source: &str| {
            Text::parse(source.trim()).map_err(|source| CatalogueError::Text { key: key.clone(), field, source })
        };
        let subject = match &self.subject {
            Some(subject) => Some(text("subject", subject)?),
            None => None,
        };
        let template = Template {
            version: self.version,
            channel: self.channel,
            language,
            dated: self.dated,
            clinical_detail: self.clinical_detail,
            body: text("body", &self.body)?,
            subject,
            buttons: self.buttons,
            key,
        };
        check(template)
    }
}

/// `SEGMENT/STEP`; nothing that a WhatsApp template name could not carry.
fn is_key(key: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    key.split_once('/').is_some_and(|(segment, step)| is_word(segment) && is_word(step))
}

fn check(template: Template) -> Result<Template, CatalogueError> {
    let key = template.key.clone();
    let is_email = template.channel == TemplateChannel::Email;
    if template.subject.is_some() != is_email {
        let fault = "an email has a subject, other channels have none";
        return Err(CatalogueError::Channel { key, fault });
    }
    if !template.buttons.is_empty() && template.channel != TemplateChannel::Whatsapp {
        let fault = "only WhatsApp has buttons";
        return Err(CatalogueError::Channel { key, fault });
    }
    if template.buttons.iter().any(|label| label.trim().is_empty() || label.contains(['{', '}'])) {
        let fault = "a button is plain words: a variable in it would be shown as it is written";
        return Err(CatalogueError::Channel { key, fault });
    }
    let has = |wanted: Variable| template.variables().any(|variable| variable == wanted);
    let dates = [Variable::FechaOpcion1, Variable::FechaOpcion2].map(has);
    if dates != [template.dated; 2] {
        let dated = template.dated;
        return Err(CatalogueError::Dated { key, dated });
    }
    if template.channel == TemplateChannel::Push && (template.clinical_detail || template.variables().next().is_some())
    {
        let fault =
            "a notification is read by whoever sees the screen: it has no variables and gives no clinical detail";
        return Err(CatalogueError::Channel { key, fault });
    }
    if has(Variable::Servicio) && !template.clinical_detail {
        return Err(CatalogueError::ClinicalDetail { key });
    }
    Ok(template)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferEntry {
    id: String,
    segment: String,
    reason: String,
    benefit: String,
    cta: String,
    incentive: Option<IncentiveEntry>,
}

/// `until` is written as a string, `"2026-04-30"`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IncentiveEntry {
    text: String,
    until: NaiveDate,
    limit: u32,
}

impl OfferEntry {
    fn into_offer(self, language: Language, own_words: Option<&IncentiveWords>) -> Result<Offer, CatalogueError> {
        let incentive = match self.incentive {
            None => None,
            Some(entry) => {
                let IncentiveEntry { text, until, limit } = entry;
                let judged = match own_words {
                    Some(words) => Incentive::judged_by(Some(words), text, until, limit),
                    None => Incentive::new(language, text, until, limit),
                };
                Some(judged.map_err(|source| CatalogueError::Incentive { offer: self.id.clone(), source })?)
            }
        };
        Ok(Offer {
            id: self.id,
            segment: self.segment,
            reason: self.reason,
            benefit: self.benefit,
            cta: self.cta,
            incentive,
        })
    }
}
