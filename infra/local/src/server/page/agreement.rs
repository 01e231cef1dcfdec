//! What a patient agreed to, for each purpose, and the form with which staff records more. Nothing is
//! ticked beforehand: what is recorded is what somebody ticked.

use maud::{Markup, html};
use retorno_cloud::store::Collection;
use retorno_domain::channel::{Channel, Purpose};

use super::frame::{Shown, action};
use crate::server::system::OpenClinic;

/// How an agreement may be given; the words are the texts'.
pub(super) const HOW: [&str; 4] = ["in_person", "by_phone", "signed_form", "in_writing"];

pub(super) fn agreement(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection, hidden: &Markup) -> Markup {
    let texts = shown.texts;
    let patient = &collection.patient.patient;
    let today = of.clinic.date(shown.system.host.now());
    let has = |channel| Purpose::ALL.into_iter().any(|of| patient.consent.channels(of, today).contains(channel));
    // Notifications are asked for by the browser that shows them; here they can only be taken back.
    let offered =
        |channel: &Channel| of.clinic.channels.contains(*channel) && (*channel != Channel::Push || has(*channel));
    let channels = || Channel::ALL.into_iter().filter(offered);
    html! {
        details.agreement {
            summary { (texts.word("agreement"))
                @for purpose in Purpose::ALL {
                    " · " (texts.purpose(purpose.code())) ": "
                    @match patient.consent.agreed(purpose, today) {
                        Ok((_, channels)) => (texts.channels(channels)),
                        Err(why) => (texts.reason(why.code())),
                    }
                }
            }
            form method="post" action=(action(of, &patient.id, "consent")) {
                (hidden)
                @if patient.is_minor(today) { p.soft { (texts.word("agreement_guardian")) } }
                fieldset {
                    legend { (texts.word("agreement_channels")) }
                    @for channel in channels() {
                        label.tick { input type="checkbox" name=(channel.code()); (texts.channel(channel.code())) }
                    }
                }
                fieldset {
                    legend { (texts.word("agreement_purposes")) }
                    @for purpose in Purpose::ALL {
                        label.tick { input type="checkbox" name=(purpose.code()); (texts.purpose(purpose.code())) }
                    }
                }
                label { (texts.word("agreement_how"))
                    select name="how" { @for how in HOW { option value=(how) { (texts.how(how)) } } }
                }
                label { (texts.word("agreement_on")) input type="date" name="on" max=(today); }
                div.acts { button name="wish" value="in" { (texts.word("agreement_in")) } }
                details {
                    summary { (texts.word("agreement_out")) }
                    p { (texts.word("agreement_out_hint")) }
                    button.plain name="wish" value="out" { (texts.word("agreement_out_go")) }
                }
            }
        }
    }
}
