//! What every page has: head, clinics, clock and its buttons.

use maud::{DOCTYPE, Markup, html};
use retorno_domain::ids::PatientId;
use staff_api::Problem;

use super::problems;
use super::texts::{Texts, spoken};
use crate::server::system::{OpenClinic, System};

/// What a page is made from.
pub(super) struct Shown<'a> {
    pub(super) system: &'a System,
    pub(super) texts: &'static Texts,
    pub(super) clinics: &'a [OpenClinic],
    pub(super) of: Option<&'a OpenClinic>,
    /// Conversations of that clinic that wait for a person.
    pub(super) waiting: usize,
}

/// What a page says about itself.
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    /// Whether it loads itself again in a second.
    pub(super) refresh: bool,
}

impl Shown<'_> {
    /// A whole page around its body.
    pub(super) fn page(&self, frame: &Frame<'_>, body: &Markup) -> Markup {
        let texts = self.texts;
        html! {
            (DOCTYPE)
            html lang=(texts.lang()) {
                (head(texts, frame))
                body {
                    a.skip href="#content" { (texts.word("skip")) }
                    header.top { div.inner {
                        div.brand { (texts.word("title")) small { (texts.word("tagline")) } }
                        nav aria-label=(texts.word("clinics")) { ul {
                            @for clinic in self.clinics {
                                @let current = self.of.is_some_and(|of| of.id == clinic.id);
                                li { a href=(address(clinic, None, None)) aria-current=[current.then_some("page")] { (clinic.clinic.name) } }
                            }
                        } }
                    } }
                    @if let Some(of) = self.of.filter(|_| !frame.refresh) { (self.clock(of)) (self.sections(of)) }
                    (body)
                    footer { p.soft { (texts.word("sandbox")) } }
                }
            }
        }
    }

    /// The parts of a clinic's pages.
    fn sections(&self, of: &OpenClinic) -> Markup {
        let texts = self.texts;
        let part = |path: &str| format!("/c/{}{path}", of.id);
        html! {
            nav.sections aria-label=(texts.word("sections")) { ul {
                li { a href=(part("")) { (texts.word("overview")) } }
                li { a href=(part("/inbox")) {
                    (texts.word("inbox"))
                    @if self.waiting > 0 { " " span.count { (self.waiting) } }
                } }
                li { a href=(part("/strangers")) { (texts.word("strangers_short")) } }
                li { a href=(part("/agenda")) { (texts.word("agenda")) } }
                li { a href=(part("/timetable")) { (texts.word("timetable")) } }
                li { a href=(part("/templates")) { (texts.word("templates_short")) } }
                li { a href=(part("/connections")) { (texts.word("connections")) } }
                li { a href=(part("/audit")) { (texts.word("audit_short")) } }
                li { a href=(part("/qr")) { (texts.word("qr_short")) } }
            } }
        }
    }

    fn clock(&self, of: &OpenClinic) -> Markup {
        let texts = self.texts;
        let now = self.system.host.now();
        html! {
            section.clock aria-label=(texts.word("clock")) { div.inner {
                div {
                    time datetime=(now.with_timezone(&of.clinic.zone).to_rfc3339()) { (spoken(now, of.clinic.zone, of.clinic.language)) }
                    p.soft { (texts.word("clock_hint")) }
                }
                form method="post" action=(format!("/c/{}/advance", of.id)) {
                    button name="by" value="next" { (texts.word("next_event")) }
                    button.plain name="by" value="1d" { (texts.word("one_day")) }
                    button.plain name="by" value="1w" { (texts.word("one_week")) }
                }
            } }
        }
    }
}

fn head(texts: &Texts, frame: &Frame<'_>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            @if frame.refresh { meta http-equiv="refresh" content="1"; }
            title { (frame.title) " · " (texts.word("title")) }
            link rel="stylesheet" href="/style.css";
            link rel="icon" href="data:,";
        }
    }
}

/// A page without clinics and clock.
pub(super) fn plain(texts: &Texts, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(texts.lang()) {
            (head(texts, &Frame { title: texts.word("title"), refresh: false }))
            body {
                header.top { div.inner { div.brand { (texts.word("title")) small { (texts.word("tagline")) } } } }
                main id="content" { section.panel.full { (body) } }
            }
        }
    }
}

/// What stands in a frame of ours.
pub(super) fn framed(texts: &Texts, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(texts.lang()) {
            (head(texts, &Frame { title: texts.word("title"), refresh: false }))
            body { (body) }
        }
    }
}

/// A page that says what went wrong.
pub(super) fn problem(texts: &Texts, problem: &Problem) -> Markup {
    plain(
        texts,
        html! {
            h1 { (texts.word("problem")) }
            (problems::said(texts, problem))
            p { a href="/" { (texts.word("back")) } }
        },
    )
}

/// A clinic's page, for one patient or everybody, perhaps with a mail open.
pub(super) fn address(of: &OpenClinic, patient: Option<&PatientId>, mail: Option<&str>) -> String {
    let mut query = Vec::new();
    query.extend(patient.map(|patient| format!("patient={}", escaped(patient.as_str()))));
    query.extend(mail.map(|mail| format!("mail={}", escaped(mail))));
    let query = query.join("&");
    let anchor = if mail.is_some() { "#mailbox" } else { "" };
    if query.is_empty() { format!("/c/{}", of.id) } else { format!("/c/{}?{query}{anchor}", of.id) }
}

/// Where a form about a patient goes.
pub(super) fn action(of: &OpenClinic, patient: &PatientId, what: &str) -> String {
    format!("/c/{}/patients/{}/{what}", of.id, escaped(patient.as_str()))
}

/// A value in an address: every byte but letters, digits and a few marks as `%XX`.
pub(super) fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
