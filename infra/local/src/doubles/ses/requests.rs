//! The SES v2 REST protocol: `SendEmail`, checked as the service checks it (its Smithy model).

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Mail, Ses, message_id};
use crate::doubles::wire::{Refusal, parse, route};

const MAX_RECIPIENTS: usize = 50;
const MAX_HEADERS: usize = 15;
const MAX_HEADER_NAME: usize = 126;
const MAX_HEADER_VALUE: usize = 870;
const MAX_TAG: usize = 256;
const MAX_FILE_NAME: usize = 255;
const MAX_CONTENT_TYPE: usize = 78;

pub(super) fn handle(ses: &Ses, request: &HttpRequest) -> Result<Value, Refusal> {
    match route(request) {
        ("POST", "/v2/email/outbound-emails", _) => {
            let email: SendEmail = parse(request, "BadRequestException")?;
            email.check().map_err(|message| Refusal::bad_request("BadRequestException", message))?;
            Ok(json!({ "MessageId": ses.accept(&email)? }))
        }
        (method, path, _) => Err(Refusal::unknown_operation(&format!("{method} {path}"))),
    }
}

/// A request as sent, and as stored.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmail {
    #[serde(default)]
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Pair>,
    configuration_set_name: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
    raw: Option<Value>,
    template: Option<Value>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Data,
    body: Body,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attachment {
    file_name: String,
    content_type: Option<String>,
    raw_content: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Data>,
    html: Option<Data>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    name: String,
    value: String,
}

impl SendEmail {
    pub(super) fn into_mail(self, number: i64, at: DateTime<Utc>) -> Mail {
        let pairs = |pairs: Vec<Pair>| pairs.into_iter().map(|p| (p.name, p.value)).collect();
        let (subject, text, html, headers, attachments) = match self.content.simple {
            Some(simple) => (
                simple.subject.data,
                simple.body.text.map(|text| text.data),
                simple.body.html.map(|html| html.data),
                simple.headers,
                simple.attachments,
            ),
            None => (String::new(), None, None, Vec::new(), Vec::new()),
        };
        Mail {
            at,
            message_id: message_id(number),
            from: self.from_email_address,
            to: self.destination.to_addresses,
            reply_to: self.reply_to_addresses,
            subject,
            text,
            html,
            headers: pairs(headers),
            attachments: attachments.iter().map(|file| (file.file_name.clone(), file.bytes())).collect(),
            tags: pairs(self.email_tags),
            configuration_set: self.configuration_set_name,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.from_email_address.is_empty() {
            return Err("FromEmailAddress is missing".to_owned());
        }
        self.destination.check()?;
        let simple = self.content.only_simple()?;
        if simple.subject.data.trim().is_empty() {
            return Err("the subject is empty".to_owned());
        }
        if simple.body.text.is_none() && simple.body.html.is_none() {
            return Err("the body has neither Text nor Html".to_owned());
        }
        if simple.headers.len() > MAX_HEADERS {
            return Err(format!("more than {MAX_HEADERS} headers"));
        }
        simple.headers.iter().try_for_each(Pair::check_header)?;
        simple.attachments.iter().try_for_each(Attachment::check)?;
        self.email_tags.iter().try_for_each(Pair::check_tag)
    }
}

impl Destination {
    fn check(&self) -> Result<(), String> {
        let lists = [&self.to_addresses, &self.cc_addresses, &self.bcc_addresses];
        let mut all = lists.into_iter().flatten();
        let count = all.clone().count();
        if !(1..=MAX_RECIPIENTS).contains(&count) {
            return Err(format!("{count} recipients: there must be 1 to {MAX_RECIPIENTS}"));
        }
        // Outside a display name SES takes ASCII only; the address itself stays out of the message.
        let plausible = |address: &String| {
            let bare = address.rsplit('<').next().unwrap_or_default().trim_end_matches('>');
            let parts = bare.split_once('@');
            bare.is_ascii() && parts.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        };
        if all.all(plausible) { Ok(()) } else { Err("a recipient is no e-mail address".to_owned()) }
    }
}

impl Content {
    fn only_simple(&self) -> Result<&Simple, String> {
        let kinds = [self.simple.is_some(), self.raw.is_some(), self.template.is_some()];
        match (&self.simple, kinds.iter().filter(|given| **given).count()) {
            (Some(simple), 1) => Ok(simple),
            (None, 1) => Err("this double takes Simple content only".to_owned()),
            (_, count) => Err(format!("{count} kinds of content: there must be exactly one")),
        }
    }
}

impl Attachment {
    fn check(&self) -> Result<(), String> {
        let named = (1..=MAX_FILE_NAME).contains(&self.file_name.len()) && self.file_name.contains('.');
        let typed = self.content_type.as_ref().is_none_or(|of| of.len() <= MAX_CONTENT_TYPE && of.contains('/'));
        if named && typed && !self.bytes().is_empty() {
            return Ok(());
        }
        Err("an attachment has a name, a type and content in base64".to_owned())
    }

    /// Its content; nothing when it is not base64.
    fn bytes(&self) -> Vec<u8> {
        STANDARD.decode(&self.raw_content).unwrap_or_default()
    }
}

impl Pair {
    fn check_header(&self) -> Result<(), String> {
        let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
        let name = &self.name;
        let named =
            (1..=MAX_HEADER_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        if !named {
            return Err(format!("'{name}' is no header name"));
        }
        if !(1..=MAX_HEADER_VALUE).contains(&self.value.len()) || !printable(&self.value) {
            return Err(format!("header {name}: a value is 1 to {MAX_HEADER_VALUE} printable ASCII characters"));
        }
        Ok(())
    }

    fn check_tag(&self) -> Result<(), String> {
        let allowed = |text: &str| {
            (1..=MAX_TAG).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        if allowed(&self.name) && allowed(&self.value) {
            return Ok(());
        }
        Err(format!("tag '{}': names and values are 1 to {MAX_TAG} of A-Z a-z 0-9 _ -", self.name))
    }
}
