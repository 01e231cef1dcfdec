//! A telephone number as people write it.

use retorno_domain::contact::{E164, Line, Phone, UnusablePhone};
use retorno_domain::holiday::Country;

use crate::pieces::Pieces;

/// The first byte chooses the country, the rest is the cell.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let country = pieces.one_of(&Country::ALL);
    let text = pieces.rest_as_text();
    match Phone::parse(&text, country) {
        Ok(phone) => {
            check(&phone, &text);
            assert_eq!(Phone::parse(phone.e164.as_str(), country), Ok(phone), "read again");
        }
        Err(why) => {
            assert_eq!(UnusablePhone::of_code(why.code()), Some(why));
            assert!(!why.to_string().contains(|c: char| c.is_ascii_digit()), "digits in an error");
        }
    }
}

fn check(phone: &Phone, text: &str) {
    let number = phone.e164.as_str();
    assert_eq!(E164::parse_strict(number).as_ref(), Ok(&phone.e164));
    assert_eq!(Line::of_code(phone.line.code()), Some(phone.line));
    // Nothing is dialled that was not written: some plans complete a number, but never its end.
    let written: String = text.chars().filter(char::is_ascii_digit).collect();
    let ending = number.get(number.len() - 4..).unwrap_or_default();
    assert!(written.ends_with(ending), "another number");
    assert_eq!(format!("{phone:?}"), format!("Phone {{ e164: E164(redacted), line: {:?} }}", phone.line));
}
