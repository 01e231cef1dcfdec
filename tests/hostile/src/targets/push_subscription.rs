//! What a browser, or somebody who pretends to be one, gives to be told.

use retorno_cloud::channels::push::{PushSubscription, SubscriptionError};

/// The bytes are what `PushSubscription.toJSON()` should be.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let given = match PushSubscription::from_json(&text) {
        Ok(given) => given,
        Err(SubscriptionError::Form | SubscriptionError::Endpoint | SubscriptionError::Keys) => return,
    };
    let rest = given.endpoint().strip_prefix("https://").expect("https");
    let host = rest.split(['/', '?', '#']).next().expect("a host");
    let is_whole = ["fcm.googleapis.com", "updates.push.services.mozilla.com"].contains(&host);
    let is_part = [".notify.windows.com", ".push.apple.com"].iter().any(|ending| host.ends_with(ending));
    assert!(is_whole || is_part, "{host}: a stranger would be called");
    assert!(!host.contains(['@', ':', '\\', '%']), "{host}: more than a name");
    let (p256dh, auth) = given.keys();
    let again = PushSubscription::new(given.endpoint(), &p256dh, &auth).expect("as it was read");
    assert_eq!(again.to_json(), given.to_json());
    let shown = format!("{given:?}");
    assert!(!shown.contains(&p256dh) && !shown.contains(&auth), "a key in a log");
}
