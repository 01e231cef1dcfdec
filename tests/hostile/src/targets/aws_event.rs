//! A report of an e-mail or a text message, in any envelope, or a person's text message.

use inbound_webhook::event::{Event, Route};
use inbound_webhook::wire::aws;

use super::meta_webhook::{check_events, now};

/// The bytes are the body.
pub fn run(bytes: &[u8]) {
    let Ok(body) = serde_json::from_slice(bytes) else { return };
    let events = aws::events(&body, now());
    check_events(&events);
    for routed in events {
        // Only our own tags lead a receipt to a clinic, and only the receiving number a message.
        match (&routed.event, &routed.route) {
            (Event::Receipt(receipt), Route::Clinic(clinic)) => {
                assert_eq!(receipt.tags.clinic.as_ref(), Some(clinic), "another clinic's");
            }
            (Event::Receipt(receipt), route) => assert_eq!((&receipt.tags.clinic, route), (&None, &Route::Unknown)),
            (Event::Message(message), route) => assert_eq!(*route, Route::SmsNumber(message.received_by.clone())),
            (event, _) => assert_eq!(event.kind(), "ignored"),
        }
    }
}
