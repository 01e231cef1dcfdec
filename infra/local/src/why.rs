//! Why a patient is, or is not, written to, where the dispatcher runs in the same process.

use chrono::{DateTime, Utc};
use retorno_cloud::CloudError;
use retorno_domain::ids::{ClinicId, PatientId};
use staff_api::office::Later;
use staff_api::why::{NextStep, Steps};

use crate::host::Host;

pub use staff_api::why::{MessageSays, MinorSays, RuleSays, TemplateSays, Why, minor};

/// Explains a patient at an instant, now when none is given; nothing when there is no such patient.
///
/// # Errors
/// [`CloudError`].
pub async fn why(
    host: &Host,
    clinic: &ClinicId,
    patient: &PatientId,
    at: Option<DateTime<Utc>>,
) -> Result<Option<Why>, CloudError> {
    staff_api::why::why(&host.reach, Some(host), (clinic, patient), at).await
}

impl Steps for Host {
    fn next<'a>(
        &'a self,
        clinic: &'a ClinicId,
        patient: &'a PatientId,
        at: DateTime<Utc>,
    ) -> Later<'a, Result<Option<NextStep>, CloudError>> {
        Box::pin(async move {
            let explained = self.dispatcher().explain(clinic, patient, at).await?;
            Ok(explained.map(|explained| NextStep {
                id: explained.step.id.to_string(),
                channel: explained.step.channel.to_string(),
                asked_at: explained.asked_at,
                because: explained.because,
            }))
        })
    }
}
