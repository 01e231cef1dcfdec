//! What reaches us through SNS or EventBridge: reports of e-mails and text messages, and text
//! messages of people. Taken out of any envelope it comes in, since the same report may come by a
//! topic, by a bus, or bare (raw delivery).

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json::{at, instant, list, word};
use super::{ignored, routed, ses, sms};
use crate::event::{Route, Routed};

/// Envelopes inside each other; more are none that AWS writes.
const ENVELOPES_MAX: u8 = 3;

/// The events of a body: an SNS message, a Lambda record of one, an event of EventBridge, or what
/// these carry.
#[must_use]
pub fn events(body: &Value, now: DateTime<Utc>) -> Vec<Routed> {
    unwrapped(body, None, now, ENVELOPES_MAX)
}

/// The events of what a proven message of SNS carried. `told` is when SNS took it, which is the only
/// instant that a person's text message has.
#[must_use]
pub fn events_of_message(message: &str, told: DateTime<Utc>, now: DateTime<Utc>) -> Option<Vec<Routed>> {
    let body: Value = serde_json::from_str(message).ok()?;
    Some(unwrapped(&body, Some(told), now, ENVELOPES_MAX))
}

fn unwrapped(body: &Value, told: Option<DateTime<Utc>>, now: DateTime<Utc>, envelopes: u8) -> Vec<Routed> {
    let nobody = |why, what: &str| vec![routed(&Route::Unknown, ignored(why, what))];
    let Some(envelopes) = envelopes.checked_sub(1) else {
        return nobody("envelopes inside envelopes", "");
    };
    if at(body, &["Records"]).is_array() {
        let records = list(body, &["Records"]).iter().map(|record| at(record, &["Sns"]));
        return records.flat_map(|message| unwrapped(message, told, now, envelopes)).collect();
    }
    if let (Some(message), true) = (at(body, &["Message"]).as_str(), at(body, &["TopicArn"]).is_string()) {
        let told = instant(body, &["Timestamp"]).or(told);
        return match serde_json::from_str::<Value>(message) {
            Ok(inner) => unwrapped(&inner, told, now, envelopes),
            // SES says so in words when a topic is set up.
            Err(_) => nobody("a message of SNS that is no JSON", "Notification"),
        };
    }
    if at(body, &["detail-type"]).is_string() {
        let told = instant(body, &["time"]).or(told);
        return unwrapped(at(body, &["detail"]), told, now, envelopes);
    }
    if at(body, &["mail"]).is_object() {
        return ses::events(body, now);
    }
    if at(body, &["inboundMessageId"]).is_string() {
        return vec![sms::message(body, told, now)];
    }
    let kind = word(body, &["eventType"]).unwrap_or_default();
    if kind.starts_with("TEXT_") {
        return vec![sms::receipt(body, &kind, now)];
    }
    nobody("an unknown event of AWS", &kind)
}

#[cfg(test)]
mod tests;
