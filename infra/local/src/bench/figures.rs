//! Figures and how they are shown.

use std::fmt;
use std::fmt::Write as _;

use serde::Serialize;

/// What a figure is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// No less than this.
    AtLeast(f64),
    /// No more than this.
    AtMost(f64),
}

impl Target {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {}", grouped(*least)),
            Self::AtMost(most) => write!(f, "<= {}", grouped(*most)),
        }
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Its name for programs.
    pub id: &'static str,
    /// What was measured, for people.
    pub what: String,
    /// The value; nothing where this machine cannot tell.
    pub value: Option<f64>,
    /// For a speed: the same by the time the thread had a core, which other work on the machine
    /// disturbs less. The target is held against `value`.
    pub on_core: Option<f64>,
    /// In what the value is counted.
    pub unit: &'static str,
    /// What it is to reach, if anything.
    pub target: Option<Target>,
    /// Whether it does; nothing without a target or a value.
    pub met: Option<bool>,
    /// Over how much it was measured, and how.
    pub note: String,
}

impl Figure {
    pub(super) fn new(id: &'static str, what: impl Into<String>, value: Option<f64>, unit: &'static str) -> Self {
        Self { id, what: what.into(), value, on_core: None, unit, target: None, met: None, note: String::new() }
    }

    pub(super) fn speed(id: &'static str, what: impl Into<String>, rate: super::Rate, unit: &'static str) -> Self {
        Self { on_core: rate.core, ..Self::new(id, what, Some(rate.wall), unit) }
    }

    pub(super) fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self.met = self.value.map(|value| target.is_met_by(value));
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// One request of a send.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitLine {
    /// The operation of the table, e.g. `TransactWriteItems`.
    pub operation: String,
    /// The kinds of items it reads or writes.
    pub items: String,
    /// Read request units.
    pub read: f64,
    /// Write request units of the table itself.
    pub write: f64,
    /// Write request units of its indexes.
    pub write_index: f64,
    /// Whether a process that has just sent another message leaves this request out.
    pub kept: bool,
}

/// What one send costs at the table, request by request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SendUnits {
    /// By which channel.
    pub channel: &'static str,
    /// Its requests, in order.
    pub requests: Vec<UnitLine>,
    /// Read request units in all, without what a busy process has at hand.
    pub read: f64,
    /// Write request units in all.
    pub write: f64,
    /// What a thousand such sends cost, in US dollars.
    pub usd_per_1000: f64,
}

/// US dollars per million units on demand, us-east-1, DynamoDB standard table class.
const USD_PER_MILLION_WRITES: f64 = 0.625;
/// See [`USD_PER_MILLION_WRITES`].
const USD_PER_MILLION_READS: f64 = 0.125;

impl SendUnits {
    pub(super) fn of(channel: &'static str, requests: Vec<UnitLine>) -> Self {
        let billed = || requests.iter().filter(|line| !line.kept);
        let read = billed().map(|line| line.read).sum();
        let write = billed().map(|line| line.write + line.write_index).sum();
        let usd_per_1000 = (read * USD_PER_MILLION_READS + write * USD_PER_MILLION_WRITES) / 1_000.0;
        Self { channel, read, write, usd_per_1000, requests }
    }
}

/// Where it was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Processor threads.
    pub cores: usize,
    /// How the program was built: only `release` says something about speed.
    pub build: &'static str,
    /// The load of the last minute before it began, where the system tells.
    pub load: Option<f64>,
    /// Whether sizes were small.
    pub quick: bool,
}

impl Machine {
    pub(super) fn read(quick: bool) -> Self {
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            load: load.and_then(|text| text.split_whitespace().next()?.parse().ok()),
            quick,
        }
    }
}

/// Everything that one run measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bench {
    /// Where.
    pub machine: Machine,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What a send costs at the table, by channel.
    pub sends: Vec<SendUnits>,
}

impl Bench {
    pub(super) fn new(machine: Machine) -> Self {
        Self { machine, figures: Vec::new(), sends: Vec::new() }
    }
}

/// The run as a table for people.
#[must_use]
pub fn print_table(bench: &Bench) -> String {
    let mut text = String::new();
    let machine = &bench.machine;
    let load = machine.load.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.2}"));
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{} cores, {} build, load before: {load}", machine.cores, machine.build);
    if machine.quick || machine.build == "debug" {
        let _ = writeln!(text, "small sizes or a debug build: these figures say nothing about speed");
    }
    let _ = writeln!(text);
    for figure in &bench.figures {
        let value = figure.value.map_or_else(|| "not measured".to_owned(), grouped);
        let met = match figure.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        let target = figure.target.map(|target| target.to_string()).unwrap_or_default();
        let _ = writeln!(text, "{:<44} {value:>14} {:<12} {target:>14}  {met}", figure.what, figure.unit);
        let core = figure.on_core.map(|rate| format!("; {} a second on a core", grouped(rate))).unwrap_or_default();
        if !figure.note.is_empty() {
            let _ = writeln!(text, "    {}{core}", figure.note);
        }
    }
    for send in &bench.sends {
        let _ = writeln!(text, "\nRequest units of one {} send", send.channel);
        let _ = writeln!(text, "  {:<19} {:<66} {:>5} {:>6} {:>6}", "operation", "items", "read", "write", "index");
        for line in &send.requests {
            let kept = if line.kept { " *" } else { "" };
            let items = format!("{}{kept}", line.items);
            let (read, write, index) = (line.read, line.write, line.write_index);
            let _ = writeln!(text, "  {:<19} {items:<66} {read:>5.1} {write:>6.1} {index:>6.1}", line.operation);
        }
        let (read, write, usd) = (send.read, send.write, send.usd_per_1000);
        let _ = writeln!(text, "  {read:.1} read, {write:.1} write; US$ {usd:.4} per 1,000 sends");
    }
    if !bench.sends.is_empty() {
        let _ = writeln!(text, "  * not counted: a process that has just sent another message has it at hand");
    }
    text
}

/// A ratio; 0 where there is nothing to divide by.
pub(super) fn ratio(of: f64, by: f64) -> f64 {
    if by > 0.0 { of / by } else { 0.0 }
}

/// With separated thousands from 100 on, with up to four decimals below.
fn grouped(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_met_at_its_target_and_missed_beyond_it() {
        let met = |value, target| Figure::new("x", "x", value, "x").target(target).met;
        assert_eq!(met(Some(5.0), Target::AtLeast(5.0)), Some(true));
        assert_eq!(met(Some(4.9), Target::AtLeast(5.0)), Some(false));
        assert_eq!(met(Some(5.1), Target::AtMost(5.0)), Some(false));
        assert_eq!(met(None, Target::AtMost(5.0)), None);
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!(grouped(100.0), "100");
        assert_eq!(grouped(0.05), "0.05");
        assert_eq!(grouped(0.0), "0");
    }

    #[test]
    fn what_a_busy_process_keeps_is_not_billed() {
        let line = |read, write, kept| UnitLine {
            operation: "Query".to_owned(),
            items: String::new(),
            read,
            write,
            write_index: write,
            kept,
        };
        let send = SendUnits::of("email", vec![line(8.0, 0.0, true), line(8.0, 0.0, false), line(0.0, 4.0, false)]);
        assert!((send.read - 8.0).abs() < 1e-9 && (send.write - 8.0).abs() < 1e-9);
        assert!((send.usd_per_1000 - 0.006).abs() < 1e-9);
    }
}
