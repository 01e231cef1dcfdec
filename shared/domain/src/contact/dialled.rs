//! From what stands in a cell to the digits one would dial.

use super::phone::UnusablePhone;

/// Fewer digits than any number that can be dialled from elsewhere.
const DIGITS_MIN: usize = 7;

/// E.164's 15 digits and the two zeros that stand for the plus.
const DIGITS_MAX: usize = 17;

/// A text reduced to what would be pressed on a telephone.
pub(super) struct Dialled {
    /// 7 to 17 ASCII digits.
    pub(super) digits: String,
    /// Whether a plus came before them.
    pub(super) international: bool,
}

/// Reads what would be pressed, and refuses what has words or signs in it.
pub(super) fn dialled(raw: &str) -> Result<Dialled, UnusablePhone> {
    // Spreadsheets mark text that looks like a number with an apostrophe.
    let text = raw.trim().trim_start_matches('\'');
    let mut digits = String::with_capacity(DIGITS_MAX);
    let mut international = false;
    for character in text.chars() {
        match character {
            '0'..='9' if digits.len() == DIGITS_MAX => return Err(UnusablePhone::TooLong),
            '0'..='9' => digits.push(character),
            '+' if digits.is_empty() => international = true,
            '-' | '.' | '/' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
            space if space.is_whitespace() || is_invisible(space) => {}
            _ => return Err(UnusablePhone::NotANumber),
        }
    }
    match digits.len() {
        0 => Err(UnusablePhone::Missing),
        1..DIGITS_MIN => Err(UnusablePhone::TooShort),
        _ => Ok(Dialled { digits, international }),
    }
}

/// Marks that come along when a number is copied from a chat or a web page.
const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}
