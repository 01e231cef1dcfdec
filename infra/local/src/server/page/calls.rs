//! Call tasks: whom to call, and what to say.

use maud::{Markup, html};
use staff_api::outbox::Sent;

use super::frame::Shown;
use super::phone::patient_link;
use super::texts::moment;
use crate::server::system::OpenClinic;

/// The call tasks.
pub(super) fn panel(shown: &Shown<'_>, of: &OpenClinic, calls: &[Sent]) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="calls" {
            header { h2 id="calls" { (texts.word("calls")) } }
            ul.calls { @for call in calls { li {
                div.meta {
                    span { (patient_link(of, &call.patient_id)) " · " (call.contact) }
                    time datetime=(call.at) { (moment(call.instant, of.clinic.zone)) }
                }
                details { summary { (texts.word("call_script")) } p.text { (call.text) } }
            } } }
            @if calls.is_empty() { p.empty { (texts.word("calls_empty")) } }
        }
    }
}
