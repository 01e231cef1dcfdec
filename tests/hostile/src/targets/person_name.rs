//! A person's name, and the word to greet with.

use retorno_domain::contact::PersonName;
use retorno_domain::template::{Values, Variable};

/// The bytes are the cell.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match PersonName::parse(&text) {
        Ok(name) => {
            let whole = name.as_str();
            assert!((1..=200).contains(&whole.chars().count()) && !whole.contains(char::is_control));
            assert!(!whole.contains("  ") && whole.trim() == whole);
            assert_eq!(PersonName::parse(whole).as_ref(), Ok(&name), "read again");
            assert_eq!(format!("{name:?}"), "PersonName(redacted)");
            let given = name.given();
            assert!(whole.contains(given) && !given.contains([' ', ',']));
            assert_eq!(given.contains(char::is_alphabetic), whole.contains(char::is_alphabetic), "who is greeted");
            let mut values = Values::default();
            values.set(Variable::Paciente, given);
            assert!(values.get(Variable::Paciente).is_none_or(|greeted| !greeted.is_empty() && !given.is_empty()));
        }
        Err(why) => assert!(["missing", "too_long"].contains(&why.code())),
    }
}
