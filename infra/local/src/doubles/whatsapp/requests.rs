//! A message request, checked as the Cloud API checks it, and Meta's error shape.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{SentButton, SentParameter, SentTemplate};
use crate::doubles::DoublesError;

const MAX_OPAQUE: usize = 512;
const MAX_TEXT: usize = 4096;
const MAX_PAYLOAD: usize = 512;

/// Error codes, as the Cloud API's reference numbers them.
const INVALID_PARAMETER: i64 = 100;
const MISSING: i64 = 131_008;
const INVALID_VALUE: i64 = 131_009;
const PARAMETER_FORMAT: i64 = 132_012;
const TEMPLATE_EXISTS: i64 = 2_388_024;
const UNSUPPORTED_TYPE: i64 = 131_051;

/// What was asked for.
pub(super) struct Request {
    /// The recipient as written.
    pub(super) input: String,
    /// The recipient's digits.
    pub(super) to: String,
    pub(super) template: Option<SentTemplate>,
    pub(super) text: Option<String>,
    /// Reply buttons: id and title.
    pub(super) replies: Vec<(String, String)>,
    pub(super) opaque: Option<String>,
}

impl Request {
    pub(super) fn read(body: &Value) -> Result<Self, Refusal> {
        if body.get("messaging_product").and_then(Value::as_str) != Some("whatsapp") {
            return Err(Refusal::invalid(INVALID_PARAMETER, "messaging_product must be whatsapp"));
        }
        let input = text_at(body, "/to")?;
        let to = recipient(input)?;
        let opaque = body.get("biz_opaque_callback_data").map(opaque).transpose()?;
        let (template, text, replies) = match body.get("type").and_then(Value::as_str).unwrap_or("text") {
            "template" => (Some(template(body)?), None, Vec::new()),
            "text" => (None, Some(text(body)?), Vec::new()),
            "interactive" => {
                let (text, replies) = interactive(body)?;
                (None, Some(text), replies)
            }
            _ => {
                return Err(Refusal::invalid(UNSUPPORTED_TYPE, "type must be template, text or interactive"));
            }
        };
        Ok(Self { input: input.to_owned(), to, template, text, replies, opaque })
    }
}

/// 7 to 15 digits (ITU-T E.164), `+` and the usual separators tolerated.
fn recipient(input: &str) -> Result<String, Refusal> {
    let digits: String = input.chars().filter(|c| !matches!(c, '+' | ' ' | '-' | '(' | ')')).collect();
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(digits);
    }
    Err(Refusal::invalid(INVALID_VALUE, "to is no phone number"))
}

fn opaque(value: &Value) -> Result<String, Refusal> {
    let text = value.as_str().filter(|text| text.chars().count() <= MAX_OPAQUE);
    text.map(str::to_owned).ok_or_else(|| {
        let details = "biz_opaque_callback_data must be a string of at most 512 characters";
        Refusal::invalid(INVALID_VALUE, details)
    })
}

fn text(body: &Value) -> Result<String, Refusal> {
    let text = text_at(body, "/text/body")?;
    if text.chars().count() > MAX_TEXT {
        return Err(Refusal::invalid(INVALID_VALUE, "text.body must be at most 4096 characters"));
    }
    Ok(text.to_owned())
}

/// A text with reply buttons: 1 to 3, each with an id and a title of its own.
fn interactive(body: &Value) -> Result<(String, Vec<(String, String)>), Refusal> {
    if text_at(body, "/interactive/type")? != "button" {
        return Err(Refusal::invalid(INVALID_VALUE, "interactive.type must be button"));
    }
    let text = text_at(body, "/interactive/body/text")?;
    let buttons = list(body.pointer("/interactive/action/buttons"), "interactive.action.buttons")?;
    let replies: Vec<(String, String)> = buttons
        .iter()
        .map(|button| Ok((text_at(button, "/reply/id")?.to_owned(), text_at(button, "/reply/title")?.to_owned())))
        .collect::<Result<_, Refusal>>()?;
    let alike = |at: usize, (id, title): &(String, String)| {
        replies.iter().take(at).any(|(other_id, other_title)| other_id == id || other_title == title)
    };
    let fits = |at: usize, reply: &(String, String)| {
        reply.0.chars().count() <= 256 && reply.1.chars().count() <= 20 && !alike(at, reply)
    };
    let all_fit = replies.iter().enumerate().all(|(at, reply)| fits(at, reply));
    if text.chars().count() > 1_024 || !(1..=3).contains(&replies.len()) || !all_fit {
        return Err(Refusal::invalid(
            INVALID_VALUE,
            "body at most 1024, 1 to 3 buttons, title at most 20, id at most 256",
        ));
    }
    Ok((text.to_owned(), replies))
}

fn template(body: &Value) -> Result<SentTemplate, Refusal> {
    let name = text_at(body, "/template/name")?;
    let snake = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.len() > 512 || !name.bytes().all(snake) {
        return Err(Refusal::invalid(INVALID_VALUE, "template.name must be lower snake case"));
    }
    let language = text_at(body, "/template/language/code")?;
    let mut template = SentTemplate {
        name: name.to_owned(),
        language: language.to_owned(),
        parameters: Vec::new(),
        buttons: Vec::new(),
    };
    for component in list(body.pointer("/template/components"), "template.components")? {
        match component.get("type").and_then(Value::as_str) {
            Some("header") => {}
            Some("body") => template.parameters = body_parameters(component)?,
            Some("button") => template.buttons.push(button(component)?),
            _ => {
                let details = "a component's type must be header, body or button";
                return Err(Refusal::invalid(INVALID_VALUE, details));
            }
        }
    }
    Ok(template)
}

fn body_parameters(component: &Value) -> Result<Vec<SentParameter>, Refusal> {
    let given = list(component.get("parameters"), "parameters")?;
    let read = |parameter: &Value| {
        if parameter.get("type").and_then(Value::as_str) != Some("text") {
            let details = "this double takes text parameters only";
            return Err(Refusal::invalid(PARAMETER_FORMAT, details));
        }
        let text = text_at(parameter, "/text")?;
        // The service refuses what would break the approved layout.
        if text.contains(['\n', '\t']) || text.contains("     ") {
            let details = "a parameter has no new-lines, tabs or more than 4 consecutive spaces";
            return Err(Refusal::invalid(PARAMETER_FORMAT, details));
        }
        let name = parameter.get("parameter_name").and_then(Value::as_str).map(str::to_owned);
        Ok(SentParameter { name, text: text.to_owned() })
    };
    let parameters: Vec<SentParameter> = given.iter().map(read).collect::<Result<_, _>>()?;
    let named = parameters.iter().filter(|parameter| parameter.name.is_some()).count();
    if named != 0 && named != parameters.len() {
        let details = "parameters are all named or all positional";
        return Err(Refusal::invalid(PARAMETER_FORMAT, details));
    }
    Ok(parameters)
}

fn button(component: &Value) -> Result<SentButton, Refusal> {
    let sub_type = text_at(component, "/sub_type")?;
    let index = text_at(component, "/index")?;
    let value = match sub_type {
        "quick_reply" => text_at(component, "/parameters/0/payload")?,
        "url" => text_at(component, "/parameters/0/text")?,
        _ => {
            let details = "this double takes the sub_types quick_reply and url";
            return Err(Refusal::invalid(INVALID_VALUE, details));
        }
    };
    if value.chars().count() > MAX_PAYLOAD || !index.bytes().all(|b| b.is_ascii_digit()) {
        let details = "a button has a number as its index and at most 512 characters";
        return Err(Refusal::invalid(INVALID_VALUE, details));
    }
    Ok(SentButton { sub_type: sub_type.to_owned(), index: index.to_owned(), value: value.to_owned() })
}

/// A non-empty string, which is required.
fn text_at<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, Refusal> {
    let found = value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        Refusal::invalid(MISSING, &format!("{field} is required, as a string"))
    })
}

/// An array, or nothing where it may be left out.
fn list<'a>(value: Option<&'a Value>, field: &str) -> Result<&'a [Value], Refusal> {
    match value {
        None => Ok(&[]),
        Some(value) => value
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| Refusal::invalid(INVALID_PARAMETER, &format!("{field} must be an array"))),
    }
}

/// An error in Meta's shape.
#[derive(Debug, thiserror::Error)]
#[error("({code}) {details}")]
pub(super) struct Refusal {
    status: StatusCode,
    code: i64,
    subcode: Option<i64>,
    kind: &'static str,
    message: &'static str,
    details: String,
    is_transient: bool,
}

impl Refusal {
    fn invalid(code: i64, details: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "Invalid parameter", details)
    }

    fn new(status: StatusCode, code: i64, message: &'static str, details: &str) -> Self {
        let details = details.to_owned();
        Self { status, code, subcode: None, kind: "OAuthException", message, details, is_transient: false }
    }

    pub(super) fn not_json(error: serde_json::Error) -> Self {
        Self::invalid(INVALID_PARAMETER, &format!("the body is not JSON: {error}"))
    }

    pub(super) fn unknown_path() -> Self {
        let details = "this double plays POST /{version}/{phone_number_id}/messages";
        Self::new(StatusCode::NOT_FOUND, INVALID_PARAMETER, "Unknown path components", details)
    }

    pub(super) fn bad_token() -> Self {
        let message = "Invalid OAuth access token";
        Self::new(StatusCode::UNAUTHORIZED, 190, message, "the bearer token is not the right one")
    }

    /// More than 24 hours since the person wrote last.
    pub(super) fn window_closed() -> Self {
        let details = "more than 24 hours have passed since the recipient last replied";
        Self::new(StatusCode::BAD_REQUEST, 131_047, "Re-engagement message", details)
    }

    /// A template that cannot be taken as it is.
    pub(super) fn template(details: &str) -> Self {
        Self::invalid(INVALID_PARAMETER, details)
    }

    /// The account holds a template of that name and language.
    pub(super) fn template_exists() -> Self {
        let details = "content in this language already exists";
        Self { subcode: Some(TEMPLATE_EXISTS), ..Self::invalid(INVALID_PARAMETER, details) }
    }

    pub(super) fn throttled() -> Self {
        let details = "throttled by the fault script";
        Self::new(StatusCode::TOO_MANY_REQUESTS, 130_429, "Rate limit hit", details)
    }

    pub(super) fn unavailable() -> Self {
        let details = "unavailable by the fault script";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let refusal = Self::new(status, 131_016, "Service unavailable", details);
        Self { is_transient: true, ..refusal }
    }

    /// A code that is no number becomes 100, which is how the API words a caller's own mistake.
    pub(super) fn scripted(code: &str) -> Self {
        let code = code.parse().unwrap_or(INVALID_PARAMETER);
        Self::new(StatusCode::BAD_REQUEST, code, "Rejected", "rejected by the fault script")
    }
}

impl From<DoublesError> for Refusal {
    fn from(error: DoublesError) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, 131_000, "Something went wrong", &error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": {
            "message": format!("(#{}) {}", self.code, self.message),
            "type": self.kind,
            "code": self.code,
            "error_subcode": self.subcode,
            "error_data": { "messaging_product": "whatsapp", "details": self.details },
            "is_transient": self.is_transient,
            "fbtrace_id": "local",
        }});
        (self.status, Json(body)).into_response()
    }
}
