//! `retorno bench`: how fast the system is on this machine and what a day's work costs in request
//! units, each figure beside the target it is to meet. Everything is measured in one run, through
//! the production handlers; only the table and the providers are the stand-ins of this machine.

mod evaluation;
mod figures;
mod import;
pub(crate) mod made_up;
mod replies;
mod rules;
mod send_units;
mod sending;
pub(crate) mod stage;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::HostError;

pub use figures::{Bench, Figure, Machine, SendUnits, Target, UnitLine, print_table};
pub use import::{PeakMemory, import_once};

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Importing: speed in memory and on a file, peak memory; and the pure rules over what was imported.
    Import,
    /// Messages sent a second.
    Sends,
    /// The day's evaluation beside a full one.
    Evaluation,
    /// Many replies at once for few slots.
    Replies,
    /// Webhooks over HTTP.
    Webhooks,
    /// Request units of one send by each channel.
    Units,
}

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// The export that is imported; a made-up one of about 110,000 rows when absent.
    pub export: Option<PathBuf>,
    /// Small sizes: shows that everything runs, and says nothing about speed.
    pub quick: bool,
    /// The parts to measure; all of them when empty.
    pub only: Vec<Part>,
}

impl BenchOptions {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Patients of the made-up export.
    import: u32,
    /// Patients enrolled, each of whom gets a WhatsApp message and an e-mail.
    send: u32,
    /// Placements computed at least.
    place: u32,
    /// Patients of the incremental and the full evaluation.
    evaluate: u32,
    /// Patients who reply at once, for how many slots.
    race: (u32, u32),
    /// Webhooks, from how many patients.
    webhooks: (usize, u32),
}

impl Sizes {
    const WHOLE: Self = Self {
        import: 62_000,
        send: 2_000,
        place: 20_000_000,
        evaluate: 100_000,
        race: (10_000, 100),
        webhooks: (20_000, 2_000),
    };
    const QUICK: Self =
        Self { import: 300, send: 30, place: 20_000, evaluate: 400, race: (120, 10), webhooks: (100, 20) };
}

/// Measures everything. `on_part` hears the name of each part as it begins.
///
/// # Errors
/// [`HostError`] when a file cannot be read or written, or the system under measurement fails.
pub async fn run(options: &BenchOptions, mut on_part: impl FnMut(&str)) -> Result<Bench, HostError> {
    let sizes = if options.quick { Sizes::QUICK } else { Sizes::WHOLE };
    let folder = tempfile::tempdir().map_err(|error| HostError::Io { what: "a temporary folder".to_owned(), error })?;
    let mut bench = Bench::new(Machine::read(options.quick));
    if options.wants(Part::Import) {
        import(options, sizes, folder.path(), &mut bench, &mut on_part).await?;
    }
    if options.wants(Part::Sends) {
        on_part("sends in memory");
        bench.figures.extend(sending::in_memory(sizes.send).await?);
        on_part("sends on a file");
        bench.figures.extend(sending::on_file(sizes.send, folder.path()).await?);
    }
    if options.wants(Part::Evaluation) {
        on_part("evaluation");
        bench.figures.extend(evaluation::measure(sizes.evaluate).await?);
    }
    if options.wants(Part::Replies) {
        on_part("replies for few slots");
        bench.figures.extend(replies::race(sizes.race.0, sizes.race.1).await?);
    }
    if options.wants(Part::Webhooks) {
        on_part("webhooks");
        bench.figures.extend(replies::webhooks(sizes.webhooks.1, sizes.webhooks.0).await?);
    }
    if options.wants(Part::Units) {
        on_part("units of a send");
        bench.sends = send_units::measure().await?;
    }
    Ok(bench)
}

async fn import(
    options: &BenchOptions,
    sizes: Sizes,
    folder: &Path,
    bench: &mut Bench,
    on_part: &mut impl FnMut(&str),
) -> Result<(), HostError> {
    let export = import::Export::ready(options.export.as_deref(), sizes.import, folder)?;
    on_part("import in memory");
    let (host, figure) = import::in_memory(&export).await?;
    bench.figures.push(figure);
    on_part("pure rules");
    bench.figures.extend(rules::measure(&host, sizes.place).await?);
    drop(host);
    on_part("import on a file");
    bench.figures.push(import::on_file(&export, folder).await?);
    on_part("peak memory of an import");
    bench.figures.push(import::peak_memory(&export).await);
    Ok(())
}

/// A stopwatch, by the wall and by the time this thread had a core.
struct Stopwatch {
    wall: std::time::Instant,
    core: Option<u64>,
}

/// A speed.
#[derive(Debug, Clone, Copy)]
struct Rate {
    /// A second by the wall.
    wall: f64,
    /// A second on a core: what an idle machine would come near to; nothing where the system does
    /// not tell.
    core: Option<f64>,
    /// Seconds by the wall.
    seconds: f64,
}

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "what is measured here is the machine's own time")]
    fn start() -> Self {
        Self { wall: std::time::Instant::now(), core: on_core() }
    }

    fn elapsed(&self) -> Duration {
        self.wall.elapsed()
    }

    /// How many a second, so far.
    fn rate(&self, count: u64) -> Rate {
        self.stopped()(count)
    }

    /// Stops, and gives the rate of a count that is taken afterwards.
    fn stopped(&self) -> impl Fn(u64) -> Rate + use<> {
        let seconds = self.elapsed().as_secs_f64();
        let nanos = self.core.zip(on_core()).map(|(from, to)| to.saturating_sub(from));
        move |count| Rate {
            wall: figures::ratio(count_of(count), seconds),
            core: nanos.map(|nanos| figures::ratio(count_of(count), count_of(nanos) / 1e9)),
            seconds,
        }
    }
}

/// Nanoseconds that this thread has had a core.
fn on_core() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

/// A count as a figure.
#[expect(clippy::cast_precision_loss, reason = "a count of a benchmark is far below 2^53")]
pub(crate) fn count_of(count: u64) -> f64 {
    count as f64
}
