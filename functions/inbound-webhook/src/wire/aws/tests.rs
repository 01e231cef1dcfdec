#![expect(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

mod text_messages;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::event::{ComplaintKind, ErrorCode, Event, Private, Receipt, ReceiptStatus, Tags};

const TOLD: &str = "2026-09-21T14:13:20.000Z";

fn at_told() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn now() -> DateTime<Utc> {
    at_told() + TimeDelta::seconds(30)
}

fn clinic() -> Route {
    Route::Clinic("c1".to_owned())
}

/// An event of a configuration set, with our tags.
fn email(kind: &str, part: &str, value: Value) -> Value {
    json!({
        "eventType": kind,
        "mail": {"timestamp": "2026-09-21T14:00:00Z", "messageId": "0100-a", "destination": ["Ana <ana@example.com>"],
                 "tags": {"ses:source-ip": ["192.0.2.1"], "t": ["c1"], "m": ["m1"], "a": ["2"]}},
        part: value,
    })
}

fn receipts(body: &Value) -> Vec<Receipt> {
    let receipt = |routed: Routed| match routed.event {
        Event::Receipt(receipt) => *receipt,
        other => unreachable!("{other:?}"),
    };
    events(body, now()).into_iter().map(receipt).collect()
}

fn status(kind: &str, part: &str, value: Value) -> ReceiptStatus {
    let mut receipts = receipts(&email(kind, part, value));
    assert_eq!(receipts.len(), 1);
    receipts.pop().unwrap().status
}

#[test]
fn a_bounce_says_whom_it_could_not_reach() {
    let bounce = json!({"bounceType": "Permanent", "bounceSubType": "NoEmail", "feedbackId": "f1", "timestamp": TOLD,
        "bouncedRecipients": [{"emailAddress": "ana@example.com", "status": "5.1.1", "diagnosticCode": "smtp; ana@"},
                              {"emailAddress": "eva@example.com"}]});
    let body = email("Bounce", "bounce", bounce);
    assert!(events(&body, now()).iter().all(|routed| routed.route == clinic()));
    let receipts = receipts(&body);
    let [ana, eva] = receipts.as_slice() else { unreachable!() };
    assert_eq!(ana.provider_id, Private::new("0100-a"));
    let tags = Tags { clinic: Some("c1".to_owned()), message: Some("m1".to_owned()), attempt: Some(2) };
    assert_eq!(ana.tags, tags);
    assert_eq!(ana.status, ReceiptStatus::Bounced { permanent: true, code: "NoEmail".to_owned() });
    assert_eq!((ana.at, ana.report_id.as_deref()), (at_told(), Some("f1")));
    assert_eq!(ana.recipient, Some(Private::new("ana@example.com")));
    assert_eq!(ana.errors, [ErrorCode("5.1.1".to_owned())]);
    assert_eq!((&eva.recipient, eva.errors.len()), (&Some(Private::new("eva@example.com")), 0));
}

#[test]
fn every_event_of_an_email_has_its_meaning() {
    let bounce = |kind: &str, subtype: &str| {
        status("Bounce", "bounce", json!({"bounceType": kind, "bounceSubType": subtype, "timestamp": TOLD}))
    };
    let transient = ReceiptStatus::Bounced { permanent: false, code: "MailboxFull".to_owned() };
    assert_eq!(bounce("Transient", "MailboxFull"), transient);
    assert_eq!(bounce("Permanent", "UnsubscribedRecipient"), ReceiptStatus::Unsubscribed);
    let complaint = |kind: Value, subtype: Value| {
        let value = json!({"complaintFeedbackType": kind, "complaintSubType": subtype, "timestamp": TOLD});
        let ReceiptStatus::Complained { kind } = status("Complaint", "complaint", value) else { unreachable!() };
        kind
    };
    assert_eq!(complaint(json!("abuse"), json!(null)), ComplaintKind::Abuse);
    assert_eq!(complaint(json!(null), json!(null)), ComplaintKind::Abuse);
    assert_eq!(complaint(json!("not-spam"), json!(null)), ComplaintKind::NotSpam);
    assert_eq!(complaint(json!("virus"), json!(null)), ComplaintKind::Other("virus".to_owned()));
    assert_eq!(complaint(json!(null), json!("OnAccountSuppressionList")), ComplaintKind::Suppressed);
    assert_eq!(status("Delivery", "delivery", json!({"recipients": ["a@b.c"]})), ReceiptStatus::Delivered);
    assert_eq!(status("Open", "open", json!({"timestamp": TOLD})), ReceiptStatus::Opened);
    assert_eq!(status("Click", "click", json!({"timestamp": TOLD, "link": "https://x"})), ReceiptStatus::Clicked);
    assert_eq!(status("Send", "send", json!({})), ReceiptStatus::Sent);
    let code = "Bad content".to_owned();
    assert_eq!(status("Reject", "reject", json!({"reason": code})), ReceiptStatus::Rejected { code });
    let failed = ReceiptStatus::Failed { code: "rendering".to_owned() };
    assert_eq!(status("Rendering Failure", "failure", json!({"errorMessage": "x"})), failed);
    let delayed = ReceiptStatus::Delayed { code: "MailboxFull".to_owned() };
    assert_eq!(status("DeliveryDelay", "deliveryDelay", json!({"delayType": "MailboxFull"})), delayed);
    let leaves = json!({"newTopicPreferences": {"unsubscribeAll": true}});
    assert_eq!(status("Subscription", "subscription", leaves), ReceiptStatus::Unsubscribed);
    let topic = json!({"newTopicPreferences": {"topicSubscriptionStatus": [{"subscriptionStatus": "OptOut"}]}});
    assert_eq!(status("Subscription", "subscription", topic), ReceiptStatus::Unsubscribed);
}

#[test]
fn an_event_without_tags_routes_to_nobody() {
    let body = json!({"notificationType": "Bounce", "mail": {"messageId": "0100-a", "timestamp": TOLD},
                      "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": TOLD,
                                 "bouncedRecipients": [{"emailAddress": "ana@example.com"}]}});
    let found = events(&body, now());
    let [Routed { route: Route::Unknown, event: Event::Receipt(receipt) }] = found.as_slice() else { unreachable!() };
    assert_eq!(receipt.tags, Tags::default());
}

#[test]
fn the_same_event_comes_in_any_envelope() {
    let bare = email("Click", "click", json!({"timestamp": TOLD}));
    let text = bare.to_string();
    let topic = json!({"Type": "Notification", "TopicArn": "arn", "Message": text, "Timestamp": TOLD});
    let record = json!({"Records": [{"EventSource": "aws:sns", "Sns": topic}]});
    let bus = json!({"source": "aws.ses", "detail-type": "Email Clicked", "time": TOLD, "detail": bare});
    for body in [&topic, &record, &bus] {
        assert_eq!(events(body, now()), events(&bare, now()), "{body}");
    }
    assert_eq!(events_of_message(&text, at_told(), now()), Some(events(&bare, now())));
    assert_eq!(events_of_message("Successfully validated SNS topic", at_told(), now()), None);
    let mut deep = bare;
    for _ in 0..5 {
        deep = json!({"detail-type": "x", "detail": deep});
    }
    assert!(matches!(events(&deep, now()).as_slice(), [Routed { event: Event::Ignored(_), .. }]));
}

#[test]
fn what_restrains_us_is_never_too_old() {
    let old = "2025-01-01T00:00:00Z";
    let read = |kind: &str, part: &str, value: Value| {
        matches!(events(&email(kind, part, value), now()).as_slice(), [Routed { event: Event::Receipt(_), .. }])
    };
    assert!(read("Complaint", "complaint", json!({"timestamp": old})));
    assert!(read("Bounce", "bounce", json!({"timestamp": old, "bounceType": "Permanent"})));
    assert!(!read("Bounce", "bounce", json!({"timestamp": old, "bounceType": "Transient"})));
    assert!(!read("Click", "click", json!({"timestamp": old})));
    assert!(!read("Complaint", "complaint", json!({"timestamp": "2026-09-21T14:20:00Z"})));
}

#[test]
fn what_is_no_event_is_ignored_by_name() {
    for body in [
        json!({}),
        json!([]),
        json!({"eventType": "VOICE_COMPLETED"}),
        json!({"mail": {}}),
        json!({"mail": {}, "eventType": "Novedad"}),
        json!({"mail": {}, "eventType": "Send"}),
        json!({"mail": {"messageId": "x"}, "eventType": "Send"}),
        json!({"TopicArn": "arn", "Message": "words"}),
        json!({"detail-type": "EC2 Instance State-change Notification", "detail": {"state": "pending"}}),
        email("Subscription", "subscription", json!({"newTopicPreferences": {"unsubscribeAll": false}})),
    ] {
        let found = events(&body, now());
        assert!(matches!(found.as_slice(), [Routed { event: Event::Ignored(_), .. }]), "{body}");
    }
}
