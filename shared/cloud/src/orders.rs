//! Orders to the dispatcher: the queue it reads, and the schedules that feed the queue. An order
//! carries ids, never content; whoever takes it up reads everything again.

use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use chrono::{DateTime, TimeDelta, Utc};
use retorno_domain::channel::Channel;
use retorno_domain::connection::Connection;
use retorno_domain::ids::{ClinicId, EnrollmentId, MessageId, PatientId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{CloudError, sort};
use crate::secrets::hex;

/// An order to the dispatcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
// An order may have been stored by an older version: what it says beyond is of no concern any more.
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// A step may be due.
    Step {
        /// The clinic.
        clinic: String,
        /// The patient.
        patient: String,
        /// The enrollment.
        enrollment: String,
        /// The step's number; one past the last for the closing of the cycle.
        step: usize,
    },
    /// Something about a patient changed.
    PatientChanged {
        /// The clinic.
        clinic: String,
        /// The patient.
        patient: String,
    },
    /// The patient answered: the sequence is to be told.
    Answered {
        /// The clinic.
        clinic: String,
        /// The patient.
        patient: String,
        /// What was answered; a word of [`retorno_domain::flow::Answer`].
        answer: String,
        /// When, in milliseconds since 1970: told twice, it is no news.
        at_ms: i64,
    },
    /// Staff gives a conversation back to the automation.
    Released {
        /// The clinic.
        clinic: String,
        /// The patient.
        patient: String,
    },
    /// An answer is to be said.
    Say {
        /// The clinic.
        clinic: String,
        /// The patient.
        patient: String,
        /// The answer.
        answer: String,
    },
    /// Somebody who is not on record is to be answered.
    SayStranger {
        /// The clinic.
        clinic: String,
        /// The answer.
        answer: String,
    },
    /// A slot has become free: it is to be offered to the next on the waitlist.
    Freed {
        /// The clinic.
        clinic: String,
        /// The slot, by reference.
        slot: String,
    },
    /// Something is to be done about the clinic's templates at Meta.
    Templates {
        /// The clinic.
        clinic: String,
        /// What.
        act: TemplateAct,
        /// How often Meta was asked for it in vain.
        #[serde(default)]
        attempt: u32,
    },
    /// The clinic's own gateway is to be asked something.
    Gateway {
        /// The clinic.
        clinic: String,
        /// What.
        ask: GatewayAsk,
        /// Asked again for so long (milliseconds since 1970) while that may bring something new.
        until_ms: Option<i64>,
    },
    /// A test message is to be sent to a number that staff gave.
    Test {
        /// The clinic.
        clinic: String,
        /// The test's place.
        place: String,
    },
    /// Staff is to be told of something on their browsers.
    Alert {
        /// The clinic.
        clinic: String,
        /// Of what.
        about: AlertAbout,
        /// How often it was tried before.
        #[serde(default)]
        tries: u8,
    },
    /// Look for what was lost: overdue steps, messages left open.
    Sweep {
        /// The clinic.
        clinic: String,
    },
}

impl Order {
    /// The same about this patient; as it is where it is about none.
    #[must_use]
    pub(crate) fn about(mut self, who: &str) -> Self {
        match &mut self {
            Self::Step { patient, .. }
            | Self::PatientChanged { patient, .. }
            | Self::Answered { patient, .. }
            | Self::Released { patient, .. }
            | Self::Say { patient, .. }
            | Self::Alert { about: AlertAbout::Conversation { patient, .. }, .. } => who.clone_into(patient),
            Self::SayStranger { .. }
            | Self::Freed { .. }
            | Self::Templates { .. }
            | Self::Gateway { .. }
            | Self::Test { .. }
            | Self::Alert {
                about: AlertAbout::Gateway { .. } | AlertAbout::Channel { .. } | AlertAbout::Browser { .. },
                ..
            }
            | Self::Sweep { .. } => {}
        }
        self
    }
}

/// What is to be done about a clinic's templates at Meta. Each is harmless to repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateAct {
    /// See how far they are, and whether our app receives the account's events.
    Refresh,
    /// Submit those that are missing.
    SubmitMissing,
    /// Submit one, by its name: also one that Meta refused, or that has another text there.
    Submit(String),
    /// Let our app receive the account's events.
    Subscribe,
}

/// What a gateway is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayAsk {
    /// How it stands.
    Check,
    /// The code that links the telephone; it is restarted where it stands still.
    Code,
    /// To unlink the telephone, if it is linked since that instant (milliseconds since 1970): asked
    /// again after it was linked anew, it is left alone.
    Unlink {
        /// The instant.
        linked_since_ms: i64,
    },
}

/// What staff is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum AlertAbout {
    /// A conversation waits for a person.
    Conversation {
        /// With whom.
        patient: String,
        /// Since when it waits (milliseconds since 1970).
        since_ms: i64,
        /// Whether it is urgent.
        urgent: bool,
    },
    /// The clinic's gateway does not send.
    Gateway {
        /// Since when (milliseconds since 1970).
        down_ms: i64,
    },
    /// A channel is halted.
    Channel {
        /// Its word.
        channel: String,
    },
    /// A browser is tried out.
    Browser {
        /// Its id.
        browser: String,
        /// When that was asked for (milliseconds since 1970).
        at_ms: i64,
    },
}

/// Where orders go.
#[derive(Debug, Clone)]
pub struct OrderTargets {
    /// URL of the dispatch queue.
    pub queue_url: String,
    /// ARN of the dispatch queue.
    pub queue_arn: String,
    /// ARN of the role that schedules assume.
    pub role_arn: String,
    /// The schedule group.
    pub group: String,
}

impl OrderTargets {
    /// From `DISPATCH_QUEUE_URL`, `DISPATCH_QUEUE_ARN`, `SCHEDULE_ROLE_ARN` and `SCHEDULE_GROUP`.
    ///
    /// # Errors
    /// [`CloudError::Setup`] names the variable that is missing.
    pub fn from_env() -> Result<Self, CloudError> {
        let get = |name: &str| std::env::var(name).map_err(|_| CloudError::Setup(format!("{name} is not set")));
        Ok(Self {
            queue_url: get("DISPATCH_QUEUE_URL")?,
            queue_arn: get("DISPATCH_QUEUE_ARN")?,
            role_arn: get("SCHEDULE_ROLE_ARN")?,
            group: get("SCHEDULE_GROUP")?,
        })
    }
}

/// The queue and the schedules.
#[derive(Debug, Clone)]
pub struct Orders {
    sqs: aws_sdk_sqs::Client,
    scheduler: aws_sdk_scheduler::Client,
    targets: OrderTargets,
}

/// A wake-up is asked for before what it wakes is committed, and must not overtake it: taken up sooner
/// it would find nothing to do, and only the sweep would find what was due.
pub const COMMIT_TAKES: TimeDelta = TimeDelta::seconds(5);

/// An order this near goes to the queue with a delay (SQS allows 900 s) instead of a schedule.
const QUEUE_DELAY_MAX: TimeDelta = TimeDelta::seconds(900);

impl Orders {
    /// Over these clients.
    #[must_use]
    pub fn new(sqs: aws_sdk_sqs::Client, scheduler: aws_sdk_scheduler::Client, targets: OrderTargets) -> Self {
        Self { sqs, scheduler, targets }
    }

    /// Puts an order on the queue, to be taken up at an instant within fifteen minutes (or at once).
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn queue(&self, order: &Order, now: DateTime<Utc>, at: DateTime<Utc>) -> Result<(), CloudError> {
        let delay = (at - now).clamp(TimeDelta::zero(), QUEUE_DELAY_MAX);
        // Rounded up: taken up too early, it would only be put back.
        let seconds = i32::try_from((delay.num_milliseconds() + 999) / 1_000).unwrap_or(0);
        let call = self.sqs.send_message().queue_url(&self.targets.queue_url).message_body(body(order)?);
        call.delay_seconds(seconds).send().await.map(|_| ()).map_err(|e| sort("SendMessage order", &e))
    }

    /// Sees to it that an order is taken up at an instant. `turn` tells apart orders that are
    /// otherwise the same; asking twice for the same one gives one schedule.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn wake(
        &self,
        order: &Order,
        turn: u32,
        now: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Result<(), CloudError> {
        if at - now <= QUEUE_DELAY_MAX {
            return self.queue(order, now, at).await;
        }
        let input = body(order)?;
        let name = hex(&Sha256::digest(format!("{input}#{turn}#{}", at.timestamp())));
        // Whole seconds, rounded up.
        let at = DateTime::from_timestamp(at.timestamp() + i64::from(at.timestamp_subsec_nanos() > 0), 0).unwrap_or(at);
        let setup = |_| CloudError::Permanent { operation: "CreateSchedule", code: "request".to_owned() };
        let target = Target::builder().arn(&self.targets.queue_arn).role_arn(&self.targets.role_arn).input(input);
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(setup)?;
        let call = self
            .scheduler
            .create_schedule()
            .name(name.get(..60).unwrap_or(&name))
            .group_name(&self.targets.group)
            .schedule_expression(format!("at({})", at.format("%Y-%m-%dT%H:%M:%S")))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(window)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target.build().map_err(setup)?);
        match call.send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conflict_exception()) => Ok(()),
            Err(e) => Err(sort("CreateSchedule", &e)),
        }
    }
}

fn body(order: &Order) -> Result<String, CloudError> {
    serde_json::to_string(order).map_err(|e| CloudError::Setup(e.to_string()))
}

/// The order to say an answer.
#[must_use]
pub fn say_order(clinic: &ClinicId, patient: &PatientId, answer: MessageId) -> Order {
    Order::Say { clinic: clinic.to_string(), patient: patient.to_string(), answer: answer.to_string() }
}

/// The order about a clinic's templates.
#[must_use]
pub fn templates_order(clinic: &ClinicId, act: TemplateAct) -> Order {
    Order::Templates { clinic: clinic.to_string(), act, attempt: 0 }
}

/// The order to tell staff that the clinic's gateway does not send, once that is to be told.
#[must_use]
pub fn gateway_alert(clinic: &ClinicId, connection: &Connection, now: DateTime<Utc>) -> Option<Order> {
    let down_ms = connection.to_be_told(now)?.timestamp_millis();
    Some(Order::Alert { clinic: clinic.to_string(), about: AlertAbout::Gateway { down_ms }, tries: 0 })
}

/// That a channel is halted is told so much later: whoever tells it goes by settings that old at most.
pub const ALERTED_AFTER: TimeDelta = TimeDelta::seconds(20);

/// The order to tell staff that a channel is halted.
#[must_use]
pub fn channel_alert(clinic: &ClinicId, channel: Channel) -> Order {
    let about = AlertAbout::Channel { channel: channel.code().to_owned() };
    Order::Alert { clinic: clinic.to_string(), about, tries: 0 }
}

/// The order about a step.
#[must_use]
pub fn step_order(clinic: &ClinicId, patient: &PatientId, enrollment: EnrollmentId, step: usize) -> Order {
    Order::Step { clinic: clinic.to_string(), patient: patient.to_string(), enrollment: enrollment.to_string(), step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_an_older_version_can_be_read() {
        let stored = r#"{"order":"released","clinic":"a","patient":"b","quiet_since_ms":5}"#;
        let order = serde_json::from_str::<Order>(stored).ok();
        assert_eq!(order, Some(Order::Released { clinic: "a".to_owned(), patient: "b".to_owned() }));
    }
}
