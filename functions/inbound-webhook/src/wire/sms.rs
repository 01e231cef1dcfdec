//! Text messages by AWS End User Messaging: what became of ours, and what people write.

use chrono::{DateTime, Utc};
use retorno_domain::channel::Channel;
use serde_json::Value;

use super::json::{at, count, digits, id, instant, private_id, text, word};
use super::{in_time, routed, spoken, unread};
use crate::event::{
    ErrorCode, Event, InboundMessage, Price, Private, Receipt, ReceiptStatus, Route, Routed, Said, Sender, Tags,
};

/// Millionths in a US dollar.
const MICROS: f64 = 1_000_000.0;
/// Highest price of one message that is believed, in US dollars.
const PRICE_USD_MAX: f64 = 1000.0;

/// What became of a text message of ours (`kind` is the event's type, `TEXT_…`).
pub(super) fn receipt(body: &Value, kind: &str, now: DateTime<Utc>) -> Routed {
    let context = |name| id(body, &["context", name]);
    let tags = Tags { clinic: context("t"), message: context("m"), attempt: count(body, &["context", "a"]) };
    let route = tags.clinic.clone().map_or(Route::Unknown, Route::Clinic);
    let code = kind.trim_start_matches("TEXT_");
    let is_final = at(body, &["isFinal"]) == true;
    let Some(status) = status(code, is_final) else {
        return routed(&route, unread("an unknown status", kind));
    };
    let (Some(provider_id), Some(at)) = (private_id(body, &["messageId"]), instant(body, &["eventTimestamp"])) else {
        return routed(&route, unread("an event without message id or instant", kind));
    };
    let failed = matches!(&status, ReceiptStatus::Failed { .. } | ReceiptStatus::Delayed { .. });
    let receipt = Receipt {
        channel: Channel::Sms,
        provider_id,
        opaque: None,
        tags,
        status,
        at,
        recipient: digits(body, &["destinationPhoneNumber"]),
        recipient_user_id: None,
        price: price(body),
        errors: failed.then(|| ErrorCode(code.to_owned())).into_iter().collect(),
        report_id: None,
        is_final,
    };
    routed(&route, in_time(receipt, now))
}

/// `SUCCESSFUL` is the carrier's acceptance, and `UNKNOWN` that the carrier never said more.
fn status(code: &str, is_final: bool) -> Option<ReceiptStatus> {
    let owned = code.to_owned();
    Some(match code {
        "PENDING" | "QUEUED" => ReceiptStatus::Accepted,
        "SENT" | "SUCCESSFUL" | "UNKNOWN" => ReceiptStatus::Sent,
        "DELIVERED" => ReceiptStatus::Delivered,
        "UNREACHABLE" | "CARRIER_UNREACHABLE" if !is_final => ReceiptStatus::Delayed { code: owned },
        "INVALID"
        | "INVALID_MESSAGE"
        | "UNREACHABLE"
        | "CARRIER_UNREACHABLE"
        | "BLOCKED"
        | "CARRIER_BLOCKED"
        | "SPAM"
        | "TTL_EXPIRED"
        | "PROTECT_BLOCKED" => ReceiptStatus::Failed { code: owned },
        _ => return None,
    })
}

fn price(body: &Value) -> Option<Price> {
    let parts = count(body, &["totalMessageParts"])?;
    let usd = at(body, &["totalMessagePrice"]).as_f64().filter(|usd| (0.0..=PRICE_USD_MAX).contains(usd));
    Some(Price::Sms { parts, usd_micros: usd.map(|usd| (usd * MICROS).round() as u64) })
}

/// A text message that a person wrote, by the topic of a two-way number. It has no instant of its
/// own: `told` is when SNS took it.
pub(super) fn message(body: &Value, told: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Routed {
    let to = digits(body, &["destinationNumber"]).map(Private::into_inner);
    let (Some(id), Some(from), Some(to)) =
        (private_id(body, &["inboundMessageId"]), digits(body, &["originationNumber"]), to)
    else {
        return routed(&Route::Unknown, unread("a text message without id, sender or receiver", "inbound"));
    };
    let body_text = text(body, &["messageBody"]);
    let kind = || word(body, &["messageKeyword"]).unwrap_or_default();
    let event = Event::Message(Box::new(InboundMessage {
        channel: Channel::Sms,
        id,
        from: Sender { phone: Some(from), user_id: None },
        at: spoken(told, now),
        said: body_text.map_or_else(|| Said::Unsupported { kind: kind() }, Said::Text),
        answers: private_id(body, &["previousPublishedMessageId"]),
        received_by: to.clone(),
    }));
    Routed { route: Route::SmsNumber(to), event }
}
