//! No more messages: a button, because whatever only reads mail also opens its links.

use maud::{Markup, html};

use super::Shown;

/// The button, and the way to choose instead. `of_all`: it ends reminders as well.
pub(crate) fn unsubscribe(shown: &Shown<'_>, preferences: &str, of_all: bool) -> Markup {
    let texts = &shown.texts.unsubscribe;
    let (title, lead, stop) = match of_all {
        true => (&texts.title_all, &texts.lead_all, &texts.stop_all),
        false => (&texts.title, &texts.lead, &texts.stop),
    };
    let body = html! {
        h1 { (title) }
        p { (lead) }
        form method="post" action=(shown.own) { button name="do" value="stop" { (stop) } }
        a.button.plain href=(preferences) { (texts.choose) }
    };
    shown.page(title, &body)
}

/// Done.
pub(crate) fn unsubscribed(shown: &Shown<'_>, preferences: &str, of_all: bool) -> Markup {
    let texts = &shown.texts.unsubscribe;
    let (title, done) = match of_all {
        true => (&texts.done_title_all, &texts.done_all),
        false => (&texts.done_title, &texts.done),
    };
    let body = html! {
        div.sign aria-hidden="true" { "✓" }
        h1 { (title) }
        p { (done) }
        a.link href=(preferences) { (texts.choose) }
    };
    shown.page(title, &body)
}
