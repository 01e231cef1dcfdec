//! A person agrees to be written to: nothing is ticked before they do.

use maud::{Markup, html};
use retorno_domain::channel::ChannelSet;

use super::Shown;
use super::preferences::tick;

/// What was written into the form; empty at first.
#[derive(Default)]
pub(crate) struct ConsentForm {
    pub(crate) name: String,
    pub(crate) phone: String,
    pub(crate) email: String,
    pub(crate) channels: ChannelSet,
}

/// What has to be corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NameMissing,
    PhoneMissing,
    PhoneWrong,
    EmailMissing,
    EmailWrong,
    ChannelsMissing,
}

impl Fault {
    /// The field it is about.
    fn field(self) -> &'static str {
        match self {
            Self::NameMissing => "name",
            Self::PhoneMissing | Self::PhoneWrong => "phone",
            Self::EmailMissing | Self::EmailWrong => "email",
            Self::ChannelsMissing => "channels",
        }
    }

    fn said<'t>(self, shown: &Shown<'t>) -> &'t str {
        let texts = &shown.texts.consent;
        match self {
            Self::NameMissing => &texts.name_missing,
            Self::PhoneMissing => &texts.phone_missing,
            Self::PhoneWrong => &texts.phone_wrong,
            Self::EmailMissing => &texts.email_missing,
            Self::EmailWrong => &texts.email_wrong,
            Self::ChannelsMissing => &texts.channels_missing,
        }
    }
}

/// A field of text.
struct Field<'a> {
    name: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    label: &'a str,
    hint: Option<&'a str>,
    value: &'a str,
}

/// The form; `offered` are the channels the clinic uses, `wording` is what is agreed to.
pub(crate) fn consent(
    shown: &Shown<'_>,
    offered: ChannelSet,
    wording: &str,
    form: &ConsentForm,
    faults: &[Fault],
) -> Markup {
    let texts = &shown.texts.consent;
    let title = shown.say(&texts.title);
    let name = Field {
        name: "name",
        kind: "text",
        autocomplete: "name",
        label: &texts.name,
        hint: Some(&texts.name_hint),
        value: &form.name,
    };
    let phone = Field {
        name: "phone",
        kind: "tel",
        autocomplete: "tel",
        label: &texts.phone,
        hint: Some(&texts.phone_hint),
        value: &form.phone,
    };
    let email = Field {
        name: "email",
        kind: "email",
        autocomplete: "email",
        label: &texts.email,
        hint: Some(&texts.email_hint),
        value: &form.email,
    };
    let body = html! {
        h1 { (title) }
        @if faults.is_empty() { p { (texts.lead) } } @else {
            div.wrong role="alert" {
                p { (texts.correct) }
                ul { @for fault in faults { li { a href={ "#" (fault.field()) } { (fault.said(shown)) } } } }
            }
        }
        form method="post" action=(shown.own) novalidate {
            (field(shown, &name, faults))
            (field(shown, &phone, faults))
            fieldset id="channels" tabindex="-1" {
                legend { (texts.channels) }
                @for fault in faults.iter().filter(|fault| fault.field() == "channels") {
                    p.fault { (fault.said(shown)) }
                }
                @for channel in offered.iter() { (tick(shown, "channel", channel, form.channels.contains(channel))) }
            }
            @if offered.contains(retorno_domain::channel::Channel::Email) { (field(shown, &email, faults)) }
            p.wording { (wording) }
            button.quiet name="do" value="agree" { (texts.agree) }
        }
    };
    shown.page(&title, &body)
}

/// Done.
pub(crate) fn agreed(shown: &Shown<'_>) -> Markup {
    let texts = &shown.texts.consent;
    let body = html! {
        div.sign aria-hidden="true" { "✓" }
        h1 { (texts.done_title) }
        p { (texts.done) }
    };
    shown.page(&texts.done_title, &body)
}

fn field(shown: &Shown<'_>, field: &Field<'_>, faults: &[Fault]) -> Markup {
    let fault = faults.iter().find(|fault| fault.field() == field.name);
    let described: Vec<String> = [field.hint.map(|_| "hint"), fault.map(|_| "fault")]
        .into_iter()
        .flatten()
        .map(|what| format!("{}-{what}", field.name))
        .collect();
    html! {
        div.field {
            label for=(field.name) { (field.label) }
            @if let Some(hint) = field.hint { p.soft id={ (field.name) "-hint" } { (hint) } }
            @if let Some(fault) = fault { p.fault id={ (field.name) "-fault" } { (fault.said(shown)) } }
            input id=(field.name) name=(field.name) type=(field.kind) autocomplete=(field.autocomplete)
                value=(field.value) maxlength="200" aria-invalid=[fault.map(|_| "true")]
                aria-describedby=[(!described.is_empty()).then(|| described.join(" "))];
        }
    }
}
