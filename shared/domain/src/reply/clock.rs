//! Digits and what clings to them: numbers, ordinals, times of the day, dates.

use super::token::Kind;

/// The pieces of a run that begins with a digit, folded.
pub(super) fn numeric(run: &str) -> Vec<(Kind, String)> {
    let run = run.trim_end_matches('.');
    if let Some(date) = date(run) {
        return vec![(date, String::new())];
    }
    if let Some(hour) = time(run) {
        return vec![(Kind::Clock(hour), String::new())];
    }
    split(run)
}

/// `14/3`, `14-03`, `14/03/26`, `14.03.2026`.
fn date(run: &str) -> Option<Kind> {
    let mark = ['/', '-', '.'].into_iter().find(|mark| run.contains(*mark))?;
    let parts: Vec<&str> = run.split(mark).collect();
    let number = |part: &str| part.parse::<u32>().ok().filter(|_| part.len() <= 2);
    let day = number(parts.first()?).filter(|day| (1..=31).contains(day))?;
    let month = number(parts.get(1)?).filter(|month| (1..=12).contains(month))?;
    match (parts.get(2), parts.len()) {
        // Two numbers around a dot are as often a time.
        (None, _) => (mark != '.').then_some(Kind::Date(day, month, None)),
        (Some(year), 3) if year.len() == 2 => Some(Kind::Date(day, month, Some(2000 + year.parse::<i32>().ok()?))),
        (Some(year), 3) if year.len() == 4 => Some(Kind::Date(day, month, Some(year.parse().ok()?))),
        _ => None,
    }
}

/// `18:30`, `18.30hs`, `18h`, `10h30`, `5pm`.
fn time(run: &str) -> Option<u8> {
    let hour_digits = run.chars().take_while(char::is_ascii_digit).count();
    let (hour, rest) = run.split_at_checked(hour_digits)?;
    let hour: u8 = hour.parse().ok().filter(|hour| *hour <= 24)?;
    let after_mark = rest.strip_prefix([':', '.', 'h']).unwrap_or(rest);
    let minute_digits = after_mark.chars().take_while(char::is_ascii_digit).count();
    let (minute, unit) = after_mark.split_at_checked(minute_digits)?;
    let has_minute = match minute_digits {
        0 => false,
        2 => minute.parse::<u8>().ok()? < 60,
        _ => return None,
    };
    let unit = unit.trim_matches('.');
    let plain = matches!(unit, "h" | "hs" | "hr" | "hrs" | "hora" | "horas" | "s" | "min");
    match unit {
        "am" => Some(hour % 12),
        "pm" if hour <= 12 => Some(hour % 12 + 12),
        "" if has_minute || rest == "h" => Some(hour % 24),
        _ if plain && (has_minute || !rest.starts_with('s')) => Some(hour % 24),
        _ => None,
    }
}

/// Numbers and words in turn; an ordinal's ending is dropped.
fn split(run: &str) -> Vec<(Kind, String)> {
    let mut pieces: Vec<(Kind, String)> = Vec::new();
    let chars: Vec<char> = run.chars().filter(|c| c.is_alphanumeric()).collect();
    for group in chars.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        let text: String = group.iter().collect();
        if text.chars().all(|c| c.is_ascii_digit()) {
            let shown = text.trim_start_matches('0');
            let shown = if shown.is_empty() { "0" } else { shown };
            pieces.push((Kind::Number(shown.parse().unwrap_or(u32::MAX)), shown.to_owned()));
        } else if !ORDINAL_ENDINGS.contains(&text.as_str()) {
            pieces.push((Kind::Word, text));
        }
    }
    pieces
}

/// As in `1a`, `2do`, `1st`.
const ORDINAL_ENDINGS: [&str; 12] = ["a", "o", "ra", "ro", "er", "era", "da", "do", "st", "nd", "rd", "th"];
