//! A patient lets a browser show notifications, or no longer, on a page that a signed link opened. The
//! browser is whoever's the link was sent to: a minor's guardian's, where there is one.

use retorno_domain::channel::{Channel, Purpose, PurposeSet};
use retorno_domain::conversation::{Act, Preferences};
use retorno_domain::subscription::Subscription;

use super::{Desk, Opened, Visitor};
use crate::channels::push::PushSubscription;
use crate::error::CloudError;

/// What came of asking for notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscribed {
    /// They will be shown; or were asked for before, by the same form.
    Done,
    /// Not while everything is stopped: an opt-out is lifted where it was made, by who made it.
    OptedOut,
    /// A minor of whose guardian too little is known.
    Nobody,
}

impl Visitor {
    /// The purposes for which notifications can be agreed to: those that nobody opted out of.
    #[must_use]
    pub fn open_purposes(&self) -> PurposeSet {
        self.patient().consent.opted_out(self.today()).others()
    }

    /// The browsers that show notifications to whoever is spoken with.
    pub fn browsers(&self) -> impl Iterator<Item = &Subscription> {
        let holder = self.patient().through(self.today()).holder();
        holder.into_iter().flat_map(|holder| self.patient().subscriptions.of_holder(holder))
    }

    /// Whether notifications are shown: a browser is there, and they are agreed to.
    #[must_use]
    pub fn is_notified(&self) -> bool {
        let is_agreed = |purpose| self.channels(purpose).contains(Channel::Push);
        self.browsers().next().is_some() && Purpose::ALL.into_iter().any(is_agreed)
    }
}

impl Desk {
    /// Shows notifications in a browser from now on: it is kept, and that they were agreed to, by the
    /// words shown (`how`). `server_key` is the public key it subscribed with.
    ///
    /// # Errors
    /// [`CloudError`]; the same form sent again finishes it.
    pub async fn subscribe(
        &self,
        visitor: &Visitor,
        opened: Opened,
        (given, server_key): (&PushSubscription, &str),
        how: &str,
    ) -> Result<Subscribed, CloudError> {
        if visitor.patient().through(visitor.today()).holder().is_none() {
            return Ok(Subscribed::Nobody);
        }
        if visitor.open_purposes().is_empty() {
            return Ok(Subscribed::OptedOut);
        }
        let hash = visitor.tenant.hash(given.endpoint());
        let event = format!("page#{}#push#{hash}#{}", opened.message, opened.seen);
        let (p256dh, auth) = given.keys();
        let decide = |visitor: &Visitor| {
            let open = visitor.open_purposes();
            let Some(holder) = visitor.patient().through(visitor.today()).holder().filter(|_| !open.is_empty()) else {
                return Vec::new();
            };
            let wanted = Preferences::of(open, |purpose| visitor.channels(purpose).with(Channel::Push));
            let browser = Subscription::new([given.endpoint(), &p256dh, &auth, server_key], visitor.now, holder);
            vec![Act::Prefer(wanted), Act::Subscribe(Box::new(browser))]
        };
        self.on_page(visitor, &event, how, decide).await?;
        Ok(Subscribed::Done)
    }

    /// No more notifications, in any browser; what else was agreed to stays.
    ///
    /// # Errors
    /// [`CloudError`]; the same form sent again finishes it.
    pub async fn unsubscribe(&self, visitor: &Visitor, opened: Opened, how: &str) -> Result<(), CloudError> {
        let event = format!("page#{}#push-off#{}", opened.message, opened.seen);
        let has = |visitor: &Visitor| visitor.is_notified() || !visitor.patient().subscriptions.is_empty();
        let decide = |visitor: &Visitor| if has(visitor) { vec![Act::Unsubscribe] } else { Vec::new() };
        self.on_page(visitor, &event, how, decide).await?;
        Ok(())
    }

    /// What stood in the way of a browser that has just asked for notifications: that its service said it
    /// was gone, or that somebody stopped what the person agrees to now.
    pub(super) async fn open_browser(&self, visitor: &Visitor, browser: &Subscription) -> Result<(), CloudError> {
        let (tenant, now) = (&visitor.tenant, visitor.now);
        let hash = tenant.hash(browser.endpoint());
        tenant.mark_browser_there(&hash, now).await?;
        tenant.lift_opt_out(&hash, &visitor.patient().id, (visitor.open_purposes(), Some(now)), now).await
    }
}
