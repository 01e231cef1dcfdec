//! What went wrong, as staff reads it: by the problem's code from the catalogue; where there is none by
//! the status, with the English message as a technical detail.

use export_importer::Rejected;
use maud::{Markup, html};
use staff_api::Problem;

use super::texts::Texts;
use super::timetable::{Entry, bounds};

/// A problem in words.
pub(super) fn said(texts: &Texts, problem: &Problem) -> Markup {
    match words(texts, problem) {
        Some(words) => {
            html! { p { (words) } @if problem.code.as_deref() == Some("settings") { (detail(texts, problem)) } }
        }
        None => html! { p { (texts.problem(of_status(problem)).unwrap_or_default()) } (detail(texts, problem)) },
    }
}

/// Why timetables cannot be: which one, which of its fields, and what is expected there.
pub(super) fn of_timetable(texts: &Texts, problem: &Problem, entries: &[Entry]) -> Markup {
    let argument = |name: &str| problem.args.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    let (Some("settings"), Some(key), Some(why)) = (problem.code.as_deref(), argument("key"), argument("why")) else {
        return said(texts, problem);
    };
    let mut parts = key.split('.');
    let (first, place, field, day) = (parts.next(), parts.next(), parts.next(), parts.next());
    if first != Some("timetable") {
        return said(texts, problem);
    }
    let Some(field) = field else {
        return html! { p { (texts.problem("timetable_too_many").unwrap_or_default()) } };
    };
    let place = place.and_then(|place| place.parse::<usize>().ok()).unwrap_or(1).saturating_sub(1);
    let who = entries.get(place).map_or("", |entry| entry.professional.as_str());
    let who = if who.is_empty() { texts.word("timetable_rest") } else { who };
    let key = format!("timetable_{field}");
    let label = day.map_or_else(|| texts.word(&key), |day| texts.wish(day));
    let (code, between) = expected(field, day, why);
    let words = texts.problem(code).unwrap_or_default();
    let (least, most) = between.unwrap_or_default();
    html! { p { strong { (who) " · " (label) ": " } (filled(words, &[("least", least), ("most", most)])) } }
}

/// What a field of a timetable should be: the word for it, and the bounds of a number.
fn expected(field: &str, day: Option<&str>, why: &str) -> (&'static str, Option<(&'static str, &'static str)>) {
    match field {
        "hours" if why.contains("overlap") => ("timetable_overlap", None),
        "hours" if day.is_some() => ("timetable_bad_hours", None),
        "hours" => ("timetable_no_hours", None),
        "slot_minutes" if why.contains("longer") => ("timetable_long_slot", None),
        "closed" => ("timetable_bad_dates", None),
        "professional" => ("timetable_bad_name", None),
        field => ("timetable_between", bounds(field)),
    }
}

/// Why a row of a file was turned away.
pub(super) fn row(texts: &Texts, rejected: &Rejected) -> Markup {
    html! { @match texts.row(rejected.code) { Some(words) => (words), None => span lang="en" { (rejected.reason) } } }
}

fn words(texts: &Texts, problem: &Problem) -> Option<String> {
    let words = texts.problem(problem.code.as_deref()?)?;
    let args: Vec<(&str, &str)> = problem.args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Some(filled(words, &args))
}

/// A text with its gaps filled, each once.
fn filled(words: &str, args: &[(&str, &str)]) -> String {
    args.iter().fold(words.to_owned(), |words, (name, value)| words.replacen(&format!("{{{name}}}"), value, 1))
}

fn detail(texts: &Texts, problem: &Problem) -> Markup {
    html! { details { summary { (texts.word("problem_detail")) } p.soft lang="en" { (problem.message) } } }
}

fn of_status(problem: &Problem) -> &'static str {
    match problem.status.as_u16() {
        404 => "missing",
        409 => "conflict",
        503 => "unavailable",
        500..=599 => "internal",
        _ => "bad",
    }
}
