//! How the clinic's channels stand, what staff does about them, and whom alerts go to.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use retorno_cloud::channels::LinkPicture;
use retorno_cloud::desk::{BrowserRefused, TestDone};
use retorno_cloud::store::{StoredClinic, StoredLinkCode, TestMessage, TestState};
use retorno_domain::approval::account_of;
use retorno_domain::channel::Channel;
use retorno_domain::connection::Connection;
use serde::Serialize;

use crate::inbox::local;
use crate::office::{Office, OpenClinic, Tick};
use crate::problem::Problem;

/// Test messages listed, the newest first.
const TESTS_SHOWN: usize = 5;

/// A test message in flight for so long was given up.
const LEFT_OPEN: TimeDelta = TimeDelta::minutes(10);

/// Everything about a clinic's connections.
#[derive(Clone, Serialize)]
pub struct Connections {
    /// The channels, each with how it stands.
    pub channels: Vec<ChannelView>,
    /// The clinic's own gateway to WhatsApp, where it has one.
    pub gateway: Option<GatewayView>,
    /// The last test messages, the newest first.
    pub tests: Vec<TestView>,
    /// Browsers that are told.
    pub browsers: Vec<BrowserView>,
    /// The key that browsers subscribe with.
    pub push_key: String,
}

/// How a channel stands.
#[derive(Clone, Serialize)]
pub struct ChannelView {
    /// Its word.
    pub channel: String,
    /// Through whom: `cloud_api`, `evolution`, `waha`, `ses`, `aws_sms`, `web_push`.
    pub via: &'static str,
    /// As whom: a number, its id, an address.
    pub sender: String,
    /// `ready`, `unlinked`, `halted`, `stopped` (by the clinic), `absent` (not set up).
    pub state: &'static str,
    /// Why it is halted, in the provider's word or number.
    pub code: Option<String>,
    /// What its provider announced: `account_to_be_disabled`.
    pub warning: Option<&'static str>,
    /// Until when it is halted.
    pub until: Option<String>,
    /// The same instant as `until`.
    #[serde(skip)]
    pub until_at: Option<DateTime<Utc>>,
}

/// How the clinic's gateway stands.
#[derive(Clone, Serialize)]
pub struct GatewayView {
    /// `evolution` or `waha`.
    pub kind: &'static str,
    /// Its address.
    pub base_url: String,
    /// The instance or session.
    pub instance: String,
    /// How it stands; `unknown` before anything was heard.
    pub state: &'static str,
    /// Since when.
    pub since: Option<String>,
    /// When it was last asked.
    pub checked_at: Option<String>,
    /// Since when it has not sent.
    pub down_since: Option<String>,
    /// Why, in a word or number.
    pub error: Option<String>,
    /// The telephone that is linked, as digits.
    pub number: Option<String>,
    /// Until when there is a code to be read.
    pub code_until: Option<String>,
    /// What is known of its connection.
    #[serde(skip)]
    pub known: Option<Connection>,
    /// The code that is waiting to be read.
    #[serde(skip)]
    pub code: Option<StoredLinkCode>,
}

/// A test message.
#[derive(Clone, Serialize)]
pub struct TestView {
    /// When it was asked for.
    pub at: String,
    /// The last digits of the number.
    pub to: String,
    /// `asked`, `in_flight`, `accepted`, `sent`, `delivered`, `read`, `failed`, `unknown`.
    pub state: &'static str,
    /// Why it was not sent.
    pub code: Option<String>,
    /// The instant.
    #[serde(skip)]
    pub instant: DateTime<Utc>,
}

/// A browser that is told.
#[derive(Clone, Serialize)]
pub struct BrowserView {
    /// Its id.
    pub id: String,
    /// How its owner calls it.
    pub name: String,
    /// Since when.
    pub since: String,
    /// When its service took an alert last.
    pub last_at: Option<String>,
    /// The last instant.
    #[serde(skip)]
    pub last_instant: Option<DateTime<Utc>>,
}

/// The code that links a telephone, for whoever shows it. No Debug: it is a secret while it lasts.
#[derive(Serialize)]
pub struct CodeView {
    /// What the QR code says, where the gateway told it.
    pub text: Option<String>,
    /// The MIME type of the picture, where the gateway gave one.
    pub content_type: Option<String>,
    /// The picture, in base64.
    pub image_base64: Option<String>,
    /// A code to type in place of it.
    pub pairing_code: Option<String>,
    /// It is of no use after this.
    pub until: String,
}

impl CodeView {
    /// A stored code, its end told in a zone.
    #[must_use]
    pub fn of(stored: StoredLinkCode, zone: Tz) -> Self {
        let until = local(stored.until, zone);
        let (text, content_type, image_base64) = match stored.code.picture {
            LinkPicture::Text(text) => (Some(text), None, None),
            LinkPicture::Image { content_type, base64 } => (None, Some(content_type), Some(base64)),
        };
        Self { text, content_type, image_base64, pairing_code: stored.code.pairing_code, until }
    }
}

/// What staff does.
#[derive(Debug, Clone)]
pub enum ConnectionAct {
    /// Asks the gateway how it stands.
    Check,
    /// Asks it for the code.
    Code,
    /// Unlinks the telephone.
    Unlink,
    /// Lets a channel go on that its provider had halted.
    Resume(Channel),
    /// Sends a test message to a number, once per event.
    Test {
        /// Sent twice under one name, it is one test.
        event: String,
        /// The number.
        to: String,
    },
    /// Tries a browser out.
    TryBrowser(String),
    /// Forgets a browser.
    ForgetBrowser(String),
}

/// How the clinic's channels stand.
///
/// # Errors
/// [`Problem`].
pub async fn connections(office: &Office, of: &OpenClinic) -> Result<Connections, Problem> {
    let now = office.now();
    let settings = of.tenant.settings(now).await?;
    let zone = of.clinic.zone;
    let gateway = gateway(of, now).await?;
    let mut tests = of.tenant.tests().await?;
    tests.reverse();
    let browser = |(id, browser): (String, retorno_cloud::store::Browser)| BrowserView {
        id,
        name: browser.name,
        since: local(browser.since, zone),
        last_at: browser.last_at.map(|at| local(at, zone)),
        last_instant: browser.last_at,
    };
    let mut channels = channels(&settings, of, gateway.as_ref(), now);
    if let Some(account) = account_of(&of.clinic)
        && of.tenant.account_will_be_disabled(account).await?
        && let Some(whatsapp) = channels.iter_mut().find(|view| view.channel == Channel::Whatsapp.code())
    {
        whatsapp.warning = Some("account_to_be_disabled");
    }
    Ok(Connections {
        channels,
        gateway,
        tests: tests.iter().take(TESTS_SHOWN).map(|test| test_view(test, zone, now)).collect(),
        browsers: of.tenant.browsers().await?.into_iter().map(browser).collect(),
        push_key: office.push_key().to_owned(),
    })
}

async fn gateway(of: &OpenClinic, now: DateTime<Utc>) -> Result<Option<GatewayView>, Problem> {
    let Some(gateway) = &of.clinic.gateway else { return Ok(None) };
    let zone = of.clinic.zone;
    let known = of.tenant.connection(gateway).await?;
    let code = of.tenant.link_code(now).await?;
    let said = |at: Option<DateTime<Utc>>| at.map(|at| local(at, zone));
    let can_send = known.as_ref().is_some_and(|known| known.state.can_send());
    Ok(Some(GatewayView {
        kind: gateway.kind.code(),
        base_url: gateway.base_url.clone(),
        instance: gateway.instance.clone(),
        state: known.as_ref().map_or("unknown", |known| known.state.code()),
        since: said(known.as_ref().map(|known| known.since)),
        checked_at: said(known.as_ref().and_then(|known| known.checked_at)),
        down_since: said(known.as_ref().and_then(|known| known.down_since)),
        error: known.as_ref().and_then(|known| known.error.clone()),
        number: known.as_ref().filter(|_| can_send).and_then(|known| known.number.clone()).map(|number| number.0),
        code_until: said(code.as_ref().map(|code| code.until)),
        known,
        code,
    }))
}

fn channels(
    settings: &StoredClinic,
    of: &OpenClinic,
    gateway: Option<&GatewayView>,
    now: DateTime<Utc>,
) -> Vec<ChannelView> {
    let clinic = &of.clinic;
    let view = |channel: Channel, via: &'static str, sender: String| {
        let halts = settings.breakers.channels.iter();
        let halted = halts.filter(|(halted, until)| *halted == channel && *until > now).map(|(_, until)| *until).max();
        let code = settings.breakers.codes.iter().find(|(halted, _)| *halted == channel).map(|(_, code)| code.clone());
        let is_unlinked = channel == Channel::Whatsapp
            && gateway.and_then(|gateway| gateway.known.as_ref()).is_some_and(|known| !known.state.can_send());
        let state = match halted {
            _ if sender.is_empty() => "absent",
            _ if clinic.halted => "stopped",
            _ if is_unlinked => "unlinked",
            Some(_) => "halted",
            None => "ready",
        };
        let is_halted = state == "halted";
        let until_at = halted.filter(|_| is_halted);
        let until = until_at.map(|until| local(until, clinic.zone));
        let code = code.filter(|_| is_halted);
        ChannelView { channel: channel.code().to_owned(), via, sender, state, code, warning: None, until, until_at }
    };
    let whatsapp = match gateway {
        Some(gateway) => view(Channel::Whatsapp, gateway.kind, format!("{} · {}", gateway.base_url, gateway.instance)),
        None => {
            let number = clinic.whatsapp_number.as_ref().map(|number| number.as_str().to_owned());
            let number = number.unwrap_or_else(|| clinic.whatsapp_phone_number_id.clone());
            view(Channel::Whatsapp, "cloud_api", number)
        }
    };
    let sms = clinic.sms.as_ref().map(|sms| sms.origination.clone()).unwrap_or_default();
    let mut all =
        vec![whatsapp, view(Channel::Email, "ses", clinic.email_from.clone()), view(Channel::Sms, "aws_sms", sms)];
    // Nothing has to be set up but a step of a flow: without one it is not mentioned.
    if clinic.notifies_browsers() {
        all.push(view(Channel::Push, "web_push", clinic.name.clone()));
    }
    all
}

fn test_view(test: &TestMessage, zone: Tz, now: DateTime<Utc>) -> TestView {
    let state = match (test.failed_at, test.read_at, test.delivered_at, test.sent_at) {
        (Some(_), ..) => "failed",
        (_, Some(_), ..) => "read",
        (.., Some(_), _) => "delivered",
        (.., Some(_)) if test.state != TestState::Failed => "sent",
        // Whoever was sending it died: nobody will ever know.
        _ if test.state == TestState::InFlight && now - test.asked_at > LEFT_OPEN => TestState::Unknown.code(),
        _ => test.state.code(),
    };
    let at = local(test.asked_at, zone);
    TestView { at, to: test.to.tail().to_owned(), state, code: test.code.clone(), instant: test.asked_at }
}

impl Office {
    /// Does what staff wants about the connections, and plays what follows; says why nothing was done.
    ///
    /// # Errors
    /// [`Problem`], also when the clock is being moved or an import is under way.
    pub async fn connect(&self, of: &OpenClinic, act: &ConnectionAct) -> Result<Option<&'static str>, Problem> {
        // Gateways tell whole instants: what is told now comes after all that was heard before.
        self.begin(Tick::Milli)?;
        let (desk, tenant) = (self.desk(), &of.tenant);
        let mut refused = None;
        match act {
            ConnectionAct::Check => desk.check_gateway(tenant).await?,
            ConnectionAct::Code => desk.link_gateway(tenant).await?,
            ConnectionAct::Unlink => {
                let known = match &of.clinic.gateway {
                    Some(gateway) => tenant.connection(gateway).await?,
                    None => None,
                };
                match known.filter(|known| known.state.can_send()) {
                    Some(known) => desk.unlink_gateway(tenant, known.since).await?,
                    None => refused = Some("not_linked"),
                }
            }
            ConnectionAct::Resume(channel) => {
                if !desk.resume_halted(tenant, *channel).await? {
                    refused = Some("not_halted");
                }
            }
            ConnectionAct::Test { event, to } => {
                if let TestDone::Refused(why) = desk.test(tenant, event, to).await? {
                    refused = Some(why.code());
                }
            }
            ConnectionAct::TryBrowser(id) => desk.try_browser(tenant, id).await?,
            ConnectionAct::ForgetBrowser(id) => tenant.forget_browser(id).await?,
        }
        self.done().await?;
        Ok(refused)
    }

    /// Lets a browser be told, by what it gave; its id, or why not.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn let_tell(
        &self,
        of: &OpenClinic,
        subscription: &str,
        name: &str,
    ) -> Result<Result<String, &'static str>, Problem> {
        let desk = self.desk();
        Ok(desk.add_browser(&of.tenant, subscription, name).await?.map_err(|why| match why {
            BrowserRefused::Subscription(_) => "browser_unfit",
            BrowserRefused::TooMany => "browser_too_many",
        }))
    }
}
