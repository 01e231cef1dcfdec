//! By which channels a patient is written to, and what for.

use maud::{Markup, html};
use retorno_domain::channel::{Channel, ChannelSet, Purpose};

use super::{PushView, Shown, push};

/// What became of a form sent a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// No form was sent.
    No,
    /// It counts.
    Yes,
    /// It counts, but what was taken back today stays so until tomorrow.
    Partly,
}

/// What is ticked, and which channels there are.
pub(crate) struct Ticks {
    /// The channels the clinic uses.
    pub(crate) channels: ChannelSet,
    /// Those agreed to for marketing.
    pub(crate) marketing: ChannelSet,
    /// Those agreed to for care.
    pub(crate) care: ChannelSet,
    pub(crate) saved: Saved,
    /// What the page rests on: a form sent twice says the same.
    pub(crate) seen: String,
    /// Notifications, where they can be asked for or ended.
    pub(crate) push: Option<PushView>,
}

/// The page.
pub(crate) fn preferences(shown: &Shown<'_>, ticks: &Ticks) -> Markup {
    let texts = &shown.texts.preferences;
    let note = match ticks.saved {
        Saved::No => None,
        Saved::Partly => Some(&texts.later),
        Saved::Yes if ticks.marketing.is_empty() && ticks.care.is_empty() => Some(&texts.stopped),
        Saved::Yes => Some(&texts.saved),
    };
    let kinds = [(Purpose::Marketing, &texts.marketing, ticks.marketing), (Purpose::Care, &texts.care, ticks.care)];
    let body = html! {
        h1 { (texts.title) }
        @if let Some(note) = note { p.note role="status" { strong { (note) } } }
        p { (texts.lead) }
        form method="post" action=(shown.own) {
            input type="hidden" name="do" value="prefer";
            input type="hidden" name="seen" value=(ticks.seen);
            input type="hidden" name="by" value="purpose";
            @for (purpose, legend, agreed) in kinds {
                fieldset {
                    legend { (legend) }
                    @for channel in ticks.channels.iter() {
                        (tick(shown, purpose.code(), channel, agreed.contains(channel)))
                    }
                }
            }
            button.quiet { (texts.save) }
        }
        @if let Some(view) = &ticks.push { (push(shown, view)) }
        hr;
        h2 { (texts.stop_title) }
        p { (texts.stop_lead) }
        form method="post" action=(shown.own) {
            input type="hidden" name="seen" value=(ticks.seen);
            button.leave name="do" value="stop" { (texts.stop) }
        }
    };
    shown.page(&texts.title, &body)
}

/// A channel to be ticked.
pub(super) fn tick(shown: &Shown<'_>, name: &str, channel: Channel, ticked: bool) -> Markup {
    html! {
        label.choice {
            input type="checkbox" name=(name) value=(channel.code()) checked[ticked];
            span { (shown.texts.channel(channel)) }
        }
    }
}
