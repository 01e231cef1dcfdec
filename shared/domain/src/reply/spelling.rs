//! Slips of the keyboard, mended where only one word can be meant.

use super::token::{Kind, Token};
use super::vocabulary::{Vocabulary, letters};

/// Words of a text that are mended; who writes more is read by a person anyway.
const MENDED_MAX: usize = 60;
/// Words of a text in which short words are mended too: in a longer one a strange short word is
/// rather a name.
const SHORT_TEXT_WORDS_MAX: usize = 3;
/// Letters of the shortest word that may have a slip.
const SLIP_LETTERS_MIN: usize = 4;
/// Letters from which on a word may have a slip in a text of any length.
const LONG_LETTERS_MIN: usize = 5;
/// Letters from which on a word may have two slips.
const TWO_SLIPS_LETTERS_MIN: usize = 8;
/// What a slip costs.
const SLIP: usize = 3;
/// What a slip to a neighbouring key, or of two letters in each other's place, costs.
const LIGHT_SLIP: usize = 2;
/// The letters as they lie on a keyboard.
const KEYS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Puts short forms in full, mends what is no word that is known, and looks every word up.
pub(super) fn mend(tokens: &mut [Token], vocabulary: &Vocabulary) {
    let words = tokens.iter().filter(|token| token.kind == Kind::Word).count();
    let short_text = words <= SHORT_TEXT_WORDS_MAX;
    for token in tokens.iter_mut().filter(|token| token.kind == Kind::Word).take(MENDED_MAX) {
        if let Some(long) = vocabulary.aliases.get(&token.text) {
            token.text.clone_from(long);
        } else if !vocabulary.known.contains(&token.text) {
            if let Some(single) = without_doubles(&token.text).filter(|word| vocabulary.known.contains(word)) {
                token.text = vocabulary.aliases.get(&single).cloned().unwrap_or(single);
            } else if let Some(meant) = meant(&token.text, vocabulary, short_text) {
                token.text = meant;
                token.guessed = true;
            }
        }
    }
    for token in tokens {
        token.word = vocabulary.ids.get(&token.text).copied();
    }
}

/// The word with doubled letters once: `holaa`, `paarar`.
fn without_doubles(word: &str) -> Option<String> {
    let chars: Vec<char> = word.chars().collect();
    let single: String = chars.chunk_by(|a, b| a == b).filter_map(|group| group.first()).collect();
    (single.len() < word.len()).then_some(single)
}

/// The word that is nearest, when it is near enough; of two alike the first of the alphabet.
fn meant(word: &str, vocabulary: &Vocabulary, short_text: bool) -> Option<String> {
    let chars: Vec<char> = word.chars().collect();
    let least = if short_text { SLIP_LETTERS_MIN } else { LONG_LETTERS_MIN };
    if chars.len() + 1 < least {
        return None;
    }
    let word_letters = letters(word);
    let mut best: Option<(usize, &str)> = None;
    for target in vocabulary.targets.iter().filter(|target| target.chars.len() >= least) {
        let slips: usize = if target.chars.len() >= TWO_SLIPS_LETTERS_MIN { 2 } else { 1 };
        let off = (target.letters ^ word_letters).count_ones() as usize;
        if target.chars.len().abs_diff(chars.len()) > slips || off > 2 * slips {
            continue;
        }
        let cost = cost(&chars, &target.chars);
        if cost <= slips * SLIP && best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, &target.word));
        }
    }
    best.map(|(_, word)| word.to_owned())
}

/// What it costs to make one word of the other: letters added, dropped or changed are a slip each;
/// a neighbouring key or two letters in each other's place are less.
fn cost(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).map(|length| length * SLIP).collect();
    let mut previous: Option<char> = None;
    for (row, x) in a.iter().enumerate() {
        let mut current = Vec::with_capacity(b.len() + 1);
        current.push((row + 1) * SLIP);
        let mut left: Option<char> = None;
        for (column, y) in b.iter().enumerate() {
            let at = |cells: &[usize], column: usize| cells.get(column).copied().unwrap_or(usize::MAX / 2);
            let change = at(&last, column) + change(*x, *y);
            let mut least = change.min(at(&last, column + 1) + SLIP).min(at(&current, column) + SLIP);
            if left == Some(*x) && previous == Some(*y) && column > 0 {
                least = least.min(at(&before_last, column - 1) + LIGHT_SLIP);
            }
            current.push(least);
            left = Some(*y);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(*x);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

/// A letter in another's place.
fn change(a: char, b: char) -> usize {
    let place =
        |c: char| KEYS.iter().enumerate().find_map(|(row, keys)| Some((row, keys.chars().position(|key| key == c)?)));
    match (place(a), place(b)) {
        _ if a == b => 0,
        (Some((row_a, at_a)), Some((row_b, at_b))) if row_a.abs_diff(row_b) + at_a.abs_diff(at_b) == 1 => LIGHT_SLIP,
        (Some(_) | None, Some(_) | None) => SLIP,
    }
}

#[cfg(test)]
mod tests {
    use super::cost;

    #[test]
    fn slips_have_their_cost() {
        let cases =
            [("parar", "parar", 0), ("prar", "parar", 3), ("paarr", "parar", 2), ("psrar", "parar", 2), ("", "ab", 6)];
        for (a, b, expected) in cases {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(cost(&x, &y), expected, "{a} {b}");
        }
    }
}
