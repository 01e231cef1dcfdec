//! Who belongs where, this week's wave, and what is running.

use maud::{Markup, html};
use retorno_domain::catalogue::Catalogue;

use super::frame::Shown;
use super::texts::moment;
use crate::server::survey::{SegmentView, Segments};
use crate::server::system::OpenClinic;
use crate::server::wave::{WavePart, Waves};

/// The segments.
pub(super) fn segments(shown: &Shown<'_>, of: &OpenClinic, segments: &Segments) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="segments" {
            header {
                h2 id="segments" { (texts.word("segments")) }
                span.soft { (segments.patients) " " (texts.word("patients_total")) ", " (texts.word("as_of")) " " (moment(segments.at, of.clinic.zone)) }
            }
            table.cards {
                thead { tr {
                    th scope="col" { (texts.word("segment")) }
                    th.n scope="col" { (texts.word("members")) }
                    th.n scope="col" { (texts.word("eligible")) }
                    th scope="col" { (texts.word("excluded")) }
                } }
                tbody { @for segment in &segments.segments { (row(shown, segment)) } }
            }
        }
    }
}

fn row(shown: &Shown<'_>, segment: &SegmentView) -> Markup {
    let texts = shown.texts;
    let left_alone: u32 = segment.excluded.values().sum();
    let mut reasons: Vec<(&String, &u32)> = segment.excluded.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    html! {
        tr {
            th scope="row" { (segment.name) small { (segment.description) } }
            td.n data-label=(texts.word("members")) { (segment.members) }
            td.n data-label=(texts.word("eligible")) { strong { (segment.eligible) } }
            td.wide data-label=(texts.word("excluded")) {
                @if left_alone == 0 { " " (texts.word("nobody_excluded")) } @else {
                    details {
                        summary { span.number { (left_alone) } @if let Some((first, _)) = reasons.first() { " · " (texts.reason(first)) @if reasons.len() > 1 { "…" } } }
                        ul.reasons { @for (reason, count) in &reasons { li { b { (count) } span { (texts.reason(reason)) } } } }
                    }
                }
            }
        }
    }
}

/// This week's wave.
pub(super) fn wave(shown: &Shown<'_>, of: &OpenClinic, waves: &Waves) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="wave" {
            header { h2 id="wave" { (texts.word("wave")) } span.soft { (waves.week) } }
            (overall(shown, waves))
            table.cards {
                thead { tr {
                    th scope="col" { (texts.word("segment")) }
                    th.n scope="col" { (texts.word("wave_enrolled")) }
                    th.n scope="col" { (texts.word("waiting")) }
                    th scope="col" { (texts.word("limit")) }
                } }
                tbody { @for part in &waves.segments { (part_row(shown, of, part)) } }
            }
        }
    }
}

fn overall(shown: &Shown<'_>, waves: &Waves) -> Markup {
    let texts = shown.texts;
    html! {
        @if let Some(overall) = waves.overall {
            p {
                (texts.word("overall_limit")) ": " strong.number { (waves.enrolled) " " (texts.word("wave_of")) " " (overall) } " " (texts.word("overall_words"))
            }
            meter min="0" max=(overall.max(1)) value=(waves.enrolled) aria-label=(texts.word("overall_limit")) {}
        }
        @match waves.free_slots {
            Some(free) => p.soft { (free) " " (texts.word("free_slots")) },
            None => p.soft { (texts.word("slots_unknown")) },
        }
    }
}

fn part_row(shown: &Shown<'_>, of: &OpenClinic, part: &WavePart) -> Markup {
    let texts = shown.texts;
    let name = Catalogue::embedded().segment_name(of.clinic.language, &part.segment).unwrap_or(&part.segment);
    html! {
        tr {
            th scope="row" { (name) }
            td.n data-label=(texts.word("wave_enrolled")) { span { strong { (part.enrolled) } " " (texts.word("wave_of")) " " (part.capacity) } }
            td.n data-label=(texts.word("waiting")) { (part.waiting) }
            td data-label=(texts.word("limit")) { span.soft { (texts.limit(part.limit.as_deref().unwrap_or("nobody"))) } }
        }
    }
}

/// Running sequences.
pub(super) fn running(shown: &Shown<'_>, waves: &Waves) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="running" {
            header { h2 id="running" { (texts.word("running")) } }
            @if waves.running.is_empty() { p.empty { (texts.word("running_none")) } } @else {
                ul.steps { @for at in &waves.running { li {
                    b { (at.sequences) }
                    span { @match &at.channel {
                        Some(channel) => { (texts.word("next_step")) " " (at.step) " · " (texts.channel(channel)) },
                        None if at.step == "closing" => { (texts.word("closing")) },
                        None => { (texts.word("next_step")) " " (at.step) },
                    } }
                } } }
            }
        }
    }
}
