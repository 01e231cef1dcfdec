//! What staff does with one patient: answers, takes over, hands back, records what was agreed to.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use chrono::NaiveDate;
use maud::{Markup, html};
use retorno_cloud::desk::StaffDone;
use retorno_cloud::store::Collection;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::ids::PatientId;
use serde::Deserialize;
use staff_api::Problem;
use staff_api::talk::{StaffAct, event_name, staff_event};

use super::Failed;
use super::agreement::{HOW, agreement};
use super::frame::{Shown, action, address};
use super::texts::{Texts, moment};
use crate::host::Written;
use crate::server::system::{OpenClinic, System};
use crate::server::talk::is_held;

/// What is pressed or written on the phone.
#[derive(Deserialize)]
pub(super) struct OnPhone {
    text: Option<String>,
    payload: Option<String>,
    choice: Option<String>,
    title: Option<String>,
    answers: Option<String>,
}

/// What staff sends.
#[derive(Deserialize)]
pub(super) struct ByStaff {
    event: String,
    #[serde(default)]
    words: String,
    #[serde(default)]
    wish: String,
    #[serde(default)]
    how: String,
    /// How much the patient had said when the page was shown.
    heard: Option<usize>,
    /// The day it was said; empty for today.
    #[serde(default)]
    on: String,
    whatsapp: Option<String>,
    email: Option<String>,
    sms: Option<String>,
    call: Option<String>,
    push: Option<String>,
    marketing: Option<String>,
    care: Option<String>,
}

type Answered<T> = Result<Form<T>, FormRejection>;

pub(super) async fn write(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
    form: Answered<OnPhone>,
) -> Result<Redirect, Failed> {
    let (of, patient) = opened(&system, &id, &patient).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let form = of_form(form).map_err(failed)?;
    let title = form.title.unwrap_or_default();
    let written = match (form.text, form.payload, form.choice) {
        (Some(text), None, None) => Written::Text(text),
        (None, Some(payload), None) => Written::Button(payload, title),
        (None, None, Some(choice)) => Written::Choice(choice, title),
        _ => return Err(failed(Problem::form(StatusCode::BAD_REQUEST, "send a text, or one button"))),
    };
    match system.write_as_patient(&of, &patient, &written, form.answers.as_deref()).await {
        Ok(()) => Ok(back(&of, &patient, None, "phone")),
        Err(problem) if problem.status == StatusCode::CONFLICT => Ok(back(&of, &patient, Some("busy"), "")),
        Err(problem) => Err(failed(problem)),
    }
}

pub(super) async fn reply(
    state: State<System>,
    path: Path<(String, String)>,
    form: Answered<ByStaff>,
) -> Result<Redirect, Failed> {
    act(state, path, form, |_, form| Ok(StaffAct::Write(form.words.clone()))).await
}

pub(super) async fn hold(
    state: State<System>,
    path: Path<(String, String)>,
    form: Answered<ByStaff>,
) -> Result<Redirect, Failed> {
    act(state, path, form, |_, _| Ok(StaffAct::TakeOver)).await
}

/// Hands back, unless the patient has said something that whoever hands back has not seen.
pub(super) async fn release(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
    form: Answered<ByStaff>,
) -> Result<Redirect, Failed> {
    let (of, known) = opened(&system, &id, &patient).await?;
    let heard = of.tenant.heard(&known).await.map_err(Problem::from)?.len();
    if form.as_ref().is_ok_and(|Form(form)| form.heard.is_some_and(|seen| seen < heard)) {
        return Ok(back(&of, &known, Some("more_was_said"), ""));
    }
    act(State(system), Path((id, patient)), form, |_, _| Ok(StaffAct::Release)).await
}

pub(super) async fn consent(
    state: State<System>,
    path: Path<(String, String)>,
    form: Answered<ByStaff>,
) -> Result<Redirect, Failed> {
    act(state, path, form, |today, form| {
        let how = HOW.into_iter().find(|how| *how == form.how);
        let how = how.ok_or_else(|| Problem::form(StatusCode::BAD_REQUEST, "say how it was given"))?;
        let wish = match form.wish.as_str() {
            "in" => Wish::OptIn(form.channels()),
            "out" => Wish::OptOut,
            _ => return Err(Problem::form(StatusCode::BAD_REQUEST, "the wish is in or out")),
        };
        let on = match form.on.trim() {
            "" => today,
            on => on.parse().map_err(|_| Problem::bad("the day it was said is no date").coded("not_a_date"))?,
        };
        let said = Statement { on, wish, source: Source::Recorded, purposes: form.purposes(wish) };
        Ok(StaffAct::Consent(said, format!("desk: {how}")))
    })
    .await
}

impl ByStaff {
    fn channels(&self) -> ChannelSet {
        let ticked = |channel: &Channel| match channel {
            Channel::Whatsapp => self.whatsapp.is_some(),
            Channel::Email => self.email.is_some(),
            Channel::Sms => self.sms.is_some(),
            Channel::Call => self.call.is_some(),
            Channel::Push => self.push.is_some(),
        };
        Channel::ALL.into_iter().filter(ticked).collect()
    }

    /// What it is about: what was ticked. An opt-out of which nothing is said is of everything; an
    /// agreement to nothing is none, and refused.
    fn purposes(&self, wish: Wish) -> PurposeSet {
        let ticked = |purpose: &Purpose| match purpose {
            Purpose::Marketing => self.marketing.is_some(),
            Purpose::Care => self.care.is_some(),
        };
        let purposes: PurposeSet = Purpose::ALL.into_iter().filter(ticked).collect();
        if purposes.is_empty() && wish == Wish::OptOut { PurposeSet::ALL } else { purposes }
    }
}

async fn act(
    State(system): State<System>,
    Path((id, patient)): Path<(String, String)>,
    form: Answered<ByStaff>,
    act: impl FnOnce(NaiveDate, &ByStaff) -> Result<StaffAct, Problem>,
) -> Result<Redirect, Failed> {
    let (of, patient) = opened(&system, &id, &patient).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let form = of_form(form).map_err(failed)?;
    let event = staff_event(&patient, &form.event).map_err(failed)?;
    let act = act(of.clinic.date(system.host.now()), &form).map_err(failed)?;
    match system.office.staff(&of, &patient, &event, &act).await {
        Ok(StaffDone::Done | StaffDone::Repeated) => Ok(back(&of, &patient, None, "")),
        Ok(StaffDone::Refused(why)) => Ok(back(&of, &patient, Some(why.code()), "")),
        Ok(StaffDone::Nobody) => Err(failed(Problem::missing("the patient").coded("patient"))),
        Err(problem) if problem.status == StatusCode::CONFLICT => Ok(back(&of, &patient, Some("busy"), "")),
        Err(problem) => Err(failed(problem)),
    }
}

pub(super) async fn opened(system: &System, id: &str, patient: &str) -> Result<(OpenClinic, PatientId), Failed> {
    let of = system.clinic(id).await?;
    match PatientId::parse(patient) {
        Ok(patient) => Ok((of, patient)),
        Err(_) => {
            let texts = Texts::of(of.clinic.language);
            Err(Failed(Problem::missing("the patient").coded("patient"), texts))
        }
    }
}

pub(super) fn of_form<T>(form: Answered<T>) -> Result<T, Problem> {
    form.map(|Form(form)| form).map_err(|rejection| Problem::form(rejection.status(), rejection.body_text()))
}

/// Back to the patient, perhaps with why nothing was done.
pub(super) fn back(of: &OpenClinic, patient: &PatientId, not: Option<&str>, anchor: &str) -> Redirect {
    let not = not.map(|code| format!("&not={code}")).unwrap_or_default();
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    Redirect::to(&format!("{}{not}{anchor}", address(of, Some(patient), None)))
}

/// What staff may do with a patient.
pub(super) fn panel(
    shown: &Shown<'_>,
    of: &OpenClinic,
    collection: &Collection,
    heard: usize,
    not: Option<&str>,
) -> Result<Markup, Problem> {
    let event = event_name()?;
    let texts = shown.texts;
    let id = &collection.patient.patient.id;
    let thread = &collection.thread.thread;
    let now = shown.system.host.now();
    let hidden = html! { input type="hidden" name="event" value=(event); };
    Ok(html! {
        section.panel id="desk" aria-labelledby="desk-title" {
            header {
                h2 id="desk-title" { (texts.word("desk")) }
                span.soft { (texts.word(if is_held(collection) { "desk_held" } else { "desk_automatic" })) }
            }
            @if let Some(why) = not.and_then(|code| texts.refusal(code)) { p.refused role="alert" { (why) } }
            @if let Some(open) = &thread.open {
                p.open-reason class=(open.urgency.code()) {
                    span.tag { (texts.waits(&open.reason)) } " " (texts.word("inbox_since")) " " (moment(open.since, of.clinic.zone))
                }
            }
            @if thread.window_is_open(now) {
                form.reply method="post" action=(action(of, id, "reply")) {
                    (hidden)
                    label { (texts.word("desk_words")) textarea name="words" rows="3" required maxlength="4096" {} }
                    button { (texts.word("desk_send")) }
                }
            } @else { p.soft { (texts.word("desk_window")) } }
            div.acts {
                @if is_held(collection) {
                    form method="post" action=(action(of, id, "release")) {
                        (hidden)
                        input type="hidden" name="heard" value=(heard);
                        button.plain { (texts.word("desk_release")) }
                    }
                } @else {
                    form method="post" action=(action(of, id, "hold")) { (hidden) button.plain { (texts.word("desk_hold")) } }
                }
            }
            (agreement(shown, of, collection, &hidden))
        }
    })
}
