//! What staff may say of a patient's number: that one reported wrong is right after all, or that one
//! they noted is not to stand any more.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use maud::{Markup, html};
use retorno_cloud::desk::StaffDone;
use retorno_cloud::store::Collection;
use retorno_domain::ids::PatientId;
use serde::Deserialize;
use staff_api::Problem;
use staff_api::strangers::StrangerAct;

use super::Failed;
use super::frame::{Shown, action, address};
use super::texts::{Texts, moment};
use crate::server::system::{OpenClinic, System};

#[derive(Default, Deserialize)]
pub(super) struct Sure {
    confirm: Option<String>,
}

pub(super) async fn right(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
    form: Result<Form<Sure>, FormRejection>,
) -> Result<Redirect, Failed> {
    let confirmed = form.is_ok_and(|Form(form)| form.confirm.is_some());
    act(&system, &id, &patient, |patient| StrangerAct::RightNumber(patient, confirmed)).await
}

pub(super) async fn forget(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
) -> Result<Redirect, Failed> {
    act(&system, &id, &patient, StrangerAct::ForgetNumber).await
}

async fn act(
    system: &System,
    id: &str,
    patient: &str,
    act: impl FnOnce(PatientId) -> StrangerAct,
) -> Result<Redirect, Failed> {
    let of = system.clinic(id).await?;
    let texts = Texts::of(of.clinic.language);
    let missing = || Failed(Problem::missing(texts.word("patient")), texts);
    let patient = PatientId::parse(patient).map_err(|_| missing())?;
    let back = |not: &str| Ok(Redirect::to(&format!("{}{not}", address(&of, Some(&patient), None))));
    match system.office.stranger_act(&of, &act(patient.clone())).await {
        Ok(StaffDone::Done | StaffDone::Repeated) => back(""),
        Ok(StaffDone::Refused(why)) => back(&format!("&not={}", why.code())),
        Ok(StaffDone::Nobody) => Err(missing()),
        Err(problem) if problem.status == StatusCode::CONFLICT => back("&not=busy"),
        Err(problem) => Err(Failed(problem, texts)),
    }
}

/// Shown only where there is something to say.
pub(super) async fn panel(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection) -> Result<Markup, Problem> {
    let texts = shown.texts;
    let patient = &collection.patient.patient;
    let keys = of.tenant.contact_keys(patient, of.clinic.date(shown.system.host.now()));
    let is_wrong = of.tenant.contact_points(&keys).await?.phone.is_wrong();
    let noted = patient.noted.as_deref();
    if !is_wrong && noted.is_none() {
        return Ok(html! {});
    }
    Ok(html! {
        section.panel.full aria-labelledby="number" {
            header { h2 id="number" { (texts.word("contact_phone")) } }
            @if let Some(noted) = noted {
                p {
                    (noted.phone.e164.as_str()) " · "
                    (texts.word(if noted.guardian.is_some() { "noted_guardian" } else { "noted" })) " "
                    (moment(noted.at, of.clinic.zone)) ". "
                    span.soft { (texts.word(if patient.noted_holds() { "noted_holds" } else { "noted_replaced" })) }
                }
                form.acts method="post" action=(action(of, &patient.id, "forget-number")) {
                    button.plain { (texts.word("noted_forget")) }
                }
            }
            @if is_wrong {
                p.refused { (texts.word("number_wrong")) }
                form.acts method="post" action=(action(of, &patient.id, "right-number")) {
                    label { input type="checkbox" name="confirm" required; " " (texts.word("number_sure")) }
                    button.plain { (texts.word("number_right")) }
                }
            }
        }
    })
}
