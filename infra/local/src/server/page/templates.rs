//! The templates at Meta: whether each flow may begin, every text with how far it is, and what to do.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use staff_api::Problem;
use staff_api::templates::{FlowView, TemplateView, Templates, act_of};

use super::frame::{Frame, Shown, escaped};
use super::texts::{Texts, moment};
use super::{Failed, Page, progress, waiting};
use crate::doubles::MetaSays;
use crate::server::sandbox::Meta;
use crate::server::system::{OpenClinic, System};

/// What the page is asked to show besides.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Looking {
    /// Why what was asked for was not done.
    not: Option<String>,
}

pub(super) async fn page(
    State(system): State<System>,
    Path(id): Path<String>,
    looking: Result<Query<Looking>, QueryRejection>,
) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let looking = looking.map(|Query(looking)| looking).unwrap_or_default();
    let clinics = system.clinics().await.map_err(failed)?;
    let waiting = waiting(&of).await.map_err(failed)?;
    let shown = Shown { system: &system, texts, clinics: &clinics, of: Some(&of), waiting };
    if let Some(work) = system.under_way() {
        return Ok(Page(progress::page(&shown, &work)));
    }
    let templates = system.office.templates(&of).await.map_err(failed)?;
    let body = html! {
        main id="content" {
            (account(&shown, &of, &templates, looking.not.as_deref()))
            @if !templates.flows.is_empty() { (flows(&shown, &templates)) }
            @if templates.uses != "gateway" && templates.uses != "no_whatsapp" { (list(&shown, &of, &templates)) }
        }
    };
    Ok(Page(shown.page(&Frame { title: texts.word("templates"), refresh: false }, &body)))
}

/// A button that was pressed: something for Meta, or in the sandbox something that Meta says.
#[derive(Deserialize)]
pub(super) struct Pressed {
    #[serde(rename = "do")]
    act: Option<String>,
    event: Option<String>,
    template: Option<String>,
}

pub(super) async fn act(
    State(system): State<System>,
    Path(id): Path<String>,
    form: Result<Form<Pressed>, FormRejection>,
) -> Result<Redirect, Failed> {
    let of = system.clinic(&id).await?;
    let failed = |problem: Problem| Failed(problem, Texts::of(of.clinic.language));
    let Form(form) = form.map_err(|rejection| failed(Problem::form(rejection.status(), rejection.body_text())))?;
    let template = form.template.filter(|name| !name.is_empty());
    let act = form.act.and_then(|act| act_of(&act, template.clone()));
    let played = form.event.and_then(|event| Meta::of(&event, template.clone()));
    let done = match (act, played) {
        (Some(act), None) => system.office.about_templates(&of, &act).await,
        (None, Some(played)) => system.meta_says(&of, &played).await,
        _ => return Err(failed(Problem::form(StatusCode::BAD_REQUEST, "the form is not whole"))),
    };
    let anchor = template.map(|name| format!("#{}", escaped(&name))).unwrap_or_default();
    match done {
        Ok(_) => Ok(Redirect::to(&format!("/c/{}/templates{anchor}", of.id))),
        Err(problem) if problem.status == StatusCode::CONFLICT => {
            Ok(Redirect::to(&format!("/c/{}/templates?not=busy", of.id)))
        }
        Err(problem) => Err(failed(problem)),
    }
}

/// How it stands with the account, and what may be done about all of it.
fn account(shown: &Shown<'_>, of: &OpenClinic, templates: &Templates, not: Option<&str>) -> Markup {
    let texts = shown.texts;
    let zone = of.clinic.zone;
    html! {
        section.panel aria-labelledby="templates" {
            header {
                h1 id="templates" { (texts.word("templates")) }
                span.soft {
                    @match templates.checked_at {
                        Some(at) => { (texts.word("templates_checked")) " " (moment(at, zone)) },
                        None => (texts.word("templates_never")),
                    }
                }
            }
            p { (texts.template("uses", templates.uses)) @if templates.uses == "no_account" { " " code { "whatsapp_account_id = \"100000000000009\"" } } }
            @if let Some(why) = not.and_then(|not| texts.refusal(not)) { p.refused role="alert" { (why) } }
            @if let Some(trouble) = &templates.trouble {
                p.refused role="alert" { (moment(trouble.at, zone)) ": " (texts.template("trouble", trouble.what)) }
            }
            @if templates.subscribed == Some(false) { p.refused role="alert" { (texts.word("templates_unsubscribed")) } }
            @if templates.uses == "cloud_api" {
                @let missing = templates.templates.iter().filter(|template| template.todo == "submit").count();
                div.acts {
                    (button(of, "do", "refresh", None, texts.word("templates_refresh"), missing > 0))
                    @if missing > 0 { (button(of, "do", "submit", None, &format!("{} ({missing})", texts.word("templates_submit_all")), false)) }
                    @if templates.subscribed != Some(true) { (button(of, "do", "subscribe", None, texts.word("templates_subscribe"), templates.subscribed.is_none())) }
                }
                @if templates.subscribed == Some(true) {
                    details.soft { summary { (texts.word("templates_sandbox")) }
                        (button(of, "event", "unsubscribe", None, texts.template("meta", "unsubscribe"), true))
                    }
                }
            }
        }
    }
}

/// One button, one form.
fn button(of: &OpenClinic, name: &str, value: &str, template: Option<&str>, says: &str, plain: bool) -> Markup {
    html! {
        form method="post" action=(format!("/c/{}/templates", of.id)) {
            @if let Some(template) = template { input type="hidden" name="template" value=(template); }
            button.plain[plain] name=(name) value=(value) { (says) }
        }
    }
}

/// Whether each flow may begin.
fn flows(shown: &Shown<'_>, templates: &Templates) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="flows" {
            header { h2 id="flows" { (texts.word("templates_flows")) } }
            table.cards {
                thead { tr { th scope="col" { (texts.word("segment")) } th scope="col" { (texts.word("templates_start")) } th scope="col" { (texts.word("templates_lacks")) } } }
                tbody { @for flow in &templates.flows { tr {
                    th scope="row" { (flow.name) }
                    td data-label=(texts.word("templates_start")) { span.tag.bad[flow.start == "blocked"].done[flow.start == "unknown"] { (texts.template("start", flow.start)) } }
                    td.wide data-label=(texts.word("templates_lacks")) { (lacks(shown, flow)) }
                } } }
            }
        }
    }
}

fn lacks(shown: &Shown<'_>, flow: &FlowView) -> Markup {
    let texts = shown.texts;
    html! {
        @if flow.lacks.is_empty() && flow.without_copy.is_empty() { "–" } @else {
            ul.reasons {
                @for lack in &flow.lacks { li {
                    b { (lack.step) } span { a href=(format!("#{}", lack.template)) { (lack.template) } ": " (texts.reason(lack.reason)) }
                } }
                @for step in &flow.without_copy { li { b { (step) } span { (texts.reason("no_template")) } } }
            }
        }
    }
}

fn list(shown: &Shown<'_>, of: &OpenClinic, templates: &Templates) -> Markup {
    let texts = shown.texts;
    // Those first about which something is to be done.
    let (open, done): (Vec<_>, Vec<_>) = templates.templates.iter().partition(|template| template.needs_a_hand());
    html! {
        section.panel aria-labelledby="texts" {
            header { h2 id="texts" { (texts.word("templates_list")) } span.soft { (templates.templates.len()) } }
            @if templates.templates.is_empty() { p.empty { (texts.word("templates_none")) } }
            ul.inbox.templates { @for template in open.into_iter().chain(done) { (one(shown, of, templates, template)) } }
        }
    }
}

fn one(shown: &Shown<'_>, of: &OpenClinic, templates: &Templates, template: &TemplateView) -> Markup {
    let texts = shown.texts;
    let is_bad = ["paused", "rejected", "disabled", "deleted"].contains(&template.state);
    let manageable = templates.uses == "cloud_api";
    html! {
        li id=(template.name) .urgent[is_bad] .high[template.state == "not_submitted" || template.state == "pending"] {
            div.meta {
                span {
                    span.tag.bad[is_bad].done[template.state == "unknown"] { (texts.template("state", template.state)) }
                    @if let Some(until) = template.until { " " (texts.word("until")) " " (moment(until, of.clinic.zone)) }
                }
                @if let Some(at) = template.as_of { span { (texts.word("as_of")) " " time datetime=(at.to_rfc3339()) { (moment(at, of.clinic.zone)) } } }
            }
            p.person { strong { (template.used_by.join(", ")) } " · " (texts.word(if template.dated { "templates_dated" } else { "templates_undated" })) }
            p.soft { code { (template.name) } " · " (template.language) " · " (category(shown, template)) @if let Some(quality) = template.quality { " · " (texts.word("templates_quality")) ": " (texts.template("quality", quality)) } }
            @if let Some(reason) = &template.reason { p { (texts.word("templates_meta_says")) ": " (texts.template("reason", reason)) " " code { (reason) } } }
            @if template.became_marketing() { p.refused { (texts.word("templates_became_marketing")) } }
            @if let Some(coming) = &template.coming_category { p.refused { (texts.word("templates_coming")) " " (texts.template("category", coming)) "." } }
            @if template.reworded { p.refused { (texts.word("templates_reworded")) } }
            @if let Some(refused) = &template.refused { p.refused role="alert" { (texts.word("templates_refused")) @if !refused.is_empty() { " " code { (refused) } } } }
            @if manageable { p { (texts.template("todo", template.todo)) } }
            details {
                summary { (texts.word("templates_text")) }
                blockquote { (template.sample) @for label in &template.buttons { br; "[" (label) "]" } }
                p.soft { (texts.word("templates_body")) }
                blockquote { (template.body) }
            }
            @if manageable && template.may_submit() {
                div.acts { (button(of, "do", "submit", Some(&template.name), texts.word(if template.todo == "submit" { "templates_submit" } else { "templates_resubmit" }), template.todo == "overwrite")) }
            }
            @if manageable && !["unknown", "not_submitted"].contains(&template.state) {
                details.soft { summary { (texts.word("templates_sandbox")) }
                    div.acts { @for says in MetaSays::ALL { (button(of, "event", says.code(), Some(&template.name), texts.template("meta", says.code()), true)) } }
                }
            }
        }
    }
}

/// As what it is submitted, and as what Meta charges it where that differs.
fn category(shown: &Shown<'_>, template: &TemplateView) -> Markup {
    let texts = shown.texts;
    let at_meta = template.meta_category.as_deref().filter(|at_meta| *at_meta != template.category);
    html! {
        (texts.template("category", template.category))
        @if let Some(at_meta) = at_meta { " → " strong { (texts.template("category", at_meta)) } }
    }
}

/// On the clinic's page: which segments cannot begin, and that nobody hears of anything.
pub(super) fn notice(shown: &Shown<'_>, of: &OpenClinic, templates: &Templates) -> Markup {
    let texts = shown.texts;
    let blocked: Vec<&str> =
        templates.flows.iter().filter(|flow| flow.start == "blocked").map(|flow| flow.name.as_str()).collect();
    let deaf = templates.subscribed == Some(false);
    html! {
        @if !blocked.is_empty() || deaf || templates.trouble.is_some() {
            section.panel.notice.full.bad role="status" {
                a href=(format!("/c/{}/templates", of.id)) {
                    @if !blocked.is_empty() { p { strong { (texts.word("templates_blocked")) } " " (blocked.join(", ")) } }
                    @if deaf { p { (texts.word("templates_unsubscribed")) } }
                    @if let Some(trouble) = &templates.trouble { p { (texts.template("trouble", trouble.what)) } }
                }
            }
        }
    }
}
