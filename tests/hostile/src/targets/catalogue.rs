//! A clinic's own copies and offers, as a file.

use chrono::NaiveDate;
use retorno_domain::catalogue::{Catalogue, CatalogueError};
use retorno_domain::language::Language;
use retorno_domain::template::{Template, TemplateChannel, Values, Variable};

use super::template::{check, check_lint};
use crate::pieces::Pieces;

/// The first byte chooses the language, the rest is the file.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let language = pieces.one_of(&Language::ALL);
    let Ok(text) = std::str::from_utf8(pieces.rest()) else { return };
    match Catalogue::parse(language, text) {
        Ok(templates) => {
            let mut values = Values::default();
            for variable in Variable::ALL {
                values.set(variable, "https://citas.example/l/a <b>");
            }
            for template in &templates {
                check_template(template);
                check_lint(template);
                check(template, &values);
                assert!(template.render(&values).is_ok(), "a gap with everything known");
            }
        }
        Err(why) => check_fault(&why),
    }
    for offer in Catalogue::parse_offers(language, text).into_iter().flatten() {
        for day in [NaiveDate::MIN, NaiveDate::MAX] {
            let phrase = offer.phrase(language, day);
            let most = Variable::Oferta.chars_max().max(offer.benefit.chars().count() + 1);
            assert!(phrase.chars().count() <= most, "half an incentive");
        }
    }
}

fn check_template(template: &Template) {
    assert!(template.key.split('/').count() == 2, "{}", template.key);
    assert_eq!(template.subject.is_some(), template.channel == TemplateChannel::Email);
    assert!(template.buttons.is_empty() || template.channel == TemplateChannel::Whatsapp);
    assert!(template.clinical_detail || template.variables().all(|variable| variable != Variable::Servicio));
    let no_braces = |button: &String| !button.contains(['{', '}']);
    assert!(template.buttons.iter().all(no_braces), "a button with a gap");
}

/// A fault names the line or the copy it is in.
fn check_fault(why: &CatalogueError) {
    let text = why.to_string();
    match why {
        CatalogueError::Form { .. } => assert!(text.contains("line ") || text.contains('`'), "nowhere: {text}"),
        CatalogueError::Key { .. } => assert!(text.starts_with("template ")),
        CatalogueError::Text { key, .. }
        | CatalogueError::Channel { key, .. }
        | CatalogueError::Dated { key, .. }
        | CatalogueError::ClinicalDetail { key }
        | CatalogueError::Duplicate { key } => assert!(text.contains(key.as_str()), "{text}"),
        CatalogueError::Incentive { offer, .. } => assert!(text.contains(offer.as_str()), "{text}"),
    }
}
