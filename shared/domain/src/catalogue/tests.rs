#![expect(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::*;
use crate::flow::GUARDIANS;
use crate::lint::{lint, segments};
use crate::template::Values;

const WRITTEN: [Language; 4] = [Language::EsAr, Language::EsEs, Language::EsMx, Language::PtBr];

const STEPS: [(&str, TemplateChannel); 4] = [
    ("d1", TemplateChannel::Whatsapp),
    ("d3", TemplateChannel::Email),
    ("d6", TemplateChannel::Whatsapp),
    ("d8", TemplateChannel::Call),
];

/// The steps that may also go out as text messages.
const TEXTED: [&str; 3] = ["d1", "d3", "d6"];

/// The steps that may be shown in browsers: all, and one between them.
const NOTIFIED: [&str; 5] = ["d1", "d3", "d4", "d6", "d8"];

fn values(language: Language) -> Values {
    let slot = NaiveDate::from_ymd_opt(2026, 2, 19).unwrap();
    let slot = language.spoken_slot(slot.and_hms_opt(16, 30, 0).unwrap());
    let mut values = Values::default();
    values
        .set(Variable::Paciente, "María Fernanda")
        .set(Variable::Tutor, "María del Carmen")
        .set(Variable::Agente, "Lucía")
        .set(Variable::Clinica, "Clínica Austral de la Salud")
        .set(Variable::Oferta, "o".repeat(200))
        .set(Variable::FechaOpcion1, slot.clone())
        .set(Variable::FechaOpcion2, slot)
        .set(Variable::EnlaceReserva, "https://clinica.example/r/abc")
        .set(Variable::EnlaceBaja, "https://clinica.example/b/abc")
        .set(Variable::SesionesHechas, "3")
        .set(Variable::SesionesTotal, "6");
    values
}

#[test]
fn every_embedded_file_parses() {
    assert_eq!(Catalogue::embedded().faults(), []);
    for language in Language::ALL {
        let catalogue = Catalogue::embedded();
        assert!(catalogue.date_words(language).is_some(), "{language}");
        assert!(catalogue.incentive_words(language).is_some(), "{language}");
        assert!(catalogue.lint_words(language).is_some(), "{language}");
        for link in Variable::ALL.into_iter().filter(|v| v.is_link()) {
            assert!(catalogue.link_label(language, link).is_some(), "{language}");
        }
        for variable in Variable::ALL {
            let example = catalogue.example(language, variable).unwrap();
            assert!((1..=variable.chars_max()).contains(&example.chars().count()), "{language} {variable}");
        }
    }
}

#[test]
fn every_embedded_template_lints_clean() {
    for template in Catalogue::embedded().templates() {
        let findings = lint(template);
        assert!(
            findings.is_empty(),
            "{} {} {:?} dated={}: {findings:?}",
            template.language,
            template.key,
            template.channel,
            template.dated
        );
    }
}

#[test]
fn every_language_has_every_step_in_its_variants_and_nothing_else() {
    let catalogue = Catalogue::embedded();
    for language in Language::ALL {
        for segment in SEGMENTS.into_iter().chain([GUARDIANS]) {
            for (step, channel) in STEPS {
                let key = format!("{segment}/{step}");
                let dated = catalogue.find(&key, channel, language, true).unwrap();
                let open = catalogue.find(&key, channel, language, false).unwrap();
                assert_eq!(dated.dated, channel != TemplateChannel::Call, "{key}");
                assert!(!open.dated && !open.clinical_detail, "{key}");
                assert_eq!(dated.language, language.catalogue());
            }
        }
    }
    // One set more is for guardians.
    assert_eq!(catalogue.templates().len(), WRITTEN.len() * (SEGMENTS.len() + 1) * (7 + TEXTED.len() + NOTIFIED.len()));
}

#[test]
fn a_notification_can_stand_in_for_every_step_and_tells_nobody_anything() {
    let catalogue = Catalogue::embedded();
    for language in Language::ALL {
        for (segment, step) in
            SEGMENTS.iter().chain([&GUARDIANS]).flat_map(|segment| NOTIFIED.map(|step| (segment, step)))
        {
            let key = format!("{segment}/{step}");
            let found = catalogue.find(&key, TemplateChannel::Push, language, true).unwrap();
            assert!(!found.dated && found.language == language.catalogue(), "{language} {key}");
            assert_eq!(found.variables().count(), 0, "{language} {key}");
        }
    }
    let own = |body: &str| {
        Catalogue::parse(
            Language::EsEs,
            &format!("[[template]]\nkey = \"x/d1\"\nchannel = \"push\"\nbody = \"{body}\""),
        )
    };
    assert!(own("Elige tu hora.").is_ok());
    assert!(matches!(own("{{paciente}}, elige tu hora."), Err(CatalogueError::Channel { .. })));
}

#[test]
fn a_text_message_can_stand_in_for_every_written_step() {
    let catalogue = Catalogue::embedded();
    for language in Language::ALL {
        for (segment, step) in
            SEGMENTS.iter().chain([&GUARDIANS]).flat_map(|segment| TEXTED.map(|step| (segment, step)))
        {
            let key = format!("{segment}/{step}");
            // It offers no dates: with them it would not be short.
            let found = catalogue.find(&key, TemplateChannel::Sms, language, true).unwrap();
            assert!(!found.dated && found.language == language.catalogue(), "{language} {key}");
        }
    }
}

#[test]
fn every_template_fills_within_its_channel_and_says_how_to_stop() {
    for template in Catalogue::embedded().templates() {
        let rendered = template.render(&values(template.language)).unwrap();
        let (text, key) = (&rendered.text, &template.key);
        // A notification stands under the clinic's name, with a button that ends them.
        let is_notification = template.channel == TemplateChannel::Push;
        assert!(is_notification || text.contains("PARAR"), "{key}");
        assert!(is_notification || text.contains("Clínica Austral"), "{key}");
        if key.ends_with("/d1") && template.channel != TemplateChannel::Sms && !is_notification {
            assert!(text.contains("Lucía"), "{key}");
        }
        match template.channel {
            TemplateChannel::Whatsapp => {
                let preferred = template.whatsapp_body().chars().count();
                assert!(preferred <= 550, "{key}: {preferred}");
                assert!(text.chars().count() <= 1024, "{key}");
                assert_eq!(template.buttons.last().map(String::as_str), Some("PARAR"));
            }
            TemplateChannel::Email => {
                let html = rendered.html.unwrap();
                assert_eq!(html.matches("<a ").count(), 2, "{key}");
                assert!(rendered.subject.unwrap().chars().count() <= 78, "{key}");
            }
            TemplateChannel::Call => {
                // What is read aloud stands in quotation marks; at 140 words a minute, 60–90 s.
                let segment = key.trim_end_matches("/d8");
                let offer = offer_words(template.language, segment);
                let words = spoken_words(text) + offer;
                assert!((140..=210).contains(&words), "{} {key}: {words}", template.language);
            }
            TemplateChannel::Sms => {
                assert!(text.contains("https://clinica.example/r/abc"), "{key}");
                assert!(segments(text) <= 2, "{} {key}: {}", template.language, segments(text));
            }
            TemplateChannel::Push => assert!((20..=100).contains(&text.chars().count()), "{key}"),
        }
    }
}

/// A guardian is told why a visit makes sense, instead of what the patient gains.
fn offer_words(language: Language, segment: &str) -> usize {
    let said = match Catalogue::embedded().offer(language, segment) {
        Some(offer) => &offer.benefit,
        None => &Catalogue::embedded().offer(language, "churn-18m").unwrap().reason,
    };
    said.split_whitespace().count()
}

#[test]
fn a_guardian_is_greeted_and_the_patient_named_and_nothing_said_of_the_past() {
    let guardians = Catalogue::embedded().templates().iter().filter(|template| template.key.starts_with("tutor/"));
    for template in guardians {
        let has = |wanted| template.body.variables().any(|variable| variable == wanted);
        // What a locked screen shows names nobody.
        let names = has(Variable::Tutor) && has(Variable::Paciente);
        assert!(names || template.channel == TemplateChannel::Push, "{} {:?}", template.key, template.channel);
        let tells = [Variable::Servicio, Variable::Profesional, Variable::SesionesHechas, Variable::SesionesTotal];
        assert!(!tells.into_iter().any(has) && !template.clinical_detail, "{}", template.key);
        if template.channel == TemplateChannel::Whatsapp {
            assert!(template.whatsapp_name().starts_with("retorno_tutor_d"), "{}", template.whatsapp_name());
        }
    }
    let others = Catalogue::embedded().templates().iter().filter(|template| !template.key.starts_with("tutor/"));
    assert!(others.flat_map(Template::variables).all(|variable| variable != Variable::Tutor));
}

#[test]
fn what_a_guardian_is_told_of_an_offer_is_a_sentence_that_fits() {
    let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    for (language, segment) in Language::ALL.into_iter().flat_map(|l| SEGMENTS.map(|segment| (l, segment))) {
        let phrase = Catalogue::embedded().offer(language, segment).unwrap().phrase_for_guardian(language, today);
        assert!((30..=140).contains(&phrase.chars().count()) && phrase.ends_with('.'), "{phrase}");
    }
}

fn spoken_words(script: &str) -> usize {
    script
        .split(['«', '“'])
        .skip(1)
        .filter_map(|after| after.split(['»', '”']).next())
        .map(|spoken| spoken.split_whitespace().count())
        .sum()
}

#[test]
fn meta_names_are_unique_per_language() {
    let mut seen = BTreeSet::new();
    for template in Catalogue::embedded().templates() {
        if template.channel == TemplateChannel::Whatsapp {
            let name = template.whatsapp_name();
            assert!(seen.insert((template.language, name.clone())), "{name}");
        }
    }
}

#[test]
fn every_segment_has_a_name_and_an_offer_that_fits() {
    let catalogue = Catalogue::embedded();
    let today = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    for language in Language::ALL {
        assert_eq!(catalogue.offers(language).len(), SEGMENTS.len());
        for segment in SEGMENTS {
            assert!(catalogue.segment_name(language, segment).is_some());
            assert!(catalogue.segment_description(language, segment).is_some());
            let phrase = catalogue.offer(language, segment).unwrap().phrase(language, today);
            assert!((30..=140).contains(&phrase.chars().count()), "{phrase}");
        }
    }
    assert_eq!(catalogue.segment_name(Language::EsAr, "nada"), None);
}

const OWN: &str = "[[template]]\nkey = \"churn-18m/d1\"\nversion = 3\nchannel = \"whatsapp\"\n\
                   body = \"Hola {{paciente}}. Responda SÍ. PARAR\"\n";

#[test]
fn a_clinics_own_copy_is_found_first_and_only_where_it_was_written_for() {
    let own = Catalogue::parse(Language::EsCl, OWN).unwrap();
    let catalogue = Catalogue::embedded().with_templates(own);
    let version = |language, dated| {
        let found = catalogue.find("churn-18m/d1", TemplateChannel::Whatsapp, language, dated);
        found.map(|template| (template.language, template.version))
    };
    assert_eq!(version(Language::EsCl, false), Some((Language::EsCl, 3)));
    assert_eq!(version(Language::EsCl, true), Some((Language::EsMx, 1)));
    assert_eq!(version(Language::EsMx, false), Some((Language::EsMx, 1)));
    assert_eq!(catalogue.find("churn-18m/d2", TemplateChannel::Whatsapp, Language::EsCl, false), None);
}

#[test]
fn a_copy_without_dates_serves_where_dates_are_at_hand_but_never_the_reverse() {
    let open = Catalogue { templates: Catalogue::parse(Language::EsMx, OWN).unwrap(), ..Catalogue::default() };
    assert!(open.find("churn-18m/d1", TemplateChannel::Whatsapp, Language::EsMx, true).is_some());
    let dated =
        OWN.replace("version = 3", "dated = true").replace("PARAR", "{{fecha_opcion_1}} o {{fecha_opcion_2}} PARAR");
    let dated = Catalogue { templates: Catalogue::parse(Language::EsMx, &dated).unwrap(), ..Catalogue::default() };
    assert!(dated.find("churn-18m/d1", TemplateChannel::Whatsapp, Language::EsMx, false).is_none());
}

#[test]
fn a_file_is_refused_with_what_is_wrong_and_where() {
    let refusal = |text: &str| Catalogue::parse(Language::EsAr, text).unwrap_err().to_string();
    let with = |from: &str, to: &str| refusal(&OWN.replace(from, to));
    assert!(refusal("[[template]\n").contains("line 1"));
    assert!(with("version", "versoin").contains("versoin"));
    assert!(
        with("{{paciente}}", "{{nombre}}")
            .contains("churn-18m/d1, body: unknown variable \"nombre\" at line 1, column 6")
    );
    assert!(with("churn-18m/d1", "Churn d1").contains("SEGMENT/STEP"));
    assert!(with("whatsapp", "email").contains("an email has a subject"));
    assert!(with("version = 3", "subject = \"x\"").contains("other channels have none"));
    assert!(with("whatsapp\"", "call\"\nbuttons = [\"x\"]").contains("only WhatsApp"));
    for label in ["Soy {{paciente}}", " ", "}"] {
        assert!(with("whatsapp\"", &format!("whatsapp\"\nbuttons = [\"{label}\"]")).contains("plain words"), "{label}");
    }
    assert!(with("version = 3", "dated = true").contains("dated = true"));
    assert!(with("PARAR", "{{fecha_opcion_1}}").contains("dated = false"));
    assert!(refusal(&format!("{OWN}{OWN}")).contains("twice"));
}

#[test]
fn the_service_is_named_only_under_its_flag() {
    let named = OWN.replace("PARAR", "Por {{servicio}}. PARAR");
    assert_eq!(
        Catalogue::parse(Language::EsMx, &named),
        Err(CatalogueError::ClinicalDetail { key: "churn-18m/d1".into() })
    );
    let flagged = named.replace("version = 3", "clinical_detail = true");
    let templates = Catalogue::parse(Language::EsMx, &flagged).unwrap();
    let template = templates.first().unwrap();
    assert!(template.clinical_detail);
    assert_eq!(lint(template), []);
}

#[test]
fn a_clinics_offer_may_carry_an_incentive_on_fees_only() {
    let offer = |text: &str| {
        format!(
            "[[offer]]\nid = \"a\"\nsegment = \"churn-18m\"\nreason = \"r\"\nbenefit = \"b\"\n\
             cta = \"c\"\nincentive = {{ text = \"{text}\", until = \"2026-04-30\", limit = 20 }}\n"
        )
    };
    let offers = Catalogue::parse_offers(Language::EsAr, &offer("Consulta bonificada")).unwrap();
    let incentive = offers.first().unwrap().incentive.as_ref().unwrap();
    assert_eq!((incentive.text(), incentive.limit()), ("Consulta bonificada", 20));
    let refused = Catalogue::parse_offers(Language::EsAr, &offer("Insumos sin cargo"));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "offer a: the incentive is on supplies (\"insumo\"); offer it on fees"
    );
}

proptest::proptest! {
    #[test]
    fn an_entry_of_any_text_is_a_template_or_an_error(body in "\\PC{0,80}") {
        let entry = OWN.replace("Hola {{paciente}}. Responda SÍ. PARAR", &body);
        // A quotation mark or a backslash ends or bends the TOML string; the reader must bear it.
        if let Ok(templates) = Catalogue::parse(Language::PtBr, &entry) {
            proptest::prop_assert_eq!(templates.len(), 1);
        }
    }
}
