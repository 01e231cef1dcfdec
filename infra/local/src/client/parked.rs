//! `retorno parked`: what providers told and nobody could read.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::print::{json, list, out, text};
use super::{Connection, local};
use crate::host::HostError;

/// `retorno parked`.
#[derive(Debug, Args)]
pub struct ParkedArgs {
    #[command(subcommand)]
    act: Option<Act>,
    /// One JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Read one again, after an upgrade.
    Replay {
        /// Its id.
        id: String,
    },
    /// Forget one.
    Discard {
        /// Its id.
        id: String,
    },
}

pub(super) async fn run(connection: &Connection, args: &ParkedArgs) -> Result<(), HostError> {
    let answer = match &args.act {
        None => {
            let parked: Value = connection.get(&["parked"], &[]).await?;
            if args.json {
                json(&parked);
            } else {
                show(&parked);
            }
            return Ok(());
        }
        Some(Act::Replay { id }) => connection.post_json(&["parked", id, "replay"], &json!({})).await?,
        Some(Act::Discard { id }) => connection.post_json(&["parked", id, "discard"], &json!({})).await?,
    };
    match (args.json, text(&answer, "replayed")) {
        (true, _) => json(&answer),
        (false, "read") => out("read, and parked no more\n"),
        (false, "partly") => out("read in part; what still cannot be read stays parked\n"),
        (false, "unreadable") => out("still cannot be read; it stays parked\n"),
        (false, "asked") => out("asked for: `retorno parked` lists it no more once it is read, or says why it stays\n"),
        (false, _) => out("discarded\n"),
    }
    Ok(())
}

fn show(parked: &Value) {
    let mut said = String::new();
    for body in list(parked, "bodies") {
        let number = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (id, entry, since) = (text(body, "id"), text(body, "entry"), local(text(body, "since")));
        let _ = writeln!(said, "{id}  {entry}  since {since}  {} bytes  {}x", number("bytes"), number("times"));
        let _ = writeln!(said, "    {}", text(body, "why"));
        if let Some(again) = body.get("again").filter(|again| again.is_object()) {
            let came = if text(again, "came") == "partly" { "read in part" } else { "it could not be read" };
            let _ = writeln!(said, "    read again {}: {came}", local(text(again, "at")));
        }
    }
    for lost in list(parked, "lost") {
        let count = lost.get("count").and_then(Value::as_u64).unwrap_or(0);
        let (entry, hour) = (text(lost, "entry"), local(text(lost, "hour")));
        let _ = writeln!(said, "{entry}  {count} more in the hour of {hour} were not kept");
    }
    out(if said.is_empty() { "nothing is parked\n" } else { &said });
}
