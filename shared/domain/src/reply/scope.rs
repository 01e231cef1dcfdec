//! How far an opt-out reaches: marketing alone, or everything.
//!
//! The words that every message names as the way to stop, leaving a list, and naming what advertises
//! are of marketing. Whoever says it in words of their own ("do not write to me") says more than that,
//! and in doubt an opt-out stops more rather than less.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::token::Token;

/// Words of which one makes an opt-out one of marketing.
const MARKETING: &str = include_str!("words/of_marketing.txt");
/// Words of which none may stand beside.
const EVERYTHING: &str = include_str!("words/of_everything.txt");

/// Words, and beginnings of words.
struct Words {
    whole: HashSet<&'static str>,
    beginnings: Vec<&'static str>,
}

impl Words {
    fn of(list: &'static str) -> Self {
        let words = || list.lines().filter(|line| !line.starts_with("# ")).flat_map(str::split_whitespace);
        Self {
            whole: words().filter(|word| !word.ends_with('*')).collect(),
            beginnings: words().filter_map(|word| word.strip_suffix('*')).collect(),
        }
    }

    fn any(&self, tokens: &[Token]) -> bool {
        tokens.iter().map(|token| token.text.as_str()).any(|word| {
            self.whole.contains(word) || self.beginnings.iter().any(|beginning| word.starts_with(beginning))
        })
    }
}

/// Whether a text that is an opt-out, by a single word of stopping or by a phrase, is of marketing alone.
pub(super) fn is_of_marketing(tokens: &[Token], by_word: bool) -> bool {
    static LISTS: LazyLock<(Words, Words)> = LazyLock::new(|| (Words::of(MARKETING), Words::of(EVERYTHING)));
    let (marketing, everything) = &*LISTS;
    (by_word || marketing.any(tokens)) && !everything.any(tokens)
}
