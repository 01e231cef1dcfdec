//! What a patient receives, channel by channel and purpose by purpose.

use maud::{Markup, html};
use retorno_domain::channel::{Channel, ChannelSet};

use super::Shown;

/// What is ticked, and which channels there are.
pub(crate) struct Ticks {
    /// The channels the clinic uses.
    pub(crate) channels: ChannelSet,
    pub(crate) marketing: ChannelSet,
    pub(crate) care: ChannelSet,
    /// Something was just stored.
    pub(crate) saved: bool,
    /// What the page rests on: a form sent twice says the same.
    pub(crate) seen: String,
}

/// The page.
pub(crate) fn preferences(shown: &Shown<'_>, ticks: &Ticks) -> Markup {
    let texts = &shown.texts.preferences;
    let nothing = ticks.marketing.is_empty() && ticks.care.is_empty();
    let body = html! {
        h1 { (texts.title) }
        @if ticks.saved { p.note role="status" { strong { (if nothing { &texts.stopped } else { &texts.saved }) } } }
        p { (texts.lead) }
        form method="post" action=(shown.own) {
            input type="hidden" name="do" value="prefer";
            input type="hidden" name="seen" value=(ticks.seen);
            (group(shown, ticks.channels, "marketing", &texts.marketing, ticks.marketing))
            (group(shown, ticks.channels, "care", &texts.care, ticks.care))
            button.quiet { (texts.save) }
        }
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

fn group(shown: &Shown<'_>, channels: ChannelSet, name: &str, said: &str, ticked: ChannelSet) -> Markup {
    html! {
        fieldset {
            legend { (said) }
            @for channel in channels.iter() { (tick(shown, name, channel, ticked.contains(channel))) }
        }
    }
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
