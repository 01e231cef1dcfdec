//! `retorno audit`: how far the records are sealed, their export, and checking a file without any network.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use ledger_sealer::anchor::kept_in;
use ledger_sealer::key::PublicKey;
use ledger_sealer::verify::{Against, Restore, verify};
use retorno_domain::ids::ClinicId;
use serde_json::{Value, json};

use super::print::{json, list, out, text};
use super::{To, Which, clinic};
use crate::host::HostError;

/// `retorno audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Until when a clinic's records are sealed, and where the key and the digests are.
    Status {
        #[command(flatten)]
        which: Which,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// Write records and digests into a file of JSON lines.
    Export {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        which: Which,
        /// From this day on (UTC).
        #[arg(long)]
        from: Option<NaiveDate>,
        /// Up to and without this day (UTC).
        #[arg(long)]
        until: Option<NaiveDate>,
    },
    /// Check a file: recompute everything and say where the first difference is. Needs nothing that runs.
    Verify {
        /// The file that `export` wrote.
        file: PathBuf,
        /// A public key in PEM; several where the key was changed.
        #[arg(long, required = true)]
        public_key: Vec<PathBuf>,
        /// The folder of digests, or a copy of the bucket's: without it a cut at the end shows only in what
        /// the file says it covers.
        #[arg(long)]
        anchors: Option<PathBuf>,
        /// The file was exported from this day on (UTC); from the very beginning when left out.
        #[arg(long)]
        from: Option<NaiveDate>,
        /// The file was exported up to and without this day (UTC).
        #[arg(long)]
        until: Option<NaiveDate>,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
}

/// Runs it; only `verify` does without a running system.
///
/// # Errors
/// [`HostError`].
pub(super) async fn run(to: &To<'_>, args: &AuditArgs) -> Result<(), HostError> {
    match &args.act {
        Act::Status { which, json: as_json } => {
            let connection = to.connect().await?;
            let clinic = clinic(&connection, which).await?;
            let state: Value = connection.get(&["clinics", &clinic, "audit"], &[]).await?;
            if *as_json {
                json(&state);
            } else {
                let until = match text(&state, "sealed_until") {
                    "" => "nothing is sealed yet",
                    until => until,
                };
                let digests = state.get("digests").and_then(Value::as_u64).unwrap_or(0);
                // A stack's key and digests are where its outputs say.
                let or =
                    |name, otherwise| Some(text(&state, name)).filter(|text| !text.is_empty()).unwrap_or(otherwise);
                let (key, anchors) = (or("public_key", "DigestKeyArn"), or("anchors", "DigestBucket"));
                out(&format!(
                    "sealed until  {until}\ndigests       {digests}, kept in {anchors}\npublic key    {key}\n"
                ));
            }
            Ok(())
        }
        Act::Export { file, which, from, until } => {
            let connection = to.connect().await?;
            let clinic = clinic(&connection, which).await?;
            let bound =
                |day: &Option<NaiveDate>| day.and_then(start).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
            let (from, until) = (bound(from), bound(until));
            let range: Vec<(&str, &str)> = [("from", &from), ("until", &until)]
                .into_iter()
                .filter_map(|(name, at)| Some((name, at.as_deref()?)))
                .collect();
            let answer: Value = connection.get(&["clinics", &clinic, "audit", "export"], &range).await?;
            let lines: Vec<&str> = list(&answer, "lines").iter().filter_map(Value::as_str).collect();
            write(file, &(lines.join("\n") + "\n"))?;
            out(&format!("{} lines in {}\n", lines.len(), file.display()));
            Ok(())
        }
        Act::Verify { file, public_key, anchors, from, until, json } => {
            offline(file, public_key, anchors.as_deref(), (*from, *until), *json)
        }
    }
}

fn start(day: NaiveDate) -> Option<DateTime<Utc>> {
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

fn offline(
    file: &Path,
    keys: &[PathBuf],
    anchors: Option<&Path>,
    (from, until): (Option<NaiveDate>, Option<NaiveDate>),
    as_json: bool,
) -> Result<(), HostError> {
    let user = |error: &dyn std::fmt::Display| HostError::User(error.to_string());
    let ledger = read(file)?;
    let mut known = Vec::new();
    for path in keys {
        let key = PublicKey::from_pem(&read(path)?);
        known.push(key.map_err(|error| HostError::User(format!("{}: {error}", path.display())))?);
    }
    let anchors = match anchors {
        Some(folder) => {
            let head: Option<Value> = ledger.lines().next().and_then(|line| serde_json::from_str(line).ok());
            let of = head.as_ref().and_then(|head| head.pointer("/ledger/clinic")).and_then(Value::as_str);
            let of = ClinicId::parse(of.unwrap_or("")).map_err(|_| user(&"the file does not say whose it is"))?;
            Some(kept_in(folder, &of).map_err(|error| user(&error))?)
        }
        None => None,
    };
    let ms = |day: Option<NaiveDate>| day.and_then(start).map(|at| at.timestamp_millis());
    let against = Against { keys: &known, anchors: anchors.as_ref(), from_ms: ms(from), until_ms: ms(until) };
    let report = verify(ledger.lines(), &against).map_err(|fault| HostError::User(fault.to_string()))?;
    let at = |ms| DateTime::from_timestamp_millis(ms).map_or(String::new(), |at: DateTime<Utc>| at.to_rfc3339());
    let (from, until) = (at(report.covers_ms.0), at(report.covers_ms.1));
    if as_json {
        json(&json!({
            "clinic": report.clinic, "first": report.numbers.0, "last": report.numbers.1, "from": from,
            "until": until, "records": report.records, "late": report.late, "open": report.open,
            "anchored": report.anchored, "hash": report.hash, "restores": report.restores,
        }));
        return Ok(());
    }
    let late = if report.late > 0 { format!(" ({} appeared late)", report.late) } else { String::new() };
    let open = if report.open > 0 { format!("\nnot sealed yet: {}", report.open) } else { String::new() };
    let anchored = match anchors {
        Some(_) => format!("{} as kept outside the table", report.anchored),
        None => "not compared with what is kept outside (--anchors)".to_owned(),
    };
    out(&format!(
        "sound: clinic {}, {} records{late}\ndigests {} to {}, {anchored}\nsealed from {from} until {until}{open}\nhash {}\n",
        report.clinic, report.records, report.numbers.0, report.numbers.1, report.hash
    ));
    report.restores.iter().for_each(|restore| out(&restored(restore)));
    Ok(())
}

fn restored(restore: &Restore) -> String {
    let lost = match restore.lost {
        Some(lost) => format!("{lost} of their records are gone"),
        None => "--anchors tells how many of their records are gone".to_owned(),
    };
    format!(
        "the table was restored before digest {} (generation {}): digests {} to {} are kept outside only, {lost}\n",
        restore.digest, restore.generation, restore.forgotten_from, restore.forgotten_to
    )
}

fn read(path: &Path) -> Result<String, HostError> {
    std::fs::read_to_string(path)
        .map_err(|error| HostError::Io { what: format!("cannot read {}", path.display()), error })
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), HostError> {
    std::fs::write(path, text)
        .map_err(|error| HostError::Io { what: format!("cannot write {}", path.display()), error })
}
