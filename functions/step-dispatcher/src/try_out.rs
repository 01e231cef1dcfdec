//! A test message to a member of staff: claimed, sent once, recorded.

use chrono::TimeDelta;
use retorno_cloud::CloudError;
use retorno_cloud::desk::{Desk, TestRefused};
use retorno_domain::contact::E164;
use retorno_domain::ids::ClinicId;
use retorno_domain::notices::Notice;

use crate::dispatch::{Dispatcher, Done};

/// Whoever asked waits for it; later it only puzzles.
const OF_USE_FOR: TimeDelta = TimeDelta::minutes(10);

impl Dispatcher {
    /// Sends a test message, unless it was sent, or is of no use any more.
    pub(crate) async fn send_test(&self, id: &ClinicId, place: &str) -> Result<Done, CloudError> {
        let tenant = self.reach.store.of(id);
        let Some(test) = tenant.test(place).await? else { return Ok(Done::Nothing) };
        let now = self.reach.clock.now();
        let clinic = tenant.settings(now).await?.clinic;
        // Since it was asked for somebody may have become a patient, or opted out.
        let refused = match E164::parse_strict(&test.to.0) {
            Ok(to) => Desk::new(self.reach.clone()).test_refused(&tenant, &to).await?,
            Err(_) => Some(TestRefused::Number),
        };
        let why = match (Notice::Test.text(clinic.language, &clinic.name), refused) {
            (Some(_), _) if now - test.asked_at > OF_USE_FOR => "too_late",
            (Some(_), Some(TestRefused::Halted)) => "clinic_halted",
            (Some(_), Some(refused)) => refused.code(),
            (None, _) => "no_text",
            (Some(text), None) => {
                if !tenant.claim_test(place).await? {
                    return Ok(Done::Nothing);
                }
                let opaque = self.channels.opaque_id(id, test.id, 1);
                let outcome = self.channels.test(&clinic, &test.to.0, &opaque, &text).await;
                self.learn_of_gateway(&tenant, &clinic, test.id, now, &outcome).await?;
                tenant.record_test(place, &outcome).await?;
                return Ok(Done::Sent);
            }
        };
        tenant.give_up_test(place, why).await?;
        Ok(Done::Decided)
    }
}
