//! What staff does about the clinic's connections: asks its gateway, tries it out with a message to
//! themselves, and lets browsers be told. Nothing is called from here: the dispatcher alone does.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::contact::E164;
use retorno_domain::ids::MessageId;

use super::Desk;
use crate::channels::push::{PushSubscription, SubscriptionError};
use crate::error::CloudError;
use crate::orders::{AlertAbout, GatewayAsk, Order};
use crate::store::{Browser, ContactKeys, StaffNumber, TenantStore, TestAsked, TestMessage};

/// A code is made anew for so long after staff asked for one.
const CODES_FOR: TimeDelta = TimeDelta::minutes(3);
/// Characters of a browser's name.
const NAME_CHARS_MAX: usize = 60;

/// What came of a wish for a test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestDone {
    /// It is on its way.
    Asked(TestMessage),
    /// Nothing is sent.
    Refused(TestRefused),
}

/// Why no test message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TestRefused {
    /// Not a number.
    #[error("write the number with its country, as in +5491155550100")]
    Number,
    /// One at which a patient is reached: what is sent to patients needs their consent.
    #[error("the number is a patient's; a test goes to a number of the clinic's staff")]
    Patient,
    /// Somebody with that number wants no messages.
    #[error("somebody with that number opted out")]
    OptedOut,
    /// The last one was just now.
    #[error("wait half a minute between two tests")]
    TooSoon,
    /// No more today.
    #[error("no more than ten tests a day")]
    NoneLeft,
    /// Somebody stopped all sending of the clinic.
    #[error("sending is halted in the clinic's settings")]
    Halted,
}

impl TestRefused {
    /// All reasons.
    pub const ALL: [Self; 6] =
        [Self::Number, Self::Patient, Self::OptedOut, Self::TooSoon, Self::NoneLeft, Self::Halted];

    /// The reason's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Number => "test_number",
            Self::Patient => "test_patient",
            Self::OptedOut => "test_opted_out",
            Self::TooSoon => "test_too_soon",
            Self::NoneLeft => "test_none_left",
            Self::Halted => "test_halted",
        }
    }
}

/// Why a browser is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrowserRefused {
    /// What it gave is of no use.
    #[error(transparent)]
    Subscription(#[from] SubscriptionError),
    /// Too many already.
    #[error("too many browsers are told already: remove one")]
    TooMany,
}

impl Desk {
    /// Lets a channel go on that its provider had halted; says whether it was halted. Should the provider
    /// still refuse, the next message halts it again.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn resume_halted(&self, tenant: &TenantStore, channel: Channel) -> Result<bool, CloudError> {
        let now = self.reach.clock.now();
        let breakers = tenant.settings(now).await?.breakers.channels;
        if !breakers.iter().any(|(of, until)| *of == channel && *until > now) {
            return Ok(false);
        }
        tracing::warn!(clinic = %tenant.clinic(), %channel, "staff lets a halted channel go on");
        tenant.unhalt(channel.code()).await?;
        Ok(true)
    }

    /// Asks the clinic's gateway how it stands.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn check_gateway(&self, tenant: &TenantStore) -> Result<(), CloudError> {
        self.ask_gateway(tenant, GatewayAsk::Check, None).await
    }

    /// Asks the clinic's gateway for the code that links a telephone, and goes on asking for a while.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn link_gateway(&self, tenant: &TenantStore) -> Result<(), CloudError> {
        let until = self.reach.clock.now() + CODES_FOR;
        self.ask_gateway(tenant, GatewayAsk::Code, Some(until)).await
    }

    /// Unlinks the telephone that is linked since an instant.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn unlink_gateway(&self, tenant: &TenantStore, linked_since: DateTime<Utc>) -> Result<(), CloudError> {
        let ask = GatewayAsk::Unlink { linked_since_ms: linked_since.timestamp_millis() };
        self.ask_gateway(tenant, ask, None).await
    }

    async fn ask_gateway(
        &self,
        tenant: &TenantStore,
        ask: GatewayAsk,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), CloudError> {
        let until_ms = until.map(|until| until.timestamp_millis());
        self.order(&Order::Gateway { clinic: tenant.clinic().to_string(), ask, until_ms }).await
    }

    /// Sends a test message to a member of staff, once per event.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn test(&self, tenant: &TenantStore, event: &str, to: &str) -> Result<TestDone, CloudError> {
        let now = self.reach.clock.now();
        let settings = tenant.settings(now).await?;
        let clinic = &settings.clinic;
        let plain: String = to.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '(' | ')' | '.')).collect();
        let Ok(number) = E164::parse_strict(&plain) else { return Ok(TestDone::Refused(TestRefused::Number)) };
        if let Some(why) = self.test_refused(tenant, &number).await? {
            return Ok(TestDone::Refused(why));
        }
        let id = MessageId::testing(tenant.clinic(), event);
        let to = StaffNumber(number.as_str().to_owned());
        let test = match tenant.place_test(id, &to, clinic.date(now), now).await? {
            TestAsked::Placed(test) => test,
            TestAsked::TooSoon => return Ok(TestDone::Refused(TestRefused::TooSoon)),
            TestAsked::NoneLeft => return Ok(TestDone::Refused(TestRefused::NoneLeft)),
        };
        self.order(&Order::Test { clinic: tenant.clinic().to_string(), place: test.place.clone() }).await?;
        Ok(TestDone::Asked(test))
    }

    /// Why no test message goes to a number now: looked at when it is asked for, and before it is sent.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn test_refused(&self, tenant: &TenantStore, to: &E164) -> Result<Option<TestRefused>, CloudError> {
        let now = self.reach.clock.now();
        let clinic = tenant.settings(now).await?.clinic;
        if clinic.halted {
            return Ok(Some(TestRefused::Halted));
        }
        if !tenant.patients_with_phone(to, clinic.date(now)).await?.is_empty() {
            return Ok(Some(TestRefused::Patient));
        }
        for digits in to.aliases() {
            let contact = ContactKeys { phone: Some(tenant.hash(&format!("+{digits}"))), ..ContactKeys::default() };
            let point = tenant.contact_points(&contact).await?.phone;
            if Purpose::ALL.into_iter().any(|purpose| point.is_suppressed(Channel::Whatsapp, purpose)) {
                return Ok(Some(TestRefused::OptedOut));
            }
        }
        Ok(None)
    }

    /// Lets a browser of staff's be told, by what it gave (`PushSubscription.toJSON()`); says its id.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn add_browser(
        &self,
        tenant: &TenantStore,
        subscription: &str,
        name: &str,
    ) -> Result<Result<String, BrowserRefused>, CloudError> {
        let given = match PushSubscription::from_json(subscription) {
            Ok(given) => given,
            Err(why) => return Ok(Err(why.into())),
        };
        let id = tenant.browser_id(given.endpoint());
        let name: String = name.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect();
        let browser = Browser {
            subscription: given.to_json(),
            name,
            since: self.reach.clock.now(),
            last_alert: None,
            last_at: None,
        };
        if !tenant.keep_browser(&id, &browser).await? {
            return Ok(Err(BrowserRefused::TooMany));
        }
        Ok(Ok(id))
    }

    /// Sends an alert to one browser, so that its owner sees that it works.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn try_browser(&self, tenant: &TenantStore, id: &str) -> Result<(), CloudError> {
        let at_ms = self.reach.clock.now().timestamp_millis();
        let about = AlertAbout::Browser { browser: id.to_owned(), at_ms };
        self.order(&Order::Alert { clinic: tenant.clinic().to_string(), about, tries: 0 }).await
    }

    async fn order(&self, order: &Order) -> Result<(), CloudError> {
        let now = self.reach.clock.now();
        self.reach.orders.queue(order, now, now).await
    }
}
