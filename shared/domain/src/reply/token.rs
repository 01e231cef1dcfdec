//! A text as words, numbers, clock times, dates and marks.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::TEXT_CHARS_MAX;
use super::clock;

/// The number of a word in the word lists.
pub(super) type WordId = u32;

/// A piece of a text.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// What sort of piece.
    pub(super) kind: Kind,
    /// Lower case, without accents; digits without leading zeros.
    pub(super) text: String,
    /// The number the word lists have for it.
    pub(super) word: Option<WordId>,
    /// Whether it was written in capitals, at least three of them.
    pub(super) shouted: bool,
    /// Whether its spelling was mended by more than its accents and repeated letters.
    pub(super) guessed: bool,
}

/// What sort of piece a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters.
    Word,
    /// Digits.
    Number(u32),
    /// A time of the day.
    Clock(u8),
    /// A day and a month, perhaps with a year of two or four digits.
    Date(u32, u32, Option<i32>),
    /// An emoji or another sign that stands for itself.
    Symbol,
    /// A question mark.
    Question,
    /// The end of a clause: other punctuation, the end of a line.
    Break,
}

impl Kind {
    /// Whether it ends a clause.
    pub(super) const fn is_boundary(self) -> bool {
        matches!(self, Self::Question | Self::Break)
    }
}

/// The pieces of a text, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().take(TEXT_CHARS_MAX).filter(|c| !is_ignored(*c)).nfkc().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = chars.as_slice();
    while let [first, after @ ..] = rest {
        if first.is_alphanumeric() {
            let length = run_length(rest);
            let (run, after_run) = rest.split_at(length);
            push_run(run, &mut tokens);
            rest = after_run;
            continue;
        }
        rest = after;
        if let Some(kind) = mark(*first, after, tokens.last()) {
            let text = if kind == Kind::Symbol { first.to_string() } else { String::new() };
            let token = Token { kind, text, word: None, shouted: false, guessed: false };
            if tokens.last() != Some(&token) {
                tokens.push(token);
            }
        }
    }
    tokens
}

/// What leaves no trace: controls that are no white space, joiners, selectors, skin tones, keycaps.
fn is_ignored(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(c, '\u{20E3}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{1F3FB}'..='\u{1F3FF}')
}

/// How far a word or a number reaches. An apostrophe and the dots of `p.m.` do not end it; within
/// digits neither do the marks of times and dates.
fn run_length(rest: &[char]) -> usize {
    let mut length = 0;
    while let Some(c) = rest.get(length) {
        let before = length.checked_sub(1).and_then(|at| rest.get(at));
        let after = rest.get(length + 1);
        let goes_on = c.is_alphanumeric()
            || is_combining_mark(*c)
            || match c {
                '\'' | '’' | '´' | '`' => after.is_some_and(|after| after.is_alphabetic()),
                ':' | '/' | '-' => is_digit(before) && is_digit(after),
                '.' => {
                    (is_digit(before) && is_digit(after))
                        || (length % 2 == 1 && before.is_some_and(|c| c.is_alphabetic()) && is_dotted(rest, length))
                }
                'º' | 'ª' | '°' => is_digit(before),
                _ => false,
            };
        if !goes_on {
            break;
        }
        length += 1;
    }
    length
}

fn is_digit(c: Option<&char>) -> bool {
    c.is_some_and(char::is_ascii_digit)
}

/// Whether up to here single letters and dots take turns, as in `p.m.`, and another follows.
fn is_dotted(rest: &[char], length: usize) -> bool {
    let turns = rest.iter().take(length).enumerate().all(|(at, c)| (at % 2 == 1) == (*c == '.'));
    let next = rest.get(length + 1).is_some_and(|c| c.is_alphabetic());
    let single = rest.get(length + 2).is_none_or(|c| !c.is_alphanumeric());
    turns && next && single
}

fn push_run(run: &[char], tokens: &mut Vec<Token>) {
    let shouted = run.iter().filter(|c| c.is_uppercase()).count() >= 3 && !run.iter().any(|c| c.is_lowercase());
    let folded = fold(run.iter().copied());
    let digits = folded.chars().take_while(char::is_ascii_digit).count();
    if digits == 0 {
        let text = squeeze(&folded);
        let token = Token { kind: Kind::Word, text, word: None, shouted, guessed: false };
        // Who writes a word three times means it as twice.
        let again = tokens.iter().rev().take(2).filter(|before| **before == token).count() == 2;
        if !token.text.is_empty() && !again {
            tokens.push(token);
        }
        return;
    }
    for (kind, text) in clock::numeric(&folded) {
        tokens.push(Token { kind, text, word: None, shouted: false, guessed: false });
    }
}

/// Lower case without accents, cedillas, tildes and apostrophes.
pub(super) fn fold(chars: impl Iterator<Item = char>) -> String {
    let lower = chars.flat_map(char::to_lowercase);
    lower.nfkd().filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '’' | '´' | '`')).collect()
}

/// A letter written three times or more is meant once.
fn squeeze(word: &str) -> String {
    let mut squeezed = String::with_capacity(word.len());
    let chars: Vec<char> = word.chars().filter(|c| *c != '.').collect();
    for group in chars.chunk_by(|a, b| a == b) {
        let kept = if group.len() >= 3 { 1 } else { group.len() };
        squeezed.extend(group.iter().take(kept));
    }
    squeezed
}

/// What a character between words stands for.
fn mark(c: char, after: &[char], before: Option<&Token>) -> Option<Kind> {
    match c {
        '?' | '¿' | '؟' | '？' => (c != '¿').then_some(Kind::Question),
        '\n' | '\r' => Some(Kind::Break),
        '-' | '–' | '—' => after.first().is_none_or(|next| next.is_whitespace()).then_some(Kind::Break),
        '.' | ',' | ';' | '!' | ':' | '(' | ')' | '…' | '¡' => before.map(|_| Kind::Break),
        _ if c.is_whitespace() || c.is_ascii_punctuation() => None,
        '\u{A1}'..='\u{BF}' | '\u{2010}'..='\u{203E}' => None,
        '\u{2100}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' => Some(Kind::Symbol),
        _ => None,
    }
}
