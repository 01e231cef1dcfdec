//! What people wrote, and what the clinic did past us.

use serde_json::json;

use super::*;
use crate::event::{Echo, InboundMessage, NumberChanged, Preference, Said, Wants};

fn message_of(part: Value, beside: Value) -> Event {
    let mut message = json!({"from": "5491155550101", "id": "wamid.2", "timestamp": SECONDS.to_string()});
    message.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    let mut value = json!({"messages": [message]});
    value.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
    only(of_messages(value), &number())
}

fn message(part: Value) -> InboundMessage {
    let Event::Message(message) = message_of(part, json!({})) else { unreachable!() };
    *message
}

fn said(part: Value) -> Said {
    message(part).said
}

fn unsupported(kind: &str) -> Said {
    Said::Unsupported { kind: kind.to_owned() }
}

#[test]
fn a_text_is_a_message() {
    let text = message(json!({
        "type": "text", "text": {"body": "Sí\u{0}, el jueves"}, "context": {"from": "54", "id": "wamid.1"}
    }));
    assert_eq!(text.id, private("wamid.2"));
    assert_eq!(text.from, by_phone("5491155550101"));
    assert_eq!(text.at, at_told());
    assert_eq!(text.said, Said::Text(private("Sí, el jueves")));
    assert_eq!(text.answers, Some(private("wamid.1")));
    assert_eq!(text.received_by, "105");
}

#[test]
fn a_press_is_a_button_or_a_choice() {
    let payload = "1.c.m.1.ab.0".to_owned();
    let button = json!({"type": "button", "button": {"payload": payload, "text": "Quiero turno"}});
    assert_eq!(said(button), Said::Button { payload, title: private("Quiero turno") });
    for kind in ["button_reply", "list_reply"] {
        let choice =
            json!({"type": "interactive", "interactive": {"type": kind, kind: {"id": "t1", "title": "Jueves 10"}}});
        assert_eq!(said(choice), Said::Choice { id: "t1".to_owned(), title: private("Jueves 10") });
    }
    for kind in ["nfm_reply", "call_permission_reply"] {
        let other = json!({"type": "interactive", "interactive": {"type": kind, kind: {"response": "accept"}}});
        assert_eq!(said(other), unsupported(kind));
    }
}

#[test]
fn everything_else_has_its_word() {
    let reaction = |emoji: Value| json!({"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": emoji}});
    let to = private("wamid.1");
    assert_eq!(said(reaction(json!("👍"))), Said::Reaction { emoji: Some("👍".to_owned()), to: to.clone() });
    assert_eq!(said(reaction(json!(null))), Said::Reaction { emoji: None, to: to.clone() });
    for kind in ["image", "audio", "video", "document", "sticker"] {
        let media = json!({"type": kind, kind: {"id": "1", "mime_type": "x/y", "caption": "mi muela"}});
        assert_eq!(said(media), Said::Media { kind: kind.to_owned(), caption: Some(private("mi muela")) });
    }
    assert_eq!(said(json!({"type": "contacts", "contacts": []})), Said::Contacts);
    assert_eq!(said(json!({"type": "location", "location": {}})), Said::Location);
    assert_eq!(said(json!({"type": "order", "order": {}})), Said::Order);
    assert_eq!(said(json!({"type": "unsupported", "errors": [{"code": 131_051}]})), unsupported("131051"));
    assert_eq!(said(json!({"type": "novedad"})), unsupported("novedad"));
    assert_eq!(said(json!({"type": "text", "text": {}})), unsupported("text"));
    let edit = json!({"type": "edit", "edit": {"original_message_id": "wamid.1", "message": {"text": {"body": "No"}}}});
    assert_eq!(said(edit), Said::Edited { of: to.clone(), text: Some(private("No")) });
    let revoke = json!({"type": "revoke", "revoke": {"original_message_id": "wamid.1"}});
    assert_eq!(said(revoke), Said::Revoked { of: to });
}

#[test]
fn somebody_without_a_phone_is_known_by_the_user_id() {
    let text = json!({"type": "text", "text": {"body": "PARAR"}, "from": null});
    let own = |part: Value, beside: Value| match message_of(part, beside) {
        Event::Message(message) => message.from,
        other => unreachable!("{other:?}"),
    };
    let by_id = |id: &str| Sender { phone: None, user_id: Some(private(id)) };
    let mut with_id = text.clone();
    with_id["from_user_id"] = json!("AR.77");
    assert_eq!(own(with_id.clone(), json!({})), by_id("AR.77"));
    assert_eq!(own(text.clone(), json!({"contacts": [{"user_id": "AR.77"}]})), by_id("AR.77"));
    let contacts = json!({"contacts": [{"user_id": "AR.88", "wa_id": "1"}, {"user_id": "AR.77", "wa_id": "2"}]});
    let both = Sender { phone: Some(private("2")), user_id: Some(private("AR.77")) };
    assert_eq!(own(with_id, contacts.clone()), both);
    // Several may have written it: nobody is taken for somebody else.
    assert_eq!(ignored_why(message_of(text, contacts)), "a message without sender");
}

#[test]
fn what_a_person_wrote_counts_however_late_and_never_from_the_future() {
    let text = |seconds: i64| message(json!({"type": "text", "text": {"body": "a"}, "timestamp": seconds}));
    assert_eq!(text(SECONDS - 30 * 86_400).at, at_told() - TimeDelta::days(30));
    assert_eq!(text(SECONDS + 86_400).at, now());
}

#[test]
fn a_group_is_nobody() {
    let event = message_of(json!({"type": "text", "text": {"body": "a"}, "group_id": "g"}), json!({}));
    assert_eq!(ignored_why(event), "a message of a group");
}

#[test]
fn a_number_changes() {
    let system = json!({"type": "system", "system": {"body": "User Ana changed", "wa_id": "5491155550202",
                        "type": "user_changed_number"}});
    let Event::NumberChanged(NumberChanged { old, new, at, id }) = message_of(system, json!({})) else {
        unreachable!()
    };
    assert_eq!((old, new), (by_phone("5491155550101"), by_phone("5491155550202")));
    assert_eq!((at, id), (at_told(), private("wamid.2")));
    let other = json!({"type": "system", "system": {"type": "customer_identity_changed"}});
    assert_eq!(ignored_why(message_of(other, json!({}))), "a system message of no concern");
}

#[test]
fn a_user_id_changes() {
    let mut change = of_messages(json!({"user_id_update": [
        {"wa_id": "5491155550101", "user_id": {"previous": "AR.1", "current": "AR.2"}, "timestamp": SECONDS},
    ]}));
    change["field"] = json!("user_id_update");
    let Event::NumberChanged(changed) = only(change, &number()) else { unreachable!() };
    assert_eq!(changed.old.user_id, Some(private("AR.1")));
    assert_eq!(changed.new, Sender { phone: Some(private("5491155550101")), user_id: Some(private("AR.2")) });
}

#[test]
fn a_preference_is_a_stop_or_a_resume() {
    let preference = |value: &str, category: &str| {
        let mut change = of_messages(json!({"user_preferences": [{"wa_id": "5491155550101", "user_id": "AR.77",
            "category": category, "value": value, "detail": "x", "timestamp": SECONDS}]}));
        change["field"] = json!("user_preferences");
        only(change, &number())
    };
    for (value, expected) in [("stop", Wants::Stop), ("resume", Wants::Resume), ("signup", Wants::Resume)] {
        let Event::Preference(Preference { from, wants, at, .. }) = preference(value, "marketing_messages") else {
            unreachable!()
        };
        assert_eq!((wants, at), (expected, at_told()));
        assert_eq!(from, Sender { phone: Some(private("5491155550101")), user_id: Some(private("AR.77")) });
    }
    assert_eq!(ignored_why(preference("quizás", "marketing_messages")), "an unknown preference");
    assert_eq!(ignored_why(preference("stop", "other")), "a preference of another category");
}

#[test]
fn the_clinic_writes_from_its_own_phone() {
    let mut change = of_messages(json!({"message_echoes": [
        {"from": "541100000000", "to": "5491155550101", "id": "wamid.3", "timestamp": SECONDS.to_string(),
         "type": "text", "text": {"body": "Te llamo"}},
        {"from": "541100000000", "id": "wamid.4", "type": "text"},
    ]}));
    change["field"] = json!("smb_message_echoes");
    let events: Vec<Event> = read(json!([change])).into_iter().map(|routed| routed.event).collect();
    let [Event::Echo(echo), Event::Ignored(_)] = events.as_slice() else { unreachable!("{events:?}") };
    let expected = Echo {
        to: by_phone("5491155550101"),
        id: private("wamid.3"),
        at: at_told(),
        said: Said::Text(private("Te llamo")),
        perhaps_ours: false,
    };
    assert_eq!(**echo, expected);
}
