//! The inbox: who waits for a person, and why.

use axum::extract::{Path, State};
use maud::{Markup, html};

use super::frame::{Frame, Shown};
use super::phone::patient_link;
use super::texts::{Texts, moment};
use super::{Failed, Page};
use crate::server::inbox::{Inbox, StrangerView, WaitingView, inbox};
use crate::server::problem::Problem;
use crate::server::system::{OpenClinic, System};

pub(super) async fn page(State(system): State<System>, Path(id): Path<String>) -> Result<Page, Failed> {
    let of = system.clinic(&id).await?;
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let clinics = system.clinics().await.map_err(failed)?;
    let inbox = inbox(&of).await.map_err(failed)?;
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
            @if !inbox.strangers.is_empty() {
                section.panel aria-labelledby="strangers" {
                    header { h2 id="strangers" { (texts.word("strangers")) } span.soft { (texts.word("strangers_hint")) } }
                    ul.inbox { @for stranger in &inbox.strangers { (unknown(shown, of, stranger)) } }
                }
            }
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

fn unknown(shown: &Shown<'_>, of: &OpenClinic, stranger: &StrangerView) -> Markup {
    let texts = shown.texts;
    html! {
        li {
            div.meta {
                span {
                    strong { @match &stranger.phone { Some(phone) => { "+" (phone) }, None => (texts.word("stranger_hidden")) } }
                    " " span.tag { (texts.intent(&stranger.intent)) }
                }
                time datetime=(stranger.at) { (moment(stranger.instant, of.clinic.zone)) }
            }
            blockquote { (stranger.text) }
        }
    }
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
