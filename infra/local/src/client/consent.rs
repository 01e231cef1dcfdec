//! `retorno consent`: what a patient agreed to, and recording more.

use std::fmt::Write as _;

use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};

use super::print::{json, list, out, text};
use super::{Connection, Which, clinic};
use crate::host::HostError;

/// `retorno consent`.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    /// The patient's id, as the clinic's system has it.
    patient: String,
    /// Records that the patient agrees to these channels: whatsapp, email, sms, call, push.
    #[arg(long = "in", value_delimiter = ',', conflicts_with = "out", requires = "how")]
    channels: Vec<String>,
    /// Records that the patient wants no more messages.
    #[arg(long, requires = "how")]
    out: bool,
    /// What it is about: marketing, care; both when absent.
    #[arg(long = "for", value_delimiter = ',')]
    purposes: Vec<String>,
    /// The day it was said, e.g. 2026-03-01; today when absent.
    #[arg(long)]
    on: Option<NaiveDate>,
    /// How it was said, for the record: in person, by phone, a signed form.
    #[arg(long)]
    how: Option<String>,
    #[command(flatten)]
    which: Which,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(connection: &Connection, args: &ConsentArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let path = ["clinics", &clinic, "patients", &args.patient, "consent"];
    let view: Value = if args.out || !args.channels.is_empty() {
        let said = json!({
            "wish": if args.out { "out" } else { "in" },
            "channels": args.channels,
            "purposes": args.purposes,
            "on": args.on,
            "how": args.how,
        });
        connection.post_json(&path, &said).await?
    } else {
        connection.get(&path, &[]).await?
    };
    if args.json {
        json(&view);
    } else {
        show(&view);
    }
    Ok(())
}

fn words(of: &Value, name: &str) -> String {
    list(of, name).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn show(view: &Value) {
    let mut said = String::new();
    for purpose in ["marketing", "care"] {
        let of = view.get(purpose).unwrap_or(&Value::Null);
        let stands = match words(of, "channels") {
            none if none.is_empty() => text(of, "reason").to_owned(),
            channels => format!("{channels} since {}", text(of, "since")),
        };
        let closed = words(of, "closed");
        let closed = if closed.is_empty() { closed } else { format!("; closed for the contact: {closed}") };
        let _ = writeln!(said, "{purpose:<10} {stands}{closed}");
    }
    for statement in list(view, "statements") {
        let channels = words(statement, "channels");
        let (on, wish, source) = (text(statement, "on"), text(statement, "wish"), text(statement, "source"));
        let _ = writeln!(said, "  {on}  {wish:<4} {channels} ({}; {source})", words(statement, "purposes"));
    }
    out(&said);
}
