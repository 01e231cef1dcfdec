//! `simulate`: plays seeds, replays one, or switches guards off to see whether anybody notices.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use retorno_simulation::guards::{GUARDS, Mutant, SECOND_LINES};
use retorno_simulation::report::Figures;
use retorno_simulation::run::run;
use retorno_simulation::summary::Summary;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The production handlers under every fault we can think of.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays seeds: so many, or for so many minutes.
    Run {
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// How many.
        #[arg(long, default_value_t = 100)]
        seeds: u64,
        /// For so many minutes instead.
        #[arg(long)]
        minutes: Option<u64>,
        /// At once.
        #[arg(long, default_value_t = 2)]
        threads: u64,
        /// Print the sum as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Plays one seed and tells everything that happened.
    Replay {
        /// The seed.
        seed: u64,
        /// With the guard of that number switched off.
        #[arg(long)]
        without: Option<usize>,
    },
    /// Adds up the figures that runs left in a folder, as Markdown.
    Report {
        /// The folder.
        folder: std::path::PathBuf,
        /// The commit they were made at.
        #[arg(long, default_value = "")]
        at: String,
    },
    /// Switches each guard off in turn and plays seeds until somebody notices.
    Mutate {
        /// Seeds per guard at most.
        #[arg(long, default_value_t = 50)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// At once.
        #[arg(long, default_value_t = 2)]
        threads: u64,
        /// Only the guard of that number.
        #[arg(long)]
        only: Option<usize>,
        /// Only guards from that number on.
        #[arg(long, default_value_t = 0)]
        skip: usize,
        /// Print the score as JSON.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run { from, seeds, minutes, threads, json } => many(from, seeds, minutes, threads, json),
        Command::Replay { seed, without } => replay(seed, without),
        Command::Report { folder, at } => report(&folder, &at),
        Command::Mutate { seeds, from, threads, only, skip, json } => mutate(seeds, from, threads, (only, skip), json),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a command may run is the machine's time")]
fn started() -> Instant {
    Instant::now()
}

fn many(from: u64, seeds: u64, minutes: Option<u64>, threads: u64, as_json: bool) -> io::Result<bool> {
    let (next, began, stop) = (AtomicU64::new(from), started(), AtomicBool::new(false));
    let last = minutes.map_or(from + seeds, |_| u64::MAX);
    let limit = minutes.map(|minutes| Duration::from_secs(minutes * 60));
    let sum = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last || limit.is_some_and(|limit| began.elapsed() > limit) {
                        return;
                    }
                    let outcome = run(seed, None, false);
                    let Ok(mut sum) = sum.lock() else { return };
                    sum.add(&outcome);
                    if !outcome.violations.is_empty() {
                        // Nobody may be listening.
                        let _ = writeln!(io::stderr(), "seed {seed}: {}", outcome.violations.join("; "));
                    }
                    tell_progress(&sum, began);
                    // A product this broken needs no more seeds.
                    stop.fetch_or(sum.violations.len() > 200, Ordering::Relaxed);
                }
            });
        }
    });
    let Ok(sum) = sum.into_inner() else { return Ok(false) };
    let mut out = io::stdout().lock();
    if as_json {
        let mut report = sum.json();
        if let Some(report) = report.as_object_mut() {
            report.insert("from".to_owned(), json!(from));
            report.insert("seconds".to_owned(), json!(began.elapsed().as_secs()));
        }
        writeln!(out, "{report}")?;
    } else {
        write!(out, "{}", sum.text())?;
        writeln!(out, "in {:.1} s", began.elapsed().as_secs_f64())?;
    }
    Ok(sum.violations.is_empty())
}

fn tell_progress(sum: &Summary, began: Instant) {
    if sum.seeds.is_multiple_of(25) {
        let mut err = io::stderr().lock();
        let seconds = began.elapsed().as_secs();
        // Nobody may be listening.
        let _ = writeln!(
            err,
            "{} seeds, {} faults, {} received, {} with violations, {seconds} s",
            sum.seeds,
            sum.faults(),
            sum.all.accepts,
            sum.violations.len()
        );
    }
}

fn report(folder: &std::path::Path, at: &str) -> io::Result<bool> {
    let figures = Figures::read(folder)?;
    write!(io::stdout().lock(), "{}", figures.markdown(at))?;
    Ok(true)
}

fn replay(seed: u64, without: Option<usize>) -> io::Result<bool> {
    let outcome = run(seed, without.and_then(|number| GUARDS.get(number).copied()), true);
    let mut out = io::stdout().lock();
    for line in &outcome.told {
        writeln!(out, "{line}")?;
    }
    for (what, _) in outcome.reached.iter().filter(|(what, _)| what.starts_with("at odds")) {
        writeln!(out, "{what}")?;
    }
    writeln!(out, "seed {seed}, hash {:016x}, {} requests", outcome.hash, outcome.requests)?;
    for violation in &outcome.violations {
        writeln!(out, "violation: {violation}")?;
    }
    Ok(outcome.violations.is_empty())
}

/// The first seed that notices that a guard is off, and what it noticed.
fn noticed(guard: Mutant, from: u64, seeds: u64, threads: u64) -> Option<(u64, Vec<String>)> {
    let (next, found) = (AtomicU64::new(from), Mutex::new(None::<(u64, Vec<String>)>));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let is_found = found.lock().map_or(true, |found| found.is_some());
                    if seed >= from + seeds || is_found {
                        return;
                    }
                    let outcome = run(seed, Some(guard), false);
                    // What shows with all guards on as well says nothing of this one.
                    if outcome.violations.is_empty() || !run(seed, None, false).violations.is_empty() {
                        continue;
                    }
                    if let Ok(mut found) = found.lock()
                        && found.as_ref().is_none_or(|(earlier, _)| seed < *earlier)
                    {
                        *found = Some((seed, outcome.violations));
                    }
                }
            });
        }
    });
    found.into_inner().ok().flatten()
}

fn mutate(seeds: u64, from: u64, threads: u64, which: (Option<usize>, usize), as_json: bool) -> io::Result<bool> {
    let (only, skip) = which;
    let mut out = io::stdout().lock();
    let mut rows = Vec::new();
    let mut caught = 0;
    let guards = GUARDS
        .iter()
        .copied()
        .enumerate()
        .filter(|(number, _)| *number >= skip && only.is_none_or(|only| only == *number));
    let guards: Vec<(usize, Mutant)> = guards.collect();
    for (number, guard) in &guards {
        let found = noticed(*guard, from, seeds, threads);
        caught += usize::from(found.is_some());
        let (after, what) = match &found {
            Some((seed, what)) => (Some(seed - from + 1), what.first().cloned().unwrap_or_default()),
            None => (None, format!("NOT NOTICED in {seeds} seeds")),
        };
        if !as_json {
            let after = after.map_or(String::from("-"), |after| after.to_string());
            writeln!(out, "{number:>3} {:<58} {after:>3}  {what}", guard.name())?;
        }
        rows.push(json!({"guard": guard.name(), "seeds": after, "noticed": what}));
    }
    for (line, by) in SECOND_LINES.iter().filter(|_| only.is_none() && skip == 0) {
        if !as_json {
            writeln!(out, "    {:<58}      second line behind: {by}", line.name())?;
        }
        rows.push(json!({"guard": line.name(), "noticed": format!("second line, behind \"{by}\"")}));
    }
    if as_json {
        writeln!(out, "{}", json!({"guards": guards.len(), "caught": caught, "rows": rows}))?;
    } else {
        writeln!(out, "{caught} of {} guards are missed when they are off", guards.len())?;
    }
    Ok(caught == guards.len())
}
