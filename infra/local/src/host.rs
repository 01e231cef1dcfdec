//! The whole system in one process: the production handlers over the embedded table, fed by the
//! doubles of the queue and the schedules, on a clock that can be moved. Events are taken up one at
//! a time and in the order of their instants, so the same beginning always plays the same way.

mod gateway;
mod older;
mod phone;
mod play;
mod sealing;
mod work;

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use inbound_webhook::entrance::Entrance;
use inbound_webhook::hook::HookSecrets;
use inbound_webhook::process::Inbound;
use patient_pages::Pages;
use retorno_cloud::channels::push::{PushChannel, PushHttp, VapidKey};
use retorno_cloud::channels::{Channels, EmailChannel, EmailSettings, GatewayChannel, GatewayKeys, WhatsappChannel};
use retorno_cloud::links::Links;
use retorno_cloud::orders::{OrderTargets, Orders};
use retorno_cloud::queue::Queue;
use retorno_cloud::secrets::{SecretKey, Token};
use retorno_cloud::store::{Store, create_table};
use retorno_cloud::{Clock, CloudError, Reach};
use step_dispatcher::Dispatcher;

use crate::doubles::{Doubles, DoublesError, queue_url, serve};
use crate::engine::{Engine, EngineError, sdk_config};

pub use gateway::AtGateway;
pub use phone::{SANDBOX_APP, Written, signed, webhook};
pub use play::Played;
pub use sealing::{LEDGER_FOLDER, Sealing};
pub use work::{Work, WorkCount, WorkDone};

const TABLE: &str = "retorno";
const QUEUE: &str = "dispatch";
/// The queue of what patients and providers tell.
const INBOUND: &str = "inbound";
const QUEUE_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:dispatch";
const EVALUATOR_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:segment-evaluator";
const SEALER_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:ledger-sealer";
const ROLE_ARN: &str = "arn:aws:iam::000000000000:role/schedules";
const GROUP: &str = "retorno";
/// The token that the WhatsApp double expects. It protects nothing: the double listens on loopback
/// and reaches nobody.
const SANDBOX_TOKEN: &str = "sandbox";
/// Whom a push service may write to about the alerts of this machine: nobody reads it.
const VAPID_CONTACT: &str = "mailto:sandbox@example.com";

/// What can go wrong on one machine.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The embedded table.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The doubles.
    #[error(transparent)]
    Doubles(#[from] DoublesError),
    /// A handler.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// An import.
    #[error(transparent)]
    Import(#[from] export_importer::ImportError),
    /// The audit chain.
    #[error(transparent)]
    Seal(#[from] ledger_sealer::seal::SealError),
    /// Settings of a clinic.
    #[error(transparent)]
    Settings(#[from] retorno_domain::settings::SettingsError),
    /// A file or a socket.
    #[error("{what}: {error}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Another clinic has what the settings name at a provider.
    #[error("another clinic here has the same {0}: give this one its own in its settings")]
    NumberTaken(&'static str),
    /// An export without one row that could be read.
    #[error("{path}: no row of the export could be read; the first: {why}")]
    NoGoodRow {
        /// The file.
        path: String,
        /// What is wrong with the first.
        why: String,
    },
    /// Anything that its user can put right; says how.
    #[error("{0}")]
    User(String),
}

/// The system in one process.
#[derive(Clone)]
pub struct Host {
    /// The table, the queue and the clock, as the handlers have them.
    pub reach: Reach,
    /// The doubles, where everything "sent" can be looked at.
    pub doubles: Doubles,
    /// The embedded table, which counts request units.
    pub engine: Engine,
    dispatcher: Arc<Dispatcher>,
    /// The queue of what came in.
    pub inbound_queue: Queue,
    entrance: Arc<Entrance>,
    hook_secrets: Arc<HookSecrets>,
    app_secret: SecretKey,
    inbound: Arc<Inbound>,
    links: Links,
    push_key: String,
    scheduler: aws_sdk_scheduler::Client,
    /// What seals the audit records; a system that forgets everything seals nothing.
    sealing: Option<Arc<Sealing>>,
    playing: Arc<tokio::sync::Mutex<()>>,
    work: Arc<WorkCount>,
}

/// Keys of one machine: they protect a sandbox, but are kept so that hashes and links stay valid
/// from one start to the next.
pub struct HostKeys {
    contact: SecretKey,
    links: SecretKey,
    opaque: SecretKey,
    /// What the sandbox's app at Meta signs with.
    app: SecretKey,
    /// What alerts to browsers are signed with.
    vapid: VapidKey,
}

impl HostKeys {
    /// Keys derived from a seed of at least 32 bytes.
    ///
    /// # Errors
    /// [`CloudError::Setup`] when the seed is too short.
    pub fn from_seed(seed: &[u8]) -> Result<Self, CloudError> {
        let root = SecretKey::new(seed)?;
        let key = |name: &[u8]| SecretKey::new(root.mac(&[name]));
        // A number below the order of P-256, as almost every one of 32 bytes is; else the next one.
        let scalar = |round: &[u8]| URL_SAFE_NO_PAD.encode(root.mac(&[b"vapid", round]));
        let vapid =
            VapidKey::new(&scalar(b"0"), VAPID_CONTACT).or_else(|_| VapidKey::new(&scalar(b"1"), VAPID_CONTACT))?;
        let (contact, links) = (key(b"contact")?, key(b"links")?);
        Ok(Self { contact, links, opaque: key(b"opaque")?, app: key(b"app")?, vapid })
    }
}

impl Host {
    /// A system in memory that forgets everything. Links in messages begin with `pages_url`.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn in_memory(clock: Clock, keys: &HostKeys, pages_url: &str) -> Result<Self, HostError> {
        let doubles = Doubles::in_memory(told_by(&clock))?;
        Self::over(Engine::in_memory()?, doubles, None, (clock, Store::repeatable), keys, pages_url).await
    }

    /// A system in a folder, which survives a restart. Links in messages begin with `pages_url`.
    ///
    /// # Errors
    /// [`HostError`].
    pub async fn open(folder: &Path, clock: Clock, keys: &HostKeys, pages_url: &str) -> Result<Self, HostError> {
        let doubles = Doubles::open(folder.join("doubles.sqlite"), told_by(&clock))?;
        // Whoever lets a browser of this machine be told wants to see it told.
        let push = Some(PushHttp::new()?);
        let engine = Engine::open(folder.join("table.sqlite"))?;
        let host = Self::over(engine, doubles, push, (clock, |store| store), keys, pages_url).await?;
        Ok(host.sealing_in(Sealing::in_folder(&folder.join(LEDGER_FOLDER))?))
    }

    async fn over(
        engine: Engine,
        doubles: Doubles,
        push: Option<PushHttp>,
        (clock, chance): (Clock, fn(Store) -> Store),
        keys: &HostKeys,
        pages_url: &str,
    ) -> Result<Self, HostError> {
        let dynamo = aws_sdk_dynamodb::Client::from_conf(sdk_config(engine.http_client()).build());
        create_table(&dynamo, TABLE).await?;
        let sqs = aws_sdk_sqs::Client::from_conf(doubles.sqs().sdk_config().build());
        let scheduler = aws_sdk_scheduler::Client::from_conf(doubles.scheduler().sdk_config().build());
        let targets = OrderTargets {
            queue_url: queue_url(QUEUE),
            queue_arn: QUEUE_ARN.to_owned(),
            role_arn: ROLE_ARN.to_owned(),
            group: GROUP.to_owned(),
        };
        let reach = Reach {
            store: chance(Store::new(dynamo, TABLE, keys.contact.clone())),
            orders: Orders::new(sqs.clone(), scheduler.clone(), targets),
            clock,
        };
        let doubled = doubles.whatsapp().router(SANDBOX_TOKEN).merge(doubles.gateway().router(SANDBOX_TOKEN));
        let (address, _server) =
            serve(doubled).await.map_err(|error| HostError::Io { what: "listening on loopback".to_owned(), error })?;
        let gateway = GatewayChannel::over(
            Arc::new(gateway::ToTheDouble::new(address)?),
            GatewayKeys::everywhere(Token::new(SANDBOX_TOKEN)),
        );
        let push = PushChannel::over(Arc::new(doubles.push().wire(push)), keys.vapid.clone());
        let push_key = push.public_key().to_owned();
        let whatsapp = WhatsappChannel::new(&format!("http://{address}/v23.0"), Token::new(SANDBOX_TOKEN))?;
        let ses = aws_sdk_sesv2::Client::from_conf(doubles.ses().sdk_config().build());
        let email = EmailChannel::new(ses, EmailSettings { configuration_set: "retorno".to_owned() });
        let channels = Channels::new(whatsapp, email, keys.opaque.clone()).with_gateway(gateway).with_push(push);
        let links = Links::new(pages_url, 1, keys.links.clone());
        let dispatcher = Arc::new(Dispatcher::new(reach.clone(), channels, links.clone()));
        let queue = Queue::new(sqs, queue_url(INBOUND));
        Ok(Self {
            entrance: Arc::new(Entrance::new(queue.clone(), reach.store.clone())?),
            inbound_queue: queue,
            hook_secrets: Arc::new(phone::hook_secrets(&keys.app)),
            app_secret: keys.app.clone(),
            inbound: Arc::new(Inbound::new(reach.clone(), keys.opaque.clone())),
            links,
            reach,
            doubles,
            engine,
            dispatcher,
            push_key,
            scheduler,
            sealing: None,
            playing: Arc::default(),
            work: Arc::default(),
        })
    }

    /// Takes a clinic over that an earlier version stored.
    pub(crate) fn take_over(&self, clinic: &str) -> Result<(), HostError> {
        older::moved(&self.engine, clinic)
    }

    /// The same, sealing what it records.
    #[must_use]
    pub fn sealing_in(self, sealing: Sealing) -> Self {
        Self { sealing: Some(Arc::new(sealing)), ..self }
    }

    pub(crate) fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    pub(crate) fn inbound(&self) -> &Inbound {
        &self.inbound
    }

    /// What the functions were invoked for.
    #[must_use]
    pub fn work(&self) -> &WorkCount {
        &self.work
    }

    /// Does a function's work, and counts it.
    pub(crate) async fn counted<T>(&self, work: Work, doing: impl Future<Output = T>) -> T {
        let requests = || self.engine.units_by_operation().values().map(|operation| operation.calls).sum::<u64>();
        let (units, calls, watch) = (self.engine.units(), requests(), stopwatch());
        let done = doing.await;
        let (units, requests) = (self.engine.units() - units, requests() - calls);
        self.work.add(work, WorkDone { times: 1, units, requests, took: watch.elapsed() });
        done
    }

    /// The key that browsers subscribe to alerts with.
    #[must_use]
    pub fn push_key(&self) -> &str {
        &self.push_key
    }

    /// The pages that links in messages lead to.
    #[must_use]
    pub fn pages(&self) -> Pages {
        Pages::new(self.reach.clone(), self.links.clone()).with_push(&self.push_key)
    }

    /// What links in messages are made and read with.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// The present instant of this system.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.reach.clock.now()
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the machine took, on which nothing is decided")]
fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

fn told_by(clock: &Clock) -> crate::doubles::Clock {
    let clock = clock.clone();
    Arc::new(move || clock.now())
}
