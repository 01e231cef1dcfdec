//! Structured logs: one JSON object a line, ids only. A patient's name, contact or text is never a field.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging to standard error; `RUST_LOG` filters (a level, and `target=level` after commas),
/// `info` by default. The phone library writes what it parses at trace level, so it is kept silent
/// whatever the filter says.
pub fn start() {
    let given = std::env::var("RUST_LOG").ok().and_then(|given| given.parse::<Targets>().ok());
    let filter = given.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let filter = filter.with_target("rlibphonenumber", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    // A second start (tests) changes nothing.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
