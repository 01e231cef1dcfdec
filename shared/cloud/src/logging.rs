//! Structured logs: one JSON object a line, ids only. A patient's name, contact or text is never a field.
//! Metrics are told through the same door and written as lines of their own ([`crate::metrics`]).

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::metrics::{Emf, TARGET};

/// Starts logging to standard error; `RUST_LOG` filters (a level, and `target=level` after commas),
/// `info` by default. The phone library writes what it parses at trace level, so it is kept silent
/// whatever the filter says. Metrics go to standard output whatever the filter says, under the name of
/// the deployment, which its table has too.
pub fn start() {
    let given = std::env::var("RUST_LOG").ok().and_then(|given| given.parse::<Targets>().ok());
    let filter = given.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let filter = filter.with_target("rlibphonenumber", LevelFilter::OFF).with_target(TARGET, LevelFilter::OFF);
    let lines = layer(std::io::stderr).with_filter(filter);
    let service = std::env::var("TABLE_NAME").unwrap_or_default();
    let metrics = Targets::new().with_target(TARGET, LevelFilter::INFO);
    let metrics = Emf::new(service, std::io::stdout(), now).with_filter(metrics);
    // A second start (tests) changes nothing.
    let _ = tracing_subscriber::registry().with(lines).with(metrics).try_init();
}

/// The lines alone, as [`start`] has them, for a writer of one's own.
pub fn lines<W>(writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::registry().with(layer(writer).with_filter(LevelFilter::INFO))
}

/// One JSON object a line: what is said, and the span in which it is said, whose fields are ids.
fn layer<S, W>(writer: W) -> impl tracing_subscriber::Layer<S> + Send + Sync
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer().json().with_span_list(false).with_writer(writer)
}

#[expect(clippy::disallowed_methods, reason = "when a line was written, on which nothing is decided")]
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
