//! The browsers of a patient as compact text inside the patient's item: decisions rest on them, and the
//! patient's version guards them. A subscription takes 300 to 600 bytes.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use retorno_domain::ids::PatientId;
use retorno_domain::patient::Patient;
use retorno_domain::subscription::{Holder, Subscription, Subscriptions};
use serde::Deserialize;

use super::TenantStore;
use super::item::{Item, Reader, ms, n, s};
use super::key::Keys;
use crate::error::{CloudError, sort};

/// The attribute.
pub(super) const SUBSCRIPTIONS: &str = "subs";
/// Tries at forgetting one while the patient keeps changing.
const TRIES_MAX: u32 = 4;

/// endpoint, p256dh, auth, the key of ours, since (s), whose (letter).
#[derive(Deserialize)]
struct Wire(String, String, String, String, i64, char);

const HOLDERS: [(char, Holder); 2] = [('p', Holder::Patient), ('g', Holder::Guardian)];

/// What is stored of the browsers; nothing where there are none.
pub(super) fn subscriptions_text(all: &Subscriptions) -> Option<String> {
    let wire = |known: &Subscription| {
        let letter =
            HOLDERS.into_iter().find(|(_, holder)| *holder == known.holder()).map_or('p', |(letter, _)| letter);
        let since = known.since().timestamp();
        serde_json::json!([known.endpoint(), known.p256dh(), known.auth(), known.server_key(), since, letter])
    };
    (!all.is_empty()).then(|| serde_json::Value::Array(all.iter().map(wire).collect()).to_string())
}

pub(super) fn subscriptions_of(reader: &Reader<'_>) -> Result<Subscriptions, CloudError> {
    let Some(text) = reader.text_opt(SUBSCRIPTIONS) else { return Ok(Subscriptions::default()) };
    read(text).ok_or_else(|| reader.corrupt(SUBSCRIPTIONS))
}

fn read(text: &str) -> Option<Subscriptions> {
    let wires: Vec<Wire> = serde_json::from_str(text).ok()?;
    let of = |Wire(endpoint, p256dh, auth, key, since, letter): Wire| {
        let holder = HOLDERS.into_iter().find(|(of, _)| *of == letter).map(|(_, holder)| holder)?;
        let since = DateTime::from_timestamp(since, 0)?;
        Some(Subscription::new([&endpoint, &p256dh, &auth, &key], since, holder))
    };
    // The newest first, as it is stored; kept in the other order.
    Some(Subscriptions::of(wires.into_iter().rev().map(of).collect::<Option<Vec<_>>>()?))
}

impl TenantStore {
    /// A browser's push service says that it is gone: nobody is notified there any more, and the patient's
    /// record forgets it. Says whether another browser of the same holder is left. Harmless to repeat.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn forget_gone_browser(
        &self,
        id: &PatientId,
        gone: &Subscription,
        now: DateTime<Utc>,
    ) -> Result<bool, CloudError> {
        self.mark_unreachable(&self.hash(gone.endpoint()), retorno_domain::channel::Channel::Push, now).await?;
        for _ in 0..TRIES_MAX {
            let Some(stored) = self.patients(std::slice::from_ref(id), true).await?.into_iter().next() else {
                return Ok(false);
            };
            let mut patient: Patient = stored.patient;
            if !patient.subscriptions.forget(gone.endpoint())
                || self.set_subscriptions(&patient, stored.version).await?
            {
                return Ok(patient.subscriptions.newest_of(gone.holder()).is_some());
            }
        }
        // It is marked, so that nothing goes there; it is forgotten when it is found again.
        Err(CloudError::Retryable { operation: "UpdateItem subscriptions", code: "kept_changing".to_owned() })
    }

    async fn set_subscriptions(&self, patient: &Patient, version: u64) -> Result<bool, CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call.set_key(Some(Keys(&self.clinic).patient(&patient.id).item()));
        let call = match subscriptions_text(&patient.subscriptions) {
            Some(text) => call
                .update_expression(format!("SET {SUBSCRIPTIONS} = :subs ADD ver :one"))
                .expression_attribute_values(":subs", s(text)),
            None => call.update_expression(format!("REMOVE {SUBSCRIPTIONS} ADD ver :one")),
        };
        let call = call
            .condition_expression("ver = :ver")
            .expression_attribute_values(":ver", n(version))
            .expression_attribute_values(":one", n(1));
        match call.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(sort("UpdateItem subscriptions", &e)),
        }
    }

    /// What replaces each other on a patient's screen, and at the push service while nobody sees it: the same
    /// for all that goes to one person, and nobody can tell whom.
    #[must_use]
    pub fn push_topic(&self, id: &PatientId) -> String {
        self.hash(&format!("push#{id}"))
    }

    /// A browser has just subscribed: it is there, whatever its service said before.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn mark_browser_there(&self, hash: &str, now: DateTime<Utc>) -> Result<(), CloudError> {
        let call = self.client().update_item().table_name(self.table());
        let call = call
            .set_key(Some(Keys(&self.clinic).contact_point(hash).item()))
            .update_expression("SET last_at = if_not_exists(last_at, :now) REMOVE dead_push ADD ver :one")
            .condition_expression("attribute_exists(dead_push)")
            .expression_attribute_values(":now", ms(now))
            .expression_attribute_values(":one", n(1));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(()),
            Err(e) => Err(sort("UpdateItem browser there", &e)),
        }
    }
}

/// Puts what is stored of the browsers into an item.
pub(super) fn put_subscriptions(item: &mut Item, all: &Subscriptions) {
    if let Some(text) = subscriptions_text(all) {
        item.insert(SUBSCRIPTIONS.to_owned(), AttributeValue::S(text));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_stored_comes_back_in_its_order_and_nothing_else_does() {
        let browser = |number: i64, holder| {
            let endpoint = format!("https://fcm.googleapis.com/fcm/send/{number}");
            Subscription::new([&endpoint, "p", "a", "k"], DateTime::from_timestamp(number, 0).unwrap(), holder)
        };
        // Two of one second keep their order.
        let all =
            Subscriptions::of([browser(5, Holder::Patient), browser(7, Holder::Guardian), browser(7, Holder::Patient)]);
        let text = subscriptions_text(&all).unwrap();
        assert_eq!(read(&text).unwrap(), all);
        assert_eq!(subscriptions_text(&Subscriptions::default()), None);
        // Of a holder that this version does not know, nothing is used.
        assert_eq!(read(&text.replace("\"g\"", "\"x\"")).map(|known| known.iter().count()), Some(2));
    }
}
