//! Taking a claim back when it is proven that nothing was sent: the enrollment stands before the step
//! again, and what the claim took — places under the caps, the day's message, the first day — is
//! given back, all in one transaction. The place in the number's tier stays taken: it is free again
//! by itself within a day.

use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use retorno_domain::enrollment::Enrollment;
use retorno_domain::limits::FreePlace;
use retorno_domain::message::{Delivery, Outcome};

use super::TenantStore;
use super::commit::{Claim, Claimed, update};
use super::enrollment::{StoredEnrollment, advance, wrap};
use super::item::{ms, n, s};
use super::key::Keys;
use super::message::{listed, outcome_code, retry_lost_at};
use crate::error::CloudError;

impl TenantStore {
    /// Takes a claim back: the message becomes `delivery` (to be tried again, or failed) and the
    /// enrollment `restored`. Says whether it did; it does not when the enrollment has moved on
    /// meanwhile (an import ended it), and then the outcome is to be recorded as it is.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn undo_claim(
        &self,
        claim: &Claim<'_>,
        claimed: Claimed,
        outcome: &Outcome,
        delivery: &Delivery,
        restored: &Enrollment,
    ) -> Result<bool, CloudError> {
        let keys = Keys(&self.clinic);
        let intent = claim.message.intent();
        let patient = &claim.patient.patient;
        // One that may be tried again stays listed, so that the sweep finds it should its wake-up be
        // lost, or its enrollment end meanwhile.
        let again_at = retry_lost_at(claimed, outcome).filter(|_| matches!(delivery, Delivery::Ready { .. }));
        let listing = if again_at.is_some() { ", g1sk = :listed" } else { " REMOVE g1pk, g1sk" };
        let message = update(self, &keys.message(&patient.id, intent.message))
            .update_expression(format!("SET st = :st, code = :code{listing}"))
            .condition_expression("st = :flying AND att = :att")
            .expression_attribute_values(":st", s(delivery.code()))
            .expression_attribute_values(":code", s(outcome_code(outcome)))
            .expression_attribute_values(":flying", s("in_flight"))
            .expression_attribute_values(":att", n(claimed.attempt));
        let message = match again_at {
            Some(at) => message.expression_attribute_values(":listed", s(listed(at))),
            None => message,
        };
        let after_claim = StoredEnrollment { version: claim.from.version + 1, ..claim.from.clone() };
        let because = format!("not sent: {}", outcome_code(outcome));
        let writes = vec![
            wrap(message)?,
            TransactWriteItem::builder().update(advance(self, &after_claim, restored, &because)?).build(),
            wrap(self.patient_back(&keys, claim))?,
            wrap(self.contact_back(&keys, claim))?,
        ];
        self.finish(writes).await
    }

    fn patient_back(&self, keys: &Keys<'_>, claim: &Claim<'_>) -> UpdateBuilder {
        let history = &claim.patient.patient.history;
        let builder = update(self, &keys.patient(&claim.patient.patient.id))
            .condition_expression("last_at = :mine")
            .expression_attribute_values(":mine", ms(claim.now))
            .expression_attribute_values(":one", n(1));
        let mut back = Back::default();
        let builder = match history.last_at {
            Some(last) => {
                back.set.extend(["last_at = :last".to_owned(), "last_n = :n".to_owned()]);
                builder
                    .expression_attribute_values(":last", ms(last))
                    .expression_attribute_values(":n", n(history.last_day_count))
            }
            None => {
                back.remove.extend(["last_at".to_owned(), "last_n".to_owned()]);
                builder
            }
        };
        back.place(builder, claim.message.intent().places.map(|(_, person)| person))
    }

    fn contact_back(&self, keys: &Keys<'_>, claim: &Claim<'_>) -> UpdateBuilder {
        let place = claim.message.intent().places.map(|(contact, _)| contact);
        let builder = update(self, &keys.contact_point(claim.contact)).expression_attribute_values(":one", n(1));
        let builder = match place {
            Some(place) => builder
                .condition_expression(format!("wa{} = :mine", place.place))
                .expression_attribute_values(":mine", ms(claim.now)),
            None => builder,
        };
        Back::default().place(builder, place)
    }
}

/// What an update gives back.
#[derive(Default)]
struct Back {
    set: Vec<String>,
    remove: Vec<String>,
}

impl Back {
    fn place(mut self, builder: UpdateBuilder, place: Option<FreePlace>) -> UpdateBuilder {
        let mut builder = builder;
        if let Some(place) = place {
            let stamp = format!("wa{}", place.place);
            match place.previous {
                Some(previous) => {
                    self.set.push(format!("{stamp} = :previous"));
                    builder = builder.expression_attribute_values(":previous", ms(previous));
                }
                None => self.remove.push(stamp),
            }
            if place.rest_until.is_some() {
                self.remove.push("rest".to_owned());
            }
        }
        let part = |verb: &str, names: &[String]| match names {
            [] => String::new(),
            names => format!("{verb} {} ", names.join(", ")),
        };
        builder.update_expression(format!("{}{}ADD ver :one", part("SET", &self.set), part("REMOVE", &self.remove)))
    }
}
