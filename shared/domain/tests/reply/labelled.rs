//! The labelled set. Lines of the held-out part are counted and not shown, so that nobody mends the
//! word lists by them; see the shares it must reach in the asserts.

use std::collections::BTreeMap;
use std::fmt::Write;

use retorno_domain::reply::{Intent, Reading, understand};

use crate::{asked, is_opt_out, today};

const UTTERANCES: &str = include_str!("utterances.tsv");
/// What looks like an opt-out and is none.
const TRAPS: &str = include_str!("traps.tsv");
/// A text that nobody could act upon.
const DOUBT: &str = "doubt";

struct Line<'a> {
    intent: &'a str,
    country: &'a str,
    held: bool,
    text: &'a str,
    reading: Reading,
}

impl Line<'_> {
    fn right(&self) -> bool {
        let same = self.reading.intent.code() == self.intent;
        match self.intent {
            DOUBT => !self.reading.sure && !is_opt_out(&self.reading.intent),
            // Applied whether sure or not. Of everything is of marketing too.
            "opt_out" => is_opt_out(&self.reading.intent),
            _ => same && self.reading.sure,
        }
    }
}

fn lines(table: &str) -> Vec<Line<'_>> {
    let read = |line| {
        let fields: Vec<&str> = str::split(line, '\t').collect();
        let [intent, country, split, text, short] = fields.as_slice() else { panic!("five fields: {line:?}") };
        assert!(["train", "held"].contains(split), "{line:?}");
        assert!(*intent == DOUBT || Intent::of_code(intent).is_some(), "{line:?}");
        Line { intent, country, held: *split == "held", text, reading: understand(text, &asked(short), today()) }
    };
    table.lines().skip(1).map(read).collect()
}

fn all() -> Vec<Line<'static>> {
    [lines(UTTERANCES), lines(TRAPS)].into_iter().flatten().collect()
}

fn share(right: usize, of: usize) -> f64 {
    f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(of.max(1)).unwrap())
}

/// Right and all lines of each intent, trained and held out, and the wrong ones of the trained part.
fn confusion(lines: &[Line<'_>]) -> String {
    let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut wrong = String::new();
    for line in lines {
        let [train_right, train, held_right, held] = counts.entry(line.intent).or_default();
        let (right, of) = if line.held { (held_right, held) } else { (train_right, train) };
        *right += usize::from(line.right());
        *of += 1;
        if !line.right() && !line.held {
            let Reading { intent, sure } = &line.reading;
            let Line { intent: label, country, text, .. } = line;
            writeln!(wrong, "  {label} {country} {text:?}: {intent:?}, sure: {sure}").unwrap();
        }
    }
    let mut table = String::new();
    for (intent, [train_right, train, held_right, held]) in counts {
        writeln!(table, "  {intent:15} train {train_right}/{train}, held out {held_right}/{held}").unwrap();
    }
    format!("right of each intent:\n{table}wrong in the trained part:\n{wrong}")
}

#[test]
fn the_set_is_large_and_varied() {
    let lines = all();
    assert!(lines.len() >= 800);
    assert!(lines.iter().filter(|line| line.held).count() * 4 >= lines.len());
    assert!(lines.iter().filter(|line| line.intent == "opt_out").count() >= 120);
    assert!(self::lines(TRAPS).len() >= 120);
    for country in ["AR", "MX", "CL", "CO", "ES", "BR"] {
        assert!(lines.iter().filter(|line| line.country == country).count() >= 90, "{country}");
    }
}

#[test]
fn opt_outs_are_found_and_nothing_else_is_taken_for_one() {
    let lines = all();
    let asked: Vec<&Line<'_>> = lines.iter().filter(|line| line.intent == "opt_out").collect();
    let read: Vec<&Line<'_>> = lines.iter().filter(|line| is_opt_out(&line.reading.intent)).collect();
    let right = asked.iter().filter(|line| line.right()).count();
    assert!(share(right, asked.len()) >= 0.995, "recall {right}/{}\n{}", asked.len(), confusion(&lines));
    assert!(share(right, read.len()) >= 0.99, "precision {right}/{}\n{}", read.len(), confusion(&lines));
}

#[test]
fn every_intent_is_read() {
    let lines = all();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for line in &lines {
        let (right, of) = counts.entry(line.intent).or_default();
        *right += usize::from(line.right());
        *of += 1;
    }
    for (intent, (right, of)) in counts {
        assert!(share(right, of) >= 0.95, "{intent}: {right}/{of}\n{}", confusion(&lines));
    }
}

/// Wrong and sure is what harms; it must stay rare even where much is left to people.
#[test]
fn hardly_any_reading_is_sure_and_wrong() {
    let lines = all();
    let wrong = lines.iter().filter(|line| line.reading.sure && !line.right()).count();
    assert!(share(wrong, lines.len()) <= 0.02, "{wrong}/{}\n{}", lines.len(), confusion(&lines));
}
