//! What providers told and nobody could read, for whoever runs the system.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use maud::{Markup, html};
use serde::Deserialize;
use staff_api::Problem;
use staff_api::parked::{BodyView, discard, parked, replay};

use super::frame::{Frame, Shown};
use super::texts::{Texts, moment};
use super::{Failed, Page};
use crate::server::system::System;

/// What a page is asked to show.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Looking {
    /// What came of what was asked for.
    did: Option<String>,
}

pub(super) async fn page(
    State(system): State<System>,
    looking: Result<Query<Looking>, QueryRejection>,
) -> Result<Page, Failed> {
    let looking = looking.map(|Query(looking)| looking).unwrap_or_default();
    let clinics = system.clinics().await?;
    let texts = clinics.first().map_or_else(Texts::default, |first| Texts::of(first.clinic.language));
    let failed = |problem: Problem| Failed(problem, texts);
    let kept = parked(&system.office).await.map_err(failed)?;
    let zone = clinics.first().map_or(chrono_tz::UTC, |first| first.clinic.zone);
    let shown = Shown { system: &system, texts, clinics: &clinics, of: None, waiting: 0 };
    let body = html! {
        main id="content" {
            section.panel.full aria-labelledby="parked" {
                header { h1 id="parked" { (texts.word("parked")) } }
                p.soft { (texts.word("parked_hint")) }
                @if let Some(did) = looking.did.as_deref().and_then(|did| outcome(texts, did)) {
                    p role="status" { strong { (did) } }
                }
                @if kept.bodies.is_empty() { p.empty { (texts.word("parked_empty")) } } @else {
                    ul.inbox { @for body in &kept.bodies { (row(texts, zone, body)) } }
                }
                @for lost in &kept.lost { p.refused { (lost.entry) " · " (lost.hour) " · " (lost.count) " " (texts.word("parked_lost")) } }
            }
        }
    };
    Ok(Page(shown.page(&Frame { title: texts.word("parked"), refresh: false }, &body)))
}

fn row(texts: &Texts, zone: chrono_tz::Tz, body: &BodyView) -> Markup {
    html! {
        li {
            div.meta {
                span { strong { (body.entry) } " " span.tag { (texts.problem(&format!("unread_{}", body.code)).unwrap_or(body.code)) } }
                time datetime=(body.since) { (moment(body.since_at, zone)) }
            }
            p.soft { (texts.word("parked_bytes")) ": " (body.bytes) " · " (texts.word("parked_times")) ": " (body.times) }
            @if let Some(again) = &body.again {
                p { (texts.word("parked_again")) " " (moment(again.instant, zone)) ": " (outcome(texts, again.came).unwrap_or(again.came)) }
            }
            details { summary { (texts.word("problem_detail")) } p.soft lang="en" { (body.why) } }
            div.acts {
                form method="post" action=(format!("/parked/{}/replay", body.id)) { button { (texts.word("parked_replay")) } }
            }
            details {
                summary { (texts.word("parked_discard")) }
                p { (texts.word("parked_discard_hint")) }
                form method="post" action=(format!("/parked/{}/discard", body.id)) { button.plain { (texts.word("parked_discard_go")) } }
            }
        }
    }
}

pub(super) async fn again(State(system): State<System>, Path(id): Path<String>) -> Result<Redirect, Failed> {
    back(&system, replay(&system.office, &id).await).await
}

pub(super) async fn forget(State(system): State<System>, Path(id): Path<String>) -> Result<Redirect, Failed> {
    back(&system, discard(&system.office, &id).await.map(|()| "discarded")).await
}

/// Back to the list, with what came of it.
async fn back(system: &System, done: Result<&'static str, Problem>) -> Result<Redirect, Failed> {
    let did = match done {
        Ok(did) => did,
        Err(problem) if problem.status == StatusCode::CONFLICT => "busy",
        Err(problem) if problem.status == StatusCode::NOT_FOUND => "gone",
        Err(problem) => {
            let clinics = system.clinics().await?;
            let texts = clinics.first().map_or_else(Texts::default, |first| Texts::of(first.clinic.language));
            return Err(Failed(problem, texts));
        }
    };
    Ok(Redirect::to(&format!("/parked?did={did}")))
}

fn outcome<'t>(texts: &'t Texts, did: &str) -> Option<&'t str> {
    Some(match did {
        "read" => texts.word("parked_read"),
        "partly" => texts.word("parked_partly"),
        "unreadable" => texts.word("parked_unreadable"),
        "discarded" => texts.word("parked_discarded"),
        "gone" => texts.word("parked_gone"),
        "busy" => texts.refusal("busy")?,
        _ => return None,
    })
}

/// On a clinic's page: that something waits to be looked at.
pub(super) async fn notice(shown: &Shown<'_>) -> Result<Markup, Problem> {
    let count = shown.system.host.reach.store.parked().await?.len();
    Ok(html! {
        @if count > 0 {
            section.panel.notice.full.waits role="status" {
                a href="/parked" { strong.number { (count) } " " (shown.texts.word(if count == 1 { "parked_notice_one" } else { "parked_notice" })) }
            }
        }
    })
}
