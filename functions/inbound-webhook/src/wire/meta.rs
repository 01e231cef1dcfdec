//! WhatsApp Cloud API: the body of a webhook, once its signature was verified.

mod messages;
mod news;
mod people;
mod statuses;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json::{at, id, instant, list};
use super::{ignored, routed, unread};
use crate::event::{Event, Route, Routed};

/// Fields of coexistence that bring what was before us, and the clinic's own address book.
const OF_NO_CONCERN: [&str; 6] =
    ["history", "smb_app_state_sync", "message_template_components_update", "security", "flows", "calls"];

/// One change of a webhook, with what its entry says.
struct Change<'a> {
    field: &'a str,
    value: &'a Value,
    /// The id of the entry: the WABA, or a business portfolio.
    entry: &'a str,
    /// When Meta told: the entry's time, else now.
    told: DateTime<Utc>,
    now: DateTime<Utc>,
}

/// The events of a webhook, in its order. None if it is not of a WhatsApp account at all.
#[must_use]
pub fn events(body: &Value, now: DateTime<Utc>) -> Option<Vec<Routed>> {
    if body.get("object").and_then(Value::as_str) != Some("whatsapp_business_account") {
        return None;
    }
    let mut events = Vec::new();
    for entry in list(body, &["entry"]) {
        let entry_id = id(entry, &["id"]).unwrap_or_default();
        let told = instant(entry, &["time"]).map_or(now, |told| told.min(now));
        for change in list(entry, &["changes"]) {
            let field = at(change, &["field"]).as_str().unwrap_or_default();
            let change = Change { field, value: at(change, &["value"]), entry: &entry_id, told, now };
            events.extend(change.events());
        }
    }
    Some(events)
}

impl Change<'_> {
    fn events(&self) -> Vec<Routed> {
        match self.field {
            "messages" => [messages::events(self), statuses::events(self)].concat(),
            "smb_message_echoes" => messages::echoes(self),
            "user_preferences" => people::preferences(self),
            "user_id_update" => people::changed_ids(self),
            "message_template_status_update" | "message_template_quality_update" | "template_category_update" => {
                vec![self.of_account(news::template(self))]
            }
            "phone_number_quality_update" | "business_capability_update" => vec![self.of_account(news::number(self))],
            "account_update" => vec![news::account(self)],
            field if OF_NO_CONCERN.contains(&field) => vec![self.of_account(ignored("of no concern", field))],
            field => vec![self.of_account(unread("an unknown field", field))],
        }
    }

    /// The number that a change of messages is for.
    fn number(&self) -> Option<Route> {
        id(self.value, &["metadata", "phone_number_id"]).map(Route::WhatsappNumber)
    }

    /// An event of the number; without a number, nobody's.
    fn of_number(&self, event: Event) -> Routed {
        match self.number() {
            Some(route) => Routed { route, event },
            None => self.of_account(unread("no phone_number_id", self.field)),
        }
    }

    fn of_account(&self, event: Event) -> Routed {
        let route = if self.entry.is_empty() { Route::Unknown } else { Route::WhatsappAccount(self.entry.to_owned()) };
        routed(&route, event)
    }
}

#[cfg(test)]
mod tests;
