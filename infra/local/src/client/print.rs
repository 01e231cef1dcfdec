//! What the commands print for people.

use std::fmt::Write as _;
use std::io::Write as _;

use chrono_tz::Tz;
use serde_json::Value;
use staff_api::why::in_words;

use super::local;
use crate::server::Advanced;
use crate::why::{MinorSays, RuleSays, Why};

pub(super) fn out(text: &str) {
    // A reader that went away (`| head`) is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

macro_rules! line {
    ($text:expr, $($arg:tt)*) => {
        // Writing to a String cannot fail.
        let _ = writeln!($text, $($arg)*);
    };
}

/// One JSON value on a line.
pub(super) fn json(value: &Value) {
    out(&format!("{value}\n"));
}

fn number(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or(0)
}

pub(super) fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of.get(name).and_then(Value::as_str).unwrap_or("")
}

pub(super) fn list<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The report of an import.
pub(super) fn import(report: &Value) {
    let mut text = String::new();
    let (read, accepted) = (number(report, "read"), number(report, "accepted"));
    line!(text, "{read} rows read, {accepted} accepted, {} rejected", read.saturating_sub(accepted));
    let (patients, added, changed) = (number(report, "patients"), number(report, "added"), number(report, "changed"));
    line!(text, "{patients} patients: {added} new, {changed} changed");
    if number(report, "dropped_appointments") > 0 {
        line!(
            text,
            "{} of the oldest appointments were beyond what is kept of one patient",
            number(report, "dropped_appointments")
        );
    }
    if number(report, "suppressed_after_erasure") > 0 {
        line!(text, "{} rows of people who were erased: left out", number(report, "suppressed_after_erasure"));
    }
    rejected(&mut text, report);
    if let Some(followed) = report.get("timetable") {
        let (free, freed) = (number(followed, "free"), number(followed, "freed"));
        line!(text, "{free} slots free by the timetables, {freed} of them given back");
        super::slots::without_timetable(&mut text, followed);
    }
    out(&text);
}

/// The report of free slots.
pub(super) fn slots(report: &Value) {
    let mut text = String::new();
    line!(
        text,
        "{} rows read: {} slots added or changed, {} gone",
        number(report, "read"),
        number(report, "added"),
        number(report, "removed")
    );
    rejected(&mut text, report);
    out(&text);
}

fn rejected(text: &mut String, report: &Value) {
    const SHOWN: usize = 20;
    let rejected = list(report, "rejected");
    for row in rejected.iter().take(SHOWN) {
        let column =
            row.get("column").and_then(Value::as_str).map(|column| format!(", column {column}")).unwrap_or_default();
        line!(text, "  line {}{column}: {}", number(row, "line"), self::text(row, "reason"));
    }
    if rejected.len() > SHOWN {
        line!(text, "  and more");
    }
}

/// Segments and wave.
pub(super) fn segments(segments: &Value, waves: &Value) {
    let mut text = String::new();
    line!(text, "{} patients of {}", number(segments, "patients"), self::text(segments, "clinic"));
    line!(text, "{:<20} {:>8} {:>9} {:>9} {:>8}", "segment", "members", "eligible", "enrolled", "waiting");
    for segment in list(segments, "segments") {
        let id = self::text(segment, "id");
        let part = list(waves, "segments").iter().find(|part| self::text(part, "segment") == id);
        let (enrolled, waiting) = part.map_or((0, 0), |part| (number(part, "enrolled"), number(part, "waiting")));
        line!(
            text,
            "{id:<20} {:>8} {:>9} {enrolled:>9} {waiting:>8}",
            number(segment, "members"),
            number(segment, "eligible")
        );
        for (reason, count) in segment.get("excluded").and_then(Value::as_object).into_iter().flatten() {
            line!(text, "  {count:>6} {reason}");
        }
    }
    line!(text, "week {}: {} enrolled{}", self::text(waves, "week"), number(waves, "enrolled"), overall(waves));
    out(&text);
}

fn overall(waves: &Value) -> String {
    match waves.get("overall").and_then(Value::as_u64) {
        Some(overall) => format!(" of {overall} that the free slots allow"),
        None => String::new(),
    }
}

/// The last messages.
pub(super) fn outbox(list: &Value) {
    let mut text = String::new();
    for sent in list.as_array().map_or(&[][..], Vec::as_slice) {
        let said: Vec<&str> =
            ["patient_id", "channel", "segment", "step"].into_iter().map(|name| self::text(sent, name)).collect();
        line!(text, "{}  {}", local(self::text(sent, "at")), said.join(" · "));
        for part in self::text(sent, "text").lines() {
            line!(text, "    {part}");
        }
    }
    out(if text.is_empty() { "nothing was sent yet\n" } else { &text });
}

/// Where a move of the clock ended.
pub(super) fn advanced(advanced: &Advanced, zone: Tz) {
    let at = advanced.at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z");
    let stopped = if advanced.cancelled { ", stopped on the way" } else { "" };
    let failed = if advanced.failed > 0 {
        format!(", {} failed and will be tried again", advanced.failed)
    } else {
        String::new()
    };
    let span = in_words(advanced.at - advanced.from);
    out(&format!("{at} (moved by {span}{stopped}): {} sent, {} events{failed}\n", advanced.sent, advanced.events));
}

/// Why a patient is, or is not, written to.
pub(super) fn why(why: &Why) {
    let mut text = String::new();
    line!(text, "patient {} of {} at {}", why.patient, why.clinic, local(&why.at));
    if let Some(note) = &why.note {
        line!(text, "{note}");
    }
    line!(text, "segment: {}", why.segment.as_deref().unwrap_or("none"));
    if let Some(minor) = &why.minor {
        line!(text, "{}", through(minor));
    }
    line!(text, "\nrules of entry: {}", if why.eligible { "could be enrolled" } else { "not enrolled" });
    rules(&mut text, &why.entry);
    if let Some(sequence) = &why.sequence {
        line!(text, "\nin a sequence: {} of {} ({})", sequence.segment, sequence.week, sequence.state);
        line!(text, "  decided last: {}", sequence.because);
        if let Some(step) = &sequence.step {
            line!(text, "  next step {} ({}), rules as of {}:", step.id, step.channel, local(&step.asked_at));
            rules(&mut text, &step.rules);
        }
    }
    if !why.past_sequences.is_empty() {
        line!(text, "\nsequences that are over:");
    }
    for past in &why.past_sequences {
        line!(text, "  {} of {}: {} on {} ({})", past.segment, past.week, past.ended, local(&past.at), past.because);
    }
    if !why.messages.is_empty() {
        line!(text, "\nmessages:");
    }
    for message in &why.messages {
        let at = message.at.as_deref().map_or_else(|| "-".to_owned(), local);
        let reason = message.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        line!(text, "  {at:<22} {:<4} {:<9} {}{reason}", message.step, message.channel, message.state);
    }
    let at = why.next.at.as_deref().map(|at| format!("{at}, ")).unwrap_or_default();
    line!(text, "\nthe answer may change {at}{}", why.next.words);
    out(&text);
}

fn through(minor: &MinorSays) -> String {
    let until = &minor.until;
    let contacts: Vec<&str> = minor.phone.iter().chain(&minor.email).map(String::as_str).collect();
    match (&minor.guardian, &minor.fill) {
        (Some(guardian), None) => {
            format!("a minor until {until}: contacted through {guardian} only ({})", contacts.join(", "))
        }
        (_, fill) => {
            let fill = fill.as_deref().unwrap_or_default();
            format!("a minor until {until}: contacted by nobody; fill in {fill} in the export")
        }
    }
}

fn rules(text: &mut String, rules: &[RuleSays]) {
    for rule in rules {
        let mark = if rule.decides { "▶" } else { " " };
        let reason = if rule.verdict == "pass" { "" } else { &rule.reason };
        let until = rule.until.as_deref().map(|until| format!(" until {until}")).unwrap_or_default();
        let said = format!("{mark} {:<18} {:<6} {reason} {}{until}", rule.rule, rule.verdict, rule.figures);
        line!(text, "  {}", said.trim_end());
        if let Some(template) = &rule.template {
            let reason = template.reason.as_deref().map(|reason| format!("Meta says {reason}; ")).unwrap_or_default();
            line!(text, "      {reason}see `retorno templates`, and what to do there. Its text:");
            for part in template.text.lines() {
                line!(text, "      | {part}");
            }
        }
    }
}
