//! `retorno strangers`, `agreements`, `find` and `number`: people who are not on record.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::print::{json as print_json, list, out, text};
use super::{Connection, Which, clinic, local};
use crate::host::HostError;

/// The fewest digits of an id by which it may be named.
const PREFIX_MIN: usize = 4;

/// `retorno strangers`.
#[derive(Debug, Args)]
pub struct StrangersArgs {
    #[command(subcommand)]
    act: Option<StrangersAct>,
    #[command(flatten)]
    which: Which,
    /// Show those that were set aside or attached as well.
    #[arg(long)]
    all: bool,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// What is done about a number that is not on record.
#[derive(Debug, Subcommand)]
pub(super) enum StrangersAct {
    /// Say whose the number is: what it wrote becomes the patient's word.
    Attach {
        /// The number's id, or its beginning.
        id: String,
        /// The patient's id, as the clinic's system has it.
        patient: String,
    },
    /// Answer on WhatsApp, within 24 hours of the person's last words.
    Answer {
        /// The number's id, or its beginning.
        id: String,
        /// What to say.
        text: String,
    },
    /// Set aside what the number wrote so far.
    Dismiss {
        /// The number's id, or its beginning.
        id: String,
    },
    /// Take that back.
    Restore {
        /// The number's id, or its beginning.
        id: String,
    },
    /// Write to the clinic from a number, on the sandbox phone.
    Write {
        /// The number, as in +5491155550100.
        phone: String,
        /// What is written.
        text: String,
    },
}

/// `retorno agreements`.
#[derive(Debug, Args)]
pub struct AgreementsArgs {
    #[command(subcommand)]
    act: Option<AgreementsAct>,
    #[command(flatten)]
    which: Which,
    /// Show those that were set aside, or are a patient's, as well.
    #[arg(long)]
    all: bool,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// What is done about an agreement of somebody who is not on record.
#[derive(Debug, Subcommand)]
pub(super) enum AgreementsAct {
    /// Say whose it is: it counts from its own day.
    Attach {
        /// The agreement's id, or its beginning.
        id: String,
        /// The patient's id, as the clinic's system has it.
        patient: String,
    },
    /// Set it aside.
    Dismiss {
        /// The agreement's id, or its beginning.
        id: String,
    },
    /// Take that back.
    Restore {
        /// The agreement's id, or its beginning.
        id: String,
    },
}

/// `retorno find`.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// A name or a part of it, or the patient's id.
    text: String,
    #[command(flatten)]
    which: Which,
    /// One JSON array on standard output.
    #[arg(long)]
    json: bool,
}

/// `retorno number`.
#[derive(Debug, Args)]
pub struct NumberArgs {
    /// The patient's id, as the clinic's system has it.
    patient: String,
    /// A number reported wrong is the patient's after all.
    #[arg(long, conflicts_with = "forget", required_unless_present = "forget", requires = "confirm")]
    right: bool,
    /// Take back a phone that staff noted: what the clinic's system says holds again.
    #[arg(long)]
    forget: bool,
    /// You have made sure of it.
    #[arg(long)]
    confirm: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) async fn strangers(connection: &Connection, args: &StrangersArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let now = connection.get(&["clinics", &clinic, "strangers"], &[]).await?;
    let at = |id: &str| whole(&now, &["strangers", "dealt_with"], id);
    let view: Value = match &args.act {
        None => now,
        Some(StrangersAct::Attach { id, patient }) => {
            let path = ["clinics", &clinic, "strangers", &at(id)?, "attach"];
            connection.post_json(&path, &json!({ "patient": patient })).await?
        }
        Some(StrangersAct::Answer { id, text }) => {
            let path = ["clinics", &clinic, "strangers", &at(id)?, "answer"];
            connection.post_json(&path, &json!({ "text": text })).await?
        }
        Some(StrangersAct::Dismiss { id }) => {
            connection.post_json(&["clinics", &clinic, "strangers", &at(id)?, "dismiss"], &json!({})).await?
        }
        Some(StrangersAct::Restore { id }) => {
            connection.post_json(&["clinics", &clinic, "strangers", &at(id)?, "restore"], &json!({})).await?
        }
        Some(StrangersAct::Write { phone, text }) => {
            let path = ["clinics", &clinic, "strangers", "write"];
            connection.post_json(&path, &json!({ "phone": phone, "text": text })).await?
        }
    };
    if args.json {
        print_json(&view);
        return Ok(());
    }
    let mut said = String::new();
    for stranger in list(&view, "strangers") {
        number(&mut said, stranger);
    }
    for stranger in list(&view, "dealt_with").iter().filter(|_| args.all) {
        number(&mut said, stranger);
    }
    out(if said.is_empty() { "nobody who is not on record has written\n" } else { &said });
    Ok(())
}

pub(super) async fn agreements(connection: &Connection, args: &AgreementsArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let now: Value = connection.get(&["clinics", &clinic, "strangers"], &[]).await?;
    let at = |id: &str| whole(&now, &["agreements", "settled_agreements"], id);
    let view = match &args.act {
        None => now,
        Some(AgreementsAct::Attach { id, patient }) => {
            let path = ["clinics", &clinic, "agreements", &at(id)?, "attach"];
            connection.post_json(&path, &json!({ "patient": patient })).await?
        }
        Some(AgreementsAct::Dismiss { id }) => {
            connection.post_json(&["clinics", &clinic, "agreements", &at(id)?, "dismiss"], &json!({})).await?
        }
        Some(AgreementsAct::Restore { id }) => {
            connection.post_json(&["clinics", &clinic, "agreements", &at(id)?, "restore"], &json!({})).await?
        }
    };
    if args.json {
        print_json(&view);
        return Ok(());
    }
    let mut said = String::new();
    for agreement in list(&view, "agreements") {
        agreed(&mut said, agreement);
    }
    for agreement in list(&view, "settled_agreements").iter().filter(|_| args.all) {
        agreed(&mut said, agreement);
    }
    out(if said.is_empty() { "no agreement waits for whose it is\n" } else { &said });
    Ok(())
}

pub(super) async fn find(connection: &Connection, args: &FindArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let found = connection.post_json(&["clinics", &clinic, "find"], &json!({ "text": args.text })).await?;
    if args.json {
        print_json(&found);
        return Ok(());
    }
    let mut said = String::new();
    for patient in found.as_array().into_iter().flatten() {
        let _ = writeln!(said, "{}  {}", text(patient, "patient_id"), text(patient, "name"));
    }
    out(if said.is_empty() { "no patient of that name or id\n" } else { &said });
    Ok(())
}

pub(super) async fn number_of(connection: &Connection, args: &NumberArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let what = if args.right { "right-number" } else { "forget-number" };
    let body = if args.right { json!({ "confirm": args.confirm }) } else { json!({}) };
    connection.post_json(&["clinics", &clinic, "patients", &args.patient, what], &body).await?;
    out(if args.right { "the number is the patient's again\n" } else { "what the clinic's system says holds again\n" });
    Ok(())
}

/// The whole id of which this is the beginning.
fn whole(view: &Value, lists: &[&str], id: &str) -> Result<String, HostError> {
    let ids = lists.iter().flat_map(|name| list(view, name)).map(|of| text(of, "id"));
    let found: Vec<&str> = ids.filter(|known| known.starts_with(id)).collect();
    match found.as_slice() {
        [only] if id.len() >= PREFIX_MIN => Ok((*only).to_owned()),
        [] => Err(HostError::User("there is none of that id; list them first".to_owned())),
        _ => Err(HostError::User("several ids begin so: write more of it".to_owned())),
    }
}

fn may_be(said: &mut String, of: &Value) {
    let name = |one: &Value| format!("{} {}", text(one, "patient_id"), text(one, "name"));
    let names: Vec<String> = list(of, "may_be").iter().map(name).collect();
    if !names.is_empty() {
        let _ = writeln!(said, "    may be: {}", names.join(", "));
    }
}

fn number(said: &mut String, stranger: &Value) {
    let phone = stranger.get("phone").and_then(Value::as_str).unwrap_or("a hidden number");
    let (id, state) = (text(stranger, "id"), text(stranger, "state"));
    let owner = text(stranger, "patient_id");
    let marks = [text(stranger, "urgency"), text(stranger, "reason"), if state == "open" { "" } else { state }, owner];
    let marks: Vec<&str> = marks.into_iter().filter(|mark| !mark.is_empty()).collect();
    let _ = writeln!(said, "{}  {phone}  {}", id.get(..8).unwrap_or(id), marks.join(" · "));
    for word in list(stranger, "words") {
        let _ = writeln!(said, "    {}  {}: {}", local(text(word, "at")), text(word, "intent"), text(word, "text"));
    }
    for answer in list(stranger, "answers") {
        let why = text(answer, "reason");
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        let (at, state) = (local(text(answer, "at")), text(answer, "state"));
        let _ = writeln!(said, "    {at}  answered, {state}{why}: {}", text(answer, "text"));
    }
    may_be(said, stranger);
    if state == "open" {
        let opted_out = stranger.get("opted_out").and_then(Value::as_bool) == Some(true);
        let until = text(stranger, "window_until");
        let _ = match (opted_out, until.is_empty()) {
            (true, _) => writeln!(said, "    wants no messages: call if you must"),
            (false, true) => writeln!(said, "    the 24 hours to answer on WhatsApp are over: call"),
            (false, false) => writeln!(said, "    can be answered on WhatsApp until {}", local(until)),
        };
    }
}

fn agreed(said: &mut String, agreement: &Value) {
    let id = text(agreement, "id");
    let channels: Vec<&str> = list(agreement, "channels").iter().filter_map(Value::as_str).collect();
    let contact = [text(agreement, "name"), text(agreement, "phone"), text(agreement, "email")];
    let contact: Vec<&str> = contact.into_iter().filter(|part| !part.is_empty()).collect();
    let state = [text(agreement, "state"), text(agreement, "patient_id")].join(" ");
    let _ = writeln!(said, "{}  {}  {}", id.get(..8).unwrap_or(id), contact.join(" · "), state.trim());
    let _ = writeln!(said, "    {}  {}", local(text(agreement, "at")), channels.join(", "));
    let _ = writeln!(said, "    {}", text(agreement, "wording"));
    may_be(said, agreement);
}
