//! The pages: what a clinic's manager looks at. HTML in the clinic's language, without script but for the
//! one that lets a browser be told.

mod agenda;
mod agreement;
mod alerts;
mod attested;
mod audit;
mod calls;
mod connections;
mod desk;
mod frame;
mod inbox;
mod mailbox;
mod notifications;
mod number;
mod overview;
mod parked;
mod patient;
mod phone;
mod privacy;
mod problems;
mod progress;
mod qr;
mod sent;
mod stranger_view;
mod strangers;
mod templates;
mod texts;
mod timetable;
mod uploads;
mod why_view;

use axum::Router;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use retorno_domain::ids::{MessageId, PatientId};
use serde::Deserialize;
use staff_api::{Problem, thread};

use super::guard::MAIL_POLICY;
use super::state::AdvanceBy;
use super::system::{OpenClinic, System};
use frame::{Frame, Shown};
use texts::Texts;

/// A form holds a word or two.
const FORM_BYTES_MAX: usize = 16 << 10;

pub(super) fn router() -> Router<System> {
    Router::new()
        .route("/", get(home))
        .route("/style.css", get(style))
        .route("/parked", get(parked::page))
        .route("/parked/{id}/replay", post(parked::again))
        .route("/parked/{id}/discard", post(parked::forget))
        .route("/c/{clinic}", get(clinic))
        .route("/c/{clinic}/advance", post(advance))
        .route("/c/{clinic}/cancel", post(cancel))
        .route("/c/{clinic}/mail/{message}", get(mail))
        .route("/c/{clinic}/inbox", get(inbox::page))
        .route("/c/{clinic}/strangers", get(strangers::page))
        .route("/c/{clinic}/strangers/{who}/{what}", post(strangers::act))
        .route("/c/{clinic}/agreements/{agreement}/{what}", post(strangers::act_on_agreement))
        .route("/c/{clinic}/templates", get(templates::page).post(templates::act))
        .route("/c/{clinic}/agenda", get(agenda::page))
        .route("/c/{clinic}/agenda.csv", get(agenda::csv_file))
        .route("/c/{clinic}/agenda.ics", get(agenda::calendar_file))
        .route("/c/{clinic}/connections", get(connections::page))
        .route("/c/{clinic}/connections/frame", get(connections::frame))
        .route("/c/{clinic}/connections/code", get(connections::code).post(connections::ask_code))
        .route("/c/{clinic}/connections/{what}", post(connections::act))
        .route("/c/{clinic}/audit", get(audit::page).post(audit::verify))
        .route("/c/{clinic}/patients/{patient}/data.json", get(privacy::data))
        .route("/c/{clinic}/patients/{patient}/erase", post(privacy::erase))
        .route("/push.js", get(alerts::script))
        .route("/sw.js", get(alerts::worker))
        .route("/c/{clinic}/qr", get(qr::page))
        .route("/c/{clinic}/qr.svg", get(qr::picture))
        .route("/c/{clinic}/patients/{patient}/write", post(desk::write))
        .route("/c/{clinic}/patients/{patient}/reply", post(desk::reply))
        .route("/c/{clinic}/patients/{patient}/hold", post(desk::hold))
        .route("/c/{clinic}/patients/{patient}/release", post(desk::release))
        .route("/c/{clinic}/patients/{patient}/consent", post(desk::consent))
        .route("/c/{clinic}/patients/{patient}/browser", post(notifications::act))
        .route("/c/{clinic}/patients/{patient}/right-number", post(number::right))
        .route("/c/{clinic}/patients/{patient}/forget-number", post(number::forget))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .merge(attested::router())
        .merge(uploads::router())
        .merge(timetable::router())
        .fallback(async || Failed(Problem::missing("this page").coded("page"), Texts::default()))
        .method_not_allowed_fallback(async || {
            let problem = Problem::form(StatusCode::METHOD_NOT_ALLOWED, "this page takes no such request");
            Failed(problem, Texts::default())
        })
}

/// A page that could not be shown, in a language.
pub(super) struct Failed(Problem, &'static Texts);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(problem, texts) = self;
        (problem.status, Page(frame::problem(texts, &problem))).into_response()
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self(problem, Texts::default())
    }
}

struct Page(Markup);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.0.into_string()).into_response()
    }
}

async fn home(State(system): State<System>) -> Result<Response, Failed> {
    let clinics = system.clinics().await?;
    if let Some(first) = clinics.first() {
        return Ok(Redirect::to(&format!("/c/{}", first.id)).into_response());
    }
    let texts = Texts::default();
    let shown = Shown { system: &system, texts, clinics: &clinics, of: None, waiting: 0 };
    if let Some(work) = system.under_way() {
        return Ok(Page(progress::page(&shown, &work)).into_response());
    }
    let body = html! {
        main id="content" {
            section.panel.full { p { (texts.word("no_clinic")) } }
            (uploads::result(&shown))
            (uploads::forms(&shown))
        }
    };
    Ok(Page(shown.page(&Frame { title: texts.word("title"), refresh: false }, &body)).into_response())
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../texts/style.css"))
}

/// What a page is asked to show.
#[derive(Debug, Default, Deserialize)]
struct Looking {
    patient: Option<String>,
    mail: Option<String>,
    /// Why what was asked for was not done.
    not: Option<String>,
}

async fn clinic(
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
    let waiting = waiting(&of).await.map_err(failed)?;
    let shown = Shown { system: &system, texts, clinics: &clinics, of: Some(&of), waiting };
    if let Some(work) = system.under_way() {
        return Ok(Page(progress::page(&shown, &work)));
    }
    let patient = looking.patient.as_deref().map(str::trim).filter(|id| !id.is_empty());
    let body = match patient.map(PatientId::parse) {
        None => everybody(&shown, &of, looking.mail.as_deref()).await,
        Some(Ok(patient)) => one(&shown, &of, &patient, &looking).await,
        Some(Err(_)) => Err(Problem::missing("the patient").coded("patient")),
    };
    Ok(Page(shown.page(&Frame { title: &of.clinic.name, refresh: false }, &body.map_err(failed)?)))
}

/// How many conversations wait for a person.
async fn waiting(of: &OpenClinic) -> Result<usize, Problem> {
    Ok(of.tenant.inbox().await?.len())
}

async fn everybody(shown: &Shown<'_>, of: &OpenClinic, mail: Option<&str>) -> Result<Markup, Problem> {
    let segments = shown.system.segments(of).await?;
    let waves = shown.system.waves(of).await?;
    let sent = sent::latest(shown.system, of).await?;
    let mails = mailbox::rows(shown.system, of, &sent.email, &[])?;
    let at_meta = shown.system.office.templates(of).await?;
    Ok(html! {
        main.wide id="content" {
            (uploads::result(shown))
            (progress::last(shown))
            (inbox::notice(shown, of))
            (inbox::urgent_strangers(shown, of).await?)
            (parked::notice(shown).await?)
            (templates::notice(shown, of, &at_meta))
            (connections::notice(shown, of).await?)
            div.column {
                (overview::segments(shown, of, &segments))
                (overview::wave(shown, of, &waves))
                (overview::running(shown, &waves))
                (patient::find(shown, of))
                (uploads::forms(shown))
                (qr::panel(shown, of))
            }
            div.column {
                (phone::panel(shown, of, &sent.whatsapp))
                (mailbox::panel(shown, of, None, &mails, mail)?)
                (notifications::panel(shown, of, None, &sent.push)?)
                (calls::panel(shown, of, &sent.calls))
            }
        }
    })
}

async fn one(shown: &Shown<'_>, of: &OpenClinic, id: &PatientId, looking: &Looking) -> Result<Markup, Problem> {
    let missing = || Problem::missing("the patient").coded("patient");
    let collection = of.tenant.collection(id).await?.ok_or_else(missing)?;
    let why = crate::why::why(&shown.system.host, &of.id, id, None).await?.ok_or_else(missing)?;
    let lines = thread::lines(&shown.system.office, of, &collection).await?;
    let heard = lines.iter().filter(|line| line.by == thread::Speaker::Patient).count();
    let sent = sent::to(&collection);
    let mails = mailbox::rows(shown.system, of, &sent.email, &lines)?;
    Ok(html! {
        main.wide id="content" {
            (patient::head(shown, of, &collection))
            (number::panel(shown, of, &collection).await?)
            (progress::last(shown))
            div.column {
                (desk::panel(shown, of, &collection, heard, looking.not.as_deref())?)
                (why_view::panel(shown, of, &why))
                (patient::timeline(shown, of, &collection, &lines))
                (privacy::panel(shown, of, id))
            }
            div.column.talk {
                (phone::conversation(shown, of, &collection, &lines))
                (mailbox::panel(shown, of, Some(id), &mails, looking.mail.as_deref())?)
                (notifications::panel(shown, of, Some(&collection), &sent.push)?)
                (calls::panel(shown, of, &sent.calls))
            }
        }
    })
}

#[derive(Deserialize)]
struct Advance {
    by: String,
    patient: Option<String>,
}

async fn advance(
    State(system): State<System>,
    Path(id): Path<String>,
    form: Result<Form<Advance>, FormRejection>,
) -> Result<Redirect, Failed> {
    let of = system.clinic(&id).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let Form(form) = form.map_err(|rejection| failed(Problem::form(rejection.status(), rejection.body_text())))?;
    match system.order(&AdvanceBy::By { by: form.by }, of.clinic.zone) {
        // Something is under way: the page shows what.
        Ok(_) => {}
        Err(problem) if problem.status == StatusCode::CONFLICT => {}
        Err(problem) => return Err(failed(problem)),
    }
    let patient = form.patient.as_deref().and_then(|id| PatientId::parse(id).ok());
    Ok(Redirect::to(&frame::address(&of, patient.as_ref(), None)))
}

async fn cancel(State(system): State<System>, Path(id): Path<String>) -> Result<Redirect, Failed> {
    let of = system.clinic(&id).await?;
    system.cancel();
    Ok(Redirect::to(&frame::address(&of, None, None)))
}

/// The HTML of a mail, for the frame that shows it.
async fn mail(State(system): State<System>, Path((id, message)): Path<(String, String)>) -> Result<Response, Failed> {
    let of = system.clinic(&id).await?;
    let message = MessageId::parse(&message).ok_or_else(|| Problem::missing("this mail").coded("mail"))?;
    let mail = mailbox::find(&system, &of, &message.to_string())?
        .ok_or_else(|| Problem::missing("this mail").coded("mail"))?;
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, MAIL_POLICY)];
    Ok((headers, mailbox::as_read(&mail)).into_response())
}
