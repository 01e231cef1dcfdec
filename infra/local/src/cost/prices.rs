//! What AWS asks, what is assumed, and what stands in the stack.

use serde::Deserialize;

use crate::host::{HostError, Work};

/// List prices and assumptions: `prices.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The month in which they were read.
    pub read: String,
    pub(super) per_million: PerMillion,
    pub(super) per_unit: PerUnit,
    pub(super) assumed: Assumed,
    pub(super) memory_mb: Memory,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PerMillion {
    pub lambda_requests: f64,
    pub table_read_units: f64,
    pub table_write_units: f64,
    pub queue_requests: f64,
    pub schedules_fired: f64,
    pub api_requests: f64,
    pub notifications: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PerUnit {
    pub lambda_gb_second_arm: f64,
    pub log_gb: f64,
    pub table_gb_month: f64,
    pub table_backup_gb_month: f64,
    pub bucket_gb_month: f64,
    pub bucket_put: f64,
    pub alarm_month: f64,
    pub key_month: f64,
    pub signature: f64,
    pub account_month: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Assumed {
    pub request_ms: f64,
    pub provider_ms: f64,
    pub other_requests: f64,
    pub log_bytes: f64,
    pub polls_a_minute: f64,
    pub seal_read_units: f64,
}

/// Memory of the functions, in MB, as the template has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    pub export_importer: u32,
    pub segment_evaluator: u32,
    pub step_dispatcher: u32,
    pub inbound_webhook: u32,
    pub ledger_sealer: u32,
}

impl Memory {
    pub(super) fn of(&self, work: Work) -> u32 {
        match work {
            Work::Import => self.export_importer,
            Work::Evaluation => self.segment_evaluator,
            Work::Order | Work::Sweep => self.step_dispatcher,
            Work::Hook | Work::Events => self.inbound_webhook,
        }
    }
}

impl Prices {
    /// Those of this version.
    ///
    /// # Errors
    /// [`HostError::User`] when the file is not of its form.
    pub fn known() -> Result<Self, HostError> {
        toml::from_str(include_str!("prices.toml")).map_err(|error| HostError::User(format!("prices.toml: {error}")))
    }
}

/// What in a stack costs something while nobody uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stack {
    /// Customer keys.
    pub keys: u32,
    /// Alarms of a stack with the parameters' defaults: those under no condition.
    pub alarms: u32,
    /// Queues that a function is fed from.
    pub polled_queues: u32,
}

impl Stack {
    /// As the template declares it.
    #[must_use]
    pub fn of(template: &str) -> Self {
        let lines = |wanted: &str| {
            let lines = template.lines().map(str::trim).filter(|line| *line == wanted);
            u32::try_from(lines.count()).unwrap_or(u32::MAX)
        };
        let count = |kind: &str| lines(&format!("Type: {kind}"));
        Self {
            keys: count("AWS::KMS::Key"),
            alarms: count("AWS::CloudWatch::Alarm").saturating_sub(lines("Condition: HasAllAlarms")),
            polled_queues: count("SQS") + count("AWS::Lambda::EventSourceMapping"),
        }
    }
}
