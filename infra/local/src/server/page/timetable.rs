//! Timetables and the free slots that follow from them: filled in, looked at before they are saved, saved.

mod form;

use axum::Router;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use staff_api::Problem;

use super::frame::{Frame, Shown};
use super::problems::of_timetable;
use super::texts::Texts;
use super::{Failed, Page, waiting};
use crate::server::slots::{Day, Slot, Slots, preview, save, slots};
use crate::server::system::{OpenClinic, System};
pub(super) use form::Entry;
use form::{WEEKDAYS, blank, of_clinic, read, toml};

/// A form of many people's hours.
const FORM_BYTES_MAX: usize = 256 << 10;
/// Times of a day that are named; the rest is counted.
const TIMES_SHOWN: usize = 40;

pub(super) fn router() -> Router<System> {
    Router::new().route("/c/{clinic}/timetable", get(page).post(sent)).layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

#[derive(Debug, Default, Deserialize)]
struct Looking {
    saved: Option<String>,
}

/// What the page shows beside the form.
enum Outcome {
    /// Nothing was asked.
    Asked { saved: bool },
    /// What the form would give.
    Looked(Box<Slots>),
    /// Why it cannot be.
    Refused(Problem),
}

async fn page(
    State(system): State<System>,
    Path(id): Path<String>,
    looking: Result<Query<Looking>, QueryRejection>,
) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let looking = looking.map(|Query(looking)| looking).unwrap_or_default();
    let outcome = Outcome::Asked { saved: looking.saved.is_some() };
    show(&system, &of, &of_clinic(&of.clinic), &outcome).await
}

async fn sent(
    State(system): State<System>,
    Path(id): Path<String>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Failed> {
    let of = system.clinic(&id).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let Form(fields) = form.map_err(|rejection| failed(Problem::form(rejection.status(), rejection.body_text())))?;
    let mut entries = read(&fields);
    let text = toml(&entries);
    let is = |what: &str| fields.iter().any(|(name, value)| name == "do" && value == what);
    let outcome = if is("save") {
        match save(&system, &of, &text).await {
            Ok(()) => return Ok(Redirect::to(&format!("/c/{id}/timetable?saved=1")).into_response()),
            Err(problem) => Outcome::Refused(problem),
        }
    } else if entries.is_empty() {
        Outcome::Asked { saved: false }
    } else {
        match preview(&system, &of, &text).await {
            Ok(slots) => Outcome::Looked(Box::new(slots)),
            Err(problem) => Outcome::Refused(problem),
        }
    };
    entries.push(blank());
    Ok(show(&system, &of, &entries, &outcome).await?.into_response())
}

async fn show(system: &System, of: &OpenClinic, entries: &[Entry], outcome: &Outcome) -> Result<Page, Failed> {
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let clinics = system.clinics().await.map_err(failed)?;
    let waiting = waiting(of).await.map_err(failed)?;
    let now = slots(system, of, None, None).await.map_err(failed)?;
    let shown = Shown { system, texts, clinics: &clinics, of: Some(of), waiting };
    let body = body(&shown, of, entries, outcome, &now);
    Ok(Page(shown.page(&Frame { title: texts.word("timetable"), refresh: false }, &body)))
}

fn body(shown: &Shown<'_>, of: &OpenClinic, entries: &[Entry], outcome: &Outcome, now: &Slots) -> Markup {
    let texts = shown.texts;
    html! {
        main.wide id="content" {
            section.panel.full aria-labelledby="timetable" {
                header { h1 id="timetable" { (texts.word("timetable")) } }
                p { (texts.word(source(now))) }
                p.soft { (texts.word("timetable_hint")) }
                @match outcome {
                    Outcome::Asked { saved: true } => p role="status" { strong { (texts.word("timetable_saved")) } },
                    Outcome::Refused(problem) => div.refused role="alert" {
                        p { strong { (texts.word("timetable_refused")) } }
                        (of_timetable(texts, problem, entries))
                    },
                    Outcome::Asked { saved: false } | Outcome::Looked(_) => {},
                }
            }
            div.column { (form(shown, of, entries)) }
            div.column {
                @match outcome {
                    Outcome::Looked(slots) => (ahead(shown, of, slots)),
                    Outcome::Asked { .. } | Outcome::Refused(_) => (ahead(shown, of, now)),
                }
            }
        }
    }
}

fn source(slots: &Slots) -> &'static str {
    match slots.source {
        Some("timetable") => "slots_by_timetable",
        Some(_) => "slots_by_file",
        None => "slots_by_nothing",
    }
}

fn form(shown: &Shown<'_>, of: &OpenClinic, entries: &[Entry]) -> Markup {
    let texts = shown.texts;
    html! {
        form.timetables method="post" action=(format!("/c/{}/timetable", of.id)) {
            @for (place, entry) in entries.iter().enumerate() { (fields(texts, place, entry, place + 1 == entries.len())) }
            div.acts {
                button name="do" value="look" { (texts.word("timetable_look")) }
                button.plain name="do" value="save" { (texts.word("timetable_save")) }
            }
        }
    }
}

/// The numbers of a timetable, with the least and the most that the settings take.
const BOUNDS: [(&str, &str, &str); 4] =
    [("slot_minutes", "5", "720"), ("capacity", "1", "50"), ("horizon_days", "1", "180"), ("notice_hours", "0", "720")];

/// The least and the most of a number.
pub(super) fn bounds(field: &str) -> Option<(&'static str, &'static str)> {
    BOUNDS.into_iter().find(|(name, ..)| *name == field).map(|(_, least, most)| (least, most))
}

fn fields(texts: &Texts, place: usize, entry: &Entry, is_new: bool) -> Markup {
    let name = |field: &str| format!("{place}.{field}");
    let values = [&entry.slot_minutes, &entry.capacity, &entry.horizon_days, &entry.notice_hours];
    let numbers = BOUNDS.into_iter().zip(values);
    let legend = if is_new { texts.word("timetable_new") } else { entry.professional.as_str() };
    html! {
        section.panel aria-label=(legend) {
            h2 { @if legend.is_empty() { (texts.word("timetable_rest")) } @else { (legend) } }
            label { (texts.word("timetable_professional")) input type="text" name=(name("professional")) value=(entry.professional) maxlength="200" autocomplete="off"; }
            div.week { @for (day, hours) in WEEKDAYS.into_iter().zip(&entry.hours) {
                label { (texts.wish(day)) input type="text" name=(name(day)) value=(hours) placeholder=(texts.word("timetable_closed_day")) autocomplete="off"; }
            } }
            div.numbers { @for ((field, least, most), value) in numbers {
                label { (texts.word(&format!("timetable_{field}"))) input type="number" name=(name(field)) value=(value) min=(least) max=(most); }
            } }
            label { (texts.word("timetable_closed")) input type="text" name=(name("closed")) value=(entry.closed) placeholder="2026-12-24, 2026-12-28/2027-01-05" autocomplete="off"; }
            label.tick { input type="checkbox" name=(name("open_on_holidays")) checked[entry.open_on_holidays]; " " (texts.word("timetable_holidays")) }
            @if !is_new { label.tick { input type="checkbox" name=(name("remove")); " " (texts.word("timetable_remove")) } }
        }
    }
}

/// The coming slots, as they are or would be.
fn ahead(shown: &Shown<'_>, of: &OpenClinic, slots: &Slots) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel.days aria-labelledby="ahead" {
            header {
                h2 id="ahead" { (texts.word(if slots.preview.is_some() { "timetable_preview" } else { "timetable_ahead" })) }
                span.soft.number { (slots.free) " " (texts.word(if slots.free == 1 { "agenda_free_one" } else { "agenda_free" })) }
            }
            @if let Some(preview) = &slots.preview {
                p.number {
                    (preview.added) " " (texts.word("timetable_added")) " · " (preview.removed) " " (texts.word("timetable_removed")) " · "
                    (preview.visits) " " (texts.word("timetable_visits"))
                }
                (without_timetable(texts, preview.without_timetable.iter()))
            }
            @for day in &slots.days { (one_day(shown, of, day)) }
            @if slots.days.is_empty() { p.empty { (texts.word("timetable_empty")) } }
        }
    }
}

/// Whom the export names and no timetable does.
pub(super) fn without_timetable<'a>(
    texts: &Texts,
    names: impl ExactSizeIterator<Item = (&'a String, &'a usize)>,
) -> Markup {
    html! {
        @if names.len() > 0 {
            div.refused {
                p { (texts.word("timetable_without")) }
                ul { @for (who, visits) in names { li { strong { (who) } " · " (visits) } } }
            }
        }
    }
}

fn one_day(shown: &Shown<'_>, of: &OpenClinic, day: &Day) -> Markup {
    let language = of.clinic.language;
    let places: usize = day.slots.iter().map(|slot| slot.places).sum();
    let texts = shown.texts;
    html! {
        section.day aria-label=(language.spoken_date(day.date)) {
            header {
                h2 { (language.spoken_date(day.date)) }
                span.soft.number { (places) " " (texts.word(if places == 1 { "agenda_free_one" } else { "agenda_free" })) }
            }
            @for (professional, slots) in by_professional(&day.slots) {
                p.times {
                    @if !professional.is_empty() { strong { (professional) } " " }
                    @for slot in slots.iter().take(TIMES_SHOWN) {
                        time { (slot.time) } @if slot.places > 1 { small { "×" (slot.places) } } " "
                    }
                    @if slots.len() > TIMES_SHOWN { "+" (slots.len() - TIMES_SHOWN) }
                }
            }
        }
    }
}

fn by_professional(slots: &[Slot]) -> Vec<(&str, Vec<&Slot>)> {
    let mut by: std::collections::BTreeMap<&str, Vec<&Slot>> = std::collections::BTreeMap::new();
    for slot in slots {
        by.entry(&slot.professional).or_default().push(slot);
    }
    by.into_iter().collect()
}
