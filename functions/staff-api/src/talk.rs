//! What staff does in a conversation.

use axum::http::StatusCode;
use retorno_domain::consent::Statement;
use retorno_domain::ids::PatientId;

use crate::problem::Problem;

/// Characters of the name that a form gives to what it does.
const EVENT_CHARS_MAX: usize = 64;

/// What staff does.
#[derive(Debug, Clone)]
pub enum StaffAct {
    /// Answers in words of their own.
    Write(String),
    /// Takes the conversation.
    TakeOver,
    /// Hands it back.
    Release,
    /// Records what the patient said about being written to, and how it was said.
    Consent(Statement, String),
}

/// The name of what staff does: of this patient, and of whatever asked for it. Sent twice, it is one.
///
/// # Errors
/// [`Problem`] when it is no such name.
pub fn staff_event(patient: &PatientId, event: &str) -> Result<String, Problem> {
    let plain = event.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain || event.is_empty() || event.len() > EVENT_CHARS_MAX {
        let what = format!("the event's name has 1 to {EVENT_CHARS_MAX} letters and digits");
        return Err(Problem::form(StatusCode::BAD_REQUEST, what));
    }
    Ok(format!("staff#{patient}#{event}"))
}

/// A name for what is done without one: another each time.
///
/// # Errors
/// [`Problem`] when the system gives no randomness.
pub fn event_name() -> Result<String, Problem> {
    const BYTES: usize = 12;
    let mut bytes = [0; BYTES];
    let broken = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no randomness for the form");
    getrandom::fill(&mut bytes).map_err(broken)?;
    Ok(retorno_cloud::secrets::hex(&bytes))
}
