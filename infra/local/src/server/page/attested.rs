//! Agreements gathered elsewhere: a file of them, and who attests to it.

use axum::Router;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use maud::{Markup, html};
use staff_api::Problem;

use super::frame::{Frame, Shown};
use super::texts::Texts;
use super::{Failed, Page, problems, waiting};
use crate::server::consents::{CONSENTS_BYTES_MAX, ConsentsDone, NAME_CHARS_MAX, attester, record};
use crate::server::system::{OpenClinic, System};

/// Refusals named on the page.
const REJECTED_SHOWN: usize = 20;

pub(super) fn router() -> Router<System> {
    let routes = Router::new().route("/c/{clinic}/agreements", get(page).post(sent));
    // The file is counted as it arrives.
    routes.layer(DefaultBodyLimit::disable())
}

async fn page(State(system): State<System>, Path(id): Path<String>) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    show(&system, &of, &Ok(None)).await
}

async fn sent(State(system): State<System>, Path(id): Path<String>, form: Multipart) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let done = take(&system, &of, form).await;
    show(&system, &of, &done.map(Some)).await
}

async fn take(system: &System, of: &OpenClinic, mut form: Multipart) -> Result<ConsentsDone, Problem> {
    let (mut file, mut by) = (String::new(), String::new());
    let broken = |error: axum::extract::multipart::MultipartError| {
        Problem::new(error.status(), error.body_text()).coded("upload_broken")
    };
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("file") => file = text(field, CONSENTS_BYTES_MAX).await?,
            Some("attested_by") => by = text(field, NAME_CHARS_MAX * 4).await?,
            Some(_) | None => {}
        }
    }
    if file.is_empty() {
        return Err(Problem::bad("choose a file").coded("choose_file"));
    }
    record(system, of, &file, attester(&by)?).await
}

async fn text(mut field: Field<'_>, most: usize) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        field.chunk().await.map_err(|_| Problem::bad("the upload broke off").coded("upload_broken"))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("more than {most} bytes"));
            return Err(problem.coded("file_large").with("mb", CONSENTS_BYTES_MAX >> 20));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad("the text is not UTF-8").coded("file_encoding"))
}

async fn show(
    system: &System,
    of: &OpenClinic,
    outcome: &Result<Option<ConsentsDone>, Problem>,
) -> Result<Page, Failed> {
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let clinics = system.clinics().await.map_err(failed)?;
    let waiting = waiting(of).await.map_err(failed)?;
    let shown = Shown { system, texts, clinics: &clinics, of: Some(of), waiting };
    let body = html! {
        main id="content" {
            section.panel.full aria-labelledby="attested" {
                header { h1 id="attested" { (texts.word("attested")) } }
                p { (texts.word("attested_hint")) }
                @match outcome {
                    Ok(None) => {},
                    Ok(Some(done)) => div role="status" { (result(texts, done)) },
                    Err(problem) => div.refused role="alert" { (problems::said(texts, problem)) },
                }
                form method="post" enctype="multipart/form-data" action=(format!("/c/{}/agreements", of.id)) {
                    label { (texts.word("attested_file")) input type="file" name="file" accept=".csv,text/csv" required; }
                    label { (texts.word("attested_by")) input type="text" name="attested_by" required maxlength=(NAME_CHARS_MAX) autocomplete="off"; }
                    button.plain { (texts.word("attested_go")) }
                }
            }
        }
    };
    Ok(Page(shown.page(&Frame { title: texts.word("attested"), refresh: false }, &body)))
}

fn result(texts: &Texts, done: &ConsentsDone) -> Markup {
    html! {
        p.number {
            (texts.word("attested_read")) ": " (done.read) " · " (texts.word("attested_recorded")) ": " (done.recorded) " · "
            (texts.word("attested_repeated")) ": " (done.repeated) " · " (texts.word("attested_refused")) ": " (done.refused)
        }
        @if !done.rejected.is_empty() {
            ul.soft { @for row in done.rejected.iter().take(REJECTED_SHOWN) { li {
                (texts.word("import_line")) " " (row.line)
                @if let Some(column) = row.column { ", " (texts.word("import_column")) " " (column) }
                ": " (problems::row(texts, row))
            } } }
        }
    }
}
