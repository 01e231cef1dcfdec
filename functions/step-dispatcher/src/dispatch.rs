//! One order, from reading to recording.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::aws::SdkConfig;
use retorno_cloud::channels::{Channels, EmailChannel, EmailSettings, GRAPH_URL, WhatsappChannel};
use retorno_cloud::links::Links;
use retorno_cloud::orders::Order;
use retorno_cloud::secrets::Token;
use retorno_cloud::store::TenantStore;
use retorno_cloud::vault::{SecretGroup, Secrets};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::calendar::IsoWeek;
use retorno_domain::decide::{Decision, Event, decide};
use retorno_domain::flow::Answer;
use retorno_domain::ids::{ClinicId, EnrollmentId, MessageId, PatientId};
use retorno_domain::segment::Thresholds;
use tracing::Instrument as _;

use crate::carry_out::Carried;
use crate::facts::Situation;
use crate::tier::TierView;
use crate::traced::span_of;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Done {
    /// A message was handed to its provider.
    Sent,
    /// Something was decided and stored; nothing was sent.
    Decided,
    /// There was nothing to do: done before, or over.
    Nothing,
}

/// Takes up orders. Holds the credentials of the channels.
#[derive(Debug)]
pub struct Dispatcher {
    pub(crate) reach: Reach,
    pub(crate) channels: Channels,
    pub(crate) links: Links,
    thresholds: Mutex<HashMap<(ClinicId, IsoWeek), Thresholds>>,
    pub(crate) tiers: Mutex<HashMap<ClinicId, TierView>>,
    without_slots: Mutex<HashMap<ClinicId, DateTime<Utc>>>,
}

/// A clinic without slots to offer is asked for them again after so long.
const SLOTS_ASKED_AGAIN: TimeDelta = TimeDelta::minutes(15);

/// Tries at one order when what it rests on keeps changing.
const TRIES_MAX: u32 = 4;

/// The secrets that [`Dispatcher::from_env`] needs.
pub const SECRETS: &[SecretGroup] =
    &[SecretGroup::Contact, SecretGroup::Links, SecretGroup::Opaque, SecretGroup::Sending];

impl Dispatcher {
    /// Over these channels.
    #[must_use]
    pub fn new(reach: Reach, channels: Channels, links: Links) -> Self {
        Self {
            reach,
            channels,
            links,
            thresholds: Mutex::default(),
            tiers: Mutex::default(),
            without_slots: Mutex::default(),
        }
    }

    /// From the environment of the function: what [`Reach::from_env`] reads, `SES_CONFIGURATION_SET`, and
    /// `GRAPH_URL` where Meta's API stands elsewhere; the secrets `OPAQUE_KEY` and, for clinics at Meta,
    /// `WHATSAPP_TOKEN`; and what [`Links::from_env`] and [`Channels::with_env`] read.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names what is missing.
    pub fn from_env(config: &SdkConfig, secrets: &Secrets) -> Result<Self, CloudError> {
        let get = |name: &str| std::env::var(name).map_err(|_| CloudError::Setup(format!("{name} is not set")));
        let graph = std::env::var("GRAPH_URL").unwrap_or_else(|_| GRAPH_URL.to_owned());
        // Without a token there are clinics with gateways or e-mail only. Meta refuses whatever goes there
        // without one, which halts WhatsApp for that clinic and says why.
        let token = secrets.get("WHATSAPP_TOKEN").map_or_else(|| Token::new("none"), Token::new);
        let whatsapp = WhatsappChannel::new(&graph, token)?;
        let settings = EmailSettings { configuration_set: get("SES_CONFIGURATION_SET")? };
        let email = EmailChannel::new(retorno_cloud::aws::ses(config), settings);
        let channels = Channels::new(whatsapp, email, secrets.key("OPAQUE_KEY")?).with_env(config, secrets)?;
        Ok(Self::new(Reach::from_env(config, secrets)?, channels, Links::from_env(secrets)?))
    }

    /// Takes up an order. Harmless to repeat, at any time and by several at once.
    ///
    /// # Errors
    /// [`CloudError`]: whoever handed the order over keeps it and hands it over again.
    pub async fn take_up(&self, order: &Order) -> Result<Done, CloudError> {
        let told = async {
            let done = self.take_up_in_span(order).await?;
            tracing::info!(?done, "taken up");
            Ok(done)
        };
        told.instrument(span_of(order)).await
    }

    async fn take_up_in_span(&self, order: &Order) -> Result<Done, CloudError> {
        match order {
            Order::Step { clinic, patient, enrollment, step } => {
                let clinic = parsed(ClinicId::parse(clinic))?;
                let patient = parsed(PatientId::parse(patient))?;
                let id = EnrollmentId::parse(enrollment).ok_or_else(bad_order)?;
                let due = |read: &Situation| Event::StepDue { step: *step, message: read.message_of(*step) };
                Box::pin(self.about(&clinic, &patient, Some(id), due)).await
            }
            Order::PatientChanged { clinic, patient } => {
                let clinic = parsed(ClinicId::parse(clinic))?;
                let patient = parsed(PatientId::parse(patient))?;
                Box::pin(self.about(&clinic, &patient, None, |_| Event::PatientChanged)).await
            }
            Order::Answered { clinic, patient, answer, at_ms } => {
                let (clinic, patient) = (parsed(ClinicId::parse(clinic))?, parsed(PatientId::parse(patient))?);
                let answer = Answer::of_code(answer).ok_or_else(bad_order)?;
                let at = DateTime::from_timestamp_millis(*at_ms).ok_or_else(bad_order)?;
                Box::pin(self.answered(&clinic, &patient, answer, at)).await
            }
            Order::Released { clinic, patient } => {
                let (clinic, patient) = (parsed(ClinicId::parse(clinic))?, parsed(PatientId::parse(patient))?);
                Box::pin(self.about(&clinic, &patient, None, |_| Event::Released)).await
            }
            Order::Say { clinic, patient, answer } => {
                let (clinic, patient) = (parsed(ClinicId::parse(clinic))?, parsed(PatientId::parse(patient))?);
                let answer = MessageId::parse(answer).ok_or_else(bad_order)?;
                Box::pin(self.say(&clinic, &patient, answer)).await
            }
            Order::SayStranger { clinic, answer } => {
                let answer = MessageId::parse(answer).ok_or_else(bad_order)?;
                Box::pin(self.say_to_stranger(&parsed(ClinicId::parse(clinic))?, answer)).await
            }
            Order::Freed { clinic, slot } => {
                Box::pin(crate::freed::offer(&self.reach, &parsed(ClinicId::parse(clinic))?, slot)).await
            }
            Order::Templates { clinic, act, attempt } => {
                Box::pin(self.templates(&parsed(ClinicId::parse(clinic))?, act, *attempt)).await
            }
            Order::Gateway { clinic, ask, until_ms } => {
                let until = until_ms.and_then(DateTime::from_timestamp_millis);
                Box::pin(self.gateway(&parsed(ClinicId::parse(clinic))?, *ask, until)).await
            }
            Order::Test { clinic, place } => Box::pin(self.send_test(&parsed(ClinicId::parse(clinic))?, place)).await,
            Order::Alert { clinic, about, tries } => {
                Box::pin(self.alert(&parsed(ClinicId::parse(clinic))?, about, *tries)).await
            }
            Order::Sweep { clinic } => {
                let clinic = parsed(ClinicId::parse(clinic))?;
                self.retest(&clinic).await?;
                crate::sweep::sweep(&self.reach, &clinic).await
            }
        }
    }

    /// Decides about an enrollment (by id, or the one the patient is in) until what was decided on
    /// still stands when it is committed.
    pub(crate) async fn about(
        &self,
        clinic: &ClinicId,
        patient: &PatientId,
        id: Option<EnrollmentId>,
        event: impl Fn(&Situation) -> Event,
    ) -> Result<Done, CloudError> {
        let tenant = self.reach.store.of(clinic);
        for _ in 0..TRIES_MAX {
            let Some(situation) = Situation::read(self, &tenant, patient, id).await? else { return Ok(Done::Nothing) };
            let decision = self.decide(&situation, &event(&situation));
            match self.carry_out(&tenant, &situation, decision).await? {
                Carried::Done(done) => return Ok(done),
                Carried::Changed => {}
            }
        }
        Err(CloudError::Retryable { operation: "dispatch", code: "kept_changing".to_owned() })
    }

    fn decide(&self, situation: &Situation, event: &Event) -> Decision {
        let copy = |step: &_| situation.copy_problem(step, &self.links);
        decide(&situation.stored.enrollment, event, situation.now, &situation.facts(&copy))
    }

    /// Whether the clinic had no two slots to offer a moment ago; then nobody asks again at once.
    pub(crate) fn lately_without_slots(&self, tenant: &TenantStore, now: DateTime<Utc>) -> bool {
        let since = lock(&self.without_slots).get(tenant.clinic()).copied();
        since.is_some_and(|since| since <= now && now - since < SLOTS_ASKED_AGAIN)
    }

    /// Notes that the clinic has no two slots to offer now.
    pub(crate) fn note_no_slots(&self, tenant: &TenantStore, now: DateTime<Utc>) {
        let mut without = lock(&self.without_slots);
        let since = without.entry(tenant.clinic().clone()).or_insert(now);
        if now - *since >= SLOTS_ASKED_AGAIN {
            *since = now;
        }
    }

    /// The thresholds by which membership is judged this week; they are frozen, so they are kept.
    pub(crate) async fn thresholds(&self, tenant: &TenantStore, week: IsoWeek) -> Result<Thresholds, CloudError> {
        let key = (tenant.clinic().clone(), week);
        if let Some(kept) = lock(&self.thresholds).get(&key) {
            return Ok(kept.clone());
        }
        let Some(frozen) = tenant.thresholds(week).await? else {
            // Before the week's first evaluation the last week's stand; not kept.
            return Ok(tenant.thresholds_before(week).await?.unwrap_or_default());
        };
        lock(&self.thresholds).insert(key, frozen.clone());
        Ok(frozen)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn bad_order() -> CloudError {
    CloudError::Permanent { operation: "dispatch", code: "unreadable_order".to_owned() }
}

fn parsed<T, E>(result: Result<T, E>) -> Result<T, CloudError> {
    result.map_err(|_| bad_order())
}
