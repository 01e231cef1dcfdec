//! How the visit was: one number, and why.

use maud::{Markup, html};

use super::Shown;

/// The question, after a try without a number perhaps with what was written.
pub(crate) fn survey(shown: &Shown<'_>, comment: &str, missing: bool) -> Markup {
    let texts = &shown.texts.survey;
    let body = html! {
        h1 { (texts.title) }
        @if missing { div.wrong role="alert" { p { a href="#score" { (texts.missing) } } } }
        form method="post" action=(shown.own) {
            fieldset id="score" tabindex="-1" aria-invalid=[missing.then_some("true")] {
                legend { (texts.question) }
                div.scores { @for score in 0..=10_u8 {
                    label { input type="radio" name="score" value=(score); span { (score) } }
                } }
                p.ends.soft { span { (texts.low) } span { (texts.high) } }
            }
            div.field {
                label for="comment" { (texts.comment) }
                p.soft id="comment-hint" { (texts.comment_hint) }
                textarea id="comment" name="comment" rows="4" maxlength="2000" aria-describedby="comment-hint" { (comment) }
            }
            button { (texts.send) }
        }
    };
    shown.page(&texts.title, &body)
}

/// Answered.
pub(crate) fn thanks(shown: &Shown<'_>) -> Markup {
    let texts = &shown.texts.survey;
    let body = html! {
        div.sign aria-hidden="true" { "✓" }
        h1 { (texts.thanks_title) }
        p { (shown.say(&texts.thanks)) }
    };
    shown.page(&texts.thanks_title, &body)
}
