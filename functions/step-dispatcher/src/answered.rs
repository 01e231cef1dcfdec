//! What a sequence is told from outside: that the patient answered.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_domain::decide::Event;
use retorno_domain::flow::Answer;
use retorno_domain::ids::{ClinicId, PatientId};

use crate::dispatch::{Dispatcher, Done};

/// An answer told later than this may be about a sequence that is over, while another has begun.
const NEWS_FOR: TimeDelta = TimeDelta::days(5);

impl Dispatcher {
    /// Tells the sequence that a patient is in what was answered.
    pub(crate) async fn answered(
        &self,
        clinic: &ClinicId,
        patient: &PatientId,
        answer: Answer,
        at: DateTime<Utc>,
    ) -> Result<Done, CloudError> {
        if self.reach.clock.now() - at > NEWS_FOR {
            return Ok(Done::Nothing);
        }
        self.about(clinic, patient, None, |_| Event::Answered(answer, at)).await
    }
}
