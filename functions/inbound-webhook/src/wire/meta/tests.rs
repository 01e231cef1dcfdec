#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "tests")]

mod account_news;
mod written;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::event::{ErrorCode, Price, Private, Receipt, ReceiptStatus, Sender};

const SECONDS: i64 = 1_790_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(SECONDS, 0).unwrap() + TimeDelta::seconds(30)
}

fn at_told() -> DateTime<Utc> {
    DateTime::from_timestamp(SECONDS, 0).unwrap()
}

fn private(text: &str) -> Private {
    Private::new(text)
}

fn by_phone(digits: &str) -> Sender {
    Sender { phone: Some(private(digits)), user_id: None }
}

fn number() -> Route {
    Route::WhatsappNumber("105".to_owned())
}

fn account() -> Route {
    Route::WhatsappAccount("900".to_owned())
}

fn webhook(changes: Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "900", "time": SECONDS, "changes": changes}]})
}

/// A change of `messages` with this beside its metadata.
fn of_messages(part: Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
                           "metadata": {"display_phone_number": "541100000000", "phone_number_id": "105"}});
    value.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    json!({"field": "messages", "value": value})
}

fn read(changes: Value) -> Vec<Routed> {
    events(&webhook(changes), now()).unwrap()
}

/// The one event of a change, and that it is routed there.
fn only(change: Value, route: &Route) -> Event {
    let mut events = read(json!([change]));
    let event = events.pop().unwrap();
    assert!(events.is_empty() && event.route == *route, "{events:?} {event:?}");
    event.event
}

fn ignored_why(event: Event) -> String {
    let Event::Ignored(ignored) = event else { unreachable!("{event:?}") };
    ignored.why
}

fn status(part: Value) -> Value {
    let mut status = json!({"id": "wamid.1", "status": "sent", "timestamp": SECONDS.to_string(),
                            "recipient_id": "5491155550101"});
    status.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    of_messages(json!({"statuses": [status]}))
}

fn receipt(part: Value) -> Receipt {
    let Event::Receipt(receipt) = only(status(part), &number()) else { unreachable!() };
    *receipt
}

#[test]
fn a_status_says_all_that_it_says() {
    let full = receipt(json!({
        "status": "delivered", "biz_opaque_callback_data": "1.c.m.1.ab", "recipient_user_id": "AR.77",
        "pricing": {"billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing"},
        "conversation": {"id": "x"},
    }));
    assert_eq!(full.provider_id, private("wamid.1"));
    assert_eq!(full.opaque.as_deref(), Some("1.c.m.1.ab"));
    assert_eq!(full.status, ReceiptStatus::Delivered);
    assert_eq!(full.at, at_told());
    assert_eq!(full.recipient, Some(private("5491155550101")));
    assert_eq!(full.recipient_user_id, Some(private("AR.77")));
    let price = Price::Whatsapp {
        category: "marketing".to_owned(),
        billable: true,
        model: "PMP".to_owned(),
        kind: Some("regular".to_owned()),
    };
    assert_eq!(full.price, Some(price));
    assert_eq!(full.errors, []);
}

#[test]
fn every_status_has_its_meaning() {
    for (word, expected) in [
        ("sent", ReceiptStatus::Sent),
        ("delivered", ReceiptStatus::Delivered),
        ("read", ReceiptStatus::Read),
        ("played", ReceiptStatus::Read),
        ("failed", ReceiptStatus::Failed { code: "unknown".to_owned() }),
    ] {
        assert_eq!(receipt(json!({"status": word})).status, expected);
    }
    let errors = json!([{"code": 131_049, "title": "no"}, {"code": 130_472}, {"title": "without"}]);
    let failed = receipt(json!({"status": "failed", "errors": errors}));
    assert_eq!(failed.status, ReceiptStatus::Failed { code: "131049".to_owned() });
    assert_eq!(failed.errors, [ErrorCode("131049".to_owned()), ErrorCode("130472".to_owned())]);
    assert_eq!(ignored_why(only(status(json!({"status": "warning"})), &number())), "an unknown status");
}

#[test]
fn a_status_out_of_its_time_is_refused() {
    let why = |seconds: i64| match only(status(json!({"timestamp": seconds.to_string()})), &number()) {
        Event::Receipt(_) => None,
        other => Some(ignored_why(other)),
    };
    let now = now().timestamp();
    let eight_days = 8 * 86_400;
    assert_eq!(why(now - eight_days), None);
    assert_eq!(why(now - eight_days - 1).as_deref(), Some("a report too old"));
    assert_eq!(why(now + 300), None);
    assert_eq!(why(now + 301).as_deref(), Some("a report of the future"));
    assert_eq!(ignored_why(only(status(json!({"timestamp": "ayer"})), &number())), "a status without id or instant");
}

#[test]
fn an_error_of_no_message_is_named() {
    let event = only(of_messages(json!({"errors": [{"code": 131_000, "title": "x"}]})), &number());
    assert_eq!(ignored_why(event), "an error of no message");
}

#[test]
fn one_bad_change_does_not_lose_the_others() {
    let good = status(json!({}));
    let bad = [
        json!(null),
        json!(7),
        json!({"field": 7, "value": []}),
        json!({"field": "messages"}),
        json!({"field": "messages", "value": {"metadata": {}, "messages": [{}], "statuses": [null]}}),
        json!({"field": "messages", "value": {"messages": {"0": 1}}}),
        json!({"field": "novedad", "value": {}}),
        of_messages(json!({"messages": [[], "x", {"type": "text"}]})),
    ];
    let changes: Vec<Value> = bad.iter().flat_map(|bad| [bad.clone(), good.clone()]).collect();
    let found = read(json!(changes));
    assert_eq!(found.iter().filter(|routed| matches!(routed.event, Event::Receipt(_))).count(), bad.len());
    assert!(found.iter().all(|routed| matches!(routed.event, Event::Receipt(_) | Event::Ignored(_))), "{found:?}");
}

#[test]
fn what_does_not_concern_us_is_named() {
    for field in ["history", "smb_app_state_sync", "message_template_components_update", "calls"] {
        let event = only(json!({"field": field, "value": {}}), &account());
        let Event::Ignored(ignored) = event else { unreachable!() };
        assert_eq!((ignored.why.as_str(), ignored.what.as_str()), ("of no concern", field));
    }
    assert_eq!(ignored_why(only(json!({"field": "novedad", "value": {}}), &account())), "an unknown field");
    assert_eq!(events(&json!({"object": "page", "entry": []}), now()), None);
    assert_eq!(events(&json!([]), now()), None);
}
