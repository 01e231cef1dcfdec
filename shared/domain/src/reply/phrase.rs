//! Phrases, and where they are in a text.

use std::cmp::Reverse;

use super::sign::Sign;
use super::token::{Kind, Token, WordId};
use super::vocabulary::Vocabulary;

/// Words a gap in a phrase spans at most.
const GAP_WORDS_MAX: usize = 3;

/// A pattern of words with a meaning.
pub(super) struct Phrase {
    /// What it stands for.
    pub(super) sign: Sign,
    /// How many words nothing is known of may stand beside and leave it sure.
    pub(super) rest: usize,
    /// What must follow one another.
    pub(super) parts: Vec<Part>,
}

/// A piece of a pattern.
pub(super) struct Part {
    /// What must be there.
    pub(super) element: Element,
    /// Whether it may be missing.
    pub(super) optional: bool,
}

/// What must be at a place of a text.
#[derive(PartialEq, Eq)]
pub(super) enum Element {
    /// One of these words, or a word that begins so.
    Words {
        /// Whole words, in order of their numbers.
        exact: Vec<WordId>,
        /// Beginnings.
        beginnings: Vec<String>,
    },
    /// Any one word.
    Any,
    /// Up to three words of the same clause.
    Gap,
    /// A number, in digits or words.
    Number,
    /// A number or a time.
    Hour,
    /// A time written as one.
    Clock,
    /// A date in digits.
    Date,
    /// The start of a clause.
    ClauseStart,
    /// The end of a clause.
    ClauseEnd,
}

/// A phrase in a text.
#[derive(Clone)]
pub(super) struct Found {
    /// What it stands for.
    pub(super) sign: Sign,
    /// How many words nothing is known of may stand beside and leave it sure.
    pub(super) rest: usize,
    /// The places of its words, in order; never empty.
    pub(super) places: Vec<usize>,
    /// The places of its numbers, times and dates.
    pub(super) numbers: Vec<usize>,
}

impl Found {
    /// Its first place.
    pub(super) fn start(&self) -> usize {
        self.places.first().copied().unwrap_or_default()
    }

    /// Its last place.
    pub(super) fn end(&self) -> usize {
        self.places.last().copied().unwrap_or_default()
    }
}

/// The phrases in a text, by place. Where two overlap, the one of more words is there, then the one
/// about messages, then the one of smaller gaps, then the graver one.
pub(super) fn found(tokens: &[Token], vocabulary: &Vocabulary) -> Vec<Found> {
    let mut candidates = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| !token.kind.is_boundary()) {
        let named = token.word.and_then(|word| vocabulary.by_first.get(&word)).map_or(&[] as &[usize], Vec::as_slice);
        for phrase in named.iter().chain(&vocabulary.by_other).filter_map(|index| vocabulary.phrases.get(*index)) {
            let mut trail = Trail { tokens, vocabulary, places: Vec::new(), numbers: Vec::new(), best: None };
            trail.follow(&phrase.parts, at);
            if let Some((places, numbers)) = trail.best {
                candidates.push(Found { sign: phrase.sign, rest: phrase.rest, places, numbers });
            }
        }
    }
    let rank = |found: &Found| {
        let span = found.end() - found.start();
        (
            Reverse(found.places.len()),
            !found.sign.is_about_messages(),
            span,
            found.sign,
            found.start(),
            Reverse(found.rest),
        )
    };
    candidates.sort_by_key(rank);
    let mut taken = vec![false; tokens.len()];
    let mut found: Vec<Found> = Vec::new();
    for candidate in candidates {
        let free = candidate.places.iter().all(|place| taken.get(*place) == Some(&false));
        if free {
            for place in &candidate.places {
                if let Some(taken) = taken.get_mut(*place) {
                    *taken = true;
                }
            }
            found.push(candidate);
        }
    }
    found.sort_by_key(Found::start);
    found
}

/// A walk along a text after one phrase; keeps the way that meets most words.
struct Trail<'a> {
    tokens: &'a [Token],
    vocabulary: &'a Vocabulary,
    places: Vec<usize>,
    numbers: Vec<usize>,
    best: Option<(Vec<usize>, Vec<usize>)>,
}

impl Trail<'_> {
    fn follow(&mut self, parts: &[Part], at: usize) {
        let Some((part, rest)) = parts.split_first() else {
            let better = self.best.as_ref().is_none_or(|(best, _)| best.len() < self.places.len());
            if better && !self.places.is_empty() {
                self.best = Some((self.places.clone(), self.numbers.clone()));
            }
            return;
        };
        match &part.element {
            Element::Gap => {
                for skipped in 0..=GAP_WORDS_MAX {
                    self.follow(rest, at + skipped);
                    if self.tokens.get(at + skipped).is_none_or(|token| token.kind.is_boundary()) {
                        break;
                    }
                }
            }
            Element::ClauseStart | Element::ClauseEnd => {
                let beside = if part.element == Element::ClauseEnd { Some(at) } else { at.checked_sub(1) };
                let beside = beside.and_then(|at| self.tokens.get(at));
                if beside.is_none_or(|token| token.kind.is_boundary() || token.kind == Kind::Symbol) {
                    self.follow(rest, at);
                }
            }
            element @ (Element::Words { .. }
            | Element::Any
            | Element::Number
            | Element::Hour
            | Element::Clock
            | Element::Date) => {
                self.step(element, rest, at);
                if part.optional {
                    self.follow(rest, at);
                }
            }
        }
    }

    fn step(&mut self, element: &Element, rest: &[Part], at: usize) {
        let Some(token) = self.tokens.get(at) else { return };
        let is_number = matches!(element, Element::Number | Element::Hour | Element::Clock | Element::Date);
        if !self.fits(element, token) {
            return;
        }
        self.places.push(at);
        if is_number {
            self.numbers.push(at);
        }
        self.follow(rest, at + 1);
        self.places.pop();
        if is_number {
            self.numbers.pop();
        }
    }

    fn fits(&self, element: &Element, token: &Token) -> bool {
        let is_number = || matches!(token.kind, Kind::Number(_)) || self.vocabulary.number(&token.text).is_some();
        match element {
            Element::Words { exact, beginnings } => {
                token.word.is_some_and(|word| exact.binary_search(&word).is_ok())
                    || beginnings.iter().any(|beginning| token.text.starts_with(beginning))
            }
            Element::Any => matches!(token.kind, Kind::Word),
            Element::Number => is_number(),
            Element::Hour => is_number() || matches!(token.kind, Kind::Clock(_)),
            Element::Clock => matches!(token.kind, Kind::Clock(_)),
            Element::Date => matches!(token.kind, Kind::Date(..)),
            Element::Gap | Element::ClauseStart | Element::ClauseEnd => false,
        }
    }
}
