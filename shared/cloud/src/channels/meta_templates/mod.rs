//! The clinic's WhatsApp templates at Meta: what its account should hold, what it holds, and what
//! follows. Meta approves each wording in each language by itself before it may be sent; this shows
//! how far that is and submits what is missing. It writes to no patient.

mod client;
mod present;

use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::Purpose;
use retorno_domain::language::Language;
use retorno_domain::template::{Template, TemplateChannel};
use serde_json::{Value, json};

pub use client::{AccountId, MetaError, MetaTemplates};
pub use present::{PresentTemplate, TemplateStatus};

/// What Meta charges and limits a template as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateCategory {
    /// Inviting back, offers.
    Marketing,
    /// About an appointment that exists.
    Utility,
}

impl TemplateCategory {
    /// Meta's word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Marketing => "MARKETING",
            Self::Utility => "UTILITY",
        }
    }

    /// The category of messages of a purpose.
    #[must_use]
    pub fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Marketing => Self::Marketing,
            Purpose::Care => Self::Utility,
        }
    }
}

/// A template that the account should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTemplate {
    /// Its name at Meta.
    pub name: String,
    /// Its language.
    pub language: Language,
    /// As what it is submitted.
    pub category: TemplateCategory,
    /// The body with `{{1}}`, `{{2}}`….
    pub body: String,
    /// A made-up value for each.
    pub examples: Vec<String>,
    /// Labels of the quick-reply buttons.
    pub buttons: Vec<String>,
}

impl WantedTemplate {
    /// Of a copy; none when it is for another channel or a variable has no example.
    #[must_use]
    pub fn of(template: &Template, category: TemplateCategory) -> Option<Self> {
        if template.channel != TemplateChannel::Whatsapp {
            return None;
        }
        let example = |variable| Catalogue::embedded().example(template.language, variable).map(str::to_owned);
        Some(Self {
            name: template.whatsapp_name(),
            language: template.language,
            category,
            body: template.whatsapp_body(),
            examples: template.body.variables().map(example).collect::<Option<_>>()?,
            buttons: template.buttons.clone(),
        })
    }
}

/// The request that creates a template (`POST /{account}/message_templates`).
#[must_use]
pub fn create_request(wanted: &WantedTemplate) -> Value {
    json!({
        "name": wanted.name,
        "language": wanted.language.whatsapp_code(),
        "category": wanted.category.code(),
        "parameter_format": "POSITIONAL",
        "components": components(wanted),
    })
}

/// The request that gives a template another wording (`POST /{template}`).
#[must_use]
pub fn edit_request(wanted: &WantedTemplate) -> Value {
    json!({"components": components(wanted)})
}

fn components(wanted: &WantedTemplate) -> Vec<Value> {
    let mut body = json!({"type": "BODY", "text": wanted.body});
    if let (false, Some(fields)) = (wanted.examples.is_empty(), body.as_object_mut()) {
        fields.insert("example".to_owned(), json!({"body_text": [wanted.examples]}));
    }
    let buttons: Vec<Value> =
        wanted.buttons.iter().map(|label| json!({"type": "QUICK_REPLY", "text": label})).collect();
    let buttons = (!buttons.is_empty()).then(|| json!({"type": "BUTTONS", "buttons": buttons}));
    std::iter::once(body).chain(buttons).collect()
}

/// What is to be done about a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePlan {
    /// It is not there.
    Create,
    /// It is there with another wording.
    Edit {
        /// Meta's id of it.
        id: String,
    },
    /// It may be sent.
    Ready,
    /// Meta is looking at it.
    Waiting,
    /// Meta refused this very wording.
    Rejected {
        /// Meta's word for why.
        reason: String,
    },
    /// Stopped for a while, since people blocked or reported it.
    Paused,
    /// Stopped for good, or its name is taken: it needs a new version.
    Blocked,
}

/// A template and what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTemplate {
    /// The template.
    pub wanted: WantedTemplate,
    /// What is to be done.
    pub plan: TemplatePlan,
    /// The category that Meta gave it, which decides price and limits; Meta may change it by itself.
    pub category: Option<String>,
}

/// Compares what the account should hold with what it holds, in the order of what it should.
#[must_use]
pub fn plan(wanted: Vec<WantedTemplate>, present: &[PresentTemplate]) -> Vec<PlannedTemplate> {
    let planned = |wanted: WantedTemplate| {
        let code = wanted.language.whatsapp_code();
        let found = present.iter().find(|there| there.name == wanted.name && there.language == code);
        PlannedTemplate {
            plan: found.map_or(TemplatePlan::Create, |there| plan_of(&wanted, there)),
            category: found.map(|there| there.category.clone()),
            wanted,
        }
    };
    wanted.into_iter().map(planned).collect()
}

fn plan_of(wanted: &WantedTemplate, there: &PresentTemplate) -> TemplatePlan {
    let is_same = same_text(&wanted.body, &there.body) && wanted.buttons == there.buttons;
    let edit = || TemplatePlan::Edit { id: there.id.clone() };
    match there.status {
        TemplateStatus::Approved if is_same => TemplatePlan::Ready,
        TemplateStatus::Rejected if is_same => TemplatePlan::Rejected { reason: there.rejected_reason.clone() },
        TemplateStatus::Paused if is_same => TemplatePlan::Paused,
        // Only these three can be edited; the others are in Meta's hands.
        TemplateStatus::Approved | TemplateStatus::Rejected | TemplateStatus::Paused => edit(),
        TemplateStatus::Pending => TemplatePlan::Waiting,
        TemplateStatus::Blocked => TemplatePlan::Blocked,
    }
}

/// Meta trims what it stores and may end lines its own way.
fn same_text(ours: &str, theirs: &str) -> bool {
    ours.trim().lines().map(str::trim_end).eq(theirs.trim().lines().map(str::trim_end))
}

#[cfg(test)]
mod tests;
