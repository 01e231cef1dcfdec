//! `retorno`: the whole system on one machine, and its commands.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDateTime;
use clap::{Args, Parser, Subcommand};
use retorno::bench::{self, BenchOptions, Part};
use retorno::client::{self, ClientCommand, LoginArgs, To};
use retorno::host::HostError;
use retorno::server::{self, Options};
use retorno::stack::{self, ClinicCommand, SecretCommand};
use retorno::trial::{self, Outcome, Trial};

/// Requests to a table in the same process are made of many small allocations: with this allocator
/// an import takes a third and a send a fifth less time than with the system's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Brings a clinic's patients back. Without a command it starts the whole system on this machine and
/// prints the address of its pages; the commands below speak to it, except `try`, which needs nothing.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// The folder of the running system.
    #[arg(long, global = true, default_value = "./retorno-data")]
    data: PathBuf,
    /// Speak to a stack in the cloud, as signed in by `retorno login`: the file of that session.
    #[arg(long, global = true, env = "RETORNO_SESSION")]
    session: Option<PathBuf>,
    /// The port on 127.0.0.1 that it listens on; 0 takes any.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Start without the made-up clinics.
    #[arg(long)]
    no_demo: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Play an export for some days in memory: who would be written to, when, and why the others not.
    Try(TryArgs),
    #[command(flatten)]
    Client(ClientCommand),
    /// Sign in to a stack in the cloud, to see and do there what staff may.
    Login(LoginArgs),
    /// Add clinics to a stack in the cloud, with the credentials of the environment.
    #[command(subcommand)]
    Clinic(ClinicCommand),
    /// Make, set and list the secrets of a stack in the cloud, with the credentials of the environment.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Measure this machine: rows, sends and patients a second, memory and request units.
    Bench(BenchArgs),
    /// Play a month of clinics of several sizes and print what the cloud would ask for it .
    Cost {
        /// Patients of a clinic; may be repeated. 500, 5,000 and 50,000 when absent.
        #[arg(long, value_parser = clap::value_parser!(u32).range(10..=200_000))]
        patients: Vec<u32>,
    },
    /// Import a file in memory and print the most memory that this process held; part of `bench`.
    #[command(hide = true)]
    BenchMemory {
        /// The export.
        export: PathBuf,
    },
}

#[derive(Args)]
struct BenchArgs {
    /// The export to import; a made-up one of about 110,000 rows when absent.
    #[arg(long)]
    export: Option<PathBuf>,
    /// Small sizes, to see that everything runs.
    #[arg(long)]
    quick: bool,
    /// Only this part; may be repeated. All when absent.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// One JSON object on standard output instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct TryArgs {
    /// The export of the appointment system (CSV, UTF-8, standard columns).
    export: PathBuf,
    /// The clinic's free slots (CSV).
    #[arg(long)]
    slots: Option<PathBuf>,
    /// When it begins, in the clinic's zone, e.g. 2026-03-01T09:00. Now when absent.
    #[arg(long, value_parser = local_instant)]
    at: Option<NaiveDateTime>,
    /// How many days are played.
    #[arg(long, default_value_t = 30)]
    days: u16,
    /// The clinic's settings (TOML).
    #[arg(long)]
    clinic: Option<PathBuf>,
    /// Write each message and call task as a line of JSON to this file.
    #[arg(long)]
    messages: Option<PathBuf>,
    /// One JSON object on standard output instead of the report.
    #[arg(long)]
    json: bool,
}

fn local_instant(text: &str) -> Result<NaiveDateTime, String> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"];
    let read = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    read.ok_or_else(|| "write it as 2026-03-01T09:00, in the clinic's zone".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    server::start_logging();
    let done = match cli.command {
        Some(Command::Try(args)) => try_export(args).await,
        Some(Command::Client(command)) => {
            client::run(&command, &To { data: &cli.data, session: cli.session.as_deref() }).await
        }
        None => server::run(&Options { data: cli.data, port: cli.port, demo: !cli.no_demo }).await,
        Some(Command::Login(args)) => client::login(&args, cli.session.as_deref()).await,
        Some(Command::Clinic(command)) => stack::run_clinic(&command).await,
        Some(Command::Secret(command)) => stack::run_secret(&command).await,
        Some(Command::Bench(args)) => measure(args).await,
        Some(Command::Cost { patients }) => cost(&patients).await,
        Some(Command::BenchMemory { export }) => match bench::import_once(&export).await {
            Ok(peak) => print_json(&peak),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "retorno: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn try_export(args: TryArgs) -> Result<(), HostError> {
    let trial = Trial { export: args.export, slots: args.slots, clinic: args.clinic, at: args.at, days: args.days };
    let tried = trial::run(&trial, args.json).await?;
    if let Some(path) = args.messages {
        let lines = tried.sent.iter().map(|sent| serde_json::to_string(sent).map(|line| line + "\n"));
        let text: Result<String, _> = lines.collect();
        let text = text.map_err(|e| HostError::User(e.to_string()))?;
        std::fs::write(&path, text)
            .map_err(|error| HostError::Io { what: format!("cannot write {}", path.display()), error })?;
    }
    if args.json {
        let json = serde_json::to_string(&Outcome::of(&tried)).map_err(|e| HostError::User(e.to_string()))?;
        let _ = writeln!(std::io::stdout(), "{json}");
    } else {
        let _ = writeln!(std::io::stdout(), "{}", trial::report(&tried));
    }
    Ok(())
}

async fn measure(args: BenchArgs) -> Result<(), HostError> {
    let options = BenchOptions { export: args.export, quick: args.quick, only: args.only };
    let measured = bench::run(&options, |part| {
        let _ = writeln!(std::io::stderr(), "{part} …");
    });
    let measured = measured.await?;
    if args.json {
        return print_json(&measured);
    }
    let _ = write!(std::io::stdout(), "{}", bench::print_table(&measured));
    Ok(())
}

async fn cost(patients: &[u32]) -> Result<(), HostError> {
    let page = retorno::cost::run(patients, |part| {
        let _ = writeln!(std::io::stderr(), "{part} …");
    });
    let _ = write!(std::io::stdout(), "{}", page.await?);
    Ok(())
}

fn print_json(object: &impl serde::Serialize) -> Result<(), HostError> {
    let json = serde_json::to_string(object).map_err(|e| HostError::User(e.to_string()))?;
    let _ = writeln!(std::io::stdout(), "{json}");
    Ok(())
}
