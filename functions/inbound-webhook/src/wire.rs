//! Bytes of a provider into events. Nothing here fails: what cannot be read, is of no concern or is
//! out of its time becomes [`Event::Ignored`] with the reason, and the rest of the batch goes on.

pub mod aws;
pub mod evolution;
mod gateway;
mod json;
pub mod meta;
mod ses;
mod sms;
pub mod waha;

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::{Event, Ignored, Receipt, ReceiptStatus, Route, Routed};

/// Oldest report taken up: providers try for seven days.
pub const REPORT_AGE_MAX: TimeDelta = TimeDelta::days(8);
/// How far ahead of our clock a provider's may be.
pub const CLOCKS_DIFFER_MAX: TimeDelta = TimeDelta::minutes(5);

/// Nothing to do, and why. `what` is the provider's word, shortened.
fn ignored(why: &str, what: &str) -> Event {
    Event::Ignored(Ignored { why: why.to_owned(), what: json::clean(what, json::WORD_CHARS_MAX), unread: false })
}

/// The same of what may concern us, and is not as we know it: a field that a provider has renamed, a
/// value that it has added. The bytes are kept until somebody has looked.
fn unread(why: &str, what: &str) -> Event {
    Event::Ignored(Ignored { why: why.to_owned(), what: json::clean(what, json::WORD_CHARS_MAX), unread: true })
}

fn routed(route: &Route, event: Event) -> Routed {
    Routed { route: route.clone(), event }
}

/// The receipt, unless it is out of its time: a replay, or a clock that is wrong. What only makes us
/// write less (complaints, opt-outs, addresses bad for good) is never too old.
fn in_time(receipt: Receipt, now: DateTime<Utc>) -> Event {
    if receipt.at - now > CLOCKS_DIFFER_MAX {
        return ignored("a report of the future", receipt.status.code());
    }
    let restrains = match &receipt.status {
        ReceiptStatus::Complained { .. } | ReceiptStatus::Unsubscribed => true,
        ReceiptStatus::Bounced { permanent, .. } => *permanent,
        ReceiptStatus::Accepted
        | ReceiptStatus::Sent
        | ReceiptStatus::Delivered
        | ReceiptStatus::Read
        | ReceiptStatus::Failed { .. }
        | ReceiptStatus::Clicked
        | ReceiptStatus::Opened
        | ReceiptStatus::Rejected { .. }
        | ReceiptStatus::Delayed { .. } => false,
    };
    if now - receipt.at > REPORT_AGE_MAX && !restrains {
        return ignored("a report too old", receipt.status.code());
    }
    Event::Receipt(Box::new(receipt))
}

/// The instant at which a person spoke: never later than now, since the window in which one may
/// answer freely is counted from it. However old, what a person said counts.
fn spoken(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    at.map_or(now, |at| at.min(now))
}
