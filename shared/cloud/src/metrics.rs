//! What alarms look at, as CloudWatch reads it out of a function's log: the embedded metric format
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//! A metric is told only when there is something to tell: a metric nobody writes costs nothing. It has one
//! dimension, the deployment, and never a clinic or a person.

use std::io::Write;
use std::sync::Mutex;

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The target of events that are metrics, so that whoever logs can tell them from messages.
pub const TARGET: &str = "retorno::metric";
/// The namespace in CloudWatch.
const NAMESPACE: &str = "Retorno";

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Seconds by which the oldest step that lost its wake-up is late.
    OverdueStepAge,
    /// Messages and answers of which it cannot be known whether a provider took them.
    UnknownSends,
    /// Requests to a hook whose proof was missing or wrong.
    SignatureFailures,
    /// Channels and templates that were halted: a person must act.
    Halts,
    /// Bodies that a proven sender sent and nobody could read.
    ParkedBodies,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::OverdueStepAge, Self::UnknownSends, Self::SignatureFailures, Self::Halts, Self::ParkedBodies];

    /// Its name in CloudWatch.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OverdueStepAge => "OverdueStepAge",
            Self::UnknownSends => "UnknownSends",
            Self::SignatureFailures => "SignatureFailures",
            Self::Halts => "Halts",
            Self::ParkedBodies => "ParkedBodies",
        }
    }

    fn unit(name: &str) -> &'static str {
        if name == Self::OverdueStepAge.name() { "Seconds" } else { "Count" }
    }

    /// Tells that there was so much of it.
    pub fn tell(self, value: u64) {
        tracing::info!(target: TARGET, metric = self.name(), value);
    }
}

/// One line of the embedded metric format.
fn line(service: &str, metric: &str, value: u64, millis: i64) -> Value {
    json!({
        "_aws": {
            "Timestamp": millis,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Service"]],
                "Metrics": [{ "Name": metric, "Unit": Metric::unit(metric) }],
            }],
        },
        "Service": service,
        metric: value,
    })
}

/// Writes metrics, each as a line of its own.
pub(crate) struct Emf<W> {
    service: String,
    out: Mutex<W>,
    now: fn() -> i64,
}

impl<W: Write> Emf<W> {
    pub(crate) fn new(service: String, out: W, now: fn() -> i64) -> Self {
        Self { service, out: Mutex::new(out), now }
    }
}

#[derive(Default)]
struct Told {
    metric: Option<String>,
    value: u64,
}

impl Visit for Told {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "metric" {
            self.metric = Some(value.to_owned());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "value" {
            self.value = value;
        }
    }
}

impl<S: Subscriber, W: Write + 'static> Layer<S> for Emf<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut told = Told::default();
        event.record(&mut told);
        let Some(metric) = told.metric else { return };
        let line = line(&self.service, &metric, told.value, (self.now)());
        if let Ok(mut out) = self.out.lock() {
            // There is nowhere to say that a log cannot be written.
            let _ = writeln!(out, "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use std::sync::Arc;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_metric_is_one_line_of_the_format_and_a_message_is_none() {
        let kept = Kept::default();
        let emf = Emf::new("retorno-prod".to_owned(), kept.clone(), || 1_790_000_000_000);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(emf), || {
            tracing::warn!(metric = "UnknownSends", "a message");
            Metric::UnknownSends.tell(2);
            Metric::OverdueStepAge.tell(900);
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["UnknownSends"], 2);
        assert_eq!(lines[0]["Service"], "retorno-prod");
        assert_eq!(lines[0]["_aws"]["Timestamp"], 1_790_000_000_000_i64);
        let told = &lines[1]["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(told["Namespace"], "Retorno");
        assert_eq!(told["Metrics"][0], json!({ "Name": "OverdueStepAge", "Unit": "Seconds" }));
        // Each dimension is one of the line's own keys.
        assert_eq!(told["Dimensions"], json!([["Service"]]));
    }
}
