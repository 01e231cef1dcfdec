//! The running system: everything in one process over one folder, with a clock that goes on by
//! itself and can be moved, pages for people and an API for the commands.

mod api;
mod browser;
mod consents;
mod driver;
mod folder;
mod guard;
mod hooks;
mod import;
mod kept_clock;
mod ledger;
mod load;
mod page;
mod problem;
mod sandbox;
mod slots;
mod state;
mod survey;
mod system;
mod talk;
#[cfg(test)]
mod tests;
mod upload;
mod wave;

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use staff_api::routes::with_fallbacks;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use crate::host::{Host, HostError};

pub use folder::{DataFolder, NotRunning};
pub use import::ImportDone;
pub use state::{AdvanceBy, Advanced, ClinicState, State, Work};
pub use survey::{SegmentView, Segments};

pub use wave::{RunningAt, WavePart, Waves};

use kept_clock::KeptClock;
use system::System;

/// How the running system is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds everything.
    pub data: PathBuf,
    /// The port of the pages and the API on 127.0.0.1; 0 takes any.
    pub port: u16,
    /// Whether the made-up clinics are put in on the first start.
    pub demo: bool,
}

/// Requests under way when the system is stopped are given so long.
const LAST_REQUESTS: Duration = Duration::from_secs(3);

/// Logs for the person at the terminal: warnings and errors, or what `RUST_LOG` asks for.
pub fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // The phone library writes what it parses at trace level.
    let filter = match "rlibphonenumber=off".parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    };
    // A terminal that went away takes its lines with it, and nothing else: saying that a line could not
    // be written would panic. A second start (tests) changes nothing.
    let logged = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = logged.log_internal_errors(false).try_init();
}

/// Starts the system and runs it until it is told to stop: Ctrl-C or SIGTERM lets it finish what it
/// is doing, a second one ends it at once.
///
/// # Errors
/// [`HostError`] says what stands in the way of starting.
pub async fn run(options: &Options) -> Result<(), HostError> {
    let folder = DataFolder::open(&options.data)?;
    let listener = listen(options.port).await?;
    let address = listener.local_addr().map_err(|error| HostError::Io { what: "listening".to_owned(), error })?;
    let url = format!("http://127.0.0.1:{}", address.port());
    let system = open(folder, &url).await?;
    let mut signals = Signals::new()?;
    if options.demo {
        tokio::select! {
            loaded = load::demo(&system) => loaded?,
            () = signals.next() => {
                say("stopped; loading goes on at the next start");
                return Ok(());
            }
        }
    }
    system.folder.write_address(&url)?;
    say(&format!("Retorno is running on {url}\ndata in {} · Ctrl-C stops it", options.data.display()));
    let served = serve(&system, listener, &mut signals).await;
    system.folder.remove_address();
    served
}

async fn open(folder: DataFolder, url: &str) -> Result<System, HostError> {
    let clock = KeptClock::open(folder.path())?;
    let keys = crate::host::HostKeys::from_seed(&folder.seed()?)?;
    let host = Host::open(folder.path(), clock.clock(), &keys, url).await?;
    for listed in folder.clinics()? {
        host.take_over(&listed.id)?;
    }
    Ok(System::new(host, folder, clock))
}

async fn listen(port: u16) -> Result<TcpListener, HostError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|error| HostError::Io {
        what: format!("port {port} of 127.0.0.1 cannot be used (try --port 0)"),
        error,
    })
}

async fn serve(system: &System, listener: TcpListener, signals: &mut Signals) -> Result<(), HostError> {
    let stopped = system.clone();
    let server =
        axum::serve(listener, router(system.clone())).with_graceful_shutdown(async move { stopped.stopping().await });
    let served = std::future::IntoFuture::into_future(server);
    let driven = driver::drive(system);
    tokio::pin!(served, driven);
    tokio::select! {
        served = &mut served => return served.map_err(|error| HostError::Io { what: "serving the pages".to_owned(), error }),
        driven = &mut driven => return driven,
        () = signals.next() => {}
    }
    say("finishing what is under way; Ctrl-C again ends at once");
    system.stop();
    let finish = async {
        // Pages that a browser keeps open do not hold the end up; what is being played or imported does.
        let (_, driven) = tokio::join!(tokio::time::timeout(LAST_REQUESTS, &mut served), &mut driven);
        system.idle().await;
        driven
    };
    tokio::select! {
        driven = finish => {
            say("stopped");
            driven
        }
        () = signals.next() => {
            say("ended at once; nothing that was answered is lost");
            // A running import has a thread of its own, which returning would wait for.
            std::process::exit(130)
        }
    }
}

/// Pages and API over a system.
fn router(system: System) -> Router {
    let app = Router::new()
        .nest("/api", with_fallbacks(api::router().merge(staff_api::router())))
        .merge(page::router())
        .merge(hooks::router());
    app.layer(axum::middleware::from_fn(guard::guard)).with_state(system)
}

fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// What tells a process to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> Result<Self, HostError> {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        let terminate = terminate.map_err(|error| HostError::Io { what: "listening for signals".to_owned(), error })?;
        Ok(Self { terminate })
    }

    #[cfg(not(unix))]
    fn new() -> Result<Self, HostError> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
