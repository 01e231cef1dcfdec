//! A value on its way into a message.

use retorno_domain::template::{Values, Variable};

use crate::pieces::Pieces;

/// The first byte chooses the variable, the rest is the value.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let variable = pieces.one_of(&Variable::ALL);
    let text = pieces.rest_as_text();
    let mut values = Values::default();
    values.set(variable, text.clone());
    let Some(value) = values.get(variable) else {
        assert!(!text.chars().any(|c| c.is_ascii_alphanumeric()), "a value was lost");
        return;
    };
    check_parameter(value);
    assert!(!value.contains(['{', '}']), "a brace a patient would see");
    assert!(variable.is_link() || value.chars().count() <= variable.chars_max(), "longer than the lint counts");
    let mut again = Values::default();
    again.set(variable, value);
    assert_eq!(again.get(variable), Some(value), "set again");
    assert_eq!(format!("{values:?}"), format!("{{{variable:?}}}"), "a value in a log");
}

/// What WhatsApp takes as a parameter: no line break, no tab, no long run of blanks, not nothing.
pub(super) fn check_parameter(value: &str) {
    assert!(!value.trim().is_empty() && !value.contains("  "), "blanks");
    assert!(
        !value.contains(|c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2028}' | '\u{2029}'))
    );
}
