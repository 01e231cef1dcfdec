//! A stored number, and the spellings under which the same line may write.

use retorno_domain::contact::E164;

/// The bytes are the text.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(number) = E164::parse_strict(text) else {
        let digits = text.strip_prefix('+').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        assert!(digits.is_none_or(|digits| !(8..=15).contains(&digits.len()) || digits.starts_with('0')));
        return;
    };
    assert_eq!(number.as_str(), text);
    assert_eq!(format!("+{}", number.digits()), text);
    assert_eq!(String::from(number.clone()), text);
    assert_eq!(format!("{number:?}"), "E164(redacted)");
    let aliases = number.aliases();
    assert!(aliases.first().map(String::as_str) == Some(number.digits()) && aliases.len() <= 2);
    for alias in &aliases {
        assert!(E164::parse_strict(&format!("+{alias}")).is_ok(), "a spelling that is no number");
        assert_eq!(alias.get(..2), number.digits().get(..2), "a spelling of another country");
    }
}
