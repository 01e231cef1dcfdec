//! An appointment: when, with whom, and what can still be done about it.

use maud::{Markup, html};

use super::{PushView, Shown, push};
use crate::texts::fill;

/// How an appointment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Booked; may be confirmed.
    Booked,
    /// The patient said they come.
    Confirmed,
    /// Called off.
    Cancelled,
    /// Its time has come.
    Past,
}

/// An appointment as it is shown.
pub(crate) struct VisitView {
    /// What a form says to mean it.
    pub(crate) id: String,
    pub(crate) standing: Standing,
    /// "jueves 5 de marzo".
    pub(crate) day: String,
    /// "16:30".
    pub(crate) time: String,
    /// 0 where it is not known.
    pub(crate) minutes: u32,
    /// Empty where the clinic names nobody.
    pub(crate) professional: String,
    /// Only where the clinic lets services be named.
    pub(crate) service: Option<String>,
    /// Whether it is near enough to be confirmed.
    pub(crate) is_near: bool,
    /// The city of the clinic's clock, where the patient's shows another time.
    pub(crate) place: Option<String>,
    /// What the page rests on: a form sent twice says the same.
    pub(crate) seen: String,
    /// The token by which another slot can be picked.
    pub(crate) book: String,
    /// Notifications, where they can be asked for or ended.
    pub(crate) push: Option<PushView>,
}

/// The page of an appointment, or of none.
pub(crate) fn visit(shown: &Shown<'_>, view: Option<&VisitView>, book: &str) -> Markup {
    let texts = &shown.texts.visit;
    let Some(view) = view else {
        let body = html! {
            h1 { (texts.none_title) }
            p { (texts.none) }
            a.button href=(book) { (texts.again) }
        };
        return shown.page(&texts.none_title, &body);
    };
    let (title, sign) = match view.standing {
        Standing::Booked => (&texts.booked_title, "✓"),
        Standing::Confirmed => (&texts.confirmed_title, "✓"),
        Standing::Cancelled => (&texts.cancelled_title, "×"),
        Standing::Past => (&texts.past_title, "–"),
    };
    let body = html! {
        div.sign aria-hidden="true" { (sign) }
        h1 { (title) }
        (card(shown, view))
        @match view.standing {
            Standing::Booked => (open(shown, view)),
            Standing::Confirmed => { p { (texts.confirmed) } (open(shown, view)) }
            Standing::Cancelled => { p { (texts.cancelled) } a.button href=(view.book) { (texts.again) } }
            Standing::Past => { p { (texts.past) } a.button href=(view.book) { (texts.again) } }
        }
        @if let Some(view) = &view.push { (push(shown, view)) }
    };
    shown.page(title, &body)
}

/// Asks once more before an appointment is called off.
pub(crate) fn ask_cancel(shown: &Shown<'_>, view: &VisitView) -> Markup {
    let texts = &shown.texts.visit;
    let body = html! {
        h1 { (texts.cancel_title) }
        (card(shown, view))
        p { (texts.cancel_lead) }
        (form(shown, view, "cancel", "leave", &texts.cancel_yes))
        a.button.plain href={ (shown.own) "?page=move" } { (texts.change) }
        a.button href=(shown.own) { (texts.cancel_no) }
    };
    shown.page(&texts.cancel_title, &body)
}

fn open(shown: &Shown<'_>, view: &VisitView) -> Markup {
    let texts = &shown.texts.visit;
    let asks = view.standing == Standing::Booked && view.is_near;
    html! {
        @if asks { (form(shown, view, "confirm", "", &texts.confirm)) }
        a.button.plain[asks] href={ (shown.own) ".ics" } { (texts.calendar) }
        a.button.plain href={ (shown.own) "?page=move" } { (texts.change) }
        a.button.leave href={ (shown.own) "?page=cancel" } { (texts.cancel) }
        p.soft.quiet { (texts.private) }
    }
}

fn form(shown: &Shown<'_>, view: &VisitView, act: &str, class: &str, said: &str) -> Markup {
    html! {
        form method="post" action=(shown.own) {
            input type="hidden" name="visit" value=(view.id);
            input type="hidden" name="seen" value=(view.seen);
            button class=[(!class.is_empty()).then_some(class)] name="do" value=(act) { (said) }
        }
    }
}

fn card(shown: &Shown<'_>, view: &VisitView) -> Markup {
    let frame = &shown.texts.frame;
    let over = matches!(view.standing, Standing::Cancelled | Standing::Past);
    html! {
        div.card.over[over] {
            p.when { (view.day) }
            p.time { (view.time) }
            @if let Some(service) = &view.service { p { (service) } }
            @if !view.professional.is_empty() {
                p { (fill(&frame.with, &[("professional", &view.professional)])) }
            }
            @if view.minutes > 0 { p.soft { (fill(&frame.minutes, &[("minutes", &view.minutes.to_string())])) } }
            @if let Some(place) = &view.place { p.soft { (fill(&frame.zone, &[("place", place)])) } }
        }
    }
}
