//! Environments of functions: the production handlers with clients that end at the wire, each with
//! caches and a clock of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, IdentityCache, Region, StalledStreamProtectionConfig};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_types::SdkConfig;
use chrono::{DateTime, Utc};
use inbound_webhook::process::Inbound;
use patient_pages::Pages;
use retorno_cloud::channels::push::{PushChannel, VapidKey};
use retorno_cloud::channels::{
    Channels, EmailChannel, EmailSettings, SMS_TIME_TO_LIVE_SECONDS, SmsChannel, SmsSettings, WhatsappChannel,
};
use retorno_cloud::desk::Desk;
use retorno_cloud::links::{Genuine, Link, Links};
use retorno_cloud::orders::{OrderTargets, Orders};
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::Store;
use retorno_cloud::{Clock, CloudError, Reach};
use step_dispatcher::Dispatcher;

use crate::guards::Mutant;
use crate::wire::{TABLE, Wire};

/// Keys of a run: they protect nothing, but are as long as real ones.
const KEY: &[u8] = b"a key of a made-up clinic, 32 bytes and more";

/// The key that notifications are signed with.
const VAPID_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

fn links_with(key: &SecretKey) -> Links {
    Links::new("https://clinica.example", 1, key.clone())
}

/// What the token of a link says.
#[must_use]
pub fn link_of(token: &str, now: DateTime<Utc>) -> Option<Link> {
    match links_with(&SecretKey::new(KEY).ok()?).genuine(token, now)? {
        Genuine::Valid(link) | Genuine::Expired(link) => Some(link),
    }
}

/// The clients of a run; cheap to clone.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The table's client.
    pub dynamo: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    scheduler: aws_sdk_scheduler::Client,
    email: EmailChannel,
    sms: SmsChannel,
    whatsapp: WhatsappChannel,
    push: PushChannel,
    key: SecretKey,
}

/// An environment: one invocation at a time.
#[derive(Debug, Clone)]
pub struct Environment {
    /// What its handlers reach.
    pub reach: Reach,
    /// The dispatcher.
    pub dispatcher: Arc<Dispatcher>,
    /// What takes in what the hooks brought.
    pub inbound: Inbound,
    /// The patients' pages.
    pub pages: Pages,
    /// Where staff works.
    pub desk: Desk,
    /// Whether an invocation is under way.
    pub is_busy: bool,
    clock: Arc<AtomicI64>,
    skew: i64,
}

impl Clients {
    /// The clients over a wire, set up as in the cloud but for signatures: retries and time-outs are
    /// the SDK's own, on the run's clock.
    ///
    /// # Errors
    /// None with a key long enough.
    pub fn over(wire: &Wire, mutant: Option<Mutant>) -> Result<Self, CloudError> {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url("http://aws.local")
            .http_client(wire.http_client())
            .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(wire.core.clone()))
            .time_source(aws_smithy_async::time::SharedTimeSource::new(wire.core.clone()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "run")))
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        // The quota of retries is the process's own: by default all clients of a process share one.
        let quota = || RetryPartition::custom("run").token_bucket(TokenBucket::builder().capacity(500).build()).build();
        let dynamo = aws_sdk_dynamodb::config::Builder::from(&config).allow_no_auth().retry_partition(quota());
        let sqs = aws_sdk_sqs::config::Builder::from(&config).allow_no_auth().retry_partition(quota());
        let scheduler = aws_sdk_scheduler::config::Builder::from(&config).allow_no_auth().retry_partition(quota());
        let retries = |sender: &'static str| mutant == Some(Mutant::SenderRetries(sender));
        let ses = if retries("e-mail") {
            let again = aws_sdk_sesv2::config::Builder::from(&config).retry_config(RetryConfig::standard());
            aws_sdk_sesv2::Client::from_conf(again.retry_partition(quota()).build())
        } else {
            retorno_cloud::aws::ses(&config)
        };
        let sms = if retries("text messages") {
            let again =
                aws_sdk_pinpointsmsvoicev2::config::Builder::from(&config).retry_config(RetryConfig::standard());
            aws_sdk_pinpointsmsvoicev2::Client::from_conf(again.retry_partition(quota()).build())
        } else {
            retorno_cloud::aws::sms(&config)
        };
        let texts =
            SmsSettings { configuration_set: "retorno".to_owned(), time_to_live_seconds: SMS_TIME_TO_LIVE_SECONDS };
        Ok(Self {
            dynamo: aws_sdk_dynamodb::Client::from_conf(dynamo.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            scheduler: aws_sdk_scheduler::Client::from_conf(scheduler.build()),
            email: EmailChannel::new(ses, EmailSettings { configuration_set: "retorno".to_owned() }),
            sms: SmsChannel::new(sms, texts),
            whatsapp: WhatsappChannel::over(Arc::new(wire.clone())),
            push: PushChannel::over(Arc::new(wire.clone()), VapidKey::new(VAPID_KEY, "mailto:run@clinica.example")?),
            key: SecretKey::new(KEY)?,
        })
    }

    /// A fresh environment whose clock is off by `skew` ms.
    #[must_use]
    pub fn environment(&self, skew: i64) -> Environment {
        let clock = Arc::new(AtomicI64::new(0));
        let targets = OrderTargets {
            queue_url: "http://aws.local/dispatch".to_owned(),
            queue_arn: "arn:aws:sqs:us-east-1:000000000000:dispatch".to_owned(),
            role_arn: "arn:aws:iam::000000000000:role/schedules".to_owned(),
            group: "retorno".to_owned(),
        };
        let reach = Reach {
            store: Store::new(self.dynamo.clone(), TABLE, self.key.clone()).repeatable(),
            orders: Orders::new(self.sqs.clone(), self.scheduler.clone(), targets),
            clock: Clock::Movable(Arc::clone(&clock)),
        };
        let channels = Channels::new(self.whatsapp.clone(), self.email.clone(), self.key.clone());
        let channels = channels.with_sms(self.sms.clone()).with_push(self.push.clone());
        let links = links_with(&self.key);
        let dispatcher = Arc::new(Dispatcher::new(reach.clone(), channels, links.clone()));
        let inbound = Inbound::new(reach.clone(), self.key.clone());
        let pages = Pages::new(reach.clone(), links).with_push(self.push.public_key());
        let desk = Desk::new(reach.clone());
        Environment { reach, dispatcher, inbound, pages, desk, is_busy: false, clock, skew }
    }
}

/// The name under which the table keeps a contact point of a clinic's.
#[must_use]
pub fn contact_hash(clinic: &str, address: &str) -> Option<String> {
    Some(retorno_cloud::store::contact_hash(&SecretKey::new(KEY).ok()?, clinic, address))
}

impl Environment {
    /// Sets its clock: true time, and how far it is off.
    pub fn set_clock(&self, now: i64) {
        self.clock.store(now + self.skew, Ordering::SeqCst);
    }
}
