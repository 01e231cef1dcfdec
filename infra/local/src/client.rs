//! The commands that speak to the running system. Its address stands in its data folder.

mod advance;
mod audit;
mod browser;
mod connection;
mod consent;
mod line;
mod login;
mod parked;
mod patient;
mod print;
mod session;
mod slots;
mod staff;
mod strangers;
mod talk;
mod templates;
mod whom;

use std::path::PathBuf;
use std::time::Duration;

use chrono::DateTime;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use retorno_domain::ids::ClinicId;
use serde_json::{Value, json};

use crate::host::HostError;
use crate::server::{State, Work};
use crate::settings_file::{with_zone, zone_of_export};
use crate::why::Why;
use connection::Connection;
pub use login::{LoginArgs, login};
pub use templates::{TemplatesAct, TemplatesArgs};
use whom::clinic;
pub use whom::{To, Which};

/// A command to the running system.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Import an export into a clinic of the running system.
    Import(ImportArgs),
    /// Show the coming free slots; replace them by those of a file, or look at and save timetables.
    Slots(SlotsArgs),
    /// Show who belongs to each segment, who could be enrolled, and why the others not.
    Segments(ListArgs),
    /// Move the clock of the running system forward and play what is on the way.
    Advance(AdvanceArgs),
    /// Show the last messages and call tasks.
    Outbox(OutboxArgs),
    /// Explain why a patient is, or is not, written to.
    Why(WhyArgs),
    /// Write to the clinic as a patient, on the sandbox phone, and show what follows.
    Write(WriteArgs),
    /// Show the conversation with a patient.
    Thread(ThreadArgs),
    /// Answer a patient on WhatsApp in words of your own.
    Reply(staff::ReplyArgs),
    /// Take a patient's conversation: what is automatic stays silent until it is handed back.
    TakeOver(ThreadArgs),
    /// Hand a patient's conversation back to the system.
    HandBack(ThreadArgs),
    /// Record agreements gathered elsewhere, in bulk, by somebody who attests to them.
    Attest(staff::AttestArgs),
    /// Show what a patient agreed to, for which purpose, or record what they say about it.
    Consent(consent::ConsentArgs),
    /// Show what a patient's browsers on this machine show, let one be told, or withdraw that.
    Browser(browser::BrowserArgs),
    /// Show what providers told and nobody could read, read it again, or discard it.
    Parked(parked::ParkedArgs),
    /// Show which conversations wait for a person.
    Inbox(ListArgs),
    /// Show who wrote and is not on record; answer, say whose the number is, set aside.
    Strangers(strangers::StrangersArgs),
    /// Show agreements of people who are not on record; say whose they are, set aside.
    Agreements(strangers::AgreementsArgs),
    /// Find patients by name or id.
    Find(strangers::FindArgs),
    /// Say that a patient's number is right after all, or take back one that staff noted.
    Number(strangers::NumberArgs),
    /// Show how far the WhatsApp templates are at Meta, submit those that are missing, look again.
    Templates(TemplatesArgs),
    /// Show what was booked through us, and who waits for a slot.
    Agenda(ListArgs),
    /// Show until when the audit records are sealed, export them, check a file of them off-line.
    Audit(audit::AuditArgs),
    /// Everything held about one patient as a file; erase a patient.
    Patient(patient::PatientArgs),
    /// Show how a clinic's channels stand, link the telephone of its gateway, send a test message.
    Connection(line::LineArgs),
}

/// `retorno import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The export of the appointment system (CSV, UTF-8, standard columns).
    file: PathBuf,
    #[command(flatten)]
    which: Which,
    /// Set up a new clinic of this id first; its zone is the export's unless its settings name one.
    #[arg(long, conflicts_with = "clinic")]
    new_clinic: Option<String>,
    /// The new clinic's settings (TOML).
    #[arg(long, requires = "new_clinic")]
    settings: Option<PathBuf>,
}

/// `retorno slots`.
#[derive(Debug, Args)]
pub struct SlotsArgs {
    /// The free slots (CSV), in the place of those known; without it they are shown.
    file: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Show what the [[timetable]] entries of this file (TOML) would give; nothing is changed.
    #[arg(long, conflicts_with = "file")]
    timetable: Option<PathBuf>,
    /// Save those entries in the clinic's settings; `timetable = []` takes all out.
    #[arg(long, requires = "timetable")]
    save: bool,
    /// How many days are shown.
    #[arg(long, default_value_t = 28)]
    days: u16,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// `retorno segments`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    which: Which,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// `retorno advance`.
#[derive(Debug, Args)]
pub struct AdvanceArgs {
    /// `next` (until the next message), a span such as 3h, 1d or 2w, or an instant such as
    /// 2026-03-01T09:00 (the clinic's zone).
    by: String,
    #[command(flatten)]
    which: Which,
}

/// `retorno outbox`.
#[derive(Debug, Args)]
pub struct OutboxArgs {
    #[command(flatten)]
    which: Which,
    /// How many at most, the newest first.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// One JSON array on standard output.
    #[arg(long)]
    json: bool,
}

/// `retorno why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The patient's id, as the clinic's system has it.
    patient: String,
    #[command(flatten)]
    which: Which,
    /// At which instant, e.g. 2026-03-01T09:00 (the clinic's zone); now when absent.
    #[arg(long)]
    at: Option<String>,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// `retorno write`.
#[derive(Debug, Args)]
pub struct WriteArgs {
    /// The patient's id, as the clinic's system has it.
    patient: String,
    /// What the patient writes.
    text: String,
    #[command(flatten)]
    which: Which,
    /// One JSON array on standard output.
    #[arg(long)]
    json: bool,
}

/// `retorno thread`.
#[derive(Debug, Args)]
pub struct ThreadArgs {
    /// The patient's id, as the clinic's system has it.
    patient: String,
    #[command(flatten)]
    which: Which,
    /// One JSON array on standard output.
    #[arg(long)]
    json: bool,
}

/// How often a move of the clock is asked how far it is.
const ASKED_EVERY: Duration = Duration::from_millis(250);

/// Runs a command against the system that it is for.
///
/// # Errors
/// [`HostError::User`]: it is not running, or what it answered.
pub async fn run(command: &ClientCommand, to: &To<'_>) -> Result<(), HostError> {
    if let ClientCommand::Audit(args) = command {
        return audit::run(to, args).await;
    }
    let connection = to.connect().await?;
    match command {
        ClientCommand::Import(args) => import(&connection, args).await,
        ClientCommand::Slots(args) => {
            let clinic = clinic(&connection, &args.which).await?;
            slots(&connection, &clinic, args).await
        }
        ClientCommand::Segments(args) => segments(&connection, args).await,
        ClientCommand::Advance(args) => advance::advance(&connection, args).await,
        ClientCommand::Outbox(args) => {
            let clinic = clinic(&connection, &args.which).await?;
            let limit = args.limit.to_string();
            let list: Value = connection.get(&["clinics", &clinic, "outbox"], &[("limit", &limit)]).await?;
            if args.json {
                print::json(&list)
            } else {
                print::outbox(&list)
            }
            Ok(())
        }
        ClientCommand::Why(args) => {
            let clinic = clinic(&connection, &args.which).await?;
            let at: Vec<(&str, &str)> = args.at.iter().map(|at| ("at", at.as_str())).collect();
            let why: Why = connection.get(&["clinics", &clinic, "patients", &args.patient, "why"], &at).await?;
            if args.json {
                print::json(&json!(why))
            } else {
                print::why(&why)
            }
            Ok(())
        }
        ClientCommand::Write(args) => {
            let clinic = clinic(&connection, &args.which).await?;
            let path = ["clinics", &clinic, "patients", &args.patient, "write"];
            talk::thread(&connection.post_json(&path, &json!({ "text": args.text })).await?, args.json);
            Ok(())
        }
        ClientCommand::Thread(args) => {
            let clinic = clinic(&connection, &args.which).await?;
            let path = ["clinics", &clinic, "patients", &args.patient, "thread"];
            talk::thread(&connection.get(&path, &[]).await?, args.json);
            Ok(())
        }
        ClientCommand::Reply(args) => staff::reply(&connection, args).await,
        ClientCommand::TakeOver(args) => staff::hold(&connection, args, "hold").await,
        ClientCommand::HandBack(args) => staff::hold(&connection, args, "release").await,
        ClientCommand::Attest(args) => staff::attest(&connection, args).await,
        ClientCommand::Consent(args) => consent::run(&connection, args).await,
        ClientCommand::Browser(args) => browser::run(&connection, args).await,
        ClientCommand::Parked(args) => parked::run(&connection, args).await,
        ClientCommand::Inbox(args) => {
            let clinic = clinic(&connection, &args.which).await?;
            talk::inbox(&connection.get(&["clinics", &clinic, "inbox"], &[]).await?, args.json);
            Ok(())
        }
        ClientCommand::Strangers(args) => strangers::strangers(&connection, args).await,
        ClientCommand::Agreements(args) => strangers::agreements(&connection, args).await,
        ClientCommand::Find(args) => strangers::find(&connection, args).await,
        ClientCommand::Number(args) => strangers::number_of(&connection, args).await,
        ClientCommand::Audit(args) => audit::run(to, args).await,
        ClientCommand::Patient(args) => patient::run(&connection, args).await,
        ClientCommand::Templates(args) => templates::run(&connection, args).await,
        ClientCommand::Connection(args) => line::run(&connection, args).await,
        ClientCommand::Agenda(args) => {
            let clinic = clinic(&connection, &args.which).await?;
            talk::agenda(&connection.get(&["clinics", &clinic, "agenda"], &[]).await?, args.json);
            Ok(())
        }
    }
}

async fn import(connection: &Connection, args: &ImportArgs) -> Result<(), HostError> {
    let clinic = match &args.new_clinic {
        Some(id) => new_clinic(connection, id, args).await?,
        None => clinic(connection, &args.which).await?,
    };
    let path = ["clinics", clinic.as_str(), "import"];
    let sent = connection.post_file(&path, &args.file);
    tokio::pin!(sent);
    let bar = bar("{wide_bar} {pos}/{len} patients");
    let report = loop {
        tokio::select! {
            report = &mut sent => break report,
            () = tokio::time::sleep(ASKED_EVERY) => {}
        }
        let state: Result<State, HostError> = connection.get(&["state"], &[]).await;
        if let Ok(Some(Work::Import { done, total: Some(total), .. })) = state.map(|state| state.work) {
            bar.set_length(total);
            bar.set_position(done);
        }
    };
    bar.finish_and_clear();
    print::import(&report?);
    Ok(())
}

async fn slots(connection: &Connection, clinic: &str, args: &SlotsArgs) -> Result<(), HostError> {
    let at = |last: &'static str| ["clinics", clinic, last];
    if let Some(file) = &args.file {
        let report = connection.post_file(&at("slots"), file).await?;
        if args.json {
            print::json(&report);
        } else {
            print::slots(&report);
        }
        return Ok(());
    }
    let slots: Value = match &args.timetable {
        Some(file) if args.save => connection.post_file(&at("timetable"), file).await?,
        Some(file) => connection.post_file(&["clinics", clinic, "slots", "preview"], file).await?,
        None => connection.get(&at("slots"), &[("days", &args.days.to_string())]).await?,
    };
    if args.json {
        print::json(&slots);
    } else {
        slots::ahead(&slots, args.days);
    }
    Ok(())
}

fn bar(template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

async fn new_clinic(connection: &Connection, id: &str, args: &ImportArgs) -> Result<String, HostError> {
    let id =
        ClinicId::parse(id).map_err(|e| HostError::User(format!("the clinic's id: {e}; it holds a-z, 0-9 and -")))?;
    let state: State = connection.get(&["state"], &[]).await?;
    if state.clinics.iter().any(|clinic| clinic.id == id.as_str()) {
        return Err(HostError::User(format!("clinic {id} is there already: import into it with --clinic {id}")));
    }
    let own = match &args.settings {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| HostError::Io { what: format!("cannot read {}", path.display()), error })?,
        None => String::new(),
    };
    let settings = with_zone(&own, zone_of_export(&args.file)?)?;
    connection.post_text(&["clinics", id.as_str(), "settings"], &[("create", "true")], settings).await?;
    Ok(id.to_string())
}

async fn segments(connection: &Connection, args: &ListArgs) -> Result<(), HostError> {
    let clinic = clinic(connection, &args.which).await?;
    let segments: Value = connection.get(&["clinics", &clinic, "segments"], &[]).await?;
    let waves: Value = connection.get(&["clinics", &clinic, "waves"], &[]).await?;
    if args.json {
        print::json(&json!({ "segments": segments, "waves": waves }))
    } else {
        print::segments(&segments, &waves)
    }
    Ok(())
}

/// An instant as the API writes it, in a zone, to the minute.
fn local(text: &str) -> String {
    DateTime::parse_from_rfc3339(text).map_or_else(|_| text.to_owned(), |at| at.format("%a %Y-%m-%d %H:%M").to_string())
}
