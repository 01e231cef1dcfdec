//! Replies: free text to a person who has just written (WhatsApp: within the 24 h window that their
//! message opened), or who answers on a page. What is said in them is decided elsewhere; here it
//! only gets the form of its channel.

use std::fmt;

use retorno_domain::clinic::Clinic;
use serde_json::{Value, json};

/// A button of a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReplyButton<'a> {
    /// What comes back when it is pressed, at most [`BUTTON_ID_CHARS_MAX`] characters.
    pub id: &'a str,
    /// What it says, at most [`BUTTON_TITLE_CHARS_MAX`] characters.
    pub title: &'a str,
}

/// A file that goes with an e-mail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attachment<'a> {
    /// Its name, as in `turno.ics`.
    pub file_name: &'a str,
    /// Its MIME type, as in `text/calendar; charset=utf-8; method=PUBLISH`.
    pub content_type: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A reply to one person.
#[derive(Clone, Copy)]
pub struct ReplyDispatch<'a> {
    /// The clinic.
    pub clinic: &'a Clinic,
    /// The address: E.164 or e-mail.
    pub to: &'a str,
    /// The id that the provider echoes in its receipts (see [`super::opaque_id`]).
    pub opaque_id: &'a str,
    /// The text.
    pub body: &'a str,
    /// At most [`BUTTONS_MAX`] buttons; channels without buttons get them as numbered lines.
    pub buttons: &'a [ReplyButton<'a>],
    /// The subject (e-mail).
    pub subject: Option<&'a str>,
    /// The same text as an HTML document (e-mail).
    pub html: Option<&'a str>,
    /// A file (e-mail).
    pub attachment: Option<Attachment<'a>>,
    /// The provider's id of the message it answers, which is then quoted (WhatsApp).
    pub answers: Option<&'a str>,
}

/// Buttons of one reply (Cloud API, interactive reply buttons).
pub const BUTTONS_MAX: usize = 3;
/// Characters of a button's id.
pub const BUTTON_ID_CHARS_MAX: usize = 256;
/// Characters of a button's title.
pub const BUTTON_TITLE_CHARS_MAX: usize = 20;
/// Characters of a text without buttons.
pub const TEXT_CHARS_MAX: usize = 4096;
/// Characters of a text with buttons.
pub const TEXT_WITH_BUTTONS_CHARS_MAX: usize = 1024;

/// Why a reply has no form on its channel; it would be refused there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyFault {
    /// No text, or more of it than the channel takes.
    #[error("the text of a reply is empty or too long")]
    Text,
    /// Too many buttons, or one whose id or title is empty, too long or there twice.
    #[error("the buttons of a reply do not fit")]
    Buttons,
}

impl ReplyFault {
    /// The fault's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Text => "reply_text",
            Self::Buttons => "reply_buttons",
        }
    }
}

/// The request to the Cloud API: text, or an interactive message with reply buttons.
///
/// # Errors
/// [`ReplyFault`] when the API would refuse it for its form.
pub fn whatsapp_reply_request(reply: &ReplyDispatch<'_>) -> Result<Value, ReplyFault> {
    check(reply)?;
    let (kind, content) = if reply.buttons.is_empty() {
        ("text", json!({"body": reply.body, "preview_url": false}))
    } else {
        let button =
            |button: &ReplyButton<'_>| json!({"type": "reply", "reply": {"id": button.id, "title": button.title}});
        let buttons: Vec<Value> = reply.buttons.iter().map(button).collect();
        let action = json!({"buttons": buttons});
        ("interactive", json!({"type": "button", "body": {"text": reply.body}, "action": action}))
    };
    let mut request = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": reply.to.trim_start_matches('+'),
        "type": kind,
        "biz_opaque_callback_data": super::whatsapp::opaque_cut(reply.opaque_id),
    });
    if let Some(fields) = request.as_object_mut() {
        fields.insert(kind.to_owned(), content);
        if let Some(answered) = reply.answers {
            fields.insert("context".to_owned(), json!({"message_id": answered}));
        }
    }
    Ok(request)
}

fn check(reply: &ReplyDispatch<'_>) -> Result<(), ReplyFault> {
    let is_within = |text: &str, chars_max: usize| !text.trim().is_empty() && text.chars().count() <= chars_max;
    let text_max = if reply.buttons.is_empty() { TEXT_CHARS_MAX } else { TEXT_WITH_BUTTONS_CHARS_MAX };
    if !is_within(reply.body, text_max) {
        return Err(ReplyFault::Text);
    }
    let fits = |button: &ReplyButton<'_>| {
        is_within(button.id, BUTTON_ID_CHARS_MAX) && is_within(button.title, BUTTON_TITLE_CHARS_MAX)
    };
    // The API refuses two buttons alike.
    let is_alone = |at: usize, button: &ReplyButton<'_>| {
        !reply.buttons.iter().take(at).any(|earlier| earlier.id == button.id || earlier.title == button.title)
    };
    let all_fit = reply.buttons.iter().enumerate().all(|(at, button)| fits(button) && is_alone(at, button));
    if reply.buttons.len() > BUTTONS_MAX || !all_fit { Err(ReplyFault::Buttons) } else { Ok(()) }
}

/// A text with its options as numbered lines, for channels without buttons.
#[must_use]
pub fn with_numbered_options<'t>(text: &str, options: impl IntoIterator<Item = &'t str>) -> String {
    let lines: Vec<String> =
        options.into_iter().enumerate().map(|(at, option)| format!("{}) {option}", at + 1)).collect();
    if lines.is_empty() { text.to_owned() } else { format!("{}\n\n{}", text.trim_end(), lines.join("\n")) }
}

impl ReplyDispatch<'_> {
    /// The text as it goes out on a channel without buttons.
    #[must_use]
    pub fn plain_text(&self) -> String {
        with_numbered_options(self.body, self.buttons.iter().map(|button| button.title))
    }
}

impl fmt::Debug for ReplyButton<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyButton([redacted])")
    }
}

impl fmt::Debug for Attachment<'_> {
    /// Its size only: the name and the content may tell of a patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReplyDispatch<'_> {
    /// Lengths only: the text is what a clinic tells its patient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyDispatch")
            .field("clinic", &self.clinic.id)
            .field("opaque_id", &self.opaque_id)
            .field("body_chars", &self.body.chars().count())
            .field("buttons", &self.buttons.len())
            .field("attachment", &self.attachment)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
