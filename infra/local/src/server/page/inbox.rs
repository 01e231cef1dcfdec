//! The inbox: who waits for a person, and why.

use axum::extract::{Path, State};
use maud::{Markup, html};
use retorno_domain::conversation::Urgency;
use staff_api::Problem;
use staff_api::inbox::{Inbox, WaitingView, inbox};

use super::frame::{Frame, Shown};
use super::phone::patient_link;
use super::texts::{Texts, moment};
use super::{Failed, Page};
use crate::server::system::{OpenClinic, System};

pub(super) async fn page(State(system): State<System>, Path(id): Path<String>) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let clinics = system.clinics().await.map_err(failed)?;
    let inbox = inbox(&system.office, &of).await.map_err(failed)?;
    let shown = Shown { system: &system, texts, clinics: &clinics, of: Some(&of), waiting: inbox.waiting.len() };
    let body = body(&shown, &of, &inbox);
    Ok(Page(shown.page(&Frame { title: texts.word("inbox"), refresh: false }, &body)))
}

fn body(shown: &Shown<'_>, of: &OpenClinic, inbox: &Inbox) -> Markup {
    let texts = shown.texts;
    html! {
        main id="content" {
            section.panel aria-labelledby="inbox" {
                header { h1 id="inbox" { (texts.word("inbox")) } span.soft { (texts.word("inbox_order")) } }
                @if inbox.waiting.is_empty() { p.empty { (texts.word("inbox_empty")) } } @else {
                    ul.inbox { @for waiting in &inbox.waiting { (row(shown, of, waiting)) } }
                }
            }
            (strangers(shown, of, inbox))
        }
    }
}

fn row(shown: &Shown<'_>, of: &OpenClinic, waiting: &WaitingView) -> Markup {
    let texts = shown.texts;
    html! {
        li class=(waiting.urgency) {
            div.meta {
                span {
                    span.tag { (texts.waits(&waiting.reason)) }
                    @if waiting.answered { " " span.tag.done { (texts.word("inbox_answered")) } }
                }
                span { (texts.word("inbox_since")) " " time datetime=(waiting.since) { (moment(waiting.since_at, of.clinic.zone)) } }
            }
            p.person { strong { (waiting.name) } " · " (patient_link(of, &waiting.patient_id)) }
            @if let Some(words) = &waiting.last_words { blockquote { (words) } }
        }
    }
}

/// Numbers that are not on record and wait: the urgent ones with their words, of the others how many.
fn strangers(shown: &Shown<'_>, of: &OpenClinic, inbox: &Inbox) -> Markup {
    let texts = shown.texts;
    let page = format!("/c/{}/strangers", of.id);
    html! {
        @if !inbox.strangers.is_empty() {
            section.panel aria-labelledby="strangers" {
                header {
                    h2 id="strangers" { (texts.word("strangers")) }
                    a href=(page) { (texts.word("strangers_all")) " (" (inbox.strangers.len()) ")" }
                }
                ul.inbox { @for stranger in &inbox.strangers {
                    li class=(stranger.urgency.unwrap_or("normal")) {
                        div.meta {
                            span {
                                @if let Some(reason) = stranger.reason { span.tag { (texts.waits(reason)) } " " }
                                a href=(format!("{page}#n-{}", stranger.id)) {
                                    (stranger.phone.as_deref().unwrap_or(texts.word("stranger_hidden")))
                                }
                            }
                            time datetime=(stranger.last_at) { (moment(stranger.last_instant, of.clinic.zone)) }
                        }
                        @if let Some(word) = stranger.words.last() { blockquote { (word.text) } }
                    }
                } }
            }
        }
    }
}

/// On the clinic's page: somebody who is not on record is unwell.
pub(super) async fn urgent_strangers(shown: &Shown<'_>, of: &OpenClinic) -> Result<Markup, Problem> {
    let texts = shown.texts;
    let groups = of.tenant.stranger_groups().await?;
    let urgent = groups.iter().filter(|group| group.owner().is_none());
    let urgent = urgent.filter(|group| group.waits().is_some_and(|(_, urgency)| urgency == Urgency::Urgent)).count();
    Ok(html! {
        @if urgent > 0 {
            section.panel.notice.full.waits role="alert" {
                a href=(format!("/c/{}/strangers", of.id)) {
                    strong.number { (urgent) } " " (texts.word("strangers_urgent"))
                }
            }
        }
    })
}

/// On the clinic's page: how many wait.
pub(super) fn notice(shown: &Shown<'_>, of: &OpenClinic) -> Markup {
    let texts = shown.texts;
    html! {
        @if shown.waiting > 0 {
            section.panel.notice.full.waits role="status" {
                a href=(format!("/c/{}/inbox", of.id)) {
                    strong.number { (shown.waiting) } " "
                    (texts.word(if shown.waiting == 1 { "inbox_one" } else { "inbox_many" }))
                }
            }
        }
    }
}
