//! Events of SES, in both forms: `eventType` (a configuration set, with our tags) and
//! `notificationType` (an identity, without).

use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use serde_json::Value;

use super::json::{at, clean, count, id, instant, list, private_id, word};
use super::{ignored, in_time, routed, unread};
use crate::event::{ComplaintKind, ErrorCode, Private, Receipt, ReceiptStatus, Route, Routed, Tags};

/// Longest e-mail address (RFC 5321), in characters.
const ADDRESS_CHARS_MAX: usize = 320;
/// Recipients of one e-mail (SES).
const RECIPIENTS_MAX: usize = 50;

/// One receipt for each recipient that the event names.
pub(super) fn events(body: &Value, now: DateTime<Utc>) -> Vec<Routed> {
    let kind = word(body, &["eventType"]).or_else(|| word(body, &["notificationType"])).unwrap_or_default();
    let tags = tags(body);
    let route = tags.clinic.clone().map_or(Route::Unknown, Route::Clinic);
    let report = match report(body, &kind) {
        Ok(report) => report,
        Err(why) => return vec![routed(&route, ignored(why, &kind))],
    };
    let Some(provider_id) = private_id(body, &["mail", "messageId"]) else {
        return vec![routed(&route, unread("an event without message id", &kind))];
    };
    let Some(at) = instant(report.of, &["timestamp"]).or_else(|| instant(body, &["mail", "timestamp"])) else {
        return vec![routed(&route, unread("an event without instant", &kind))];
    };
    let receipt = |recipient: Option<&Value>| Receipt {
        channel: Channel::Email,
        provider_id: provider_id.clone(),
        opaque: None,
        tags: tags.clone(),
        status: report.status.clone(),
        at,
        recipient: recipient.and_then(address),
        recipient_user_id: None,
        price: None,
        errors: recipient.and_then(|recipient| word(recipient, &["status"])).map(ErrorCode).into_iter().collect(),
        report_id: id(report.of, &["feedbackId"]),
        is_final: false,
    };
    let event = |recipient| routed(&route, in_time(receipt(recipient), now));
    if report.recipients.is_empty() {
        return vec![event(None)];
    }
    report.recipients.iter().take(RECIPIENTS_MAX).map(|recipient| event(Some(recipient))).collect()
}

struct Report<'a> {
    status: ReceiptStatus,
    /// The part of the event that is about what happened, with its instant.
    of: &'a Value,
    recipients: &'a [Value],
}

fn report<'a>(body: &'a Value, kind: &str) -> Result<Report<'a>, &'static str> {
    let everybody = list(body, &["mail", "destination"]);
    let part = |name: &str| at(body, &[name]);
    let of_all = |status, name: &str| Report { status, of: part(name), recipients: everybody };
    let of_some = |status, name: &str, recipients: &str| {
        let named = list(body, &[name, recipients]);
        Report { status, of: part(name), recipients: if named.is_empty() { everybody } else { named } }
    };
    Ok(match kind {
        "Send" => of_all(ReceiptStatus::Sent, "send"),
        "Delivery" => of_some(ReceiptStatus::Delivered, "delivery", "recipients"),
        "Open" => of_all(ReceiptStatus::Opened, "open"),
        "Click" => of_all(ReceiptStatus::Clicked, "click"),
        "Reject" => {
            of_all(ReceiptStatus::Rejected { code: word(body, &["reject", "reason"]).unwrap_or_default() }, "reject")
        }
        "Rendering Failure" => of_all(ReceiptStatus::Failed { code: "rendering".to_owned() }, "failure"),
        "DeliveryDelay" => {
            let code = word(body, &["deliveryDelay", "delayType"]).unwrap_or_default();
            of_some(ReceiptStatus::Delayed { code }, "deliveryDelay", "delayedRecipients")
        }
        "Bounce" => of_some(bounce(part("bounce")), "bounce", "bouncedRecipients"),
        "Complaint" => of_some(
            ReceiptStatus::Complained { kind: complaint(part("complaint")) },
            "complaint",
            "complainedRecipients",
        ),
        "Subscription" if leaves(part("subscription")) => of_all(ReceiptStatus::Unsubscribed, "subscription"),
        "Subscription" => return Err("a subscription that ends nothing"),
        _ => return Err("an unknown event of SES"),
    })
}

/// A bounce for somebody who unsubscribed is an opt-out, not a bad address.
fn bounce(bounce: &Value) -> ReceiptStatus {
    let code = word(bounce, &["bounceSubType"]).unwrap_or_default();
    if code == "UnsubscribedRecipient" {
        return ReceiptStatus::Unsubscribed;
    }
    ReceiptStatus::Bounced { permanent: at(bounce, &["bounceType"]) == "Permanent", code }
}

fn complaint(complaint: &Value) -> ComplaintKind {
    if at(complaint, &["complaintSubType"]) == "OnAccountSuppressionList" {
        return ComplaintKind::Suppressed;
    }
    match word(complaint, &["complaintFeedbackType"]).as_deref() {
        None | Some("abuse") => ComplaintKind::Abuse,
        Some("not-spam") => ComplaintKind::NotSpam,
        Some(other) => ComplaintKind::Other(other.to_owned()),
    }
}

/// Whether the person left the list, or a topic of it.
fn leaves(subscription: &Value) -> bool {
    let now = at(subscription, &["newTopicPreferences"]);
    let topics = list(now, &["topicSubscriptionStatus"]);
    at(now, &["unsubscribeAll"]) == true || topics.iter().any(|topic| at(topic, &["subscriptionStatus"]) == "OptOut")
}

/// The tags that we gave the e-mail: each a list of values, ours of one.
fn tags(body: &Value) -> Tags {
    let first = |name| list(body, &["mail", "tags", name]).first();
    let text = |name| first(name).and_then(|value| id(value, &[]));
    Tags { clinic: text("t"), message: text("m"), attempt: first("a").and_then(|value| count(value, &[])) }
}

/// The address of a recipient, who is an object or a text, perhaps with a name before it.
fn address(recipient: &Value) -> Option<Private> {
    let written = recipient.as_str().or_else(|| at(recipient, &["emailAddress"]).as_str())?;
    let address = written.rsplit_once('<').map_or(written, |(_, address)| address.trim_end().trim_end_matches('>'));
    let address = clean(address.trim(), ADDRESS_CHARS_MAX + 1);
    let right = address.contains('@') && address.chars().count() <= ADDRESS_CHARS_MAX;
    right.then(|| Private::new(address))
}
