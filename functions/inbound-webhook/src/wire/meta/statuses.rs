//! `statuses[]`: what became of what we sent.

use retorno_domain::channel::Channel;
use serde_json::Value;

use super::Change;
use crate::event::{Event, Price, Receipt, ReceiptStatus, Routed, Tags};
use crate::wire::json::{at, digits, error_codes, id, instant, list, private_id, word};
use crate::wire::{ignored, in_time, unread};

/// What became of what we sent, and errors that belong to no message.
pub(super) fn events(change: &Change<'_>) -> Vec<Routed> {
    let statuses = list(change.value, &["statuses"]).iter().map(|status| event(change, status));
    let errors =
        error_codes(change.value, &["errors"]).into_iter().map(|code| ignored("an error of no message", &code.0));
    statuses.chain(errors).map(|event| change.of_number(event)).collect()
}

fn event(change: &Change<'_>, told: &Value) -> Event {
    let word_of_meta = word(told, &["status"]).unwrap_or_default();
    let errors = error_codes(told, &["errors"]);
    let status = match word_of_meta.as_str() {
        "accepted" | "held_for_quality_assessment" => ReceiptStatus::Accepted,
        "sent" => ReceiptStatus::Sent,
        "delivered" => ReceiptStatus::Delivered,
        "read" | "played" => ReceiptStatus::Read,
        "failed" => {
            ReceiptStatus::Failed { code: errors.first().map_or_else(|| "unknown".to_owned(), |code| code.0.clone()) }
        }
        _ => return unread("an unknown status", &word_of_meta),
    };
    let (Some(provider_id), Some(at)) = (private_id(told, &["id"]), instant(told, &["timestamp"])) else {
        return unread("a status without id or instant", &word_of_meta);
    };
    let receipt = Receipt {
        channel: Channel::Whatsapp,
        provider_id,
        opaque: id(told, &["biz_opaque_callback_data"]),
        tags: Tags::default(),
        status,
        at,
        recipient: digits(told, &["recipient_id"]),
        recipient_user_id: private_id(told, &["recipient_user_id"]),
        price: price(told),
        errors,
        report_id: None,
        is_final: false,
    };
    in_time(receipt, change.now)
}

fn price(told: &Value) -> Option<Price> {
    let pricing = at(told, &["pricing"]);
    Some(Price::Whatsapp {
        category: word(pricing, &["category"])?,
        billable: at(pricing, &["billable"]).as_bool()?,
        model: word(pricing, &["pricing_model"]).unwrap_or_default(),
        kind: word(pricing, &["type"]),
    })
}
