//! What a person does as the patient: writes on the sandbox phone.

use chrono::{DateTime, NaiveDate};
use retorno_cloud::store::Collection;
use retorno_domain::conversation::Thread;
use retorno_domain::ids::PatientId;
use staff_api::Problem;

use super::system::{OpenClinic, System};
use crate::host::Written;

/// The longest text that a phone sends, in characters (WhatsApp).
const TEXT_CHARS_MAX: usize = 4096;

impl System {
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
        let collection = self.office.patient(of, patient).await?;
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
