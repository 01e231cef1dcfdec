//! Picking a slot: days as headings, times as buttons.

use chrono::NaiveDate;
use maud::{Markup, html};

use super::Shown;
use super::waitlist::join;
use crate::texts::fill;

/// A free slot as it is shown.
pub(crate) struct SlotView {
    /// What a form says to take it.
    pub(crate) reference: String,
    /// "16:30".
    pub(crate) time: String,
    /// Empty where the clinic names nobody.
    pub(crate) professional: String,
}

/// The slots of a day.
pub(crate) struct Day {
    /// "jueves 5 de marzo".
    pub(crate) said: String,
    pub(crate) slots: Vec<SlotView>,
}

/// Why slots are shown.
pub(crate) enum Notice {
    /// To pick one.
    Free,
    /// The one picked was taken a moment before.
    Taken,
    /// To move a visit, which is at this time.
    Move { when: String },
    /// One became free and is held until then.
    Held { until: String },
}

/// What is offered.
pub(crate) struct Offer {
    pub(crate) days: Vec<Day>,
    pub(crate) notice: Notice,
    /// With whom, where it is the same person at all times.
    pub(crate) professional: Option<String>,
    /// The day with which the next ones begin.
    pub(crate) more_from: Option<NaiveDate>,
    /// Whether these are not the first days.
    pub(crate) is_later: bool,
    /// The city of the clinic's clock, where the patient's shows another time.
    pub(crate) place: Option<String>,
    /// The visit that a choice moves, kept when the slot was taken meanwhile.
    pub(crate) moving: Option<String>,
    /// What the page rests on: a form sent twice says the same.
    pub(crate) seen: String,
}

/// The page.
pub(crate) fn pick(shown: &Shown<'_>, offer: &Offer) -> Markup {
    let texts = &shown.texts.pick;
    let title = match offer.notice {
        Notice::Free => &texts.title,
        Notice::Taken => &texts.taken_title,
        Notice::Move { .. } => &texts.move_title,
        Notice::Held { .. } => &shown.texts.waitlist.held_title,
    };
    let named = offer.days.iter().flat_map(|day| &day.slots).any(|slot| !slot.professional.is_empty());
    let body = html! {
        h1 { (title) }
        (lead(shown, &offer.notice))
        @if let Some(professional) = &offer.professional {
            p { strong { (fill(&shown.texts.frame.with, &[("professional", professional)])) } }
        }
        @if let Some(place) = &offer.place { p.note { (fill(&shown.texts.frame.zone, &[("place", place)])) } }
        form method="post" action=(shown.own) {
            input type="hidden" name="do" value="book";
            input type="hidden" name="seen" value=(offer.seen);
            @if let Some(visit) = &offer.moving { input type="hidden" name="visit" value=(visit); }
            @for (number, day) in offer.days.iter().enumerate() {
                section aria-labelledby={ "day" (number) } {
                    h2.day id={ "day" (number) } { (day.said) }
                    ul.slots.named[named] { @for slot in &day.slots { li { (button(shown, day, slot)) } } }
                }
            }
        }
        @if let Some(from) = offer.more_from { a.button.plain.quiet href={ (shown.own) "?" (query(offer)) "from=" (from) } { (texts.more) } }
        @if offer.is_later { a.link href={ (shown.own) "?" (query(offer)) } { (texts.first) } }
        @if offer.moving.is_some() {
            a.link href=(shown.own) { (texts.keep) }
        } @else {
            hr;
            h2 { (shown.texts.waitlist.none_fits) }
            (join(shown, &shown.texts.waitlist.none_fits_lead, &offer.seen))
        }
    };
    shown.page(title, &body)
}

/// Going on to other days, one still moves the same visit.
fn query(offer: &Offer) -> &'static str {
    if offer.moving.is_some() { "page=move&" } else { "" }
}

fn lead(shown: &Shown<'_>, notice: &Notice) -> Markup {
    let texts = &shown.texts.pick;
    match notice {
        Notice::Free => html! { p { (texts.lead) } },
        Notice::Taken => html! { p.wrong role="alert" { (texts.taken) } },
        Notice::Move { when, .. } => html! { p { (fill(&texts.move_lead, &[("when", when)])) } },
        Notice::Held { until } => html! { p { (fill(&shown.texts.waitlist.held, &[("until", until)])) } },
    }
}

fn button(shown: &Shown<'_>, day: &Day, slot: &SlotView) -> Markup {
    let with = match slot.professional.as_str() {
        "" => String::new(),
        professional => fill(&shown.texts.frame.with, &[("professional", professional)]),
    };
    // Out of its day, a time says nothing: who hears the page hears the day with it.
    let spoken = [slot.time.as_str(), day.said.as_str(), with.as_str()].join(", ");
    html! {
        button name="slot" value=(slot.reference) aria-label=(spoken.trim_end_matches(", ")) {
            (slot.time)
            @if !slot.professional.is_empty() { small { (slot.professional) } }
        }
    }
}
