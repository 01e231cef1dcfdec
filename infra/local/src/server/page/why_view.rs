//! Why a patient is, or is not, written to, in words of the clinic's language.

use chrono::DateTime;
use maud::{Markup, html};
use retorno_domain::catalogue::Catalogue;

use super::frame::Shown;
use super::texts::spoken;
use crate::server::system::OpenClinic;
use crate::why::{MessageSays, RuleSays, TemplateSays, Why};

/// The whole answer.
pub(super) fn panel(shown: &Shown<'_>, of: &OpenClinic, why: &Why) -> Markup {
    let texts = shown.texts;
    let segment = why.segment.as_deref();
    let name = segment.map(|id| Catalogue::embedded().segment_name(of.clinic.language, id).unwrap_or(id));
    html! {
        section.panel aria-labelledby="why" {
            header { h2 id="why" { (texts.word("why")) } span.soft { (texts.word("segment")) ": " (name.unwrap_or(texts.word("none"))) } }
            p {
                @match &why.next.at {
                    Some(at) => { (texts.word("why_next")) ": " strong { (in_words(of, at)) } },
                    None => (texts.word("why_next_event")),
                }
            }
            @if let Some(sequence) = &why.sequence {
                h3 { (texts.word("sequence")) ": " (texts.state(&sequence.state)) " (" (sequence.week) ")" }
                p.soft { (texts.word("why_decided")) ": " (decided(shown, &sequence.because)) }
                @if let Some(step) = &sequence.step {
                    h3 { (texts.word("why_step")) ": " (step.id) " · " (texts.channel(&step.channel)) }
                    p.soft { (texts.word("why_step_at")) " " (in_words(of, &step.asked_at)) }
                    (rules(shown, of, &step.rules))
                }
                // While a sequence runs its steps are what matters.
                details { summary { (texts.word("why_entry")) } (rules(shown, of, &why.entry)) }
            } @else {
                h3 { (texts.word("why_entry")) }
                p { @if why.eligible { (texts.word("why_eligible")) } @else { (texts.word("why_blocked")) } }
                (rules(shown, of, &why.entry))
            }
            (left_out(shown, &why.messages))
        }
    }
}

fn in_words(of: &OpenClinic, at: &str) -> String {
    DateTime::parse_from_rfc3339(at)
        .map_or_else(|_| at.to_owned(), |at| spoken(at.to_utc(), of.clinic.zone, of.clinic.language))
}

/// A decision as stored (`rule reason verdict figures`), in words where it has that form.
fn decided(shown: &Shown<'_>, because: &str) -> Markup {
    let texts = shown.texts;
    let mut parts = because.splitn(4, ' ');
    let (rule, reason, verdict) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let figures = parts.next().unwrap_or("");
    html! {
        @if ["pass", "block", "wait", "skip", "stop"].contains(&verdict) {
            (texts.rule(rule)) ": " (texts.verdict(verdict))
            @if verdict != "pass" { ", " (texts.reason(reason)) }
            @if !figures.is_empty() { " (" (figures) ")" }
        } @else { (because) }
    }
}

fn rules(shown: &Shown<'_>, of: &OpenClinic, rules: &[RuleSays]) -> Markup {
    let texts = shown.texts;
    html! {
        ul.rules { @for rule in rules {
            @let passes = rule.verdict == "pass";
            li.no[!passes].decides[rule.decides] {
                span aria-hidden="true" { @if passes { "✓" } @else { "✕" } }
                span {
                    (texts.rule(&rule.rule)) span.unseen { ": " (texts.verdict(&rule.verdict)) }
                    @if !passes {
                        " — " (texts.reason(&rule.reason))
                        @if let Some(until) = &rule.until { ", " (texts.word("until")) " " (in_words(of, until)) }
                    }
                    @if rule.decides { " ← " (texts.word("decides")) }
                    @if !rule.figures.is_empty() { small { (rule.figures) } }
                    @if let Some(template) = &rule.template { (template_of(shown, of, template)) }
                }
            }
        } }
    }
}

/// A template that Meta does not let be sent: its words, and what to do.
fn template_of(shown: &Shown<'_>, of: &OpenClinic, template: &TemplateSays) -> Markup {
    let texts = shown.texts;
    html! {
        @if let Some(reason) = &template.reason { small { (texts.word("templates_meta_says")) ": " (texts.template("reason", reason)) } }
        small { (texts.template("todo", &template.todo)) " " a href=(format!("/c/{}/templates#{}", of.id, template.name)) { (texts.word("templates_see")) } }
        details { summary { (texts.word("templates_text")) } blockquote { (template.text) } }
    }
}

/// Steps that were left out, and why.
fn left_out(shown: &Shown<'_>, messages: &[MessageSays]) -> Markup {
    let texts = shown.texts;
    let dropped = || messages.iter().filter(|message| message.state == "dropped");
    html! {
        @if dropped().next().is_some() {
            ul.rules { @for message in dropped() { li.no {
                span aria-hidden="true" { "–" }
                span { (message.step) " · " (texts.channel(&message.channel)) " · " (texts.word("left_out")) ": " (texts.reason(message.reason.as_deref().unwrap_or(""))) }
            } } }
        }
    }
}
