//! Structured logs: one JSON object a line, ids only. A patient's name, contact or text is never a field.
//! Metrics are told through the same door and written as lines of their own ([`crate::metrics`]).

use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::metrics::{Emf, TARGET};

/// Starts logging to standard error; `RUST_LOG` filters, `info` by default. The phone library
/// writes what it parses at trace level, so it is kept silent whatever the filter says. Metrics go to
/// standard output whatever the filter says, under the name of the deployment, which its table has too.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = match "rlibphonenumber=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    let messages = filter_fn(|event| event.target() != TARGET);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    let lines = lines.with_filter(filter).with_filter(messages);
    let service = std::env::var("TABLE_NAME").unwrap_or_default();
    let emf = Emf::new(service, std::io::stdout(), now).with_filter(filter_fn(|event| event.target() == TARGET));
    // A second start (tests) changes nothing.
    let _ = tracing_subscriber::registry().with(lines).with(emf).try_init();
}

#[expect(clippy::disallowed_methods, reason = "when a line was written, on which nothing is decided")]
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
