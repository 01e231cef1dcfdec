//! The sandbox phone: the WhatsApp messages that left, as a patient would see them.

use maud::{Markup, html};
use retorno_domain::ids::PatientId;

use super::frame::{Shown, address};
use super::sent::Bubble;
use super::texts::moment;
use crate::server::system::OpenClinic;

/// The phone, of one patient or of everybody.
pub(super) fn panel(shown: &Shown<'_>, of: &OpenClinic, patient: Option<&PatientId>, bubbles: &[Bubble]) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel aria-labelledby="phone" {
            header { h2 id="phone" { (texts.word("phone")) } }
            div.phone {
                div.bar {
                    (of.clinic.name)
                    small { @match patient {
                        Some(patient) => { (texts.word("patient")) " " (patient) },
                        None => { (texts.word("phone_all")) },
                    } }
                }
                // The newest comes first, so that the list, shown from below, begins with it.
                div.chat tabindex="0" role="log" aria-labelledby="phone" {
                    @for bubble in bubbles { (message(shown, of, patient.is_none(), bubble)) }
                    @if bubbles.is_empty() { p.empty { (texts.word("phone_empty")) } }
                }
            }
        }
    }
}

fn message(shown: &Shown<'_>, of: &OpenClinic, named: bool, bubble: &Bubble) -> Markup {
    let sent = &bubble.sent;
    html! {
        article {
            div.who {
                @if named { (patient_link(of, &sent.patient_id)) } @else { span { (sent.step) } }
                span.soft {
                    time datetime=(sent.at) { (moment(sent.instant, of.clinic.zone)) }
                    @if bubble.accepted.is_some() { " ✓" } @else { " · " (shown.texts.state(sent.delivery.code())) }
                }
            }
            div.text { (sent.text) }
            @if !bubble.buttons.is_empty() {
                ul.quick { @for button in &bubble.buttons { li { (button) } } }
            }
        }
    }
}

/// A patient's id, leading to the patient.
pub(super) fn patient_link(of: &OpenClinic, id: &str) -> Markup {
    html! {
        @match PatientId::parse(id) {
            Ok(patient) => a href=(address(of, Some(&patient), None)) { (id) },
            Err(_) => (id),
        }
    }
}
