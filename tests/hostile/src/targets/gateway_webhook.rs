//! A webhook of a gateway, once its proof was verified.

use inbound_webhook::event::{Event, GatewayKind, Route};
use inbound_webhook::wire::{evolution, waha};

use super::meta_webhook::{check_events, now};

/// The entry that the webhook came to.
const INSTANCE: &str = "clinica-1";

/// The bytes are the body; each gateway's parser reads it.
pub fn run(bytes: &[u8]) {
    let Ok(body) = serde_json::from_slice(bytes) else { return };
    for (kind, events) in [
        (GatewayKind::Waha, waha::events(&body, INSTANCE, now())),
        (GatewayKind::Evolution, evolution::events(&body, INSTANCE, now())),
    ] {
        check_events(&events);
        let own = Route::Gateway { kind, instance: INSTANCE.to_owned() };
        assert!(events.iter().all(|routed| routed.route == own), "routed to another instance");
        let named = ["instance", "session"].iter().any(|key| body.get(key).is_some_and(|name| name == INSTANCE));
        let ignored = events.iter().all(|routed| matches!(routed.event, Event::Ignored(_)));
        assert!(named || ignored, "another instance's webhook was taken up");
    }
}
