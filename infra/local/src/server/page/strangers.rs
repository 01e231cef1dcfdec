//! People who are not on record: what they wrote and agreed to, and the forms with which staff says
//! whose it is, answers, or sets aside. No address holds a number, a name or a word.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use maud::{Markup, html};
use retorno_cloud::desk::{Refused, StaffDone};
use retorno_domain::ids::PatientId;
use serde::Deserialize;
use staff_api::Problem;
use staff_api::strangers::{StrangerAct, Strangers, find, strangers};
use staff_api::talk::event_name;

use super::frame::{Frame, Shown, address};
use super::stranger_view::{Found, agreement_row, number_row};
use super::texts::Texts;
use super::{Failed, Page, waiting};
use crate::server::system::{OpenClinic, System};

/// Characters of the name that a rendering gives to its forms.
const EVENT_CHARS_MAX: usize = 64;

#[derive(Default, Deserialize)]
pub(super) struct Looking {
    /// Why what was asked for was not done.
    not: Option<String>,
}

/// What staff sends.
#[derive(Default, Deserialize)]
pub(super) struct ByStaff {
    #[serde(default)]
    event: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    patient: String,
    /// A name or a number to look for.
    #[serde(default)]
    find: String,
}

pub(super) async fn page(
    State(system): State<System>,
    Path(id): Path<String>,
    looking: Result<Query<Looking>, QueryRejection>,
) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let not = looking.map(|Query(looking)| looking.not).unwrap_or_default();
    shown(&system, &of, not.as_deref(), None).await
}

/// What is done about a number.
pub(super) async fn act(
    State(system): State<System>,
    Path((id, who, what)): Path<(String, String, String)>,
    form: Result<Form<ByStaff>, FormRejection>,
) -> Result<Result<Redirect, Page>, Failed> {
    let of = system.clinic(&id).await?;
    let form = of_form(&of, form)?;
    let act = match what.as_str() {
        "find" => return found(&system, &of, who, &form.find).await,
        "attach" => StrangerAct::Attach(who.clone(), patient_of(&of, &form)?),
        "answer" => StrangerAct::Answer(who.clone(), event_of(&of, &who, &form)?, form.words),
        "dismiss" => StrangerAct::Dismiss(who.clone(), true),
        "restore" => StrangerAct::Dismiss(who.clone(), false),
        _ => return Err(failed(&of, Problem::missing("this page"))),
    };
    done(&system, &of, &who, &act).await.map(Ok)
}

/// What is done about an agreement.
pub(super) async fn act_on_agreement(
    State(system): State<System>,
    Path((id, agreement, what)): Path<(String, String, String)>,
    form: Result<Form<ByStaff>, FormRejection>,
) -> Result<Result<Redirect, Page>, Failed> {
    let of = system.clinic(&id).await?;
    let form = of_form(&of, form)?;
    let act = match what.as_str() {
        "find" => return found(&system, &of, agreement, &form.find).await,
        "attach" => StrangerAct::AttachAgreement(agreement.clone(), patient_of(&of, &form)?),
        "dismiss" => StrangerAct::DismissAgreement(agreement.clone(), true),
        "restore" => StrangerAct::DismissAgreement(agreement.clone(), false),
        _ => return Err(failed(&of, Problem::missing("this page"))),
    };
    done(&system, &of, &agreement, &act).await.map(Ok)
}

/// The page again, with whom a search has found.
async fn found(system: &System, of: &OpenClinic, at: String, words: &str) -> Result<Result<Redirect, Page>, Failed> {
    let patients = find(of, words).await.map_err(|problem| failed(of, problem))?;
    shown(system, of, None, Some(Found { at, patients })).await.map(Err)
}

async fn done(system: &System, of: &OpenClinic, at: &str, act: &StrangerAct) -> Result<Redirect, Failed> {
    let back = |not: Option<&str>| {
        let not = not.map(|code| format!("?not={code}")).unwrap_or_default();
        Redirect::to(&format!("/c/{}/strangers{not}#n-{at}", of.id))
    };
    match system.office.stranger_act(of, act).await {
        Ok(StaffDone::Done | StaffDone::Repeated) => Ok(match act {
            // What they wrote is read, and answered, there.
            StrangerAct::Attach(_, patient) => Redirect::to(&address(of, Some(patient), None)),
            StrangerAct::Answer(..)
            | StrangerAct::Dismiss(..)
            | StrangerAct::AttachAgreement(..)
            | StrangerAct::DismissAgreement(..)
            | StrangerAct::RightNumber(..)
            | StrangerAct::ForgetNumber(_) => back(None),
        }),
        Ok(StaffDone::Refused(why)) => Ok(back(Some(code(act, why)))),
        Ok(StaffDone::Nobody) => Ok(back(Some("not_there"))),
        Err(problem) if problem.status == StatusCode::CONFLICT => Ok(back(Some("busy"))),
        Err(problem) => Err(failed(of, problem)),
    }
}

/// The reason's word among the texts: nothing was to be sent by attaching.
fn code(act: &StrangerAct, why: Refused) -> &'static str {
    match (act, why) {
        (StrangerAct::Attach(..), Refused::NoPhone) => "attach_no_phone",
        (StrangerAct::Attach(..), Refused::NoGuardian) => "attach_no_guardian",
        (_, why) => why.code(),
    }
}

async fn shown(system: &System, of: &OpenClinic, not: Option<&str>, found: Option<Found>) -> Result<Page, Failed> {
    let failed = |problem: Problem| failed(of, problem);
    let texts = Texts::of(of.clinic.language);
    let clinics = system.clinics().await.map_err(failed)?;
    let all = strangers(&system.office, of).await.map_err(failed)?;
    let waiting = waiting(of).await.map_err(failed)?;
    let event = event_name().map_err(failed)?;
    let shown = Shown { system, texts, clinics: &clinics, of: Some(of), waiting };
    let body = body(&shown, of, &all, &event, (not, found.as_ref()));
    Ok(Page(shown.page(&Frame { title: texts.word("strangers_short"), refresh: false }, &body)))
}

fn body(
    shown: &Shown<'_>,
    of: &OpenClinic,
    all: &Strangers,
    event: &str,
    (not, found): (Option<&str>, Option<&Found>),
) -> Markup {
    let texts = shown.texts;
    html! {
        main id="content" {
            @if let Some(why) = not.and_then(|code| texts.refusal(code)) { p.refused role="alert" { (why) } }
            section.panel aria-labelledby="strangers" {
                header { h1 id="strangers" { (texts.word("strangers")) } span.soft { (texts.word("strangers_hint")) } }
                @if all.strangers.is_empty() { p.empty { (texts.word("strangers_empty")) } }
                ul.inbox { @for stranger in &all.strangers { (number_row(shown, of, stranger, event, found)) } }
                @if !all.dealt_with.is_empty() {
                    details {
                        summary { (texts.word("strangers_dealt")) " (" (all.dealt_with.len()) ")" }
                        ul.inbox { @for stranger in &all.dealt_with { (number_row(shown, of, stranger, event, found)) } }
                    }
                }
            }
            section.panel aria-labelledby="agreements" {
                header { h2 id="agreements" { (texts.word("agreements")) } span.soft { (texts.word("agreements_hint")) } }
                @if all.agreements.is_empty() { p.empty { (texts.word("agreements_empty")) } }
                ul.inbox { @for agreement in &all.agreements { (agreement_row(shown, of, agreement, found)) } }
                @if !all.settled_agreements.is_empty() {
                    details {
                        summary { (texts.word("agreements_settled")) " (" (all.settled_agreements.len()) ")" }
                        ul.inbox { @for agreement in &all.settled_agreements { (agreement_row(shown, of, agreement, found)) } }
                    }
                }
            }
        }
    }
}

fn failed(of: &OpenClinic, problem: Problem) -> Failed {
    Failed(problem, Texts::of(of.clinic.language))
}

fn of_form(of: &OpenClinic, form: Result<Form<ByStaff>, FormRejection>) -> Result<ByStaff, Failed> {
    let refused = |rejection: FormRejection| failed(of, Problem::new(rejection.status(), rejection.body_text()));
    form.map(|Form(form)| form).map_err(refused)
}

fn patient_of(of: &OpenClinic, form: &ByStaff) -> Result<PatientId, Failed> {
    PatientId::parse(form.patient.trim())
        .map_err(|_| failed(of, Problem::missing(Texts::of(of.clinic.language).word("patient"))))
}

/// The name of the event: of this number, and of the page that held the form. Sent twice, it is one.
fn event_of(of: &OpenClinic, who: &str, form: &ByStaff) -> Result<String, Failed> {
    let plain = form.event.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain || form.event.is_empty() || form.event.len() > EVENT_CHARS_MAX {
        return Err(failed(of, Problem::bad("the form is not whole")));
    }
    Ok(format!("staff#{who}#{}", form.event))
}
