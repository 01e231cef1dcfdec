//! The agenda of what was booked through us, day by day, and its files.

use std::collections::BTreeSet;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{NaiveDate, TimeDelta, Weekday};
use maud::{Markup, html};
use retorno_domain::calendar::local_time;
use retorno_domain::reply::{DayPart, Wish};
use serde::Deserialize;
use staff_api::Problem;
use staff_api::agenda::{Agenda, BookingView, DAYS, WaiterView, agenda, calendar, csv};

use super::frame::{Frame, Shown};
use super::phone::patient_link;
use super::texts::{Texts, day, moment};
use super::{Failed, Page, waiting};
use crate::server::system::{OpenClinic, System};

#[derive(Deserialize)]
pub(super) struct Looking {
    from: Option<NaiveDate>,
}

pub(super) async fn page(
    State(system): State<System>,
    Path(id): Path<String>,
    looking: Result<Query<Looking>, QueryRejection>,
) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let Query(looking) =
        looking.map_err(|rejection| failed(Problem::form(rejection.status(), rejection.body_text())))?;
    let clinics = system.clinics().await.map_err(failed)?;
    let agenda = agenda(&system.office, &of, looking.from).await.map_err(failed)?;
    let waiting = waiting(&of).await.map_err(failed)?;
    let shown = Shown { system: &system, texts, clinics: &clinics, of: Some(&of), waiting };
    let body = body(&shown, &of, &agenda);
    Ok(Page(shown.page(&Frame { title: texts.word("agenda"), refresh: false }, &body)))
}

fn body(shown: &Shown<'_>, of: &OpenClinic, agenda: &Agenda) -> Markup {
    let texts = shown.texts;
    let date = |booking: &BookingView| of.clinic.date(booking.start_at);
    let mut days: BTreeSet<NaiveDate> = agenda.bookings.iter().map(date).collect();
    days.extend(agenda.free_slots.iter().flat_map(|free| free.keys()));
    let from = |days: i64| agenda.from.checked_add_signed(TimeDelta::days(days)).unwrap_or(agenda.from);
    html! {
        main.wide id="content" {
            section.panel.full aria-labelledby="agenda" {
                header { h1 id="agenda" { (texts.word("agenda")) } span.soft { (day(agenda.from)) " – " (day(agenda.until)) } }
                p.soft { (texts.word("agenda_hint")) }
                p.links {
                    a href=(format!("/c/{}/agenda.csv", of.id)) { (texts.word("agenda_csv")) }
                    a href=(format!("/c/{}/agenda.ics", of.id)) { (texts.word("agenda_ics")) }
                    a href=(format!("/c/{}/timetable", of.id)) { (texts.word("agenda_slots")) }
                    a href=(format!("/c/{}/agenda?from={}", of.id, from(-DAYS))) { "← " (texts.word("agenda_earlier")) }
                    a href=(format!("/c/{}/agenda?from={}", of.id, from(DAYS))) { (texts.word("agenda_later")) " →" }
                }
            }
            div.column {
                section.panel.days {
                    @for date in &days { (one_day(shown, of, agenda, *date)) }
                    @if days.is_empty() { p.empty { (texts.word("agenda_empty")) } }
                }
            }
            div.column { (waitlist(shown, of, &agenda.waitlist)) }
        }
    }
}

fn one_day(shown: &Shown<'_>, of: &OpenClinic, agenda: &Agenda, date: NaiveDate) -> Markup {
    let texts = shown.texts;
    let of_day = agenda.bookings.iter().filter(|booking| of.clinic.date(booking.start_at) == date);
    let bookings: Vec<&BookingView> = of_day.collect();
    let free = agenda.free_slots.as_ref().map(|free| free.get(&date).copied().unwrap_or(0));
    html! {
        section.day aria-label=(of.clinic.language.spoken_date(date)) {
            header {
                h2 { (of.clinic.language.spoken_date(date)) }
                @if let Some(free) = free { span.soft.number { (free) " " (texts.word(if free == 1 { "agenda_free_one" } else { "agenda_free" })) } }
            }
            @if !bookings.is_empty() { ul.bookings { @for booking in bookings { (visit(shown, of, booking)) } } }
        }
    }
}

fn visit(shown: &Shown<'_>, of: &OpenClinic, booking: &BookingView) -> Markup {
    let texts = shown.texts;
    let time = local_time(booking.start_at, of.clinic.zone).time();
    html! {
        li.gone[booking.status == "cancelado"] {
            time datetime=(booking.start) { (of.clinic.language.spoken_time(time)) }
            div {
                strong { (booking.patient) } " · " (patient_link(of, &booking.patient_id))
                @if !booking.professional.is_empty() { " · " (booking.professional) }
                small {
                    (texts.appointment(&booking.status)) " · " (texts.word("agenda_via")) " " (texts.channel(&booking.via))
                    @if let Some(lead) = &booking.lead_source { " · " (lead) }
                    @if let Some(number) = &booking.clinic_number { " · " (number) }
                }
            }
        }
    }
}

fn waitlist(shown: &Shown<'_>, of: &OpenClinic, waitlist: &[WaiterView]) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="waitlist" {
            header { h2 id="waitlist" { (texts.word("waitlist")) } span.soft.number { (waitlist.len()) } }
            @if waitlist.is_empty() { p.empty { (texts.word("waitlist_empty")) } } @else {
                ol.waitlist { @for waiter in waitlist { li {
                    strong { (waiter.patient) } " · " (patient_link(of, &waiter.patient_id))
                    small {
                        (texts.word("inbox_since")) " " (moment(waiter.since_at, of.clinic.zone)) " · " (wish(texts, &waiter.wish))
                        @if let Some(until) = &waiter.offered_until { " · " (texts.word("waitlist_offered")) " " (until) }
                    }
                } } }
            }
        }
    }
}

/// When somebody would rather come.
fn wish(texts: &Texts, wish: &Wish) -> String {
    let weekday = |day: &Weekday| match day {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    };
    let mut parts: Vec<String> = wish.weekdays.iter().map(|day| texts.wish(weekday(day)).to_owned()).collect();
    parts.extend(wish.date.map(day));
    parts.extend(wish.part.map(|part| {
        let part = match part {
            DayPart::Morning => "morning",
            DayPart::Afternoon => "afternoon",
            DayPart::Evening => "evening",
        };
        texts.wish(part).to_owned()
    }));
    parts.extend(wish.from_hour.map(|hour| format!("{} {hour}:00", texts.wish("from"))));
    parts.extend(wish.until_hour.map(|hour| format!("{} {hour}:00", texts.wish("until"))));
    if parts.is_empty() { texts.wish("any").to_owned() } else { parts.join(", ") }
}

pub(super) async fn csv_file(State(system): State<System>, Path(id): Path<String>) -> Result<Response, Failed> {
    let of = system.clinic(&id).await?;
    let file = csv(&system.office, &of).await?;
    Ok((as_file("text/csv; charset=utf-8", &format!("agenda-{}.csv", of.id)), file).into_response())
}

pub(super) async fn calendar_file(State(system): State<System>, Path(id): Path<String>) -> Result<Response, Failed> {
    let of = system.clinic(&id).await?;
    let file = calendar(&system.office, &of).await?;
    Ok((as_file("text/calendar; charset=utf-8", &format!("agenda-{}.ics", of.id)), file).into_response())
}

/// A clinic's id holds nothing that a header could not.
fn as_file(media_type: &str, name: &str) -> [(header::HeaderName, String); 2] {
    let disposition = format!("attachment; filename=\"{name}\"");
    [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)]
}
