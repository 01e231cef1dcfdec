//! What is under way, on a page that loads itself again until it is over.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::frame::{Frame, Shown};
use super::texts::{moment, spoken};
use crate::server::state::{Advanced, Work};

/// The page while something is under way.
pub(super) fn page(shown: &Shown<'_>, work: &Work) -> Markup {
    let texts = shown.texts;
    let body = html! {
        main id="content" {
            section.panel.full role="status" {
                @match work {
                    Work::Advance(advanced) => (moving(shown, advanced)),
                    Work::Import { clinic, done, total } => {
                        header { h1 { (texts.word("importing")) } span.soft { (clinic) } }
                        progress max=[total.map(|total| total.max(1))] value=[total.map(|_| done)] aria-label=(texts.word("importing")) {}
                        @if let Some(total) = total { p.number { (done) " " (texts.word("wave_of")) " " (total) " " (texts.word("importing_done")) } }
                    }
                }
                p.soft { (texts.word("refreshes")) }
            }
        }
    };
    shown.page(&Frame { title: texts.word("working"), refresh: true }, &body)
}

fn moving(shown: &Shown<'_>, advanced: &Advanced) -> Markup {
    let texts = shown.texts;
    let minutes = |span: TimeDelta| span.num_minutes().max(0);
    html! {
        header { h1 { (texts.word("moving")) } }
        @if let Some(of) = shown.of {
            p.clock-now { strong { (spoken(advanced.at, of.clinic.zone, of.clinic.language)) } " " span.soft { (texts.word("moving_until")) " " (moment(advanced.to, of.clinic.zone)) } }
        }
        progress max=(minutes(advanced.to - advanced.from).max(1)) value=(minutes(advanced.at - advanced.from)) aria-label=(texts.word("moving")) {}
        p.number { (advanced.sent) " " (texts.word(if advanced.sent == 1 { "moving_sent_one" } else { "moving_sent" })) }
        @if let Some(of) = shown.of {
            form method="post" action=(format!("/c/{}/cancel", of.id)) { button.plain { (texts.word("cancel")) } }
        }
    }
}

/// What the last move of the clock came to.
pub(super) fn last(shown: &Shown<'_>) -> Markup {
    let texts = shown.texts;
    html! {
        @if let Some(last) = shown.system.last_advance() {
            @if let Some(error) = &last.error {
                section.panel.notice.bad.full role="alert" {
                    p { (texts.word("advanced_failed")) }
                    details { summary { (texts.word("problem_detail")) } p.soft lang="en" { (error) } }
                }
            } @else {
                section.panel.notice.full role="status" {
                    (texts.word("advanced_sent")) ": " strong.number { (last.sent) }
                    @if last.cancelled { " · " (texts.word("advanced_cancelled")) }
                }
            }
        }
    }
}
