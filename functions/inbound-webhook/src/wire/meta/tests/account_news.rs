//! News of templates, numbers and accounts.

use serde_json::json;

use super::*;
use crate::event::{AccountChange, AccountNews, MessagingLimit, NumberChange, NumberNews, Quality, TemplateChange};

fn template(field: &str, part: Value) -> Event {
    let mut value = json!({"message_template_id": 77, "message_template_name": "reactivacion_1",
                           "message_template_language": "es_AR"});
    value.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    only(json!({"field": field, "value": value}), &account())
}

fn change(field: &str, part: Value) -> TemplateChange {
    let Event::Template(news) = template(field, part) else { unreachable!() };
    assert_eq!((news.name.as_str(), news.language.as_str(), news.id.as_str()), ("reactivacion_1", "es_AR", "77"));
    assert_eq!(news.at, at_told());
    news.change
}

#[test]
fn a_template_is_judged() {
    let judged = |event: &str| change("message_template_status_update", json!({"event": event, "reason": "ABUSIVE"}));
    for (event, expected) in [
        ("APPROVED", TemplateChange::Approved),
        ("REINSTATED", TemplateChange::Approved),
        ("REJECTED", TemplateChange::Rejected { reason: "ABUSIVE".to_owned() }),
        ("PENDING", TemplateChange::Pending),
        ("PAUSED", TemplateChange::Paused { reason: None }),
        ("DISABLED", TemplateChange::Disabled),
        ("FLAGGED", TemplateChange::Flagged),
        ("PENDING_DELETION", TemplateChange::Deleted),
        ("LOCKED", TemplateChange::Other { event: "LOCKED".to_owned() }),
    ] {
        assert_eq!(judged(event), expected);
    }
    let paused = json!({"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE"}});
    let reason = Some("FIRST_PAUSE".to_owned());
    assert_eq!(change("message_template_status_update", paused), TemplateChange::Paused { reason });
    assert_eq!(
        ignored_why(template("message_template_status_update", json!({}))),
        "news of a template without the news"
    );
}

#[test]
fn a_template_changes_category_or_quality() {
    let announced = json!({"correct_category": "MARKETING", "new_category": "UTILITY",
                           "category_update_timestamp": SECONDS});
    let coming = |announced, old: &str, new: &str| TemplateChange::Category {
        old: Some(old.to_owned()),
        new: new.to_owned(),
        announced,
    };
    assert_eq!(change("template_category_update", announced), coming(true, "UTILITY", "MARKETING"));
    let done = json!({"previous_category": "UTILITY", "new_category": "MARKETING"});
    assert_eq!(change("template_category_update", done), coming(false, "UTILITY", "MARKETING"));
    let quality = json!({"previous_quality_score": "GREEN", "new_quality_score": "RED"});
    let expected = TemplateChange::Quality { old: Quality::Green, new: Quality::Red };
    assert_eq!(change("message_template_quality_update", quality), expected);
}

#[test]
fn a_number_may_write_to_more_or_fewer() {
    let number = |value: Value, field: &str| {
        let Event::Number(news) = only(json!({"field": field, "value": value}), &account()) else { unreachable!() };
        news
    };
    let quality = |event: &str, limit: Value| {
        let value = json!({"display_phone_number": "+54 11 0000-0000", "event": event, "current_limit": limit});
        number(value, "phone_number_quality_update")
    };
    let expected = NumberNews {
        number: Some(private("541100000000")),
        change: NumberChange::Downgrade,
        limit: Some(MessagingLimit::PerDay(2000)),
        at: at_told(),
    };
    assert_eq!(quality("DOWNGRADE", json!("TIER_2K")), expected);
    assert_eq!(quality("FLAGGED", json!("TIER_250")).limit, Some(MessagingLimit::PerDay(250)));
    assert_eq!(quality("UPGRADE", json!("TIER_UNLIMITED")).limit, Some(MessagingLimit::Unlimited));
    assert_eq!(quality("UPGRADE", json!("TIER_NOT_SET")).limit, None);
    assert_eq!(quality("UPGRADE", json!("TIER_99999999K")).limit, None);
    assert_eq!(quality("NOVEDAD", json!(null)).change, NumberChange::Other("NOVEDAD".to_owned()));
    for (limit, expected) in [(-1, MessagingLimit::Unlimited), (10_000, MessagingLimit::PerDay(10_000))] {
        let news = number(json!({"max_daily_conversations_per_business": limit}), "business_capability_update");
        assert_eq!((news.change, news.limit), (NumberChange::Capability, Some(expected)));
    }
}

#[test]
fn an_account_is_restricted_banned_or_gone() {
    let changed = |value: Value| {
        let Event::Account(news) = only(json!({"field": "account_update", "value": value}), &account()) else {
            unreachable!()
        };
        assert_eq!(news.account, "900");
        news.change
    };
    let restriction = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
        {"restriction_type": "A", "expiration": SECONDS}, {"restriction_type": "B", "expiration": SECONDS + 60},
    ]});
    let until = Some(at_told() + TimeDelta::seconds(60));
    let what = vec!["A".to_owned(), "B".to_owned()];
    assert_eq!(changed(restriction), AccountChange::Restricted { what, until });
    let ban = json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}});
    assert_eq!(changed(ban), AccountChange::Ban { state: "DISABLE".to_owned() });
    let violation = json!({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}});
    assert_eq!(changed(violation), AccountChange::Violated { what: "SPAM".to_owned() });
    assert_eq!(changed(json!({"event": "ACCOUNT_DELETED"})), AccountChange::Deleted);
    assert_eq!(changed(json!({"event": "ACCOUNT_RECONNECTED"})), AccountChange::Reconnected);
    assert_eq!(changed(json!({"event": "NOVEDAD"})), AccountChange::Other("NOVEDAD".to_owned()));
}

#[test]
fn what_partners_are_told_is_routed_to_the_account_inside() {
    let value = json!({"event": "PARTNER_REMOVED", "waba_info": {"waba_id": "901"},
                       "disconnection_info": {"reason": "INACTIVITY"}});
    let route = Route::WhatsappAccount("901".to_owned());
    let event = only(json!({"field": "account_update", "value": value}), &route);
    let change = AccountChange::Disconnected { reason: Some("INACTIVITY".to_owned()) };
    assert_eq!(event, Event::Account(AccountNews { account: "901".to_owned(), change, at: at_told() }));
    let value = json!({"event": "PARTNER_ADDED", "waba_info": {"waba_id": "901"}});
    let event = only(json!({"field": "account_update", "value": value}), &route);
    let change = AccountChange::Shared { event: "PARTNER_ADDED".to_owned() };
    assert_eq!(event, Event::Account(AccountNews { account: "901".to_owned(), change, at: at_told() }));
}
