//! The waitlist: where nothing is free, and where nothing free fits.

use maud::{Markup, html};

use super::Shown;

/// The parts of a day one may wish for, as forms say them; the first is any.
pub(crate) const WAITLIST_PARTS: [&str; 4] = ["any", "morning", "afternoon", "evening"];

/// Nothing is free.
pub(crate) fn full(shown: &Shown<'_>, seen: &str, keep: bool) -> Markup {
    let texts = &shown.texts.waitlist;
    let body = html! {
        h1 { (texts.title) }
        (join(shown, &texts.lead, seen))
        @if keep { a.link href=(shown.own) { (shown.texts.pick.keep) } }
    };
    shown.page(&texts.title, &body)
}

/// On the list.
pub(crate) fn joined(shown: &Shown<'_>) -> Markup {
    let texts = &shown.texts.waitlist;
    let body = html! {
        div.sign aria-hidden="true" { "✓" }
        h1 { (texts.joined_title) }
        p { (texts.joined) }
        a.link href=(shown.own) { (shown.texts.visit.again) }
    };
    shown.page(&texts.joined_title, &body)
}

/// The form by which one gets on it.
pub(super) fn join(shown: &Shown<'_>, lead: &str, seen: &str) -> Markup {
    let texts = &shown.texts.waitlist;
    let said = [&texts.any, &texts.morning, &texts.afternoon, &texts.evening];
    html! {
        p { (lead) }
        form method="post" action=(shown.own) {
            input type="hidden" name="do" value="wait";
            input type="hidden" name="seen" value=(seen);
            fieldset {
                legend { (texts.when) }
                @for (part, said) in WAITLIST_PARTS.into_iter().zip(said) {
                    label.choice { input type="radio" name="part" value=(part) checked[part == "any"]; span { (said) } }
                }
            }
            button.plain { (texts.join) }
        }
    }
}
