//! What all answers are made from: the table, the orders, the time; and the clinic that is asked about.

use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::desk::{Desk, StaffDone};
use retorno_cloud::queue::Queue;
use retorno_cloud::store::{Collection, TenantStore};
use retorno_cloud::vault::{SecretGroup, Secrets};
use retorno_cloud::{CloudError, Reach};
use retorno_domain::clinic::Clinic;
use retorno_domain::ids::{ClinicId, PatientId};

use crate::problem::Problem;
use crate::talk::StaffAct;
use crate::thread::OnPhone;
use crate::why::{Steps, Why, why};

/// Lists of everything reach so far back where nobody says since when there is a clinic.
const BACK: TimeDelta = TimeDelta::days(400);

/// Something that is under way.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How far the clock goes on before an act: so that it comes after all that providers told before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Not at all.
    Now,
    /// A millisecond, as gateways tell instants.
    Milli,
    /// To the next whole second, as Meta tells them.
    Second,
}

/// What a system adds that runs in one process, where the clock stands still between two events and
/// whoever acts plays what follows.
pub trait Premises: Send + Sync {
    /// Since when there is a clinic; nothing when there is none.
    ///
    /// # Errors
    /// [`Problem`].
    fn since(&self, clinic: &str) -> Result<Option<DateTime<Utc>>, Problem>;

    /// That nothing is under way which an act could disturb; moves the clock on.
    ///
    /// # Errors
    /// [`Problem`] says what is under way.
    fn begin(&self, tick: Tick) -> Result<(), Problem>;

    /// Something may have changed that is shown.
    fn touch(&self);

    /// Plays what follows from an act.
    fn done(&self) -> Later<'_, Result<(), Problem>>;

    /// What a telephone of this system received of a message of ours.
    ///
    /// # Errors
    /// [`Problem`].
    fn on_the_phone(&self, clinic: &ClinicId, message: &str) -> Result<Option<OnPhone>, Problem>;

    /// Whoever knows the rules of a step.
    fn steps(&self) -> &dyn Steps;
}

/// What all answers are made from. Clones share it.
#[derive(Clone)]
pub struct Office {
    /// The table, the orders, the time.
    pub reach: Reach,
    /// The queue of what came in, where parked bodies are read again.
    pub(crate) inbound: Queue,
    /// The key that browsers subscribe to alerts with; empty where nobody is alerted.
    push_key: Arc<str>,
    premises: Option<Arc<dyn Premises>>,
}

/// The secrets that [`Office::from_env`] needs.
pub const SECRETS: &[SecretGroup] = &[SecretGroup::Contact];

/// A clinic, opened.
#[derive(Clone)]
pub struct OpenClinic {
    /// Its id.
    pub id: ClinicId,
    /// Its settings.
    pub clinic: Arc<Clinic>,
    /// What is stored of it.
    pub tenant: TenantStore,
    /// What is listed reaches back to this instant.
    pub since: DateTime<Utc>,
}

impl Office {
    /// Over the table and the queues: of orders, and of what came in. `push_key` is the public key that
    /// browsers subscribe with.
    #[must_use]
    pub fn new(reach: Reach, inbound: Queue, push_key: &str) -> Self {
        Self { reach, inbound, push_key: push_key.into(), premises: None }
    }

    /// The same in a system that runs in one process.
    #[must_use]
    pub fn on(self, premises: Arc<dyn Premises>) -> Self {
        Self { premises: Some(premises), ..self }
    }

    /// From the environment of the function and its secrets: what [`Reach::from_env`] reads,
    /// `INBOUND_QUEUE_URL`, and `VAPID_PUBLIC_KEY` where browsers may be alerted.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names what is missing.
    pub fn from_env(config: &retorno_cloud::aws::SdkConfig, secrets: &Secrets) -> Result<Self, CloudError> {
        let push_key = std::env::var("VAPID_PUBLIC_KEY").unwrap_or_default();
        Ok(Self::new(Reach::from_env(config, secrets)?, Queue::from_env(config, "INBOUND_QUEUE_URL")?, &push_key))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.reach.clock.now()
    }

    /// The key that browsers subscribe to alerts with.
    #[must_use]
    pub fn push_key(&self) -> &str {
        &self.push_key
    }

    /// One clinic.
    ///
    /// # Errors
    /// [`Problem`] when there is none of this id.
    pub async fn clinic(&self, id: &str) -> Result<OpenClinic, Problem> {
        let missing = || Problem::missing(format!("clinic {id:?}")).coded("clinic");
        let known = ClinicId::parse(id).map_err(|_| missing())?;
        let since = match &self.premises {
            Some(premises) => premises.since(id)?.ok_or_else(missing)?,
            None => self.now() - BACK,
        };
        match self.open(known, since).await {
            Err(CloudError::Missing(_)) => Err(missing()),
            opened => Ok(opened?),
        }
    }

    /// Opens a clinic whose id is known.
    ///
    /// # Errors
    /// [`CloudError::Missing`] when it is not set up.
    pub async fn open(&self, id: ClinicId, since: DateTime<Utc>) -> Result<OpenClinic, CloudError> {
        let tenant = self.reach.store.of(&id);
        let clinic = tenant.settings(self.now()).await?.clinic;
        Ok(OpenClinic { id, clinic, tenant, since })
    }

    /// A patient with everything about them.
    ///
    /// # Errors
    /// [`Problem`] when there is no such patient.
    pub async fn patient(&self, of: &OpenClinic, id: &PatientId) -> Result<Collection, Problem> {
        let found = of.tenant.collection(id).await?;
        found.ok_or_else(|| Problem::missing(format!("patient {id} of clinic {}", of.id)).coded("patient"))
    }

    /// Does what staff wants, once per event.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn staff(
        &self,
        of: &OpenClinic,
        patient: &PatientId,
        event: &str,
        act: &StaffAct,
    ) -> Result<StaffDone, Problem> {
        self.begin(Tick::Now)?;
        let (desk, tenant) = (self.desk(), &of.tenant);
        let done = match act {
            StaffAct::Write(words) => desk.write(tenant, patient, event, words).await?,
            StaffAct::TakeOver => desk.take_over(tenant, patient, event).await?,
            StaffAct::Release => desk.release(tenant, patient, event).await?,
            StaffAct::Consent(said, how) => desk.consent(tenant, patient, event, said, how).await?,
        };
        self.done().await?;
        Ok(done)
    }

    /// Why a patient is, or is not, written to.
    ///
    /// # Errors
    /// [`Problem`] when there is no such patient.
    pub async fn why(&self, of: &OpenClinic, id: &PatientId, at: Option<DateTime<Utc>>) -> Result<Why, Problem> {
        let steps = self.premises.as_ref().map(|premises| premises.steps());
        let why = why(&self.reach, steps, (&of.id, id), at).await?;
        why.ok_or_else(|| Problem::missing(format!("patient {id} of clinic {}", of.id)).coded("patient"))
    }

    /// What staff's acts are carried out by.
    pub(crate) fn desk(&self) -> Desk {
        Desk::new(self.reach.clone())
    }

    /// Before an act.
    pub(crate) fn begin(&self, tick: Tick) -> Result<(), Problem> {
        self.premises.as_ref().map_or(Ok(()), |premises| premises.begin(tick))
    }

    /// After an act: in the cloud the queue does what follows.
    pub(crate) async fn done(&self) -> Result<(), Problem> {
        match &self.premises {
            Some(premises) => premises.done().await,
            None => Ok(()),
        }
    }

    pub(crate) fn touch(&self) {
        if let Some(premises) = &self.premises {
            premises.touch();
        }
    }

    pub(crate) fn on_the_phone(&self, clinic: &ClinicId, message: &str) -> Result<Option<OnPhone>, Problem> {
        self.premises.as_ref().map_or(Ok(None), |premises| premises.on_the_phone(clinic, message))
    }
}
