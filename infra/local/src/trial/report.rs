//! The trial as a report for people, in the clinic's language.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::Channel;
use staff_api::outbox::Sent;

use super::Tried;
use super::outcome::{totals, waves};
use crate::words::Words;

/// Rejected rows printed; the rest is counted.
const REJECTED_MAX: usize = 20;
const CHANNELS: [Channel; 3] = [Channel::Whatsapp, Channel::Email, Channel::Call];

/// The report as text.
#[must_use]
pub fn report(tried: &Tried) -> String {
    let words = Words::of(tried.clinic.language);
    let parts = [
        head(tried, words),
        segments(tried, words),
        wave_table(tried, words),
        days(tried, words),
        cost(tried, words),
        samples(tried, words),
        foot(tried, words),
    ];
    parts.join("\n")
}

fn head(tried: &Tried, words: Words) -> String {
    let from = tried.began.with_timezone(&tried.clinic.zone).format("%Y-%m-%d %H:%M").to_string();
    let title = [("clinic", tried.clinic.name.clone()), ("from", from), ("days", tried.days.to_string())];
    let import = &tried.import;
    let rows = [
        ("read", import.read.to_string()),
        ("accepted", import.accepted.to_string()),
        ("rejected", import.rejected.len().to_string()),
    ];
    let mut text = format!("{}\n\n{}\n", words.fill("title", &title), words.fill("rows", &rows));
    for row in import.rejected.iter().take(REJECTED_MAX) {
        let values = [
            ("line", row.line.to_string()),
            ("column", row.column.unwrap_or("—").to_owned()),
            ("reason", row.reason.clone()),
        ];
        text.push_str(&words.fill("rejected", &values));
        text.push('\n');
    }
    if let Some(more) = import.rejected.len().checked_sub(REJECTED_MAX).filter(|more| *more > 0) {
        text.push_str(&words.fill("rejected_more", &[("n", more.to_string())]));
        text.push('\n');
    }
    if let Some(slots) = &tried.slots {
        let accepted = slots.read - u64::try_from(slots.rejected.len()).unwrap_or(0).min(slots.read);
        let values = [
            ("read", slots.read.to_string()),
            ("accepted", accepted.to_string()),
            ("rejected", slots.rejected.len().to_string()),
        ];
        text.push_str(&words.fill("slots", &values));
        text.push('\n');
    }
    if let Some(followed) = &import.timetable {
        text.push_str(&words.fill("timetable", &[("free", followed.free.to_string())]));
        text.push('\n');
        for (name, count) in &followed.without_timetable {
            text.push_str(&words.fill("without_timetable", &[("name", name.clone()), ("n", count.to_string())]));
            text.push('\n');
        }
    }
    text.push_str(&words.fill("patients", &[("n", tried.survey.patients.to_string())]));
    text.push('\n');
    text
}

fn segments(tried: &Tried, words: Words) -> String {
    let header =
        ["head_segment", "head_members", "head_eligible", "head_excluded"].map(|key| words.get(key).to_owned());
    let mut rows = vec![header.to_vec()];
    for count in &tried.survey.segments {
        let mut reasons: Vec<(&&str, &u32)> = count.excluded.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let reasons: Vec<String> =
            reasons.into_iter().map(|(reason, n)| format!("{} {n}", words.get(reason))).collect();
        let name = Catalogue::embedded().segment_name(tried.clinic.language, count.id.as_str());
        let name = name.map_or_else(|| count.id.to_string(), |name| format!("{} ({name})", count.id));
        rows.push(vec![name, count.members.to_string(), count.eligible.to_string(), reasons.join(", ")]);
    }
    format!("{}\n{}", words.get("segments"), table(&rows))
}

fn wave_table(tried: &Tried, words: Words) -> String {
    let waves = waves(tried);
    if waves.is_empty() {
        return format!("{}\n", words.get("none"));
    }
    let mut weeks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for wave in &waves {
        weeks.entry(&wave.week).or_default().push(format!("{} {}/{}", wave.segment, wave.size, wave.capacity));
    }
    let mut text = format!("{}\n", words.get("waves"));
    for (week, parts) in weeks {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {week}  {}", parts.join(" · "));
    }
    text
}

fn days(tried: &Tried, words: Words) -> String {
    let mut by_day: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for sent in &tried.sent {
        let day = sent.at.get(..10).unwrap_or(&sent.at);
        *by_day.entry(day).or_default().entry(&sent.channel).or_default() += 1;
    }
    let header = ["head_day", "head_whatsapp", "head_email", "head_call"].map(|key| words.get(key).to_owned());
    let mut rows = vec![header.to_vec()];
    let line = |name: &str, counts: &dyn Fn(&str) -> u64| {
        let mut row = vec![name.to_owned()];
        row.extend(CHANNELS.map(|channel| counts(channel.code()).to_string()));
        row
    };
    for (day, counts) in &by_day {
        rows.push(line(day, &|channel| counts.get(channel).copied().unwrap_or(0)));
    }
    let totals = totals(tried);
    rows.push(line(words.get("total"), &|channel| totals.get(channel).copied().unwrap_or(0)));
    format!("{}\n{}", words.get("days"), table(&rows))
}

fn cost(tried: &Tried, words: Words) -> String {
    let prices = &tried.clinic.prices;
    let totals = totals(tried);
    let (mut sum, mut detail) = (0u64, Vec::new());
    for channel in CHANNELS {
        let n = totals.get(channel.code()).copied().unwrap_or(0);
        let price = prices.of(channel);
        sum = sum.saturating_add(n.saturating_mul(price));
        let values = [("n", n.to_string()), ("channel", channel.code().to_owned()), ("price", money(price, 4))];
        detail.push(words.fill("cost_channel", &values));
    }
    let values = [("total", money(sum, 2)), ("currency", prices.currency.clone()), ("detail", detail.join(" + "))];
    format!("{}\n", words.fill("cost", &values))
}

/// Millionths as an amount with so many decimals (at most 6), rounded half up.
fn money(micros: u64, decimals: u32) -> String {
    let unit = 10u64.pow(6u32.saturating_sub(decimals));
    let rounded = micros.saturating_add(unit / 2) / unit;
    let whole = 10u64.pow(decimals.min(6));
    format!("{}.{:0width$}", rounded / whole, rounded % whole, width = usize::try_from(decimals).unwrap_or(2))
}

fn samples(tried: &Tried, words: Words) -> String {
    let first = |channel: Channel| tried.sent.iter().find(|sent| sent.channel == channel.code());
    let chosen: Vec<&Sent> = CHANNELS.into_iter().filter_map(first).collect();
    if chosen.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", words.get("samples"));
    for sent in chosen {
        let values = [
            ("at", sent.at.clone()),
            ("channel", sent.channel.clone()),
            ("segment", sent.segment.clone()),
            ("step", sent.step.clone()),
            ("patient", sent.patient_id.clone()),
        ];
        let _ = writeln!(text, "{}", words.fill("sample", &values));
        if let Some(subject) = &sent.subject {
            let _ = writeln!(text, "{}", words.fill("subject", &[("subject", subject.clone())]));
        }
        for line in sent.text.lines() {
            let _ = writeln!(text, "  {line}");
        }
        text.push('\n');
    }
    text
}

fn foot(tried: &Tried, words: Words) -> String {
    let values = [
        ("seconds", format!("{:.1}", tried.elapsed.as_secs_f64())),
        ("read", format!("{:.0}", tried.units.read)),
        ("write", format!("{:.0}", tried.units.write)),
    ];
    words.fill("elapsed", &values)
}

/// Columns as wide as their widest cell; numbers to the right, the last column as it comes.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            let is_number = cell.chars().all(|c| c.is_ascii_digit());
            match column {
                0 => format!("{cell}{gap}"),
                _ if column + 1 == columns && !is_number => cell.clone(),
                _ => format!("{gap}{cell}"),
            }
        });
        let _ = writeln!(text, "  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_rounded_half_up() {
        assert_eq!(money(61_800, 4), "0.0618");
        assert_eq!(money(1_234_567_891, 2), "1234.57");
        assert_eq!(money(5_000, 2), "0.01");
    }

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [vec!["día".to_owned(), "WhatsApp".to_owned()], vec!["2026-03-02".to_owned(), "7".to_owned()]];
        assert_eq!(table(&rows), "  día         WhatsApp\n  2026-03-02         7\n");
    }
}
