//! Spans of time as people write and read them: `3h`, "2 days and 3 hours".

use std::str::FromStr;

use chrono::TimeDelta;

/// A span written as a number and a unit: `30m`, `3h`, `1d` (24 hours), `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub TimeDelta);

/// A text that is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no span of time: write next, 30m, 3h, 1d or 2w")]
pub struct NotASpan(String);

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let wrong = || NotASpan(text.chars().take(40).collect());
        let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at_checked(at).ok_or_else(wrong)?;
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let minutes = match unit {
            "m" => 1,
            "h" => 60,
            "d" => 24 * 60,
            "w" => 7 * 24 * 60,
            _ => return Err(wrong()),
        };
        let minutes = number.checked_mul(minutes).filter(|minutes| *minutes > 0).ok_or_else(wrong)?;
        TimeDelta::try_minutes(minutes).map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        assert_eq!("3h".parse(), Ok(Span(TimeDelta::hours(3))));
        assert_eq!("2w".parse(), Ok(Span(TimeDelta::days(14))));
        for wrong in ["", "3", "h", "0d", "-1d", "3 h", "1y", "99999999999999999999d", "9000000000000000000w", "١d"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
