//! The explanation of a decision: the rules looked at, the figures they saw, and when the answer
//! may change. It is stored with the decision, and "why was (or wasn't) this patient contacted"
//! reads it; nobody guesses afterwards.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing stands in the way.
    Pass,
    /// Not now: the patient is left alone. The instant says when that may change; nothing when only
    /// an event (an import, a person's word, a release by staff) can change it.
    Block(Option<DateTime<Utc>>),
    /// The step waits until the instant.
    Wait(DateTime<Utc>),
    /// The step is left out and the sequence goes on.
    Skip,
    /// The sequence ends.
    Stop,
}

impl Verdict {
    /// The verdict's word in data.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Block(_) => "block",
            Self::Wait(_) => "wait",
            Self::Skip => "skip",
            Self::Stop => "stop",
        }
    }

    /// When the answer may change, where time alone can change it.
    #[must_use]
    pub fn until(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Block(until) => until,
            Self::Wait(until) => Some(until),
            Self::Pass | Self::Skip | Self::Stop => None,
        }
    }
}

/// What one rule found. Holds no personal data: ids, dates and counts only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, e.g. `open_appointment`.
    pub rule: &'static str,
    /// The reason for a verdict other than a pass, e.g. `opted_out`; the rule's own word for a pass.
    pub reason: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// The figures it saw, as `name=value` separated by spaces.
    pub figures: String,
}

impl Finding {
    /// A rule that passes.
    #[must_use]
    pub fn pass(rule: &'static str) -> Self {
        Self { rule, reason: rule, verdict: Verdict::Pass, figures: String::new() }
    }

    /// A rule that does not.
    #[must_use]
    pub fn not(rule: &'static str, reason: &'static str, verdict: Verdict) -> Self {
        Self { rule, reason, verdict, figures: String::new() }
    }

    /// Adds a figure.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let gap = if self.figures.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(self.figures, "{gap}{name}={value}");
        self
    }

    /// Whether nothing stands in the way.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.verdict == Verdict::Pass
    }
}

/// Why a decision was what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// The rules looked at, in order; the last one decided.
    pub findings: Vec<Finding>,
}

impl Because {
    /// The rule that decided: the first that did not pass, or the last looked at.
    #[must_use]
    pub fn decisive(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| !finding.passes()).or(self.findings.last())
    }

    /// The reason in one word.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.decisive().map_or("nothing_to_do", |finding| finding.reason)
    }

    /// One line for the record: what was left out on the way, then either the rule that decided
    /// (`rule reason verdict figures until`) or, when all rules passed, the figures they saw.
    #[must_use]
    pub fn line(&self) -> String {
        let Some(last) = self.findings.last() else { return "nothing_to_do".to_owned() };
        let (passed, others): (Vec<&Finding>, Vec<&Finding>) = self.findings.iter().partition(|f| f.passes());
        let mut parts: Vec<String> = others.into_iter().map(Finding::line).collect();
        if last.passes() {
            let seen = passed.iter().filter(|f| !f.figures.is_empty()).map(|f| format!("{}: {}", f.rule, f.figures));
            parts.push(format!("all {} rules pass", passed.len()));
            parts.extend(seen);
        }
        parts.join("; ")
    }
}

impl Finding {
    /// The finding in one line: `rule reason verdict figures until`.
    #[must_use]
    pub fn line(&self) -> String {
        let finding = self;
        let mut line = format!("{} {} {}", finding.rule, finding.reason, finding.verdict.code());
        if !finding.figures.is_empty() {
            line.push(' ');
            line.push_str(&finding.figures);
        }
        if let Some(until) = finding.verdict.until() {
            let _ = write!(line, " until={}", until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        }
        line
    }
}
