//! Alerts to staff's browsers: who is told, and how this browser comes to be told. The only script of
//! the pages; without it everything else works.

use axum::http::header;
use axum::response::IntoResponse;
use maud::{Markup, html};
use staff_api::Problem;
use staff_api::connections::Connections;

use super::frame::Shown;
use super::texts::moment;
use crate::server::system::OpenClinic;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// What lets a browser be told.
pub(super) async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, JAVASCRIPT)], include_str!("../../../scripts/push.js"))
}

/// What shows alerts while no page is open.
pub(super) async fn worker() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, JAVASCRIPT)], include_str!("../../../scripts/sw.js"))
}

/// Who is told, and how to be.
pub(super) fn panel(shown: &Shown<'_>, of: &OpenClinic, now: &Connections) -> Result<Markup, Problem> {
    let texts = shown.texts;
    let hidden = |id: &str| html! { input type="hidden" name="browser" value=(id); };
    let action = |what: &str| format!("/c/{}/connections/{what}", of.id);
    Ok(html! {
        section.panel aria-labelledby="alerts" {
            header { h2 id="alerts" { (texts.word("alerts")) } }
            p { (texts.word("alerts_hint")) }
            div.reply id="alerts-here" hidden
                data-key=(now.push_key)
                data-action=(format!("/api/clinics/{}/browsers", of.id))
                data-working=(texts.word("alerts_working"))
                data-denied=(texts.word("alerts_denied"))
                data-failed=(texts.word("alerts_failed"))
            {
                label { (texts.word("alerts_name")) input type="text" maxlength="60" placeholder=(texts.word("alerts_name_example")); }
                button type="button" { (texts.word("alerts_go")) }
                p role="status" {}
            }
            p.soft id="alerts-not-here" hidden { (texts.word("alerts_not_here")) }
            noscript { p.soft { (texts.word("alerts_no_script")) } }
            @if now.browsers.is_empty() { p.empty { (texts.word("alerts_nobody")) } } @else {
                ul.calls { @for browser in &now.browsers {
                    li {
                        div.meta {
                            strong { (if browser.name.is_empty() { texts.word("alerts_unnamed") } else if browser.name == "sandbox" { texts.word("alerts_sandbox") } else { &browser.name }) }
                            @if let Some(at) = browser.last_instant { span { (texts.word("alerts_last")) " " (moment(at, of.clinic.zone)) } }
                        }
                        div.acts {
                            form method="post" action=(action("try-browser")) { (hidden(&browser.id)) button.plain { (texts.word("alerts_try")) } }
                            form method="post" action=(action("forget-browser")) { (hidden(&browser.id)) button.plain { (texts.word("alerts_forget")) } }
                        }
                    }
                } }
            }
            (sandbox(shown, of)?)
            script src="/push.js" defer {}
        }
    })
}

/// A browser of the sandbox, and what it was shown.
fn sandbox(shown: &Shown<'_>, of: &OpenClinic) -> Result<Markup, Problem> {
    const MOST: usize = 4;
    let texts = shown.texts;
    let mine = format!("/c/{}/", of.id);
    let mut alerts = shown.system.host.doubles.push().shown(50)?;
    let text = |alert: &crate::doubles::ShownAlert, name: &str| {
        alert.payload.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    alerts.retain(|alert| text(alert, "url").starts_with(&mine));
    Ok(html! {
        details open[!alerts.is_empty()] {
            summary { (texts.word("alerts_sandbox")) }
            p.soft { (texts.word("alerts_sandbox_hint")) }
            form method="post" action=(format!("/c/{}/connections/sandbox-browser", of.id)) { button.plain { (texts.word("alerts_sandbox_go")) } }
            @if !alerts.is_empty() {
                ul.calls { @for alert in alerts.iter().take(MOST) {
                    li {
                        div.meta { strong { (text(alert, "title")) } time { (moment(alert.at, of.clinic.zone)) } }
                        a href=(text(alert, "url")) { (text(alert, "body")) }
                    }
                } }
            }
        }
    })
}
