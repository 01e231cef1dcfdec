//! Structured logs: one JSON object a line, ids only. A patient's name, contact or text is never a field.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error; `RUST_LOG` filters, `info` by default. The phone library
/// writes what it parses at trace level, so it is kept silent whatever the filter says.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = match "rlibphonenumber=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    // A second start (tests) changes nothing.
    let _ = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
