//! A patient's data as a file, and their erasure.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use retorno_cloud::store::privacy::erase::{Erased, ErasureReason};
use retorno_domain::ids::PatientId;
use serde::Deserialize;
use staff_api::Problem;
use staff_api::privacy::{erase_patient, export};

use super::frame::{Frame, Shown, action, address};
use super::texts::{Texts, moment};
use super::{Failed, Page, waiting};
use crate::server::system::{OpenClinic, System};

/// What staff sends.
#[derive(Deserialize)]
pub(super) struct Erasing {
    reason: String,
    #[serde(default)]
    confirm: String,
}

/// The part of a patient's page.
pub(super) fn panel(shown: &Shown<'_>, of: &OpenClinic, patient: &PatientId) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel id="privacy" aria-labelledby="privacy-title" {
            header { h2 id="privacy-title" { (texts.word("privacy")) } }
            p { a href=(action(of, patient, "data.json")) { (texts.word("privacy_export")) } }
            details {
                summary { (texts.word("erase")) }
                p { (texts.word("erase_consequences")) }
                ul {
                    li { (texts.word("erase_gone")) }
                    li { (texts.word("erase_visits")) }
                    li { (texts.word("erase_reimport")) }
                    li { (texts.word("erase_kept")) }
                }
                form method="post" action=(action(of, patient, "erase")) {
                    label { (texts.word("erase_reason")) select name="reason" required {
                        @for reason in ErasureReason::ALL {
                            option value=(reason.code()) { (texts.reason(&format!("erase_{}", reason.code()))) }
                        }
                    } }
                    label { (texts.word("erase_confirm")) " " strong { (patient) } input type="text" name="confirm" required maxlength="128" autocomplete="off"; }
                    button { (texts.word("erase_do")) }
                }
            }
        }
    }
}

pub(super) async fn data(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
) -> Result<Response, Failed> {
    let (of, patient) = opened(&system, &id, &patient).await?;
    let texts = Texts::of(of.clinic.language);
    let all = export(&system.office, &of, &patient).await.map_err(|problem| Failed(problem, texts))?;
    let text = serde_json::to_string_pretty(&all).map_err(|e| {
        Failed(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("it cannot be written: {e}")), texts)
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"data.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

pub(super) async fn erase(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
    form: Result<Form<Erasing>, FormRejection>,
) -> Result<Page, Failed> {
    let (of, patient) = opened(&system, &id, &patient).await?;
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let Form(form) = form.map_err(|rejection| failed(Problem::new(rejection.status(), rejection.body_text())))?;
    if form.confirm.trim() != patient.as_str() {
        return Err(failed(Problem::bad(texts.word("erase_not_confirmed"))));
    }
    let erased = erase_patient(&system.office, &of, &patient, (&form.reason, &form.confirm)).await.map_err(failed)?;
    let clinics = system.clinics().await.map_err(failed)?;
    let waiting = waiting(&of).await.map_err(failed)?;
    let shown = Shown { system: &system, texts, clinics: &clinics, of: Some(&of), waiting };
    let body = html! { main id="content" { (result(texts, &of, &erased)) } };
    Ok(Page(shown.page(&Frame { title: texts.word("erase"), refresh: false }, &body)))
}

fn result(texts: &Texts, of: &OpenClinic, erased: &Erased) -> Markup {
    html! {
        section.panel.full role="status" {
            h1 { (texts.word(if erased.already { "erase_already" } else { "erase_done" })) }
            @if !erased.freed.is_empty() {
                p { strong { (texts.word("erase_freed")) } }
                ul { @for visit in &erased.freed { li { (moment(visit.start, of.clinic.zone)) " · " (visit.professional) } } }
            }
            p { a href=(address(of, None, None)) { (texts.word("all_patients")) } }
        }
    }
}

async fn opened(system: &System, id: &str, patient: &str) -> Result<(OpenClinic, PatientId), Failed> {
    let of = system.clinic(id).await?;
    let texts = Texts::of(of.clinic.language);
    let patient = PatientId::parse(patient).map_err(|_| Failed(Problem::missing(texts.word("patient")), texts))?;
    Ok((of, patient))
}
