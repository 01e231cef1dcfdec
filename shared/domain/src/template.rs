//! What a patient receives or a caller reads: a text with a closed set of variables.
//!
//! There is no general engine here on purpose. A template is parsed once into words and variables;
//! filling it can only put a value where a variable stood, never read one again. Whoever holds a
//! [`Rendered`] holds a text without a gap in it.

mod html;
mod text;
mod values;
mod variable;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::language::Language;

pub use text::{Part, Position, TemplateError, Text, UnknownVariable};
pub use values::Values;
pub use variable::Variable;

/// What the names of our templates at Meta begin with.
pub const TEMPLATE_PREFIX: &str = "retorno_";

/// How a template reaches its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateChannel {
    /// A template message of the WhatsApp Cloud API.
    Whatsapp,
    /// An email, in plain text and HTML.
    Email,
    /// A script that a member of staff reads on the telephone.
    Call,
    /// A text message.
    Sms,
    /// A notification, which anybody may read who sees the screen.
    Push,
}

/// One copy: for one step of one segment, on one channel, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// `SEGMENT/STEP`, as in `preventivo-6-12m/d1`: lower-case letters, digits and hyphens.
    pub key: String,
    /// Grows with each change of the wording: WhatsApp approves every version anew.
    pub version: u32,
    /// Where it is sent.
    pub channel: TemplateChannel,
    /// The language it is written in.
    pub language: Language,
    /// Whether it offers two dates (`fecha_opcion_1`, `fecha_opcion_2`).
    pub dated: bool,
    /// Whether it may name the service; off unless the clinic says so, since a telephone is read
    /// by more people than its owner.
    pub clinical_detail: bool,
    /// The subject; email only.
    pub subject: Option<Text>,
    /// The message itself.
    pub body: Text,
    /// Labels of the quick-reply buttons in order; WhatsApp only.
    pub buttons: Vec<String>,
}

impl Template {
    /// Fills the template. Email gets an HTML part as well.
    ///
    /// # Errors
    /// [`Unfilled`] names every variable of the subject or body that has no value, or only blanks.
    pub fn render(&self, values: &Values) -> Result<Rendered, Unfilled> {
        let missing: BTreeSet<Variable> = self.variables().filter(|variable| values.get(*variable).is_none()).collect();
        if !missing.is_empty() {
            return Err(Unfilled { key: self.key.clone(), variables: missing.into_iter().collect() });
        }
        let subject = self.subject.as_ref().map(|subject| values::one_line(&subject.fill(values)));
        let html = (self.channel == TemplateChannel::Email).then(|| {
            let title = subject.as_deref().unwrap_or_default();
            html::document(self.language, title, &self.body, values)
        });
        Ok(Rendered {
            html,
            text: self.body.fill(values),
            parameters: self.body.variables().filter_map(|variable| values.get(variable)).map(str::to_owned).collect(),
            buttons: self.buttons.clone(),
            subject,
        })
    }

    /// The variables of subject and body, in order of appearance, repeated as they repeat.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.subject.iter().flat_map(Text::variables).chain(self.body.variables())
    }

    /// The name under which the template is submitted to Meta, in lower snake case:
    /// `retorno_preventivo_6_12m_d1_con_fecha_v1`.
    #[must_use]
    pub fn whatsapp_name(&self) -> String {
        let key: String =
            self.key.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        let variant = if self.dated { "con_fecha" } else { "sin_fecha" };
        format!("{TEMPLATE_PREFIX}{key}_{variant}_v{}", self.version)
    }

    /// The body as it is submitted to Meta, with `{{1}}`, `{{2}}`… where variables stand. Every
    /// occurrence has its own number, so they match [`Rendered::parameters`] one to one.
    #[must_use]
    pub fn whatsapp_body(&self) -> String {
        let mut position = 0_u32;
        self.body
            .parts()
            .iter()
            .map(|part| match part {
                Part::Literal(words) => words.clone(),
                Part::Variable(_) => {
                    position += 1;
                    format!("{{{{{position}}}}}")
                }
            })
            .collect()
    }
}

/// A template with every variable filled.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters; email only.
    pub subject: Option<String>,
    /// The whole message in plain text.
    pub text: String,
    /// The same message as an HTML document; email only.
    pub html: Option<String>,
    /// The values in order of appearance in the body, for WhatsApp's positional parameters.
    pub parameters: Vec<String>,
    /// Labels of the quick-reply buttons.
    pub buttons: Vec<String>,
}

impl fmt::Debug for Rendered {
    /// Lengths only: the text holds the patient's name and what the clinic tells them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered")
            .field("text_chars", &self.text.chars().count())
            .field("parameters", &self.parameters.len())
            .field("buttons", &self.buttons)
            .finish_non_exhaustive()
    }
}

/// A message that was stopped because something it says is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {key} has no value for {}", names(.variables))]
pub struct Unfilled {
    /// The template's key.
    pub key: String,
    /// The variables without a value, each once.
    pub variables: Vec<Variable>,
}

fn names(variables: &[Variable]) -> String {
    let names: Vec<&str> = variables.iter().map(|variable| variable.name()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
