//! A copy as a clinic writes it, filled with what is known of a patient.

use retorno_domain::language::Language;
use retorno_domain::lint::{lint, sms_length};
use retorno_domain::template::{Rendered, Template, TemplateChannel, TemplateError, Text, Unfilled, Values, Variable};

use super::message_value::check_parameter;
use crate::pieces::Pieces;

const CHANNELS: [TemplateChannel; 4] =
    [TemplateChannel::Email, TemplateChannel::Whatsapp, TemplateChannel::Sms, TemplateChannel::Call];

/// A byte for channel and language, then subject and body, then values in the order of the variables.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let (channel, language) = (pieces.one_of(&CHANNELS), pieces.one_of(&Language::ALL));
    let (subject, body) = (parsed(&pieces.text()), parsed(&pieces.text()));
    let mut values = Values::default();
    for variable in Variable::ALL {
        values.set(variable, pieces.text());
    }
    let Some(body) = body else { return };
    let subject = subject.filter(|_| channel == TemplateChannel::Email);
    let key = "preventivo-6-12m/d1".to_owned();
    let (dated, clinical_detail, buttons) = (false, false, vec!["Sí".to_owned()]);
    let template = Template { key, version: 1, channel, language, dated, clinical_detail, subject, body, buttons };
    check_lint(&template);
    check(&template, &values);
}

/// Reads a text, and what was read again from its source.
fn parsed(source: &str) -> Option<Text> {
    match Text::parse(source) {
        Ok(text) => {
            assert_eq!(Text::parse(&text.source()).as_ref(), Ok(&text), "written and read again");
            Some(text)
        }
        Err(why) => {
            let position = match &why {
                TemplateError::Unknown(unknown) => unknown.first().expect("one that is unknown").position,
                TemplateError::Unclosed { position } | TemplateError::StrayBrace { position } => *position,
            };
            // The place it names is that of a brace.
            let plain = source.replace("\r\n", "\n").replace('\r', "\n");
            let line = plain.split('\n').nth(position.line - 1).expect("a line that is there");
            assert!(matches!(line.chars().nth(position.column - 1), Some('{' | '}')), "{why}");
            None
        }
    }
}

/// Every finding can be told, and what passes fits.
pub(super) fn check_lint(template: &Template) {
    for finding in lint(template) {
        assert!(!finding.to_string().is_empty());
    }
    let submitted = template.whatsapp_body();
    let places = template.body.variables().count();
    assert!((1..=places).all(|n| submitted.contains(&format!("{{{{{n}}}}}"))), "a place without its number");
    let name = template.whatsapp_name();
    assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
}

/// Holds that a filled template has no gap, and an unfilled one names each.
pub(super) fn check(template: &Template, values: &Values) {
    match template.render(values) {
        Ok(rendered) => check_rendered(template, &rendered),
        Err(Unfilled { variables, .. }) => {
            let lacks = |variable: &Variable| values.get(*variable).is_none();
            assert!(!variables.is_empty() && variables.iter().all(lacks));
            assert!(template.variables().filter(lacks).all(|variable| variables.contains(&variable)));
        }
    }
}

fn check_rendered(template: &Template, rendered: &Rendered) {
    assert!(!rendered.text.contains(['{', '}']), "a gap");
    assert_eq!(rendered.parameters.len(), template.body.variables().count());
    rendered.parameters.iter().for_each(|parameter| check_parameter(parameter));
    assert!(sms_length(&rendered.text).segments <= rendered.text.len());
    assert_eq!(rendered.subject.is_some(), template.subject.is_some());
    if let Some(subject) = &rendered.subject {
        assert!(!subject.contains(['{', '}']) && !subject.contains(char::is_control), "more than a header");
    }
    assert_eq!(rendered.html.is_some(), template.channel == TemplateChannel::Email);
    if let Some(html) = &rendered.html {
        check_html(html);
    }
    assert!(!format!("{rendered:?}").contains(&rendered.text) || rendered.text.len() < 40, "a text in a log");
}

/// Only our own tags; everything else is escaped.
fn check_html(html: &str) {
    let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).expect("a title").0;
    check_escaped(title);
    let main = "<main style=\"max-width:36em;margin:0 auto\">\n";
    let body = html.split_once(main).and_then(|(_, rest)| rest.rsplit_once("</main>")).expect("a body").0;
    let mut rest = body.replace("<p style=\"margin:0 0 1em\">", "").replace("</p>\n", "").replace("<br>\n", "");
    while let Some((before, after)) = rest.split_once("<a href=\"") {
        let (address, after) = after.split_once("\" style=\"color:#0b5cad\">").expect("our anchor");
        assert!(address.starts_with("https://") || address.starts_with("http://"), "an address that is none");
        check_escaped(address);
        let (label, after) = after.split_once("</a>").expect("an anchor that ends");
        check_escaped(label);
        rest = format!("{before}{after}");
    }
    check_escaped(&rest);
}

fn check_escaped(text: &str) {
    assert!(!text.contains(['<', '>', '"', '\'']), "a tag that is not ours");
    let is_entity = |after: &str| ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|name| after.starts_with(name));
    assert!(text.split('&').skip(1).all(is_entity), "a bare ampersand");
}
