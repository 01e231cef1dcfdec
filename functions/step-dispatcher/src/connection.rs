//! The clinic's own gateway: asked how it stands, for the code that links its telephone, or to unlink
//! it. What it answers is kept in the table; staff reads it there.

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::CloudError;
use retorno_cloud::channels::{GatewayChannel, GatewayError, GatewayState};
use retorno_cloud::orders::{GatewayAsk, Order, gateway_alert};
use retorno_cloud::store::{ConnectionWord, TenantStore};
use retorno_domain::clinic::Clinic;
use retorno_domain::connection::{Connection, LinkState};
use retorno_domain::ids::{ClinicId, MessageId};
use retorno_domain::message::Outcome;
use retorno_domain::sender::GatewayKind;

use crate::dispatch::{Dispatcher, Done};

/// A gateway that may come back by itself is asked again after so long.
const CHECK_AGAIN: TimeDelta = TimeDelta::minutes(2);
/// So long after trouble was met the sweep goes on asking.
const CHECKED_FOR: TimeDelta = TimeDelta::minutes(14);
/// A new code is fetched after so long: some gateways tell it only when asked.
const NEXT_CODE: TimeDelta = TimeDelta::seconds(20);
/// A gateway that had no code yet is asked again after so long.
const CODE_SOON: TimeDelta = TimeDelta::seconds(5);

/// What a gateway said of itself.
struct Heard {
    state: LinkState,
    error: Option<String>,
}

impl Heard {
    fn of(answer: Result<GatewayState, GatewayError>) -> Self {
        let plain = |state| Self { state, error: None };
        match answer {
            Ok(GatewayState::Connected) => plain(LinkState::Connected),
            Ok(GatewayState::Connecting) => plain(LinkState::Connecting),
            Ok(GatewayState::NeedsQr) => plain(LinkState::NeedsQr),
            Ok(GatewayState::NeedsPasskey) => plain(LinkState::NeedsPasskey),
            Ok(GatewayState::Closed) => plain(LinkState::Closed),
            Ok(GatewayState::Missing) => plain(LinkState::Missing),
            Err(error) => Self { state: LinkState::Unreachable, error: Some(code_of(&error)) },
        }
    }
}

fn code_of(error: &GatewayError) -> String {
    match error {
        GatewayError::NoGateway => "no_gateway".to_owned(),
        GatewayError::NoKey => "no_key".to_owned(),
        GatewayError::Unreached(code) => (*code).to_owned(),
        GatewayError::Status(status) => format!("http_{status}"),
        GatewayError::Unreadable => "unreadable".to_owned(),
    }
}

impl Dispatcher {
    /// Asks the clinic's gateway.
    pub(crate) async fn gateway(
        &self,
        id: &ClinicId,
        ask: GatewayAsk,
        until: Option<DateTime<Utc>>,
    ) -> Result<Done, CloudError> {
        let tenant = self.reach.store.of(id);
        let clinic = tenant.settings(self.reach.clock.now()).await?.clinic;
        if clinic.gateway.is_none() {
            return Ok(Done::Nothing);
        }
        let Some(channel) = self.channels.gateway() else {
            let heard = Heard { state: LinkState::Unreachable, error: Some("no_key".to_owned()) };
            self.note(&tenant, &clinic, &heard, self.reach.clock.now(), true).await?;
            return Ok(Done::Decided);
        };
        match ask {
            GatewayAsk::Check => self.check(&tenant, &clinic, channel, until).await?,
            GatewayAsk::Code => self.fetch_code(&tenant, &clinic, channel, until).await?,
            GatewayAsk::Unlink { linked_since_ms } => self.unlink(&tenant, &clinic, channel, linked_since_ms).await?,
        }
        Ok(Done::Decided)
    }

    async fn check(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        channel: &GatewayChannel,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), CloudError> {
        // The instant before the question: what is told meanwhile is newer than the answer.
        let asked_at = self.reach.clock.now();
        let heard = Heard::of(channel.state(clinic).await);
        self.note(tenant, clinic, &heard, asked_at, true).await?;
        let may_come_back = !heard.state.can_send() && !heard.state.needs_a_person();
        let again = self.reach.clock.now() + CHECK_AGAIN;
        if may_come_back && until.is_some_and(|until| again <= until) {
            self.ask_again(tenant, GatewayAsk::Check, again, until).await?;
        }
        Ok(())
    }

    /// Fetches the code, and goes on until the telephone is linked or nobody waits any more.
    async fn fetch_code(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        channel: &GatewayChannel,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), CloudError> {
        let asked_at = self.reach.clock.now();
        let stands = channel.state(clinic).await;
        // A session that stands still makes no codes; Evolution's begins by being asked for one.
        let is_waha = clinic.gateway.as_ref().is_some_and(|gateway| gateway.kind == GatewayKind::Waha);
        if stands == Ok(GatewayState::Closed) && is_waha {
            let _ = channel.restart(clinic).await;
        }
        let (heard, code) = match stands {
            Ok(GatewayState::Connected | GatewayState::NeedsPasskey | GatewayState::Missing) | Err(_) => {
                (Heard::of(stands), None)
            }
            Ok(GatewayState::Connecting | GatewayState::NeedsQr | GatewayState::Closed) => {
                match channel.link_code(clinic).await {
                    Ok(None) => (Heard::of(Ok(GatewayState::Connected)), None),
                    Ok(Some(code)) => (Heard::of(Ok(GatewayState::NeedsQr)), Some(code)),
                    Err(GatewayError::Unreached(error)) => (Heard::of(Err(GatewayError::Unreached(error))), None),
                    // No code yet: it is on its way.
                    Err(_) => (Heard::of(stands), None),
                }
            }
        };
        if let Some(code) = &code {
            tenant.keep_link_code(code, asked_at).await?;
        }
        self.note(tenant, clinic, &heard, asked_at, true).await?;
        let again = self.reach.clock.now() + if code.is_some() { NEXT_CODE } else { CODE_SOON };
        if !heard.state.can_send() && until.is_some_and(|until| again <= until) {
            self.ask_again(tenant, GatewayAsk::Code, again, until).await?;
        }
        Ok(())
    }

    async fn unlink(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        channel: &GatewayChannel,
        linked_since_ms: i64,
    ) -> Result<(), CloudError> {
        let Some(gateway) = &clinic.gateway else { return Ok(()) };
        let known = tenant.connection(gateway).await?;
        let is_it = known.is_some_and(|of| of.state.can_send() && of.since.timestamp_millis() == linked_since_ms);
        if !is_it {
            return Ok(());
        }
        let asked_at = self.reach.clock.now();
        let heard = match channel.log_out(clinic).await {
            Ok(()) => Heard { state: LinkState::LoggedOut, error: Some("unlinked".to_owned()) },
            Err(_) => Heard::of(channel.state(clinic).await),
        };
        self.note(tenant, clinic, &heard, asked_at, true).await
    }

    async fn ask_again(
        &self,
        tenant: &TenantStore,
        ask: GatewayAsk,
        at: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), CloudError> {
        let until_ms = until.map(|until| until.timestamp_millis());
        let order = Order::Gateway { clinic: tenant.clinic().to_string(), ask, until_ms };
        self.reach.orders.queue(&order, self.reach.clock.now(), at).await
    }

    /// Keeps what was heard, ends a halt that it ends, and sees to it that staff is told.
    async fn note(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        heard: &Heard,
        at: DateTime<Utc>,
        asked: bool,
    ) -> Result<(), CloudError> {
        let Some(gateway) = &clinic.gateway else { return Ok(()) };
        let told = if is_vague(heard.state) { tenant.connection(gateway).await? } else { None };
        let told = told.filter(|told| says_more(told.state, heard.state));
        let (state, error) = match &told {
            Some(told) => (told.state, told.error.as_deref()),
            None => (heard.state, heard.error.as_deref()),
        };
        let word = ConnectionWord { state, at, asked, error, number: None };
        let Some(connection) = tenant.note_connection(gateway, &word).await? else { return Ok(()) };
        if connection.state.can_send() {
            tenant.unhalt_gateway().await?;
            tenant.forget_link_code().await?;
        }
        let now = self.reach.clock.now();
        if let Some(order) = gateway_alert(tenant.clinic(), &connection, now) {
            self.reach.orders.queue(&order, now, now).await?;
        }
        Ok(())
    }

    /// What a sending by WhatsApp tells of the clinic's gateway, where it has one, and under which id the
    /// gateway's receipts will name the message.
    pub(crate) async fn learn_of_gateway(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        message: MessageId,
        at: DateTime<Utc>,
        outcome: &Outcome,
    ) -> Result<(), CloudError> {
        if clinic.gateway.is_none() {
            return Ok(());
        }
        if let Outcome::Accepted { provider_id } = outcome {
            return tenant.note_sent(provider_id, message, at).await;
        }
        self.learn_connection(tenant, clinic, outcome, at).await
    }

    /// What a sending through the clinic's gateway tells of its connection.
    async fn learn_connection(
        &self,
        tenant: &TenantStore,
        clinic: &Clinic,
        outcome: &Outcome,
        at: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        let Some(heard) = told_by(outcome) else { return Ok(()) };
        self.note(tenant, clinic, &heard, at, false).await?;
        let now = self.reach.clock.now();
        self.ask_again(tenant, GatewayAsk::Check, now + CHECK_AGAIN, Some(now + CHECKED_FOR)).await
    }

    /// The periodic retest: a gateway of which nothing was heard lately is asked, and one that does not
    /// send each time.
    pub(crate) async fn retest(&self, id: &ClinicId) -> Result<(), CloudError> {
        let tenant = self.reach.store.of(id);
        let now = self.reach.clock.now();
        let settings = match tenant.settings(now).await {
            Err(CloudError::Missing(_)) => return Ok(()),
            settings => settings?,
        };
        let is_due = |known: &Connection| known.is_to_be_asked(now);
        if settings.clinic.gateway.is_some() && settings.connection.as_ref().is_none_or(is_due) {
            self.ask_again(&tenant, GatewayAsk::Check, now, Some(now + CHECKED_FOR)).await?;
        }
        Ok(())
    }
}

fn is_vague(state: LinkState) -> bool {
    matches!(state, LinkState::Closed | LinkState::Connecting)
}

/// Asked, a gateway may say only that it is closed, or trying; why, it told before, and that stands.
fn says_more(told: LinkState, heard: LinkState) -> bool {
    let is_closed = heard == LinkState::Closed && matches!(told, LinkState::LoggedOut | LinkState::Stopped);
    is_closed || (heard == LinkState::Connecting && told == LinkState::NeedsQr)
}

/// Nothing where the message itself was the matter, or the gateway has too much to do.
fn told_by(outcome: &Outcome) -> Option<Heard> {
    let Outcome::NotSent { code, .. } = outcome else { return None };
    let unreachable = || Some(Heard { state: LinkState::Unreachable, error: Some(code.clone()) });
    if let Some(state) = code.strip_prefix("gateway_") {
        return LinkState::of_code(state).map(|state| Heard { state, error: None });
    }
    match code.as_str() {
        "http_429" | "claim_ran_out" => None,
        // It said that it works, and then would not send.
        "http_422" => Some(Heard { state: LinkState::Connecting, error: Some(code.clone()) }),
        _ => unreachable(),
    }
}
