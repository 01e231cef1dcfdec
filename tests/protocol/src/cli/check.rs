//! `protocol check`.

use std::collections::BTreeSet;
use std::io::Write;

use retorno_protocol::guard::Off;
use retorno_protocol::model::{Bounds, PROBES, Probe, Report, Scope, SendModel, Until, check};
use retorno_protocol::worker::Protocol;

/// What is checked.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// Deliveries of orders.
    #[arg(long, default_value_t = 2)]
    deliveries: u8,
    /// Crashes of workers.
    #[arg(long, default_value_t = 1)]
    crashes: u8,
    /// Requests refused, answers lost, calls not simply taken.
    #[arg(long, default_value_t = 1)]
    faults: u8,
    /// Instants of the clock, at most 5.
    #[arg(long, default_value_t = 5)]
    instants: usize,
    /// On so many threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Say of each condition what it is for, by switching it off, instead.
    #[arg(long)]
    guards: bool,
}

/// Checks everything; says whether ours holds everywhere and the rivals fail.
pub(crate) fn check_all(arguments: &CheckArguments) -> Result<bool, Box<dyn std::error::Error>> {
    let CheckArguments { deliveries, crashes, faults, instants, .. } = *arguments;
    let bounds = Bounds { deliveries, crashes, faults, tries: 2, instants };
    let mut good = true;
    let mut out = std::io::stdout().lock();
    if arguments.guards {
        return probes(&mut out, arguments.threads);
    }
    for protocol in [Protocol::CommitThenCall, Protocol::ReadSendWrite, Protocol::Lease] {
        let mut unreached: Option<BTreeSet<&'static str>> = None;
        for scope in Scope::ALL {
            let model = SendModel::new(scope, protocol, Off::default(), bounds)?;
            let report = check(model, arguments.threads, Until::Everything);
            print(&mut out, protocol, scope, &report)?;
            let here: BTreeSet<_> = report.unreached().into_iter().collect();
            unreached = Some(unreached.map_or_else(|| here.clone(), |before| &before & &here));
            let twice = report.violations.iter().any(|(name, _)| *name == "at most one accept per message");
            good &= if protocol == Protocol::CommitThenCall { report.is_safe() } else { twice };
        }
        if protocol == Protocol::CommitThenCall {
            good &= unreached.is_none_or(|unreached| unreached.is_empty());
        }
    }
    Ok(good)
}

fn print(out: &mut impl Write, protocol: Protocol, scope: Scope, report: &Report) -> std::io::Result<()> {
    writeln!(out, "\n{protocol:?}, {scope:?}: {} states", report.states)?;
    for held in &report.properties {
        let verdict = match (held.always, held.holds) {
            (true, true) => "holds",
            (true, false) => "VIOLATED",
            (false, true) => "reached",
            (false, false) => "not reached",
        };
        writeln!(out, "  {verdict:<12} {}", held.name)?;
    }
    for (name, actions) in &report.violations {
        writeln!(out, "  {name}: {}", actions.join(", "))?;
    }
    Ok(())
}

/// Shows for each condition what goes wrong without it.
fn probes(out: &mut impl Write, threads: usize) -> Result<bool, Box<dyn std::error::Error>> {
    let mut all = true;
    for probe in PROBES {
        let Probe { guard, covered_by, scope, violates, .. } = probe;
        let found = probe.find(threads)?;
        all &= found.is_some();
        let also = if covered_by.is_empty() { String::new() } else { format!(" (and without {covered_by:?})") };
        match found {
            Some(actions) => {
                writeln!(out, "without {guard:?}{also}, not \"{violates}\" in {scope:?}: {} actions", actions.len())?
            }
            None => writeln!(out, "without {guard:?}{also}, still \"{violates}\" in {scope:?}")?,
        }
        out.flush()?;
    }
    Ok(all)
}
