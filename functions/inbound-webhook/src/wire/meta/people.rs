//! What people told Meta about themselves: preferences, and new ids.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Change;
use crate::event::{Event, NumberChanged, Preference, Private, Routed, Sender, Wants};
use crate::wire::json::{digits, instant, list, private_id, sender, word};
use crate::wire::{ignored, spoken, unread};

/// Whether people want marketing messages.
pub(super) fn preferences(change: &Change<'_>) -> Vec<Routed> {
    let told = list(change.value, &["user_preferences"]);
    told.iter().map(|told| change.of_number(preference(change, told))).collect()
}

fn preference(change: &Change<'_>, told: &Value) -> Event {
    let value = word(told, &["value"]).unwrap_or_default();
    let category = word(told, &["category"]).unwrap_or_default();
    if category != "marketing_messages" {
        return ignored("a preference of another category", &category);
    }
    let wants = match value.as_str() {
        "stop" => Wants::Stop,
        "resume" | "signup" => Wants::Resume,
        _ => return unread("an unknown preference", &value),
    };
    let from = sender(told, &["wa_id"], &["user_id"]);
    if from.is_empty() {
        return unread("a preference of nobody", &value);
    }
    let at = spoken(instant(told, &["timestamp"]), change.now);
    let id = name(&[person(&from), &value, &at.timestamp().to_string()]);
    Event::Preference(Preference { from, wants, at, id })
}

/// People whose business-scoped user id changed.
pub(super) fn changed_ids(change: &Change<'_>) -> Vec<Routed> {
    let told = list(change.value, &["user_id_update"]);
    told.iter().map(|told| change.of_number(changed_id(change, told))).collect()
}

fn changed_id(change: &Change<'_>, told: &Value) -> Event {
    let user = |which| private_id(told, &["user_id", which]);
    let (Some(old), Some(new)) = (user("previous"), user("current")) else {
        return unread("a new user id without both ids", "user_id_update");
    };
    let at = spoken(instant(told, &["timestamp"]), change.now);
    let id = name(&[old.as_str(), new.as_str(), &at.timestamp().to_string()]);
    let new = Sender { phone: digits(told, &["wa_id"]), user_id: Some(new) };
    let old = Sender { phone: None, user_id: Some(old) };
    Event::NumberChanged(NumberChanged { old, new, at, id: Private::new(id) })
}

fn person(sender: &Sender) -> &str {
    sender.phone.as_ref().or(sender.user_id.as_ref()).map_or("", Private::as_str)
}

/// A name for what has none, from all that makes it up.
fn name(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\0"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
