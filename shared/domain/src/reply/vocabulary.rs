//! The word lists, parsed once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::phrase::{Element, Part, Phrase};
use super::sign::Sign;
use super::token::{WordId, fold};
use crate::from_toml::from_toml;

/// The lists, each with the name it has in faults.
const EMBEDDED: [(&str, &str); 7] = [
    ("classes", include_str!("words/classes.toml")),
    ("opt_out", include_str!("words/opt_out.toml")),
    ("spanish", include_str!("words/spanish.toml")),
    ("portuguese", include_str!("words/portuguese.toml")),
    ("english", include_str!("words/english.toml")),
    ("times", include_str!("words/times.toml")),
    ("courtesy", include_str!("words/courtesy.toml")),
];
/// Everyday words that are no slip for another word.
const KNOWN: &str = include_str!("words/known.txt");

/// Everything that is looked for in a text.
#[derive(Default)]
pub(super) struct Vocabulary {
    /// All phrases.
    pub(super) phrases: Vec<Phrase>,
    /// Each word that stands in a phrase.
    pub(super) ids: HashMap<String, WordId>,
    /// The phrases by each word they can begin with.
    pub(super) by_first: HashMap<WordId, Vec<usize>>,
    /// The phrases that begin with something else.
    pub(super) by_other: Vec<usize>,
    /// What a short form stands for.
    pub(super) aliases: BTreeMap<String, String>,
    /// Words for numbers.
    pub(super) numbers: BTreeMap<String, u32>,
    /// Every word that needs no mending.
    pub(super) known: HashSet<String>,
    /// Words that a slip may be mended to, in order.
    pub(super) targets: Vec<Target>,
    /// What was wrong with the lists; empty in every build that passed its tests.
    pub(super) faults: Vec<String>,
}

/// A word that a slip may be mended to.
pub(super) struct Target {
    /// The word.
    pub(super) word: String,
    /// Its letters, one bit each.
    pub(super) letters: u32,
    /// Its letters, in order.
    pub(super) chars: Vec<char>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    #[serde(default)]
    numbers: BTreeMap<String, u32>,
    #[serde(default)]
    classes: BTreeMap<String, String>,
    #[serde(default)]
    phrases: Vec<Phrases>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrases {
    sign: Sign,
    /// How many words nothing is known of may stand beside and leave it sure.
    rest: usize,
    /// One phrase a line.
    are: String,
}

impl Vocabulary {
    /// The lists that come with the product, parsed on first use. A list that does not parse is left
    /// out and named in the faults.
    pub(super) fn embedded() -> &'static Self {
        static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
            let mut vocabulary = Vocabulary::default();
            let mut lists = Vec::new();
            for (name, text) in EMBEDDED {
                match from_toml::<List>(text) {
                    Ok(list) => lists.push(list),
                    Err(fault) => vocabulary.faults.push(format!("{name}: {fault}")),
                }
            }
            vocabulary.fill(lists);
            vocabulary
        });
        &VOCABULARY
    }

    fn fill(&mut self, lists: Vec<List>) {
        let classes: BTreeMap<&str, &str> =
            lists.iter().flat_map(|list| &list.classes).map(|(name, words)| (name.as_str(), words.as_str())).collect();
        for list in &lists {
            self.aliases.extend(list.aliases.iter().map(|(short, long)| (plain(short), plain(long))));
            self.numbers.extend(list.numbers.iter().map(|(word, value)| (plain(word), *value)));
            for group in &list.phrases {
                for line in group.are.lines().filter(|line| !line.trim().is_empty()) {
                    match phrase(line, group, &classes, &mut self.ids) {
                        Ok(phrase) => self.phrases.push(phrase),
                        Err(fault) => self.faults.push(fault),
                    }
                }
            }
        }
        self.index();
    }

    fn index(&mut self) {
        for (at, phrase) in self.phrases.iter().enumerate() {
            match first_words(phrase) {
                Some(words) => words.into_iter().for_each(|word| self.by_first.entry(word).or_default().push(at)),
                None => self.by_other.push(at),
            }
        }
        let words = self.ids.keys().chain(self.numbers.keys()).chain(self.aliases.keys());
        self.known = words.cloned().collect();
        let mut targets: Vec<&String> = self.known.iter().collect();
        targets.sort_unstable();
        self.targets = targets
            .into_iter()
            .filter(|word| word.chars().all(char::is_alphabetic))
            .map(|word| Target::of(word))
            .collect();
        self.known.extend(KNOWN.split_whitespace().map(plain));
    }

    /// The value of a word for a number.
    pub(super) fn number(&self, word: &str) -> Option<u32> {
        self.numbers.get(word).copied()
    }
}

/// The words a phrase can begin with; nothing when it can begin with something else.
fn first_words(phrase: &Phrase) -> Option<Vec<WordId>> {
    let mut words = Vec::new();
    for part in phrase.parts.iter().filter(|part| part.element != Element::ClauseStart) {
        let Element::Words { exact, beginnings } = &part.element else { return None };
        if !beginnings.is_empty() {
            return None;
        }
        words.extend(exact);
        if !part.optional {
            words.sort_unstable();
            words.dedup();
            return Some(words);
        }
    }
    None
}

impl Target {
    fn of(word: &str) -> Self {
        Self { word: word.to_owned(), letters: letters(word), chars: word.chars().collect() }
    }
}

/// The letters of a word, one bit each; what is no plain letter shares one.
pub(super) fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |bits, byte| bits | 1 << if byte.is_ascii_lowercase() { byte - b'a' } else { 26 })
}

fn plain(word: &str) -> String {
    fold(word.chars())
}

/// Reads one line: words apart by spaces, `a|b` either, `@name` a class, `word*` a beginning, `_`
/// any word, `..` up to three words, `#` a number, `#h` a number or a time,
/// `#c` a time, `#d` a date, `^` the start of a
/// clause, `$` its end; a `?` after any of them makes it optional.
fn phrase(
    line: &str,
    group: &Phrases,
    classes: &BTreeMap<&str, &str>,
    ids: &mut HashMap<String, WordId>,
) -> Result<Phrase, String> {
    let mut parts = Vec::new();
    for piece in line.split_whitespace() {
        let (piece, optional) = piece.strip_suffix('?').map_or((piece, false), |piece| (piece, true));
        let element = match piece {
            "_" => Element::Any,
            ".." => Element::Gap,
            "#" => Element::Number,
            "#h" => Element::Hour,
            "#c" => Element::Clock,
            "#d" => Element::Date,
            "^" => Element::ClauseStart,
            "$" => Element::ClauseEnd,
            words => words_of(words, classes, ids).ok_or_else(|| format!("{line:?}: {piece:?} is no class"))?,
        };
        parts.push(Part { element, optional });
    }
    Ok(Phrase { sign: group.sign, rest: group.rest, parts })
}

fn words_of(piece: &str, classes: &BTreeMap<&str, &str>, ids: &mut HashMap<String, WordId>) -> Option<Element> {
    let mut exact = Vec::new();
    let mut beginnings = Vec::new();
    for word in piece.split('|') {
        let words = match word.strip_prefix('@') {
            Some(class) => classes.get(class)?,
            None => word,
        };
        for word in words.split_whitespace() {
            match word.strip_suffix('*') {
                Some(beginning) => beginnings.push(plain(beginning)),
                None => {
                    let next = WordId::try_from(ids.len()).ok()?;
                    exact.push(*ids.entry(plain(word)).or_insert(next));
                }
            }
        }
    }
    exact.sort_unstable();
    exact.dedup();
    Some(Element::Words { exact, beginnings })
}
