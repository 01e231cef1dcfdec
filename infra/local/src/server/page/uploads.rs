//! Files given by form: an export and free slots for a clinic, or a clinic that begins with them.

use axum::Router;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::response::Redirect;
use axum::routing::post;
use maud::{Markup, html};
use retorno_domain::ids::ClinicId;
use staff_api::Problem;

use super::frame::Shown;
use super::texts::Texts;
use super::{Failed, problems};
use crate::server::import::{Files, begin, put_clinic};
use crate::server::system::System;
use crate::server::upload::Incoming;

/// Rejected rows named on the page.
const REJECTED_SHOWN: usize = 20;

pub(super) fn router() -> Router<System> {
    let routes = Router::new().route("/c/{clinic}/upload", post(upload)).route("/new", post(new));
    // Files are counted as they arrive.
    routes.layer(DefaultBodyLimit::disable())
}

async fn upload(State(system): State<System>, Path(id): Path<String>, form: Multipart) -> Result<Redirect, Failed> {
    let of = system.clinic(&id).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let (files, _) = read(&system, form).await.map_err(failed)?;
    begin(&system, &of.id, files).map_err(failed)?;
    Ok(Redirect::to(&format!("/c/{id}")))
}

async fn new(State(system): State<System>, form: Multipart) -> Result<Redirect, Failed> {
    let (files, id) = read(&system, form).await?;
    let id = ClinicId::parse(&id).map_err(|error| {
        Problem::bad(format!("the clinic's id: {error}; it holds a-z, 0-9 and -")).coded("clinic_id")
    })?;
    // One that is listed and was not set up is begun again.
    if system.clinics().await?.iter().any(|known| known.id == id) {
        let problem = Problem::busy(format!("clinic {id} is there already"));
        return Err(problem.coded("clinic_there").with("clinic", &id).into());
    }
    let missing = || Problem::bad("choose the export of the appointment system").coded("choose_export");
    let export = files.export.as_deref().ok_or_else(missing)?;
    system.check_free()?;
    put_clinic(&system, &id, "", Some(export)).await.map_err(Problem::from)?;
    begin(&system, &id, files)?;
    Ok(Redirect::to(&format!("/c/{id}")))
}

/// Receives the files of a form, and the clinic's id where it has one.
async fn read(system: &System, mut form: Multipart) -> Result<(Files, String), Problem> {
    let (mut files, mut id) = (Files::default(), String::new());
    let broken = |error: axum::extract::multipart::MultipartError| {
        Problem::new(error.status(), error.body_text()).coded("upload_broken")
    };
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("export") => files.export = file(system, field).await?.or(files.export.take()),
            Some("slots") => files.slots = file(system, field).await?.or(files.slots.take()),
            Some("id") => id = word(field).await?,
            Some(_) | None => {}
        }
    }
    if files.export.is_none() && files.slots.is_none() {
        return Err(Problem::bad("choose a file").coded("choose_file"));
    }
    Ok((files, id))
}

async fn file(system: &System, mut field: Field<'_>) -> Result<Option<std::path::PathBuf>, Problem> {
    let mut incoming = Incoming::new(system)?;
    while let Some(chunk) =
        field.chunk().await.map_err(|_| Problem::bad("the upload broke off").coded("upload_broken"))?
    {
        incoming.add(&chunk)?;
    }
    // A form sends a file that was not chosen as an empty one.
    Ok(if incoming.is_empty() { None } else { incoming.take() })
}

async fn word(mut field: Field<'_>) -> Result<String, Problem> {
    const BYTES_MAX: usize = 200;
    let mut bytes = Vec::new();
    while let Some(chunk) =
        field.chunk().await.map_err(|_| Problem::bad("the upload broke off").coded("upload_broken"))?
    {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > BYTES_MAX {
            return Err(Problem::bad("the clinic's id is too long").coded("clinic_id"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::bad("the clinic's id holds a-z, 0-9 and -").coded("clinic_id"))
}

/// The forms.
pub(super) fn forms(shown: &Shown<'_>) -> Markup {
    let texts = shown.texts;
    // A clinic with timetables takes no file of free slots.
    let files = |slots: bool| {
        html! {
            label { (texts.word("upload_export")) input type="file" name="export" accept=".csv,text/csv"; }
            @if slots { label { (texts.word("upload_slots")) input type="file" name="slots" accept=".csv,text/csv"; } }
        }
    };
    html! {
        section.panel aria-labelledby="upload" {
            header { h2 id="upload" { (texts.word("upload")) } }
            div.forms.two {
                @if let Some(of) = shown.of {
                    form method="post" enctype="multipart/form-data" action=(format!("/c/{}/upload", of.id)) {
                        h3 { (of.clinic.name) }
                        (files(of.clinic.timetables.is_empty()))
                        p.soft { a href=(format!("/c/{}/timetable", of.id)) { (texts.word("agenda_slots")) } }
                        p.soft { a href=(format!("/c/{}/agreements", of.id)) { (texts.word("attested")) } }
                        button.plain { (texts.word("upload_go")) }
                    }
                }
                form method="post" enctype="multipart/form-data" action="/new" {
                    h3 { (texts.word("upload_new")) }
                    label { (texts.word("upload_id")) input type="text" name="id" required maxlength="40" pattern="[a-z0-9\\-]+" autocomplete="off" aria-label=(texts.word("upload_id_label")); }
                    (files(true))
                    button.plain { (texts.word("upload_go")) }
                }
            }
        }
    }
}

/// What the last import came to.
pub(super) fn result(shown: &Shown<'_>) -> Markup {
    let texts = shown.texts;
    html! {
        @match shown.system.last_import() {
            None => {},
            Some(Err(problem)) => section.panel.notice.bad.full role="alert" {
                p { strong { (texts.word("import_failed")) } }
                (problems::said(texts, &problem))
            },
            Some(Ok(done)) => section.panel.notice.full role="status" {
                p { strong { (done.clinic) } }
                @if let Some(report) = &done.export {
                    @let rejected = report.read.saturating_sub(report.accepted);
                    p.number {
                        (report.read) " " (texts.word("import_rows")) ", " (report.accepted) " " (texts.word("import_accepted")) ", "
                        (rejected) " " (texts.word("import_rejected")) " · " (report.added) " " (texts.word("import_new")) ", "
                        (report.changed) " " (texts.word("import_changed"))
                    }
                    @if report.suppressed_after_erasure > 0 {
                        p.number { (report.suppressed_after_erasure) " " (texts.word("import_suppressed")) }
                    }
                    (rejections(shown, &report.rejected))
                }
                @if let Some(followed) = &done.export.as_ref().and_then(|report| report.timetable.as_ref()) {
                    p.number { (followed.free) " " (texts.word("import_slots_followed")) }
                    (super::timetable::without_timetable(texts, followed.without_timetable.iter()))
                }
                @if let Some(report) = &done.slots {
                    p.number { (report.added) " " (texts.word("import_slots_done")) }
                    (rejections(shown, &report.rejected))
                }
            },
        }
    }
}

fn rejections(shown: &Shown<'_>, rejected: &[export_importer::Rejected]) -> Markup {
    let texts = shown.texts;
    html! {
        @if !rejected.is_empty() {
            ul.soft { @for row in rejected.iter().take(REJECTED_SHOWN) { li {
                (texts.word("import_line")) " " (row.line)
                @if let Some(column) = row.column { ", " (texts.word("import_column")) " " (column) }
                ": " (problems::row(texts, row))
            } } }
        }
    }
}
