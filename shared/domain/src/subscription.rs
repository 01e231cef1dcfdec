//! The browsers that show notifications to a patient (web push): each asked for it itself. Whoever holds
//! the address and the keys of one can disturb its owner, so nothing shows them.

use std::fmt;

use chrono::{DateTime, Utc};

/// The most browsers kept of one patient and of one guardian; beyond it the oldest is forgotten.
pub const SUBSCRIPTIONS_MAX: usize = 5;

/// Whose browser it is: whoever the link was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The patient's own.
    Patient,
    /// A minor's guardian's.
    Guardian,
}

/// A browser's subscription.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    endpoint: String,
    p256dh: String,
    auth: String,
    server_key: String,
    since: DateTime<Utc>,
    holder: Holder,
}

impl Subscription {
    /// Of what a browser gave, whose it is and since when: its address, its two keys in base64url, and
    /// the public key that it subscribed with. Whoever reads them from a browser checks them.
    #[must_use]
    pub fn new([endpoint, p256dh, auth, server_key]: [&str; 4], since: DateTime<Utc>, holder: Holder) -> Self {
        let [endpoint, p256dh, auth, server_key] = [endpoint, p256dh, auth, server_key].map(str::to_owned);
        Self { endpoint, p256dh, auth, server_key, since, holder }
    }

    /// Its address at its push service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its public key, in base64url.
    #[must_use]
    pub fn p256dh(&self) -> &str {
        &self.p256dh
    }

    /// Its secret, in base64url.
    #[must_use]
    pub fn auth(&self) -> &str {
        &self.auth
    }

    /// The public key of ours that it subscribed with: it takes nothing that is signed by another.
    #[must_use]
    pub fn server_key(&self) -> &str {
        &self.server_key
    }

    /// Since when.
    #[must_use]
    pub fn since(&self) -> DateTime<Utc> {
        self.since
    }

    /// Whose it is.
    #[must_use]
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// The push service it is at: the host of its address.
    #[must_use]
    pub fn service(&self) -> &str {
        let rest = self.endpoint.strip_prefix("https://").unwrap_or_default();
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("since", &self.since).field("holder", &self.holder).finish_non_exhaustive()
    }
}

/// The browsers of a patient, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    /// Of what is stored, in any order.
    #[must_use]
    pub fn of(stored: impl IntoIterator<Item = Subscription>) -> Self {
        let mut all = Self::default();
        let mut stored: Vec<Subscription> = stored.into_iter().collect();
        stored.sort_by_key(Subscription::since);
        for subscription in stored {
            all.keep(subscription);
        }
        all
    }

    /// Keeps a browser, in place of what the same gave before. Its holder's oldest makes room.
    pub fn keep(&mut self, subscription: Subscription) {
        let holder = subscription.holder;
        self.forget(&subscription.endpoint);
        self.0.insert(0, subscription);
        let mut kept = 0_usize;
        self.0.retain(|known| {
            kept += usize::from(known.holder == holder);
            known.holder != holder || kept <= SUBSCRIPTIONS_MAX
        });
    }

    /// Forgets a browser by its address; says whether it was there.
    pub fn forget(&mut self, endpoint: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|known| known.endpoint != endpoint);
        self.0.len() < before
    }

    /// Forgets the browsers of guardians.
    pub fn forget_guardians(&mut self) {
        self.0.retain(|known| known.holder != Holder::Guardian);
    }

    /// Forgets every browser.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All of them, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.0.iter()
    }

    /// Those of one holder, the newest first.
    pub fn of_holder(&self, holder: Holder) -> impl Iterator<Item = &Subscription> {
        self.0.iter().filter(move |known| known.holder == holder)
    }

    /// The browser that notifications for a holder go to.
    #[must_use]
    pub fn newest_of(&self, holder: Holder) -> Option<&Subscription> {
        self.of_holder(holder).next()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(number: i64, holder: Holder) -> Subscription {
        let endpoint = format!("https://fcm.googleapis.com/fcm/send/{number}");
        let since = DateTime::from_timestamp(1_790_000_000 + number, 0).unwrap_or_default();
        Subscription::new([&endpoint, "public", "secret", "ours"], since, holder)
    }

    #[test]
    fn the_newest_few_of_each_holder_are_kept_and_each_once() {
        let mut all = Subscriptions::of([3, 1, 2].map(|n| browser(n, Holder::Patient)));
        assert_eq!(all.newest_of(Holder::Patient), Some(&browser(3, Holder::Patient)));
        all.keep(browser(9, Holder::Guardian));
        for number in [4, 5, 6, 7, 7] {
            all.keep(browser(number, Holder::Patient));
        }
        let kept: Vec<Subscription> = all.of_holder(Holder::Patient).cloned().collect();
        assert_eq!(kept, [7, 6, 5, 4, 3].map(|n| browser(n, Holder::Patient)));
        assert_eq!(all.newest_of(Holder::Guardian), Some(&browser(9, Holder::Guardian)));
        assert!(all.forget(browser(7, Holder::Patient).endpoint()) && !all.forget("https://elsewhere.example"));
        all.forget_guardians();
        assert_eq!((all.newest_of(Holder::Guardian), all.iter().count()), (None, 4));
    }

    #[test]
    fn nothing_of_it_is_shown_but_its_service() {
        let browser = browser(1, Holder::Patient);
        let shown = format!("{browser:?} {:?}", Subscriptions::of([browser.clone()]));
        assert!(!["send", "public", "secret", "ours"].iter().any(|part| shown.contains(part)), "{shown}");
        assert_eq!(browser.service(), "fcm.googleapis.com");
    }
}
