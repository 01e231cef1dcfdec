//! No more messages: a button, because whatever only reads mail also opens its links.

use maud::{Markup, html};

use super::Shown;

/// The button, and the way to choose instead.
pub(crate) fn unsubscribe(shown: &Shown<'_>, preferences: &str) -> Markup {
    let texts = &shown.texts.unsubscribe;
    let body = html! {
        h1 { (texts.title) }
        p { (texts.lead) }
        form method="post" action=(shown.own) { button name="do" value="stop" { (texts.stop) } }
        a.button.plain href=(preferences) { (texts.choose) }
    };
    shown.page(&texts.title, &body)
}

/// Done.
pub(crate) fn unsubscribed(shown: &Shown<'_>, preferences: &str) -> Markup {
    let texts = &shown.texts.unsubscribe;
    let body = html! {
        div.sign aria-hidden="true" { "✓" }
        h1 { (texts.done_title) }
        p { (texts.done) }
        a.link href=(preferences) { (texts.choose) }
    };
    shown.page(&texts.done_title, &body)
}
