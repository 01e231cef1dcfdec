//! `protocol run` and `protocol replay`.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use retorno_protocol::guard::Off;
use retorno_protocol::run::{MUTANTS, Totals, play, play_without};

/// What is run.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// So many seeds.
    #[arg(long, conflicts_with = "minutes")]
    seeds: Option<u64>,
    /// As many seeds as there are in so many minutes.
    #[arg(long)]
    minutes: Option<f64>,
    /// On so many threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

const SEEDS_BY_DEFAULT: u64 = 100;
/// A line of progress so often.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "a run measures itself")]
fn clock() -> Instant {
    Instant::now()
}

/// Plays seeds; says whether nothing was violated.
pub(crate) fn run(arguments: &RunArguments) -> Result<bool, Box<dyn std::error::Error>> {
    let began = clock();
    let until = arguments.minutes.map(|minutes| Duration::from_secs_f64(minutes.max(0.0) * 60.0));
    let count = if until.is_some() { u64::MAX } else { arguments.seeds.unwrap_or(SEEDS_BY_DEFAULT) };
    let next = AtomicU64::new(0);
    let progress = Mutex::new((Totals::default(), Duration::ZERO));
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || until.is_some_and(|until| began.elapsed() >= until) {
                        return;
                    }
                    let seed = arguments.from.wrapping_add(number);
                    let outcome = play(seed, false);
                    let mut progress = progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    progress.0.add(seed, &outcome);
                    for violation in &outcome.violations {
                        say(&format!("seed {seed}: {violation}\n  to see it: protocol replay {seed}"));
                    }
                    if began.elapsed() >= progress.1 + PROGRESS_EVERY {
                        progress.1 = began.elapsed();
                        say(&line(&progress.0, began.elapsed()));
                    }
                }
            });
        }
    });
    let totals = progress.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).0;
    writeln!(std::io::stdout(), "{}", totals.json(arguments.from, began.elapsed().as_secs_f64()))?;
    Ok(totals.violations.is_empty())
}

fn say(line: &str) {
    // Nobody may be listening; the figures are what counts.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn line(totals: &Totals, elapsed: Duration) -> String {
    format!(
        "{} s: {} seeds, {} events, {} faults, {:.0} patient-years, {} violations",
        elapsed.as_secs(),
        totals.seeds,
        totals.counts.events,
        totals.counts.faults_total(),
        totals.patient_years(),
        totals.violations.len()
    )
}

/// Plays seeds without each set of conditions in turn, until something is violated; says whether each was noticed.
pub(crate) fn mutants(seeds: u64) -> Result<bool, Box<dyn std::error::Error>> {
    let mut noticed = 0;
    for guards in MUTANTS {
        let off: Off = guards.iter().copied().collect();
        let mut found = (1..=seeds).filter_map(|seed| {
            let outcome = play_without(off, seed, false);
            outcome.violations.into_iter().next().map(|violation| (seed, violation))
        });
        match found.next() {
            Some((seed, violation)) => {
                noticed += 1;
                writeln!(std::io::stdout(), "{guards:?}: seed {seed}: {violation}")?;
            }
            None => writeln!(std::io::stdout(), "{guards:?}: not noticed in {seeds} seeds")?,
        }
    }
    writeln!(std::io::stdout(), "{noticed} of {} noticed", MUTANTS.len())?;
    Ok(noticed == MUTANTS.len())
}

/// Plays one seed and prints everything that happens.
pub(crate) fn replay(seed: u64) -> Result<bool, Box<dyn std::error::Error>> {
    let outcome = play(seed, true);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in &outcome.log {
        writeln!(out, "{line}")?;
    }
    for violation in &outcome.violations {
        writeln!(out, "VIOLATED: {violation}")?;
    }
    writeln!(out, "seed {seed}: {} events, hash {:016x}", outcome.counts.events, outcome.hash)?;
    Ok(outcome.violations.is_empty())
}
