//! What a copy lacks, before a patient finds out.

mod sms;

use std::fmt;

use crate::catalogue::{Catalogue, LintWords, has_stem, has_words};
use crate::template::{Part, Template, TemplateChannel, Text, Variable};

pub use sms::{SmsEncoding, SmsLength, segments, sms_length, sms_text};

/// The word that ends all messages; every copy tells it to the patient as it is.
pub const OPT_OUT_WORD: &str = "PARAR";
/// Characters of a WhatsApp template's body (Cloud API).
pub const WHATSAPP_BODY_CHARS_MAX: usize = 1024;
/// Characters of a WhatsApp reply button's title (Cloud API, interactive reply buttons).
pub const BUTTON_CHARS_MAX: usize = 20;
/// Characters of a header line that every mail program shows whole (RFC 5322, section 2.1.1).
pub const SUBJECT_CHARS_MAX: usize = 78;
/// Segments of a text message; each is billed.
pub const SMS_SEGMENTS_MAX: usize = 3;
/// Characters of a notification that every screen shows whole.
pub const PUSH_CHARS_MAX: usize = 120;
/// From how many letters on a word in capitals is shouted; shorter ones are mostly acronyms.
const SHOUTED_LETTERS_MIN: usize = 5;

/// A part of a template that has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedPart {
    /// The WhatsApp body, in characters.
    WhatsappBody,
    /// A reply button, in characters.
    Button,
    /// The email subject, in characters.
    Subject,
    /// The text message, in segments.
    SmsSegments,
    /// The notification, in characters.
    Notification,
}

/// Something wrong with a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LintFinding {
    /// The word [`OPT_OUT_WORD`] is not in the body.
    MissingOptOut,
    /// Nothing asks the patient to do anything.
    NoCallToAction,
    /// The patient is asked to do several things.
    SeveralCallsToAction {
        /// How many.
        count: usize,
    },
    /// Longer than its channel takes once every variable has its longest value.
    TooLong {
        /// Which part.
        part: LimitedPart,
        /// How long it can get.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// WhatsApp refuses a body that begins with a variable.
    LeadingVariable(Variable),
    /// WhatsApp refuses a body that ends with a variable.
    TrailingVariable(Variable),
    /// WhatsApp refuses two variables with no word between them.
    AdjacentVariables(Variable, Variable),
    /// Names a service, procedure or diagnosis without `clinical_detail`.
    ClinicalDetail {
        /// The listed beginning of a word, or the variable.
        what: String,
    },
    /// Blames the patient.
    ShamingTone {
        /// The listed phrase.
        phrase: String,
    },
    /// An email without `enlace_baja`.
    MissingUnsubscribeLink,
    /// Capitals or repeated exclamation marks.
    Shouting {
        /// The word or marks.
        what: String,
    },
}

/// Everything wrong with a template; empty when it may be used.
#[must_use]
pub fn lint(template: &Template) -> Vec<LintFinding> {
    let words = Catalogue::embedded().lint_words(template.language);
    let mut findings = Vec::new();
    findings.extend(opt_out(template));
    if let Some(words) = words {
        findings.extend(calls_to_action(template, words));
    }
    findings.extend(too_long(template));
    if template.channel == TemplateChannel::Whatsapp {
        findings.extend(variable_places(&template.body));
    }
    if let Some(words) = words {
        findings.extend(clinical_detail(template, words));
        findings.extend(shaming(template, words));
    }
    findings.extend(shouting(template));
    findings
}

fn opt_out(template: &Template) -> Vec<LintFinding> {
    let body = literals(&template.body);
    let mut findings = Vec::new();
    // Nobody answers a notification: what ends them is a button beside it.
    if template.channel != TemplateChannel::Push && !says_opt_out(&body) {
        findings.push(LintFinding::MissingOptOut);
    }
    let is_email = template.channel == TemplateChannel::Email;
    if is_email && !template.body.variables().any(|v| v == Variable::EnlaceBaja) {
        findings.push(LintFinding::MissingUnsubscribeLink);
    }
    findings
}

/// A call to action is a sentence that asks for something or holds the booking link; the sentence
/// of the opt-out is none. A call script asks in each of its branches, so there any number is well.
fn calls_to_action(template: &Template, words: &LintWords) -> Option<LintFinding> {
    let body = template.body.source();
    let link = format!("{{{{{}}}}}", Variable::EnlaceReserva);
    let unsubscribe = format!("{{{{{}}}}}", Variable::EnlaceBaja);
    let count = body
        .split(['.', '!', '?', '\n'])
        .filter(|sentence| !says_opt_out(sentence) && !sentence.contains(&unsubscribe))
        .filter(|sentence| {
            sentence.contains(&link) || words.calls_to_action.iter().any(|asked| has_words(sentence, asked))
        })
        .count();
    match count {
        0 => Some(LintFinding::NoCallToAction),
        1 => None,
        _ if template.channel == TemplateChannel::Call => None,
        count => Some(LintFinding::SeveralCallsToAction { count }),
    }
}

fn too_long(template: &Template) -> Vec<LintFinding> {
    let mut lengths = Vec::new();
    match template.channel {
        TemplateChannel::Whatsapp => {
            let body = longest(&template.body);
            lengths.push((LimitedPart::WhatsappBody, body, WHATSAPP_BODY_CHARS_MAX));
            lengths.extend(
                template.buttons.iter().map(|button| (LimitedPart::Button, button.chars().count(), BUTTON_CHARS_MAX)),
            );
        }
        TemplateChannel::Email => {
            let subject = template.subject.as_ref().map_or(0, longest);
            lengths.push((LimitedPart::Subject, subject, SUBJECT_CHARS_MAX));
        }
        TemplateChannel::Sms => {
            let segments = segments(&longest_text(&template.body));
            lengths.push((LimitedPart::SmsSegments, segments, SMS_SEGMENTS_MAX));
        }
        TemplateChannel::Push => {
            lengths.push((LimitedPart::Notification, longest(&template.body), PUSH_CHARS_MAX));
        }
        TemplateChannel::Call => {}
    }
    lengths
        .into_iter()
        .filter(|(_, length, limit)| length > limit)
        .map(|(part, length, limit)| LintFinding::TooLong { part, length, limit })
        .collect()
}

fn longest(text: &Text) -> usize {
    longest_text(text).chars().count()
}

/// The text with plain letters in place of each variable's longest value.
fn longest_text(text: &Text) -> String {
    text.parts()
        .iter()
        .map(|part| match part {
            Part::Literal(words) => words.clone(),
            Part::Variable(variable) => "x".repeat(variable.chars_max()),
        })
        .collect()
}

fn variable_places(body: &Text) -> Vec<LintFinding> {
    let parts: Vec<&Part> = body
        .parts()
        .iter()
        .filter(|part| match part {
            Part::Literal(words) => !words.trim().is_empty(),
            Part::Variable(_) => true,
        })
        .collect();
    let mut findings = Vec::new();
    if let Some(Part::Variable(variable)) = parts.first() {
        findings.push(LintFinding::LeadingVariable(*variable));
    }
    if let Some(Part::Variable(variable)) = parts.last() {
        findings.push(LintFinding::TrailingVariable(*variable));
    }
    let mut before = None;
    for part in parts {
        match part {
            Part::Literal(words) if words.chars().any(char::is_alphanumeric) => before = None,
            Part::Literal(_) => {}
            Part::Variable(variable) => {
                if let Some(before) = before.replace(*variable) {
                    findings.push(LintFinding::AdjacentVariables(before, *variable));
                }
            }
        }
    }
    findings
}

fn clinical_detail(template: &Template, words: &LintWords) -> Option<LintFinding> {
    if template.clinical_detail {
        return None;
    }
    let text = all_literals(template);
    let named = words.clinical.iter().find(|stem| has_stem(&text, stem));
    let what = match named {
        Some(stem) => stem.clone(),
        None => template.variables().find(|variable| *variable == Variable::Servicio)?.to_string(),
    };
    Some(LintFinding::ClinicalDetail { what })
}

fn shaming(template: &Template, words: &LintWords) -> Option<LintFinding> {
    let text = all_literals(template);
    let phrase = words.shaming.iter().find(|phrase| has_stem(&text, phrase))?;
    Some(LintFinding::ShamingTone { phrase: phrase.clone() })
}

fn shouting(template: &Template) -> Option<LintFinding> {
    let text = all_literals(template);
    let marks = ["!!", "¡¡", "??", "¿¿"].into_iter().find(|marks| text.contains(marks));
    let word = words_of(&text).find(|word| {
        *word != OPT_OUT_WORD && word.chars().count() >= SHOUTED_LETTERS_MIN && word.chars().all(char::is_uppercase)
    });
    let what = word.or(marks)?.to_owned();
    Some(LintFinding::Shouting { what })
}

fn all_literals(template: &Template) -> String {
    let subject = template.subject.as_ref().map(literals).unwrap_or_default();
    let body = literals(&template.body);
    format!("{subject}\n{body}\n{}", template.buttons.join("\n"))
}

/// The words as written; a variable leaves a mark between them that is no letter.
fn literals(text: &Text) -> String {
    text.parts()
        .iter()
        .map(|part| match part {
            Part::Literal(words) => words.as_str(),
            Part::Variable(_) => "\u{FFFC}",
        })
        .collect()
}

fn says_opt_out(text: &str) -> bool {
    words_of(text).any(|word| word == OPT_OUT_WORD)
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

impl fmt::Display for LintFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingOptOut => write!(f, "does not say how to stop ({OPT_OUT_WORD})"),
            Self::NoCallToAction => f.write_str("asks for nothing"),
            Self::SeveralCallsToAction { count } => write!(f, "asks for {count} things, not one"),
            Self::TooLong { part, length, limit } => {
                write!(f, "{part:?} can reach {length}, at most {limit} pass")
            }
            Self::LeadingVariable(variable) => write!(f, "begins with {variable}"),
            Self::TrailingVariable(variable) => write!(f, "ends with {variable}"),
            Self::AdjacentVariables(first, second) => {
                write!(f, "no word between {first} and {second}")
            }
            Self::ClinicalDetail { what } => write!(f, "gives clinical detail: {what:?}"),
            Self::ShamingTone { phrase } => write!(f, "blames the patient: {phrase:?}"),
            Self::MissingUnsubscribeLink => write!(f, "has no {}", Variable::EnlaceBaja),
            Self::Shouting { what } => write!(f, "shouts: {what:?}"),
        }
    }
}

#[cfg(test)]
mod tests;
