//! Notifications to patients' browsers. What a screen shows is a text of the catalogue under the clinic's
//! name; what the browser is given besides is two links, and only that browser can read them.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::Purpose;
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};
use retorno_domain::template::Variable;
use serde_json::json;

use super::{PushAlert, PushChannel, PushOutcome, PushSubscription, Urgency};
use crate::channels::Dispatch;

/// A browser that is not there gets it within so long, or not at all: what was written for the contact
/// hours must not arrive in the night.
const KEPT_MAX: TimeDelta = TimeDelta::hours(4);
/// A service that refuses our key is asked again after so long: a person must look.
const REFUSED_FOR: TimeDelta = TimeDelta::hours(1);

impl PushChannel {
    /// Hands a notification to the service of its browser, once.
    pub(in crate::channels) async fn notify(&self, dispatch: &Dispatch<'_>) -> Outcome {
        let gone = |code: &str| Outcome::Refused { code: code.to_owned(), news: RecipientNews::Unreachable };
        let Some(browser) = dispatch.message.browser() else {
            return Outcome::Refused { code: "no_browser".to_owned(), news: RecipientNews::None };
        };
        // Read again: only the browsers' own services are ever called.
        let Ok(subscription) = PushSubscription::new(browser.endpoint(), browser.p256dh(), browser.auth()) else {
            return gone("subscription");
        };
        // It takes nothing that is signed by another key than the one it was given.
        if browser.server_key() != self.public_key() {
            return gone("other_key");
        }
        let payload = push_payload(dispatch);
        let urgency = match dispatch.message.intent().purpose {
            Purpose::Marketing => Urgency::Normal,
            Purpose::Care => Urgency::High,
        };
        let alert = PushAlert {
            payload: payload.as_bytes(),
            topic: Some(dispatch.topic),
            urgency,
            ttl_seconds: kept_seconds(dispatch.message.intent().claim_before, dispatch.at),
        };
        let outcome = self.send(&subscription, &alert, dispatch.at).await;
        outcome_of(outcome, dispatch.message.intent().message.to_string())
    }
}

/// What a browser is given: what it shows, where a touch leads, and where the button leads that ends
/// them. `tag` replaces what was shown before to the same person.
#[must_use]
pub fn push_payload(dispatch: &Dispatch<'_>) -> String {
    let label = |link| Catalogue::embedded().link_label(dispatch.language, link);
    json!({
        "title": dispatch.clinic.name,
        "body": dispatch.message.rendered().text,
        "lang": dispatch.language.tag(),
        "tag": dispatch.topic,
        "open": { "url": dispatch.book_url, "label": label(Variable::EnlaceReserva) },
        "stop": { "url": dispatch.unsubscribe_url, "label": label(Variable::EnlaceBaja) },
    })
    .to_string()
}

/// Until the end of contact hours or of the longest delay, and for four hours at most.
fn kept_seconds(until: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
    let left = (until - now).clamp(TimeDelta::zero(), KEPT_MAX);
    u32::try_from(left.num_seconds()).unwrap_or_default()
}

fn outcome_of(outcome: PushOutcome, provider_id: String) -> Outcome {
    match outcome {
        // The service gives no receipt that could be matched; the message's own id stands for it.
        PushOutcome::Accepted => Outcome::Accepted { provider_id },
        PushOutcome::Gone => Outcome::Refused { code: "gone".to_owned(), news: RecipientNews::Unreachable },
        PushOutcome::Again(again_in) => Outcome::NotSent { code: "patience".to_owned(), again_in, breaker: None },
        PushOutcome::Unfit => Outcome::Refused { code: "content".to_owned(), news: RecipientNews::None },
        PushOutcome::Refused(status @ (401 | 403)) => {
            Outcome::NotSent { code: status.to_string(), again_in: REFUSED_FOR, breaker: Some(BreakerScope::Channel) }
        }
        PushOutcome::Refused(status) => Outcome::Refused { code: status.to_string(), news: RecipientNews::None },
        PushOutcome::Unknown => Outcome::Ambiguous { code: "connection".to_owned() },
    }
}
