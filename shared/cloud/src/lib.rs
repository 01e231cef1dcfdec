//! The half of Retorno that reaches: DynamoDB, SQS, EventBridge Scheduler, the channels, secrets.
//!
//! It loads, commits and carries out; it decides nothing (see `retorno-domain`). There is no store
//! trait and no fake: on a laptop and in tests the same AWS SDK speaks to an embedded engine
//! through its own HTTP connector.

pub mod aws;
pub mod channels;
pub mod clock;
pub mod desk;
pub mod error;
pub mod fetch;
pub mod ledger;
pub mod links;
pub mod logging;
pub mod metrics;
pub mod orders;
pub mod queue;
pub mod secrets;
pub mod store;
pub mod timetable;
pub mod vault;

pub use clock::Clock;
pub use error::CloudError;

use orders::Orders;
use store::Store;
use vault::Secrets;

/// What every function is handed: the table, the queue and schedules, and the time.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The table.
    pub store: Store,
    /// The dispatch queue and the schedules that feed it.
    pub orders: Orders,
    /// The time.
    pub clock: Clock,
}

impl Reach {
    /// From the environment of a function: `TABLE_NAME`, and what [`orders::OrderTargets`] reads; the
    /// secret `CONTACT_KEY`.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names what is missing.
    pub fn from_env(config: &aws_types::SdkConfig, secrets: &Secrets) -> Result<Self, CloudError> {
        let table = std::env::var("TABLE_NAME").map_err(|_| CloudError::Setup("TABLE_NAME is not set".to_owned()))?;
        let key = secrets.key("CONTACT_KEY")?;
        let orders = Orders::new(
            aws_sdk_sqs::Client::new(config),
            aws_sdk_scheduler::Client::new(config),
            orders::OrderTargets::from_env()?,
        );
        Ok(Self { store: Store::new(aws_sdk_dynamodb::Client::new(config), table, key), orders, clock: Clock::System })
    }
}
