//! Until when the records are sealed, and checking them now.

use axum::extract::{Path, State};
use maud::{Markup, html};
use staff_api::Problem;

use super::frame::{Frame, Shown};
use super::texts::{Texts, moment};
use super::{Failed, Page, waiting};
use crate::server::ledger::{AuditState, Checked, audit, check};
use crate::server::system::{OpenClinic, System};

pub(super) async fn page(State(system): State<System>, Path(id): Path<String>) -> Result<Page, Failed> {
    shown(&system, &id, false).await
}

pub(super) async fn verify(State(system): State<System>, Path(id): Path<String>) -> Result<Page, Failed> {
    shown(&system, &id, true).await
}

async fn shown(system: &System, id: &str, now: bool) -> Result<Page, Failed> {
    let of = system.clinic(id).await?;
    let texts = Texts::of(of.clinic.language);
    let failed = |problem: Problem| Failed(problem, texts);
    let clinics = system.clinics().await.map_err(failed)?;
    let waiting = waiting(&of).await.map_err(failed)?;
    let state = audit(system, &of).await.map_err(failed)?;
    let checked = if now { Some(check(system, &of).await.map_err(failed)?) } else { None };
    let shown = Shown { system, texts, clinics: &clinics, of: Some(&of), waiting };
    let body = html! { main id="content" { (panel(texts, &of, &state, checked.as_ref())) } };
    Ok(Page(shown.page(&Frame { title: texts.word("audit"), refresh: false }, &body)))
}

fn panel(texts: &Texts, of: &OpenClinic, state: &AuditState, checked: Option<&Checked>) -> Markup {
    html! {
        section.panel.full aria-labelledby="audit" {
            header { h1 id="audit" { (texts.word("audit")) } }
            p.soft { (texts.word("audit_hint")) }
            dl.facts {
                div { dt { (texts.word("audit_until")) } dd { @match state.until {
                    Some(until) => (moment(until, of.clinic.zone)),
                    None => span.soft { (texts.word("audit_not_yet")) },
                } } }
                div { dt { (texts.word("audit_digests")) } dd { (state.digests) } }
                div { dt { (texts.word("audit_key")) } dd { code { (state.key) } br; span.soft { (state.public_key) } } }
            }
            @match checked {
                None => {},
                Some(Checked::Sound { digests, records, late, open, restores }) => p.done role="status" {
                    strong { (texts.word("audit_sound")) } " "
                    (records) " " (texts.word("audit_records")) " · " (digests) " " (texts.word("audit_digests"))
                    @if *late > 0 { " · " strong { (late) " " (texts.word("audit_late")) } }
                    @for restore in restores {
                        " · " strong { (texts.word("audit_restored")) " " (restore.forgotten_from) "–" (restore.forgotten_to) }
                        @if let Some(lost) = restore.lost { " (" (texts.word("audit_lost")) ": " (lost) ")" }
                    }
                    @if *open > 0 { " · " (open) " " (texts.word("audit_open")) }
                },
                Some(Checked::Fault(fault)) => p.refused role="alert" {
                    strong { (texts.word("audit_fault")) } " " span lang="en" { (fault) }
                },
            }
            form method="post" action=(format!("/c/{}/audit", of.id)) { button { (texts.word("audit_verify")) } }
            p.soft { (texts.word("audit_offline")) " " code { "retorno audit export FILE --clinic " (of.id) } " · " code { "retorno audit verify FILE --public-key …" } }
        }
    }
}
