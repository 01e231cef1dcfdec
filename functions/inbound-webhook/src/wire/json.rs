//! Reading JSON that others wrote: every text bounded and without U+0000, every number as they may
//! write it, everything optional.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::event::{ErrorCode, Private, Sender};

/// Longest word of a provider's own: codes, names, types.
pub(super) const WORD_CHARS_MAX: usize = 128;
/// Longest id of a provider, or of ours that a provider repeats (Meta: 512).
pub(super) const ID_CHARS_MAX: usize = 512;
/// Longest text of a person (WhatsApp: 4,096).
pub(super) const TEXT_CHARS_MAX: usize = 4096;
/// Digits of a phone, and of WhatsApp's ids made of one.
const PHONE_DIGITS_MAX: usize = 20;
/// Errors kept of a report.
const ERRORS_MAX: usize = 10;
/// Seconds that no report of this century reaches; a greater number is of milliseconds.
const SECONDS_MAX: u64 = 100_000_000_000;

/// A text without U+0000, at most so many characters.
pub(super) fn clean(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(chars_max).collect()
}

/// The value at a path; null where there is none.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| value.get(key).unwrap_or(&Value::Null))
}

/// The elements of a list at a path; none where there is no list.
pub(super) fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

fn bounded(value: &Value, chars_max: usize) -> Option<String> {
    let text = match value {
        Value::String(text) => clean(text, chars_max),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A provider's own word at a path, also where it writes a number.
pub(super) fn word(value: &Value, path: &[&str]) -> Option<String> {
    bounded(at(value, path), WORD_CHARS_MAX)
}

/// An id at a path, also where it is written as a number.
pub(super) fn id(value: &Value, path: &[&str]) -> Option<String> {
    let id = at(value, path);
    // A shortened id would name something else.
    if id.as_str().is_some_and(|id| id.chars().count() > ID_CHARS_MAX) {
        return None;
    }
    bounded(id, ID_CHARS_MAX)
}

/// An id that holds personal data.
pub(super) fn private_id(value: &Value, path: &[&str]) -> Option<Private> {
    id(value, path).map(Private::new)
}

/// A person's words at a path.
pub(super) fn text(value: &Value, path: &[&str]) -> Option<Private> {
    bounded(at(value, path), TEXT_CHARS_MAX).map(Private::new)
}

/// The digits of a phone, however it is written; none if there is anything but a phone.
pub(super) fn digits(value: &Value, path: &[&str]) -> Option<Private> {
    bounded(at(value, path), 2 * PHONE_DIGITS_MAX).as_deref().and_then(phone)
}

/// The digits of a phone, however it is written.
pub(super) fn phone(text: &str) -> Option<Private> {
    let ornament = |c: char| matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '\u{a0}');
    let digits: String = text.chars().filter(|c| !ornament(*c)).collect();
    let right = (1..=PHONE_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    right.then(|| Private::new(digits))
}

/// A person by a phone and a user id at two paths.
pub(super) fn sender(value: &Value, phone: &[&str], user_id: &[&str]) -> Sender {
    Sender { phone: digits(value, phone), user_id: private_id(value, user_id) }
}

/// An instant: seconds or milliseconds as number or text, or ISO 8601.
pub(super) fn instant(value: &Value, path: &[&str]) -> Option<DateTime<Utc>> {
    let value = at(value, path);
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match number {
        Some(seconds) if seconds.unsigned_abs() < SECONDS_MAX => DateTime::from_timestamp(seconds, 0),
        Some(milliseconds) => DateTime::from_timestamp_millis(milliseconds),
        None => DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|at| at.to_utc()),
    }
}

/// A whole number that is not negative.
pub(super) fn count(value: &Value, path: &[&str]) -> Option<u32> {
    let value = at(value, path);
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u32::try_from(number).ok()
}

/// The codes of a list of errors.
pub(super) fn error_codes(value: &Value, path: &[&str]) -> Vec<ErrorCode> {
    let errors = list(value, path).iter().take(ERRORS_MAX);
    errors.filter_map(|error| word(error, &["code"])).map(ErrorCode).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn instants_in_every_spelling() {
        let expected = DateTime::from_timestamp(1_790_000_000, 0);
        for value in [
            json!("1790000000"),
            json!(1_790_000_000),
            json!(1_790_000_000_000_i64),
            json!("1790000000000"),
            json!("2026-09-21T14:13:20Z"),
            json!("2026-09-21T11:13:20.000-03:00"),
        ] {
            assert_eq!(instant(&value, &[]), expected, "{value}");
        }
        for value in [
            json!(i64::MAX),
            json!(i64::MIN),
            json!(i64::MIN.to_string()),
            json!(u64::MAX),
            json!(1e300),
            json!("ayer"),
            json!(null),
            json!([]),
        ] {
            assert_eq!(instant(&value, &[]), None, "{value}");
        }
    }

    #[test]
    fn texts_are_bounded_and_have_no_nul() {
        let long = json!("a\0".repeat(TEXT_CHARS_MAX + 1));
        assert_eq!(text(&long, &[]).unwrap().as_str(), "a".repeat(TEXT_CHARS_MAX));
        assert_eq!(text(&json!("\0"), &[]), None);
        assert_eq!(id(&json!("a".repeat(ID_CHARS_MAX + 1)), &[]), None);
        assert_eq!(id(&json!(77), &[]).unwrap(), "77");
    }

    #[test]
    fn phones_are_digits() {
        for written in ["5491155550101", "+54 9 11 5555-0101", "+54 (9) 11 5555.0101"] {
            assert_eq!(phone(written).unwrap().as_str(), "5491155550101");
        }
        for written in ["", "+", "AR.1349", "5491155550101@c.us", "123456789012345678901", "５４９"] {
            assert_eq!(phone(written), None, "{written}");
        }
    }
}
