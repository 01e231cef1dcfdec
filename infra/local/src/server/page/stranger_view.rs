//! One number, or one agreement, of somebody who is not on record, with what can be done about it.

use maud::{Markup, html};
use staff_api::strangers::{AgreementView, Candidate, StrangerView};

use super::frame::Shown;
use super::phone::patient_link;
use super::texts::{Texts, moment};
use crate::server::system::OpenClinic;

/// What a search under a number or an agreement has found.
pub(super) struct Found {
    /// Under which.
    pub(super) at: String,
    /// Whom.
    pub(super) patients: Vec<Candidate>,
}

pub(super) fn number_row(
    shown: &Shown<'_>,
    of: &OpenClinic,
    stranger: &StrangerView,
    event: &str,
    found: Option<&Found>,
) -> Markup {
    let texts = shown.texts;
    let action = |what: &str| format!("/c/{}/strangers/{}/{what}", of.id, stranger.id);
    let is_open = stranger.state == "open";
    html! {
        li id=(format!("n-{}", stranger.id)) class=(stranger.urgency.filter(|_| is_open).unwrap_or("normal")) {
            div.meta {
                span {
                    @if let Some(reason) = stranger.reason.filter(|_| is_open) { span.tag { (texts.waits(reason)) } " " }
                    @if stranger.agreed { span.tag.done { (texts.word("stranger_agreed")) } " " }
                    @if stranger.state == "dismissed" { span.tag { (texts.word("dismissed")) } " " }
                    strong { (stranger.phone.as_deref().unwrap_or(texts.word("stranger_hidden"))) }
                    @if let Some(patient) = &stranger.patient_id { " → " (patient_link(of, patient)) }
                }
                time datetime=(stranger.last_at) { (moment(stranger.last_instant, of.clinic.zone)) }
            }
            @for word in &stranger.words {
                blockquote {
                    (word.text)
                    br; span.soft {
                        (moment(word.instant, of.clinic.zone)) " · " (texts.channel(word.channel)) " · "
                        (texts.word("understood")) ": " (texts.intent(&word.intent))
                        @if !word.sure { " (" (texts.word("unsure")) ")" }
                    }
                }
            }
            @for answer in &stranger.answers {
                blockquote.ours {
                    (answer.text)
                    br; span.soft {
                        (texts.word("by_staff")) " · " (moment(answer.instant, of.clinic.zone)) " · " (texts.state(answer.state))
                        @if let Some(why) = &answer.reason { " (" (texts.reason(why)) ")" }
                    }
                }
            }
            @if is_open {
                (reply(texts, of, stranger, event, &action("answer")))
                (whose(texts, &action, &stranger.may_be, found.filter(|found| found.at == stranger.id)))
                form.acts method="post" action=(action("dismiss")) { button.plain { (texts.word("dismiss")) } }
            } @else if stranger.state == "dismissed" {
                form.acts method="post" action=(action("restore")) { button.plain { (texts.word("restore")) } }
            }
        }
    }
}

/// The form to answer, or why one cannot, and what to do instead.
fn reply(texts: &Texts, of: &OpenClinic, stranger: &StrangerView, event: &str, action: &str) -> Markup {
    let until = || stranger.window_until.as_deref().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
    html! {
        @if stranger.phone.is_none() { p.soft { (texts.word("stranger_no_number")) } }
        @else if stranger.opted_out { p.soft { (texts.word("stranger_out")) } }
        @else if !stranger.window_open { p.soft { (texts.word("stranger_window")) } }
        @else {
            form.reply method="post" action=(action) {
                input type="hidden" name="event" value=(event);
                label {
                    (texts.word("desk_words"))
                    @if let Some(until) = until() {
                        " " span.soft { "(" (texts.word("stranger_until")) " " (moment(until.to_utc(), of.clinic.zone)) ")" }
                    }
                    textarea name="words" rows="2" required maxlength="4096" {}
                }
                button { (texts.word("desk_send")) }
            }
        }
    }
}

/// Whose it may be, and the form that looks for somebody else.
fn whose(texts: &Texts, action: &dyn Fn(&str) -> String, may_be: &[Candidate], found: Option<&Found>) -> Markup {
    let choose = |candidate: &Candidate| {
        html! {
            form method="post" action=(action("attach")) {
                input type="hidden" name="patient" value=(candidate.patient_id);
                button.plain { (texts.word("attach_to")) " " (candidate.name) " · " (candidate.patient_id) }
            }
        }
    };
    html! {
        @if !may_be.is_empty() {
            p.soft { (texts.word("may_be")) ":" }
            div.acts { @for candidate in may_be { (choose(candidate)) } }
        }
        form.find method="post" action=(action("find")) {
            label { (texts.word("attach_find")) input type="search" name="find" required maxlength="128" autocomplete="off"; }
            button.plain { (texts.word("find")) }
        }
        @if let Some(found) = found {
            @if found.patients.is_empty() { p.soft role="status" { (texts.word("attach_none")) } }
            div.acts { @for candidate in &found.patients { (choose(candidate)) } }
        }
    }
}

pub(super) fn agreement_row(
    shown: &Shown<'_>,
    of: &OpenClinic,
    agreement: &AgreementView,
    found: Option<&Found>,
) -> Markup {
    let texts = shown.texts;
    let action = |what: &str| format!("/c/{}/agreements/{}/{what}", of.id, agreement.id);
    let channels: Vec<&str> = agreement.channels.iter().map(|channel| texts.channel(channel)).collect();
    html! {
        li id=(format!("n-{}", agreement.id)) {
            div.meta {
                span {
                    @if agreement.state == "dismissed" { span.tag { (texts.word("dismissed")) } " " }
                    strong { (agreement.name) } " · " (agreement.phone)
                    @if let Some(email) = &agreement.email { " · " (email) }
                    @if let Some(patient) = &agreement.patient_id { " → " (patient_link(of, patient)) }
                }
                time datetime=(agreement.at) { (moment(agreement.instant, of.clinic.zone)) }
            }
            p.soft { (texts.word("agreement_channels")) ": " (channels.join(", ")) }
            blockquote { (agreement.wording) }
            @if agreement.state == "open" {
                (whose(texts, &action, &agreement.may_be, found.filter(|found| found.at == agreement.id)))
                form.acts method="post" action=(action("dismiss")) { button.plain { (texts.word("dismiss")) } }
            } @else if agreement.state == "dismissed" {
                form.acts method="post" action=(action("restore")) { button.plain { (texts.word("restore")) } }
            }
        }
    }
}
