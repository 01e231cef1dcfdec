//! Where the parts of a stack stand, as a clinic that is added to it needs them.

use retorno_cloud::aws::SdkConfig;
use retorno_cloud::orders::{OrderTargets, Orders};
use retorno_cloud::store::Store;
use retorno_cloud::{Clock, Reach};

use super::Outputs;
use crate::host::HostError;

/// The table, the queue and the schedules of a stack.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The table's name.
    pub table: String,
    /// The dispatch queue and the schedules that feed it.
    pub orders: OrderTargets,
    /// ARN of the function that a clinic's morning starts.
    pub evaluator_arn: String,
    /// ARN of the function that seals a clinic's audit records each hour.
    pub sealer_arn: String,
    /// ARN of the role by which both are started.
    pub morning_role_arn: String,
}

impl Addresses {
    /// From the outputs of a stack.
    ///
    /// # Errors
    /// [`HostError::User`] names the output that is missing.
    pub fn of(outputs: &Outputs) -> Result<Self, HostError> {
        let get = |name: &str| outputs.get(name).map(str::to_owned);
        Ok(Self {
            table: get("TableName")?,
            orders: OrderTargets {
                queue_url: get("DispatchQueueUrl")?,
                queue_arn: get("DispatchQueueArn")?,
                role_arn: get("ScheduleRoleArn")?,
                group: get("ScheduleGroup")?,
            },
            evaluator_arn: get("SegmentEvaluatorArn")?,
            sealer_arn: get("LedgerSealerArn")?,
            morning_role_arn: get("MorningRoleArn")?,
        })
    }

    /// The way to it. The stack's own key of contact points stays where it is: nothing that is done from
    /// here concerns a contact point.
    ///
    /// # Errors
    /// [`HostError`] when there is no randomness.
    pub fn reach(&self, config: &SdkConfig) -> Result<Reach, HostError> {
        let store = Store::without_contacts(aws_sdk_dynamodb::Client::new(config), &self.table)?;
        let (sqs, scheduler) = (aws_sdk_sqs::Client::new(config), aws_sdk_scheduler::Client::new(config));
        Ok(Reach { store, orders: Orders::new(sqs, scheduler, self.orders.clone()), clock: Clock::System })
    }
}
