//! What one cell may say, and what it means.

use chrono_tz::Tz;

use super::refusal::RefusalReason;

/// Highest amount in units of the currency: some currencies count a visit in millions.
pub(super) const AMOUNT_MAX: i64 = 1_000_000_000_000;
/// Most sessions of a plan.
pub(super) const SESSIONS_MAX: u16 = 1000;
/// Longest slot: a day.
pub(super) const MINUTES_MAX: u16 = 1440;
/// Longest identifier in characters.
const ID_CHARS_MAX: usize = 128;
/// Longest name or other text in characters.
const TEXT_CHARS_MAX: usize = 500;

/// `estado`: what became of the appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusCell {
    /// `reservado`.
    Booked,
    /// `confirmado`.
    Confirmed,
    /// `completado`.
    Completed,
    /// `cancelado`.
    Cancelled,
    /// `no-show`.
    NoShow,
}

/// Text as people wrote it: trimmed, line breaks and runs of blanks as one blank, without control
/// characters and without the invisible ones that turn or hide what stands beside them.
pub(super) fn text(cell: &str) -> Result<String, RefusalReason> {
    let trimmed = cell.trim();
    // A character is at most four bytes, so a short text need not be counted.
    if trimmed.len() > TEXT_CHARS_MAX {
        let chars = trimmed.chars().count();
        if chars > TEXT_CHARS_MAX {
            return Err(RefusalReason::TextTooLong { chars, max_chars: TEXT_CHARS_MAX });
        }
    }
    let plain = trimmed.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    if plain && !trimmed.contains("  ") {
        return Ok(trimmed.to_owned());
    }
    let shown = |letter: &char| letter.is_whitespace() || !(letter.is_control() || is_invisible(*letter));
    let clean: String = trimmed.chars().filter(shown).collect();
    Ok(clean.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Text, or nothing where the cell is empty.
pub(super) fn optional_text(cell: &str) -> Result<Option<String>, RefusalReason> {
    text(cell).map(|text| (!text.is_empty()).then_some(text))
}

/// An identifier, or nothing where the cell is empty.
pub(super) fn optional_id(cell: &str) -> Result<Option<String>, RefusalReason> {
    let id = cell.trim();
    if id.chars().any(|letter| letter.is_control() || is_invisible(letter)) {
        return Err(RefusalReason::IdHasControl);
    }
    let chars = id.chars().count();
    if chars > ID_CHARS_MAX {
        return Err(RefusalReason::TextTooLong { chars, max_chars: ID_CHARS_MAX });
    }
    if is_rounded(id) {
        return Err(RefusalReason::IdRounded);
    }
    Ok((!id.is_empty()).then(|| id.to_owned()))
}

/// An identifier the row cannot do without.
pub(super) fn id(cell: &str) -> Result<String, RefusalReason> {
    optional_id(cell)?.ok_or(RefusalReason::Empty)
}

/// A zone by its IANA name.
pub(super) fn zone(cell: &str) -> Result<Tz, RefusalReason> {
    match cell.trim() {
        "" => Err(RefusalReason::Empty),
        name => name.parse().map_err(|_unknown| RefusalReason::UnknownZone),
    }
}

/// A state, whatever its case, gender, accents and separators.
pub(super) fn status(cell: &str) -> Result<StatusCell, RefusalReason> {
    // The usual spelling first: most rows have it, and need no copy then.
    match cell {
        "reservado" => return Ok(StatusCell::Booked),
        "confirmado" => return Ok(StatusCell::Confirmed),
        "completado" => return Ok(StatusCell::Completed),
        "cancelado" => return Ok(StatusCell::Cancelled),
        "no-show" => return Ok(StatusCell::NoShow),
        _ => {}
    }
    let word: String = cell.trim().chars().filter_map(plain_letter).take(16).collect();
    match word.as_str() {
        "" => Err(RefusalReason::Empty),
        "reservado" | "reservada" => Ok(StatusCell::Booked),
        "confirmado" | "confirmada" => Ok(StatusCell::Confirmed),
        "completado" | "completada" => Ok(StatusCell::Completed),
        "cancelado" | "cancelada" => Ok(StatusCell::Cancelled),
        "noshow" => Ok(StatusCell::NoShow),
        _ => Err(RefusalReason::UnknownStatus),
    }
}

/// An amount in cents, decimals after a dot or a comma.
pub(super) fn amount_cents(cell: &str) -> Result<Option<i64>, RefusalReason> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Ok(None);
    }
    let digits_of = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = cell.strip_prefix('-');
    let (units, decimals) = match unsigned.unwrap_or(cell).split_once(['.', ',']) {
        Some((_, "")) => return Err(RefusalReason::NotAnAmount),
        Some(parts) => parts,
        None => (unsigned.unwrap_or(cell), ""),
    };
    if units.is_empty() || !digits_of(units) || !digits_of(decimals) {
        return Err(RefusalReason::NotAnAmount);
    }
    if unsigned.is_some() {
        return Err(RefusalReason::AmountNegative);
    }
    let cents = match decimals.len() {
        0 => 0,
        1 => decimals.parse::<i64>().unwrap_or(0) * 10,
        2 => decimals.parse::<i64>().unwrap_or(0),
        _ => return Err(RefusalReason::AmountDecimals),
    };
    // Only digits, so what fails to parse is too large.
    let units = units.parse::<i64>().ok().filter(|units| *units <= AMOUNT_MAX).ok_or(RefusalReason::AmountTooLarge)?;
    let amount = units * 100 + cents;
    if amount > AMOUNT_MAX * 100 { Err(RefusalReason::AmountTooLarge) } else { Ok(Some(amount)) }
}

/// A session of a plan, or how many there are, from 1.
pub(super) fn session(cell: &str) -> Result<Option<u16>, RefusalReason> {
    whole_number(cell, SESSIONS_MAX).map_err(|()| RefusalReason::NotASession)
}

/// Minutes of a slot, from 1.
pub(super) fn minutes(cell: &str) -> Result<u16, RefusalReason> {
    whole_number(cell, MINUTES_MAX).map_err(|()| RefusalReason::NotADuration)?.ok_or(RefusalReason::Empty)
}

fn whole_number(cell: &str, max: u16) -> Result<Option<u16>, ()> {
    let cell = cell.trim();
    if cell.is_empty() {
        return Ok(None);
    }
    let number = if cell.bytes().all(|byte| byte.is_ascii_digit()) { cell.parse::<u16>().ok() } else { None };
    number.filter(|number| (1..=max).contains(number)).map(Some).ok_or(())
}

/// `5.58998E+12`: a spreadsheet kept six of thirteen digits, and two patients may have become one.
fn is_rounded(id: &str) -> bool {
    let Some((digits, exponent)) = id.split_once(['E', 'e']) else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = digits.split_once(['.', ',']);
    exponent.strip_prefix('+').is_some_and(is_number) && mantissa.is_some_and(|(a, b)| is_number(a) && is_number(b))
}

/// A letter without its accent and case; `None` for what separates words.
fn plain_letter(letter: char) -> Option<char> {
    match letter {
        ' ' | '-' | '_' | '\u{a0}' | '\u{2010}'..='\u{2014}' => None,
        'á' | 'à' | 'ã' | 'Á' | 'À' | 'Ã' => Some('a'),
        'é' | 'ê' | 'É' | 'Ê' => Some('e'),
        'í' | 'Í' => Some('i'),
        'ó' | 'ô' | 'õ' | 'Ó' | 'Ô' | 'Õ' => Some('o'),
        other => Some(other.to_ascii_lowercase()),
    }
}

/// Zero-width and direction marks, which can make a name show as something else.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
