#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::{E164, NotE164};

#[test]
fn a_stored_number_is_a_plus_and_8_to_15_digits() {
    for text in ["+5491155551234", "+12345678", "+123456789012345"] {
        let number = E164::parse_strict(text).unwrap();
        assert_eq!(number.as_str(), text);
        assert_eq!(format!("+{}", number.digits()), text);
    }
    for text in [
        "",
        "+",
        "5491155551234",
        "+1234567",
        "+1234567890123456",
        "+0491155551234",
        "+54 9 11 5555 1234",
        "++5491155551234",
        "+549115555123x",
        " +5491155551234",
        "+５４９１１５５５５",
        "-5491155551234",
    ] {
        assert_eq!(E164::parse_strict(text), Err(NotE164), "{text}");
    }
}

#[test]
fn a_number_is_known_under_its_other_spelling() {
    for (number, aliases) in [
        ("+5527983962313", &["5527983962313", "552783962313"][..]),
        ("+552783962313", &["552783962313", "5527983962313"]),
        ("+552733334444", &["552733334444"]), // a landline
        ("+5491155551234", &["5491155551234", "541155551234"]),
        ("+541155551234", &["541155551234", "5491155551234"]),
        ("+525512345678", &["525512345678", "5215512345678"]),
        ("+5215512345678", &["5215512345678", "525512345678"]),
        ("+56912345678", &["56912345678"]),
        ("+34612345678", &["34612345678"]),
    ] {
        assert_eq!(E164::parse_strict(number).unwrap().aliases(), aliases);
    }
}

#[test]
fn a_number_is_not_shown() {
    let number = E164::parse_strict("+5491155551234").unwrap();
    assert!(!format!("{number:?}").contains('5'));
    let json = serde_json::to_string(&number).unwrap();
    assert_eq!(serde_json::from_str::<E164>(&json).unwrap(), number);
    let refused = serde_json::from_str::<E164>("\"5491155551234\"").unwrap_err();
    assert!(!refused.to_string().contains("5555"));
}

proptest! {
    /// Whoever is found under one spelling is found under the other.
    #[test]
    fn aliases_lead_back(digits in "[1-9][0-9]{7,14}") {
        let number = E164::parse_strict(&format!("+{digits}")).unwrap();
        for alias in number.aliases() {
            let back = E164::parse_strict(&format!("+{alias}")).unwrap();
            prop_assert!(back.aliases().contains(&digits), "{} {}", digits, alias);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Ok(number) = E164::parse_strict(&text) {
            prop_assert_eq!(number.as_str(), text);
        }
    }
}
