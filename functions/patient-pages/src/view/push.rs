//! Notifications in this browser. Only what asks for them needs script; ending them does not.

use maud::{Markup, html};

use super::Shown;
use crate::texts::fill;

/// What came of a form sent a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushNote {
    /// They will be shown.
    On,
    /// They ended.
    Off,
    /// They could not be begun.
    Failed,
}

/// What is offered.
pub(crate) struct PushView {
    /// The key to subscribe with; none where nothing can be asked for.
    pub(crate) key: Option<String>,
    /// So many browsers are told.
    pub(crate) browsers: usize,
    pub(crate) note: Option<PushNote>,
    /// What the page rests on: a form sent twice says the same.
    pub(crate) seen: String,
}

/// A part of a page.
pub(crate) fn push(shown: &Shown<'_>, view: &PushView) -> Markup {
    let texts = &shown.texts.push;
    let is_on = view.browsers > 0;
    let note = view.note.map(|note| match note {
        PushNote::On => &texts.on,
        PushNote::Off => &texts.off,
        PushNote::Failed => &texts.failed,
    });
    html! {
        hr;
        h2 id="push" { (texts.title) }
        @if let Some(note) = note { p.note role="status" { strong { (note) } } }
        @if is_on {
            p { (fill(&texts.told, &[("browsers", &view.browsers.to_string())])) }
            form method="post" action=(shown.own) {
                input type="hidden" name="seen" value=(view.seen);
                button.leave name="do" value="push-off" { (texts.stop) }
            }
        }
        @if let Some(key) = &view.key {
            p.soft { (shown.say(&texts.wording)) }
            form method="post" action=(shown.own) id="push-here" hidden
                data-key=(key) data-working=(texts.working) data-denied=(texts.denied) data-failed=(texts.failed)
            {
                input type="hidden" name="do" value="push-on";
                input type="hidden" name="seen" value=(view.seen);
                input type="hidden" name="subscription" value="";
                button type="button" class="plain" { @if is_on { (texts.here_too) } @else { (texts.here) } }
                p.soft role="status" {}
            }
            p.soft id="push-not-here" hidden { (texts.not_here) }
            noscript { p.soft { (texts.no_script) } }
            script src="push.js" defer {}
        }
    }
}
