//! What staff does: `retorno reply`, `take-over`, `hand-back` and `attest`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::print::{json, list, out, text};
use super::{Connection, ThreadArgs, Which, clinic, talk};
use crate::host::HostError;

/// `retorno reply`.
#[derive(Debug, Args)]
pub struct ReplyArgs {
    /// The patient's id, as the clinic's system has it.
    patient: String,
    /// What is answered, on WhatsApp.
    text: String,
    #[command(flatten)]
    which: Which,
    /// One JSON array on standard output.
    #[arg(long)]
    json: bool,
}

/// `retorno attest`.
#[derive(Debug, Args)]
pub struct AttestArgs {
    /// The agreements (CSV: paciente_id, canales, fecha, como).
    file: PathBuf,
    /// Who attests to them.
    #[arg(long)]
    attested_by: String,
    #[command(flatten)]
    which: Which,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

pub(super) async fn reply(connection: &Connection, args: &ReplyArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let path = ["clinics", &clinic, "patients", &args.patient, "reply"];
    talk::thread(&connection.post_json(&path, &json!({ "text": args.text })).await?, args.json);
    Ok(())
}

/// Takes a conversation over (`hold`), or hands it back (`release`).
pub(super) async fn hold(connection: &Connection, args: &ThreadArgs, what: &str) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let lines = connection.post_json(&["clinics", &clinic, "patients", &args.patient, what], &json!({})).await?;
    if args.json {
        json(&lines);
    } else {
        out(if what == "hold" { "staff has the conversation\n" } else { "handed back\n" });
    }
    Ok(())
}

pub(super) async fn attest(connection: &Connection, args: &AttestArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let file = std::fs::read_to_string(&args.file)
        .map_err(|error| HostError::Io { what: format!("cannot read {}", args.file.display()), error })?;
    let done =
        connection.post_text(&["clinics", &clinic, "consents"], &[("attested_by", &args.attested_by)], file).await?;
    if args.json {
        json(&done);
    } else {
        show(&done);
    }
    Ok(())
}

fn show(done: &Value) {
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_u64).unwrap_or(0);
    let [read, recorded, repeated, refused] =
        ["read", "recorded", "repeated", "refused"].map(|name| number(done, name));
    let mut said = format!("{read} rows read: {recorded} recorded, {repeated} recorded before, {refused} refused\n");
    for row in list(done, "rejected") {
        let _ = writeln!(said, "  line {} {}: {}", number(row, "line"), text(row, "column"), text(row, "reason"));
    }
    out(&said);
}
