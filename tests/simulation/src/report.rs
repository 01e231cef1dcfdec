//! The figures of long runs, added up from the files they left.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde_json::Value;

/// Figures by part, from every file of a folder that is a part's.
#[derive(Debug, Default)]
pub struct Figures {
    parts: BTreeMap<String, Vec<Value>>,
}

impl Figures {
    /// Reads a folder: `PART-….json`.
    ///
    /// # Errors
    /// When the folder cannot be read; a file that is no JSON counts as a run that failed.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut figures = Self::default();
        let mut paths: Vec<_> = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
            let Some((part, _)) = name.split_once('-') else { continue };
            let text = std::fs::read_to_string(path)?;
            // The object is the last line; what else a program says comes before it.
            let value = text.lines().rev().find_map(|line| serde_json::from_str(line).ok());
            figures.parts.entry(part.to_owned()).or_default().push(value.unwrap_or(Value::Null));
        }
        Ok(figures)
    }

    fn runs(&self, part: &str) -> &[Value] {
        self.parts.get(part).map_or(&[], Vec::as_slice)
    }

    fn sum(&self, part: &str, figure: &str) -> u64 {
        self.runs(part).iter().filter_map(|run| run.get(figure)?.as_u64().or_else(|| whole(run.get(figure)?))).sum()
    }

    /// Sums by name, over an object that each run has.
    fn by_name(&self, part: &str, figure: &str) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for run in self.runs(part) {
            for (name, count) in run.get(figure).and_then(Value::as_object).into_iter().flatten() {
                *sums.entry(name.clone()).or_default() += count.as_u64().unwrap_or(0);
            }
        }
        sums
    }

    fn broken(&self, part: &str) -> usize {
        let count = |run: &Value| match run.get("violations") {
            Some(Value::Object(seeds)) => seeds.len(),
            Some(Value::Array(seeds)) => seeds.len(),
            Some(other) => usize::try_from(other.as_u64().unwrap_or(0)).unwrap_or(usize::MAX),
            None => 1,
        };
        self.runs(part).iter().map(count).sum()
    }

    /// The report, in Markdown.
    #[must_use]
    pub fn markdown(&self, at: &str) -> String {
        let mut said = format!("Figures at commit `{at}`, added up over all long runs since.\n\n");
        // Writing to a String cannot fail.
        let _ = writeln!(said, "| | production handlers | pure domain |\n|---|---|---|");
        for (name, figure) in
            [("seeds", "seeds"), ("faults injected", "faults_total"), ("simulated patient-years", "patient_years")]
        {
            let _ =
                writeln!(said, "| {name} | {} | {} |", self.sum("simulation", figure), self.sum("protocol", figure));
        }
        let accepts: u64 = self.by_name("protocol", "accepts").values().sum();
        let _ = writeln!(said, "| messages received | {} | {accepts} |", self.sum("simulation", "accepts"));
        let (a, b) = (self.broken("simulation"), self.broken("protocol"));
        let _ = writeln!(said, "| seeds with a violation | {a} | {b} |\n");
        self.crashes(&mut said);
        self.faults(&mut said);
        self.guards(&mut said);
        self.fuzz(&mut said);
        said
    }

    fn crashes(&self, said: &mut String) {
        let crashes = self.by_name("simulation", "crashes");
        let waits = self.by_name("simulation", "waits");
        let of = |wait: &String| crashes.get(wait).copied().unwrap_or(0);
        let mut rare: Vec<(u64, &String, u64)> = waits.iter().map(|(wait, passed)| (of(wait), wait, *passed)).collect();
        rare.sort_unstable();
        let total: u64 = crashes.values().sum();
        let often = rare.iter().filter(|(count, _, _)| *count >= 100).count();
        let _ = writeln!(said, "{total} crashes at {} waits, 100 or more at {often} of them.\n", waits.len());
        for (count, wait, passed) in rare.iter().filter(|(count, _, _)| *count < 100).take(40) {
            let _ = writeln!(said, "- {count}: {wait} (passed {passed} times)");
        }
    }

    fn faults(&self, said: &mut String) {
        for (part, title) in [("simulation", "production handlers"), ("protocol", "pure domain")] {
            let faults = self.by_name(part, "faults");
            let each: Vec<String> = faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            let _ = writeln!(said, "\nFaults, {title}: {}.", each.join(", "));
        }
    }

    fn guards(&self, said: &mut String) {
        let Some(last) = self.runs("guards").last() else { return };
        let figure = |name: &str| last.get(name).and_then(Value::as_u64).unwrap_or(0);
        let _ = writeln!(said, "\n{} of {} guards are missed when they are off.\n", figure("caught"), figure("guards"));
        let _ = writeln!(said, "| guard | seeds until noticed | by |\n|---|---|---|");
        for row in last.get("rows").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
            let seeds = row.get("seeds").and_then(Value::as_u64).map_or("–".to_owned(), |seeds| seeds.to_string());
            let _ = writeln!(said, "| {} | {seeds} | {} |", text("guard"), text("noticed"));
        }
    }

    fn fuzz(&self, said: &mut String) {
        let (total, crashes) = (self.sum("fuzz", "executions"), self.sum("fuzz", "crashes"));
        let _ = writeln!(said, "\n{total} executions with hostile input, {crashes} crashes.\n");
        let mut targets: BTreeMap<String, u64> = BTreeMap::new();
        for run in self.runs("fuzz") {
            for (name, target) in run.get("targets").and_then(Value::as_object).into_iter().flatten() {
                *targets.entry(name.clone()).or_default() +=
                    target.get("executions").and_then(Value::as_u64).unwrap_or(0);
            }
        }
        for (target, executions) in targets {
            let _ = writeln!(said, "- {target}: {executions}");
        }
    }
}

/// A figure that was written with a fraction.
fn whole(value: &Value) -> Option<u64> {
    value.as_f64().filter(|figure| figure.is_finite() && *figure >= 0.0).map(|figure| {
        // Figures of runs are far below 2^53.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
        let whole = figure as u64;
        whole
    })
}
