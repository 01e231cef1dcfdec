//! `retorno patient`: everything held about one patient, and erasing them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::audit::write;
use super::print::{json, list, out, text};
use super::{Connection, Which, clinic};
use crate::host::HostError;

/// `retorno patient`.
#[derive(Debug, Args)]
pub struct PatientArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Everything held about a patient, as one JSON object.
    Export {
        /// The patient's id, as the clinic's system has it.
        patient: String,
        #[command(flatten)]
        which: Which,
        /// Into this file; standard output when absent.
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// Erase a patient. Nothing brings them back, and the next import leaves them out.
    Erase {
        /// The patient's id, as the clinic's system has it.
        patient: String,
        #[command(flatten)]
        which: Which,
        /// Why: requested, requested_by_guardian, deceased, mistake or no_longer_needed.
        #[arg(long)]
        reason: String,
        /// Do it; without it only what would follow is said.
        #[arg(long)]
        yes: bool,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Let an erased patient be imported again: they have come back.
    Readmit {
        /// The patient's id, as the clinic's system has it.
        patient: String,
        #[command(flatten)]
        which: Which,
    },
}

const CONSEQUENCES: &str =
    "Erasing takes away profile, consents, appointments, messages, what was said, surveys, waitlist,
call tasks and agreements of this patient. A sequence under way ends, and nothing more is sent.
Visits to come that were booked here are given up: call them off in the clinic's own system too.
The next import leaves this patient out. What opted out stays opted out. The audit keeps its
records, under a name that nothing leads to any more.
Run it again with --yes. This cannot be undone.
";

pub(super) async fn run(connection: &Connection, args: &PatientArgs) -> Result<(), HostError> {
    match &args.act {
        Act::Export { patient, which, output } => {
            let clinic = clinic(connection, which).await?;
            let all: Value = connection.get(&["clinics", &clinic, "patients", patient, "export"], &[]).await?;
            match output {
                None => json(&all),
                Some(path) => {
                    let text = serde_json::to_string_pretty(&all).map_err(|e| HostError::User(e.to_string()))?;
                    write(path, &(text + "\n"))?;
                    out(&format!("written to {}: it is personal data, keep it as such\n", path.display()));
                }
            }
        }
        Act::Erase { yes: false, .. } => out(CONSEQUENCES),
        Act::Erase { patient, which, reason, yes: true, json: as_json } => {
            let clinic = clinic(connection, which).await?;
            let path = ["clinics", &clinic, "patients", patient, "erase"];
            let done = connection.post_json(&path, &json!({ "reason": reason, "confirm": patient })).await?;
            if *as_json {
                json(&done);
                return Ok(());
            }
            match done.get("already").and_then(Value::as_bool) {
                Some(true) => out("erased before; nothing is left to do\n"),
                Some(false) | None => out("erased\n"),
            }
            for visit in list(&done, "freed") {
                let (start, with) = (text(visit, "start"), text(visit, "professional"));
                out(&format!("given up here, call it off in the clinic's system: {start} {with}\n"));
            }
        }
        Act::Readmit { patient, which } => {
            let clinic = clinic(connection, which).await?;
            let done: Value =
                connection.post_json(&["clinics", &clinic, "patients", patient, "readmit"], &json!({})).await?;
            out("the next import may bring them again\n");
            let kept = done.pointer("/marks/kept").and_then(Value::as_u64).unwrap_or(0);
            if kept > 0 {
                out("somebody of the same name and contact was erased under another number too: readmit that one as \
                     well, or they stay out\n");
            }
            if done.pointer("/marks/knows_all").and_then(Value::as_bool) == Some(false) {
                out("what else was noted of them when they were erased is not known: under the same name and contact \
                     they stay out\n");
            }
        }
    }
    Ok(())
}
