//! The words of one language that are not templates: days, labels, and what the lint listens for.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use serde::Deserialize;

use crate::offer::Offer;

/// All of a catalogue but its templates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) dates: Option<DateWords>,
    pub(crate) links: BTreeMap<String, String>,
    pub(crate) examples: BTreeMap<String, String>,
    pub(crate) segments: BTreeMap<String, SegmentWords>,
    pub(crate) incentive: Option<IncentiveWords>,
    pub(crate) lint: Option<LintWords>,
    pub(crate) offers: Vec<Offer>,
}

/// How days and times are said. Patterns name their parts in single braces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DateWords {
    /// Monday first.
    weekdays: [String; 7],
    months: [String; 12],
    /// The first of a month, which Portuguese says as an ordinal.
    first_of_month: String,
    /// `{weekday}`, `{day}`, `{month}`.
    date: String,
    /// `{hour}` without, `{minute}` with a leading zero.
    time: String,
    /// The same when the minute is 0.
    time_full_hour: String,
    /// `{date}`, `{time}`.
    slot: String,
}

impl DateWords {
    pub(crate) fn date(&self, date: NaiveDate) -> String {
        // Both numbers are in range by their type's promise; an empty word is better than a panic.
        let weekday = self.weekdays.get(date.weekday().num_days_from_monday() as usize);
        let month = self.months.get(date.month0() as usize);
        let day = match date.day() {
            1 => self.first_of_month.clone(),
            day => day.to_string(),
        };
        self.date
            .replace("{weekday}", weekday.map_or("", String::as_str))
            .replace("{day}", &day)
            .replace("{month}", month.map_or("", String::as_str))
    }

    pub(crate) fn time(&self, time: NaiveTime) -> String {
        let pattern = match time.minute() {
            0 => &self.time_full_hour,
            _ => &self.time,
        };
        pattern.replace("{hour}", &time.hour().to_string()).replace("{minute}", &format!("{:02}", time.minute()))
    }

    pub(crate) fn slot(&self, local: NaiveDateTime) -> String {
        self.slot.replace("{date}", &self.date(local.date())).replace("{time}", &self.time(local.time()))
    }
}

/// A segment as staff reads it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentWords {
    pub(crate) name: String,
    pub(crate) description: String,
}

/// How an incentive is said, and which words tell fees from supplies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncentiveWords {
    /// `{text}`, `{until}`, `{limit}`.
    pub(crate) phrase: String,
    /// The same for a limit of one.
    pub(crate) phrase_one: String,
    /// Beginnings of words for the clinic's own work, of which one must appear.
    pub(crate) fees: Vec<String>,
    /// Beginnings of words for goods, of which none may appear.
    pub(crate) supplies: Vec<String>,
}

/// What the lint listens for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LintWords {
    /// Words that ask the reader to do something, accents and all.
    pub(crate) calls_to_action: Vec<String>,
    /// Phrases that blame.
    pub(crate) shaming: Vec<String>,
    /// Beginnings of words that name a procedure, a treatment or a diagnosis.
    pub(crate) clinical: Vec<String>,
}

/// Whether a text holds these words exactly, whatever their case.
pub(crate) fn has_words(text: &str, words: &str) -> bool {
    let (text, words) = (text.to_lowercase(), words.to_lowercase());
    occurs(&text, &words, true)
}

/// Whether a word of a text begins with this, whatever case or accents.
pub(crate) fn has_stem(text: &str, stem: &str) -> bool {
    occurs(&fold(text), &fold(stem), false)
}

fn occurs(text: &str, words: &str, whole: bool) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    !words.is_empty()
        && text.match_indices(words).any(|(start, found)| {
            let before = text.get(..start).and_then(|before| before.chars().next_back());
            let after = text.get(start + found.len()..).and_then(|after| after.chars().next());
            is_edge(before) && (!whole || is_edge(after))
        })
}

/// Lower case without the accents of Spanish and Portuguese; ñ stays, being a letter of its own.
fn fold(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|c| !('\u{0300}'..='\u{036F}').contains(c))
        .map(|c| match c {
            'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            'ç' => 'c',
            other => other,
        })
        .collect()
}
