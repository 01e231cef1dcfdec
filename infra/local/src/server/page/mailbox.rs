//! The sandbox mailbox: the mails that left, and one of them open.

use maud::{Markup, html};
use retorno_domain::ids::PatientId;

use super::frame::{Shown, address};
use super::phone::patient_link;
use super::texts::moment;
use crate::doubles::Mail;
use crate::outbox::Sent;
use crate::server::problem::Problem;
use crate::server::system::{OpenClinic, System};

/// The mailbox, of one patient or of everybody.
pub(super) fn panel(
    shown: &Shown<'_>,
    of: &OpenClinic,
    patient: Option<&PatientId>,
    mails: &[Sent],
    open: Option<&str>,
) -> Result<Markup, Problem> {
    let texts = shown.texts;
    let opened = match open {
        Some(message) => find(shown.system, of, message)?.map(|mail| (message, mail)),
        None => None,
    };
    Ok(html! {
        section.panel id="mailbox" aria-labelledby="mailbox-title" {
            header { h2 id="mailbox-title" { (texts.word("mailbox")) } }
            @if let Some((message, mail)) = &opened { (open_mail(shown, of, patient, message, mail)) }
            ul.mails {
                @for sent in mails { li {
                    a.subject href=(address(of, patient, Some(&sent.message_id))) { (sent.subject.as_deref().unwrap_or("—")) }
                    div.meta {
                        span { (of.clinic.email_from) " → " @if patient.is_none() { (patient_link(of, &sent.patient_id)) } @else { (sent.contact) } }
                        time datetime=(sent.at) { (moment(sent.instant, of.clinic.zone)) }
                    }
                } }
            }
            @if mails.is_empty() { p.empty { (texts.word("mailbox_empty")) } }
        }
    })
}

fn open_mail(shown: &Shown<'_>, of: &OpenClinic, patient: Option<&PatientId>, message: &str, mail: &Mail) -> Markup {
    let texts = shown.texts;
    let unsubscribe = mail.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("List-Unsubscribe"));
    html! {
        div.open-mail {
            dl {
                dt { (texts.word("mail_from")) } dd { (mail.from) }
                dt { (texts.word("mail_to")) } dd { (mail.to.join(", ")) }
                dt { (texts.word("mail_subject")) } dd { strong { (mail.subject) } }
                @if let Some((_, value)) = unsubscribe { dt { (texts.word("mail_unsubscribe")) } dd.soft { (value) } }
            }
            iframe sandbox="" title=(texts.word("mail_frame")) src=(format!("/c/{}/mail/{message}", of.id)) {}
            p { a href=(format!("{}#mailbox", address(of, patient, None))) { (texts.word("mail_close")) } }
        }
    }
}

/// The mail that a message of this clinic became.
pub(super) fn find(system: &System, of: &OpenClinic, message: &str) -> Result<Option<Mail>, Problem> {
    let mails = system.host.doubles.ses().mails_tagged("m", message)?;
    let is_ours = |mail: &Mail| mail.tags.iter().any(|(name, value)| name == "t" && value == of.id.as_str());
    Ok(mails.into_iter().rfind(is_ours))
}
