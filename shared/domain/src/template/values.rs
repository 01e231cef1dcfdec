//! Values on their way into a message: made harmless once, as they are set.

use std::collections::BTreeMap;
use std::fmt;

use super::variable::Variable;

/// What is known for one message. A value that shows nothing counts as not known.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values {
    known: BTreeMap<Variable, String>,
}

impl Values {
    /// Sets a variable, or forgets it when the value shows nothing.
    ///
    /// The value becomes one line: every run of blanks is one space (WhatsApp refuses newlines,
    /// tabs and long runs of spaces in a parameter); control, direction-changing and invisible
    /// characters go, and so do braces, so that no message shows one and no value looks like a
    /// variable. A value longer than [`Variable::chars_max`] is cut at a word, links excepted.
    pub fn set(&mut self, variable: Variable, value: impl Into<String>) -> &mut Self {
        let mut clean = one_line(&value.into());
        if !variable.is_link() {
            clean = shorten(clean, variable.chars_max());
        }
        if clean.chars().all(shows_nothing) {
            self.known.remove(&variable);
        } else {
            self.known.insert(variable, clean);
        }
        self
    }

    /// The value as it will appear, if there is one.
    #[must_use]
    pub fn get(&self, variable: Variable) -> Option<&str> {
        self.known.get(&variable).map(String::as_str)
    }
}

impl fmt::Debug for Values {
    /// Names only: the values are the patient's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.known.keys()).finish()
    }
}

/// One line without braces, control or invisible characters, and with single spaces only.
pub(super) fn one_line(value: &str) -> String {
    let spaced: String =
        value.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_refused(*c)).collect();
    let words: Vec<&str> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '{' | '}'
            // Arabic letter mark, embeddings, overrides, isolates: they turn the text around them.
            | '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Soft hyphen, zero-width space, word joiner, invisible operators, byte order mark.
            | '\u{00AD}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            // Tag characters can hide a second text in the first.
            | '\u{E0000}'..='\u{E007F}'
        )
}

/// Characters that may stand inside a value (emoji need joiners) but are no value by themselves.
fn shows_nothing(c: char) -> bool {
    c == ' '
        || matches!(
            c,
            '\u{034F}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{200C}'
                | '\u{200D}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FFA0}'
                | '\u{FE00}'..='\u{FE0F}'
        )
}

fn shorten(value: String, chars_max: usize) -> String {
    if value.chars().count() <= chars_max {
        return value;
    }
    let kept: String = value.chars().take(chars_max.saturating_sub(1)).collect();
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words);
    format!("{kept}…")
}
