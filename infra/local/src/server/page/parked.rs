//! What providers told and nobody could read, for whoever runs the system.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};

use super::frame::{Frame, Shown};
use super::texts::{Texts, moment};
use super::{Failed, Page};
use crate::server::parked::{BodyView, discard, parked, replay};
use crate::server::problem::Problem;
use crate::server::system::System;

pub(super) async fn page(State(system): State<System>) -> Result<Page, Failed> {
    let clinics = system.clinics().await?;
    let texts = clinics.first().map_or_else(Texts::default, |first| Texts::of(first.clinic.language));
    let failed = |problem: Problem| Failed(problem, texts);
    let kept = parked(&system).await.map_err(failed)?;
    let zone = clinics.first().map_or(chrono_tz::UTC, |first| first.clinic.zone);
    let shown = Shown { system: &system, texts, clinics: &clinics, of: None, waiting: 0 };
    let body = html! {
        main id="content" {
            section.panel.full aria-labelledby="parked" {
                header { h1 id="parked" { (texts.word("parked")) } }
                p.soft { (texts.word("parked_hint")) }
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
                span { strong { (body.entry) } " " span.tag { (body.why) } }
                time datetime=(body.since) { (moment(body.since_at, zone)) }
            }
            p.soft { (body.bytes) " bytes · " (body.times) "×" }
            div.acts {
                form method="post" action=(format!("/parked/{}/replay", body.id)) { button { (texts.word("parked_replay")) } }
                form method="post" action=(format!("/parked/{}/discard", body.id)) { button.plain { (texts.word("parked_discard")) } }
            }
        }
    }
}

pub(super) async fn again(State(system): State<System>, Path(id): Path<String>) -> Result<Redirect, Failed> {
    replay(&system, &id).await?;
    Ok(Redirect::to("/parked"))
}

pub(super) async fn forget(State(system): State<System>, Path(id): Path<String>) -> Result<Redirect, Failed> {
    discard(&system, &id).await?;
    Ok(Redirect::to("/parked"))
}

/// On a clinic's page: that something waits to be looked at.
pub(super) async fn notice(shown: &Shown<'_>) -> Result<Markup, Problem> {
    let count = shown.system.host.reach.store.parked().await?.len();
    Ok(html! {
        @if count > 0 {
            section.panel.notice.full.waits role="status" {
                a href="/parked" { strong.number { (count) } " " (shown.texts.word("parked_notice")) }
            }
        }
    })
}
