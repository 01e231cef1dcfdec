//! The sandbox mailbox: the mails that left, and one of them open.

use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, html};
use retorno_domain::ids::PatientId;
use staff_api::Problem;
use staff_api::outbox::Sent;
use staff_api::thread::Line;

use super::frame::{Shown, address};
use super::phone::{linked, own_page, patient_link};
use super::texts::moment;
use crate::doubles::Mail;
use crate::server::system::{OpenClinic, System};

/// A mail in the list.
pub(super) struct Row {
    message: String,
    at: DateTime<Utc>,
    subject: String,
    to: String,
    patient: Option<String>,
}

/// The mails of sequences and, of one patient, those that answered; the newest first.
pub(super) fn rows(system: &System, of: &OpenClinic, sent: &[Sent], lines: &[Line]) -> Result<Vec<Row>, Problem> {
    let row = |sent: &Sent| Row {
        message: sent.message_id.clone(),
        at: sent.instant,
        subject: sent.subject.clone().unwrap_or_else(|| "—".to_owned()),
        to: sent.contact.clone(),
        patient: Some(sent.patient_id.clone()),
    };
    let mut rows: Vec<Row> = sent.iter().map(row).collect();
    let answers = lines.iter().filter(|line| line.channel == "email" && line.step.is_none() && line.was_said());
    for message in answers.filter_map(|line| line.message_id.as_deref()) {
        if let Some(mail) = find(system, of, message)? {
            let to = mail.to.join(", ");
            rows.push(Row { message: message.to_owned(), at: mail.at, subject: mail.subject, to, patient: None });
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    Ok(rows)
}

/// The mailbox, of one patient or of everybody.
pub(super) fn panel(
    shown: &Shown<'_>,
    of: &OpenClinic,
    patient: Option<&PatientId>,
    mails: &[Row],
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
                @for row in mails { li {
                    a.subject href=(address(of, patient, Some(&row.message))) { (row.subject) }
                    div.meta {
                        span { (of.clinic.email_from) " → " @match &row.patient { Some(id) if patient.is_none() => (patient_link(of, id)), _ => (row.to) } }
                        time datetime=(row.at.to_rfc3339()) { (moment(row.at, of.clinic.zone)) }
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
                @if let Some((_, value)) = unsubscribe {
                    dt { (texts.word("mail_unsubscribe")) }
                    dd.soft { @match one_click(value) { Some(path) => (unsubscribing(shown, path)), None => (value) } }
                }
            }
            iframe sandbox="allow-popups allow-popups-to-escape-sandbox" title=(texts.word("mail_frame")) src=(format!("/c/{}/mail/{message}", of.id)) {}
            p { a href=(format!("{}#mailbox", address(of, patient, None))) { (texts.word("mail_close")) } }
        }
    }
}

/// The page here that a mail program would post to (RFC 8058).
fn one_click(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| own_page(link.trim().strip_prefix('<')?.strip_suffix('>')?))
}

/// What a mail program does for its user.
fn unsubscribing(shown: &Shown<'_>, path: &str) -> Markup {
    html! {
        form method="post" action=(path) target="_blank" {
            input type="hidden" name="List-Unsubscribe" value="One-Click";
            button.plain { (shown.texts.word("mail_unsubscribe_go")) }
        }
    }
}

/// A mail as its reader sees it, in a frame: links open beside it.
pub(super) fn as_read(mail: &Mail) -> String {
    const BESIDE: &str = "<base target=\"_blank\">";
    match (&mail.html, &mail.text) {
        (Some(html), _) if html.contains("<head>") => html.replacen("<head>", &format!("<head>{BESIDE}"), 1),
        (Some(html), _) => format!("{BESIDE}{html}"),
        (None, text) => {
            let text = linked(text.as_deref().unwrap_or(""));
            html! { (DOCTYPE) html { head { base target="_blank"; } body { pre style="white-space: pre-wrap" { (text) } } } }
                .into_string()
        }
    }
}

/// The mail that a message of this clinic became.
pub(super) fn find(system: &System, of: &OpenClinic, message: &str) -> Result<Option<Mail>, Problem> {
    let mails = system.host.doubles.ses().mails_tagged("m", message)?;
    let is_ours = |mail: &Mail| mail.tags.iter().any(|(name, value)| name == "t" && value == of.id.as_str());
    Ok(mails.into_iter().rfind(is_ours))
}
