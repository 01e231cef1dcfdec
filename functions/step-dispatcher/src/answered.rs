//! What a sequence is told from outside: that the patient answered, that a conversation is given back.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_domain::decide::Event;
use retorno_domain::flow::Answer;
use retorno_domain::ids::{ClinicId, PatientId};

use crate::dispatch::{Dispatcher, Done};

/// An answer told later than this is not news: the order was delivered once more.
const NEWS_FOR: TimeDelta = TimeDelta::hours(1);

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
        self.about(clinic, patient, None, |_| Event::Answered(answer)).await
    }

    /// Gives a conversation back to the sequence; with `quiet_since`, only if the patient has said
    /// nothing since and no person has it.
    pub(crate) async fn released(
        &self,
        clinic: &ClinicId,
        patient: &PatientId,
        quiet_since: Option<DateTime<Utc>>,
    ) -> Result<Done, CloudError> {
        if let Some(since) = quiet_since {
            let thread = self.reach.store.of(clinic).thread(patient).await?.thread;
            if thread.open.is_some() || thread.heard_at.is_some_and(|heard| heard > since) {
                return Ok(Done::Nothing);
            }
        }
        self.about(clinic, patient, None, |_| Event::Released).await
    }
}
