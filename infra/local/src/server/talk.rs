//! What a person does in a conversation: writes as the patient on the sandbox phone, or acts as staff.

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate};
use retorno_cloud::desk::{Desk, StaffDone};
use retorno_cloud::store::Collection;
use retorno_domain::consent::Statement;
use retorno_domain::conversation::Thread;
use retorno_domain::ids::PatientId;

use super::problem::Problem;
use super::system::{OpenClinic, System};
use crate::host::Written;

/// The longest text that a phone sends, in characters (WhatsApp).
const TEXT_CHARS_MAX: usize = 4096;

/// What staff does.
#[derive(Debug, Clone)]
pub(crate) enum StaffAct {
    /// Answers in words of their own.
    Write(String),
    /// Takes the conversation.
    TakeOver,
    /// Hands it back.
    Release,
    /// Records what the patient said about being written to, and how it was said.
    Consent(Statement, String),
}

impl System {
    /// A patient with everything about them.
    ///
    /// # Errors
    /// [`Problem`] when there is no such patient.
    pub(crate) async fn patient(&self, of: &OpenClinic, id: &PatientId) -> Result<Collection, Problem> {
        of.tenant
            .collection(id)
            .await?
            .ok_or_else(|| Problem::missing(format!("patient {id} of clinic {}", of.id)).coded("patient"))
    }

    /// Writes on a patient's phone, and plays what follows.
    ///
    /// # Errors
    /// [`Problem`], also when the clock is being moved or an import is under way.
    pub(crate) async fn write_as_patient(
        &self,
        of: &OpenClinic,
        patient: &PatientId,
        written: &Written,
        answers: Option<&str>,
    ) -> Result<(), Problem> {
        let (Written::Text(text) | Written::Button(_, text) | Written::Choice(_, text)) = written;
        if text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX {
            let problem = Problem::bad(format!("a message has 1 to {TEXT_CHARS_MAX} characters"));
            return Err(problem.coded("message_length").with("most", TEXT_CHARS_MAX));
        }
        self.check_free()?;
        let collection = self.patient(of, patient).await?;
        let today = of.clinic.date(self.host.now());
        let none =
            || Problem::bad("the patient, or a minor's guardian, has no phone with WhatsApp").coded("no_whatsapp");
        let digits = digits(&collection, today).ok_or_else(none)?;
        // Providers tell whole seconds: on the next one, so that this comes after all that was said before.
        let second = DateTime::from_timestamp(self.host.now().timestamp() + 1, 0);
        self.clock.move_to(second.unwrap_or(self.host.now()))?;
        self.host.write_on_phone(&of.clinic, digits, written, answers).await?;
        self.take_up_now().await
    }

    /// Does what staff wants, once per event, and plays what follows.
    ///
    /// # Errors
    /// [`Problem`], also when the clock is being moved or an import is under way.
    pub(crate) async fn staff(
        &self,
        of: &OpenClinic,
        patient: &PatientId,
        event: &str,
        act: &StaffAct,
    ) -> Result<StaffDone, Problem> {
        self.check_free()?;
        let (desk, tenant) = (Desk::new(self.host.reach.clone()), &of.tenant);
        let done = match act {
            StaffAct::Write(words) => desk.write(tenant, patient, event, words).await?,
            StaffAct::TakeOver => desk.take_over(tenant, patient, event).await?,
            StaffAct::Release => desk.release(tenant, patient, event).await?,
            StaffAct::Consent(said, how) => desk.consent(tenant, patient, event, said, how).await?,
        };
        self.take_up_now().await?;
        Ok(done)
    }
}

/// Characters of the name that a rendering gives to what its forms do.
const EVENT_CHARS_MAX: usize = 64;

/// The name of what staff does: of this patient, and of whatever asked for it. Sent twice, it is one.
///
/// # Errors
/// [`Problem`] when it is no such name.
pub(crate) fn staff_event(patient: &PatientId, event: &str) -> Result<String, Problem> {
    let plain = event.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain || event.is_empty() || event.len() > EVENT_CHARS_MAX {
        let what = format!("the event's name has 1 to {EVENT_CHARS_MAX} letters and digits");
        return Err(Problem::form(StatusCode::BAD_REQUEST, what));
    }
    Ok(format!("staff#{patient}#{event}"))
}

/// The digits of the phone at which a patient is reached on a day, if WhatsApp reaches it.
pub(crate) fn digits(collection: &Collection, today: NaiveDate) -> Option<&str> {
    let phone = collection.patient.patient.through(today).phone()?;
    phone.can_whatsapp().then(|| phone.e164.digits())
}

/// Whether staff has the conversation.
pub(crate) fn is_held(collection: &Collection) -> bool {
    let thread: &Thread = &collection.thread.thread;
    collection.patient.patient.paused || thread.open.is_some()
}
