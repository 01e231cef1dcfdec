//! The sandbox browsers: what patients' screens show, and where a patient lets a browser show it.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use retorno_cloud::store::Collection;
use serde::Deserialize;
use staff_api::Problem;
use staff_api::outbox::Sent;

use super::Failed;
use super::desk::{back, of_form, opened};
use super::frame::{Shown, action};
use super::phone::{own_page, patient_link};
use super::texts::{Texts, moment};
use crate::server::browser::{BrowserAct, Notification, notifications};
use crate::server::system::{OpenClinic, System};

/// What the browsers show, of one patient or of everybody; nothing where the clinic uses none.
pub(super) fn panel(
    shown: &Shown<'_>,
    of: &OpenClinic,
    patient: Option<&Collection>,
    sent: &[Sent],
) -> Result<Markup, Problem> {
    if !of.clinic.notifies_browsers() && sent.is_empty() {
        return Ok(html! {});
    }
    let texts = shown.texts;
    let rows = notifications(shown.system, of, sent)?;
    Ok(html! {
        section.panel id="browsers" aria-labelledby="browsers-title" {
            header { h2 id="browsers-title" { (texts.word("browsers")) } }
            @if let Some(collection) = patient { (of_patient(shown, of, collection)) }
            ul.calls { @for row in &rows { li { (notification(of, row, patient.is_none())) (moment_of(of, row)) } } }
            @if rows.is_empty() { p.empty { (texts.word("browsers_empty")) } }
        }
    })
}

fn moment_of(of: &OpenClinic, row: &Notification) -> Markup {
    html! { p.soft { time datetime=(row.at) { (moment(row.instant, of.clinic.zone)) } } }
}

/// As a screen shows it: the clinic, a line, and two buttons.
fn notification(of: &OpenClinic, row: &Notification, named: bool) -> Markup {
    let open = row.open.as_deref().and_then(own_page);
    let stop = row.stop.as_deref().and_then(own_page);
    let [open_label, stop_label] = &row.labels;
    html! {
        div.meta { strong { (row.title) } @if named { (patient_link(of, &row.patient_id)) } }
        @match open {
            Some(path) => a href=(path) target="_blank" rel="noopener" { (row.body) },
            None => p.text { (row.body) },
        }
        div.acts {
            @if let Some(path) = open { a.button.plain href=(path) target="_blank" rel="noopener" { (open_label) } }
            @if let Some(path) = stop { a.button.plain href=(path) target="_blank" rel="noopener" { (stop_label) } }
        }
    }
}

fn of_patient(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection) -> Markup {
    let texts = shown.texts;
    let patient = &collection.patient.patient;
    let many = patient.subscriptions.iter().count();
    let page = shown.system.preferences_of(of, collection);
    let act = |act: &str, word: &str| {
        html! {
            form method="post" action=(action(of, &patient.id, "browser")) {
                button.plain name="act" value=(act) { (texts.word(word)) }
            }
        }
    };
    html! {
        p { (texts.word("browsers_told")) ": " strong { (many) } }
        @match page {
            None => p.soft { (texts.word("browsers_no_link")) },
            Some(path) => {
                div.acts {
                    (act("subscribe", "browsers_subscribe"))
                    @if many > 0 {
                        (act("unsubscribe", "browsers_unsubscribe"))
                        (act("withdraw", "browsers_withdraw"))
                    }
                }
                p { a href=(path) target="_blank" rel="noopener" { (texts.word("browsers_page")) } }
            },
        }
    }
}

/// What is pressed.
#[derive(Deserialize)]
pub(super) struct Pressed {
    act: BrowserAct,
}

pub(super) async fn act(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
    form: Result<Form<Pressed>, FormRejection>,
) -> Result<Redirect, Failed> {
    let (of, patient) = opened(&system, &id, &patient).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let form = of_form(form).map_err(failed)?;
    match system.browse(&of, &patient, form.act).await {
        Ok(()) => Ok(back(&of, &patient, None, "browsers")),
        Err(problem) if problem.status == axum::http::StatusCode::CONFLICT => Ok(back(&of, &patient, Some("busy"), "")),
        Err(problem) if problem.status == axum::http::StatusCode::BAD_REQUEST => {
            Ok(back(&of, &patient, Some("browser_not_offered"), ""))
        }
        Err(problem) => Err(failed(problem)),
    }
}
