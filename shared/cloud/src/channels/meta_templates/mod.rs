//! The clinic's WhatsApp templates at Meta: what its account should hold, what it holds, and what
//! follows. Meta approves each wording in each language by itself before it may be sent; this shows
//! how far that is and submits what is missing. It writes to no patient.

mod client;
mod present;

use retorno_domain::approval::SeenTemplate;
use serde_json::{Value, json};

pub use client::{AccountId, MetaError, MetaTemplates};
pub use present::PresentTemplate;
pub use retorno_domain::approval::{TemplateCategory, WantedTemplate};

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
    json!({"category": wanted.category.code(), "components": components(wanted)})
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

/// A template as Meta's list shows it, if it is in there.
#[must_use]
pub fn seen(wanted: &WantedTemplate, present: &[PresentTemplate]) -> Option<SeenTemplate> {
    let code = wanted.language.whatsapp_code();
    let there = present.iter().find(|there| there.name == wanted.name && there.language == code)?;
    let is_same = same_text(&wanted.body, &there.body) && wanted.buttons == there.buttons;
    Some(SeenTemplate {
        id: there.id.clone(),
        status: there.status.clone(),
        category: there.category.clone(),
        reworded: !is_same,
    })
}

/// Meta trims what it stores and may end lines its own way.
fn same_text(ours: &str, theirs: &str) -> bool {
    ours.trim().lines().map(str::trim_end).eq(theirs.trim().lines().map(str::trim_end))
}

#[cfg(test)]
mod tests;
