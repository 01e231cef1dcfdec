//! The sandbox phone: what WhatsApp brought, as a patient sees it, and where the patient writes.

use maud::{Markup, html};
use retorno_cloud::store::Collection;
use retorno_domain::ids::PatientId;
use staff_api::thread::{Button, Line, Speaker};

use super::frame::{Shown, action, address};
use super::sent::Bubble;
use super::texts::moment;
use crate::server::system::OpenClinic;
use crate::server::talk::digits;

/// The last messages of everybody.
pub(super) fn panel(shown: &Shown<'_>, of: &OpenClinic, bubbles: &[Bubble]) -> Markup {
    let texts = shown.texts;
    html! {
        section.panel id="phone" aria-labelledby="phone-title" {
            header { h2 id="phone-title" { (texts.word("phone")) } }
            div.phone {
                div.bar { (of.clinic.name) small { (texts.word("phone_all")) } }
                // The newest comes first, so that the list, shown from below, begins with it.
                div.chat tabindex="0" role="log" aria-labelledby="phone-title" {
                    @for bubble in bubbles { (message(shown, of, bubble)) }
                    @if bubbles.is_empty() { p.empty { (texts.word("phone_empty")) } }
                }
                p.write.soft { (texts.word("phone_choose")) }
            }
        }
    }
}

fn message(shown: &Shown<'_>, of: &OpenClinic, bubble: &Bubble) -> Markup {
    let sent = &bubble.sent;
    html! {
        article {
            div.who {
                (patient_link(of, &sent.patient_id))
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

/// The whole conversation with one patient, and where the patient writes.
pub(super) fn conversation(shown: &Shown<'_>, of: &OpenClinic, collection: &Collection, lines: &[Line]) -> Markup {
    let texts = shown.texts;
    let id = &collection.patient.patient.id;
    let on_phone = |line: &&Line| line.channel == "whatsapp" && line.was_said();
    let lines: Vec<&Line> = lines.iter().filter(on_phone).collect();
    html! {
        section.panel id="phone" aria-labelledby="phone-title" {
            header { h2 id="phone-title" { (texts.word("phone")) } }
            div.phone {
                div.bar { (of.clinic.name) small { (texts.word("patient")) " " (id) } }
                div.chat tabindex="0" role="log" aria-labelledby="phone-title" {
                    @for line in lines.iter().rev() { (said(shown, of, id, line)) }
                    @if lines.is_empty() { p.empty { (texts.word("phone_empty")) } }
                }
                @if digits(collection, of.clinic.date(shown.system.host.now())).is_some() {
                    form.write method="post" action=(action(of, id, "write")) {
                        label.unseen for="written" { (texts.word("phone_write")) }
                        input type="text" id="written" name="text" required maxlength="4096" autocomplete="off" placeholder=(texts.word("phone_write"));
                        button aria-label=(texts.word("phone_send")) { "➤" }
                    }
                } @else { p.write.soft { (texts.word("phone_none")) } }
            }
        }
    }
}

fn said(shown: &Shown<'_>, of: &OpenClinic, id: &PatientId, line: &Line) -> Markup {
    let texts = shown.texts;
    let who = match line.by {
        Speaker::Patient => None,
        Speaker::Sequence => Some(texts.word("by_sequence")),
        Speaker::Answer => Some(texts.word("by_answer")),
        Speaker::Staff => Some(texts.word("by_staff")),
    };
    html! {
        article.mine[line.by == Speaker::Patient] {
            div.who {
                span { @if let Some(who) = who { (who) @if let Some(step) = &line.step { " · " (step) } } }
                span.soft {
                    time datetime=(line.at) { (moment(line.instant, of.clinic.zone)) }
                    @match line.state.as_deref() {
                        Some("accepted") => " ✓",
                        Some(state) => { " · " (texts.state(state)) },
                        None => {},
                    }
                }
            }
            div.text { (linked(&line.text)) }
            @if !line.buttons.is_empty() {
                ul.quick { @for button in &line.buttons { li { (press(of, id, line, button)) } } }
            }
        }
    }
}

/// A button of a message: pressing it answers as WhatsApp does, with what stands behind it.
fn press(of: &OpenClinic, id: &PatientId, line: &Line, button: &Button) -> Markup {
    let name = if button.template { "payload" } else { "choice" };
    html! {
        form method="post" action=(action(of, id, "write")) {
            input type="hidden" name="title" value=(button.title);
            @if let Some(wamid) = &line.wamid { input type="hidden" name="answers" value=(wamid); }
            button name=(name) value=(button.payload) { (button.title) }
        }
    }
}

/// A text in which links to patients' pages can be followed.
pub(super) fn linked(text: &str) -> Markup {
    html! {
        @for part in text.split_inclusive(char::is_whitespace) {
            @let word = part.trim_end();
            @match own_page(word) {
                Some(path) => {
                    a href=(path) target="_blank" rel="noopener" { (word) }
                    (part.strip_prefix(word).unwrap_or(""))
                },
                None => (part),
            }
        }
    }
}

/// The path of a link to a page of a patient's on this machine.
pub(super) fn own_page(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://127.0.0.1")?;
    let (port, path) = rest.split_at(rest.find('/')?);
    let digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(digits);
    (is_port && path.starts_with("/l/")).then_some(path)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_pages_here_can_be_followed() {
        let shown = linked("Elegí:\nhttp://127.0.0.1:8787/l/abc-_9 o <b>").into_string();
        assert_eq!(
            shown,
            "Elegí:\n<a href=\"/l/abc-_9\" target=\"_blank\" rel=\"noopener\">http://127.0.0.1:8787/l/abc-_9</a> o &lt;b&gt;"
        );
        for foreign in
            ["https://evil.example/l/abc", "http://127.0.0.1.evil.example/l/a", "http://127.0.0.1:1/x", "/l/a"]
        {
            assert_eq!(own_page(foreign), None, "{foreign}");
        }
        assert_eq!(own_page("http://127.0.0.1/l/a"), Some("/l/a"));
    }
}
