#![expect(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

use proptest::prelude::*;

use super::*;

fn template(channel: TemplateChannel, body: &str) -> Template {
    let is_email = channel == TemplateChannel::Email;
    Template {
        key: "preventivo-6-12m/d1".into(),
        version: 1,
        channel,
        language: Language::EsAr,
        dated: true,
        clinical_detail: false,
        subject: is_email.then(|| Text::parse("Hola {{paciente}}").unwrap()),
        body: Text::parse(body).unwrap(),
        buttons: vec!["PARAR".into()],
    }
}

fn values(pairs: &[(Variable, &str)]) -> Values {
    let mut values = Values::default();
    for (variable, value) in pairs {
        values.set(*variable, *value);
    }
    values
}

#[test]
fn every_variable_is_found_by_its_name() {
    for variable in Variable::ALL {
        assert_eq!(Variable::from_name(variable.name()), Some(variable));
    }
    assert_eq!(Variable::from_name("Paciente"), None);
}

#[test]
fn a_text_is_parsed_once_and_can_be_written_back() {
    let source = "Hola {{paciente}}, soy {{ agente }}.";
    let text = Text::parse(source).unwrap();
    assert_eq!(
        text.parts(),
        [
            Part::Literal("Hola ".into()),
            Part::Variable(Variable::Paciente),
            Part::Literal(", soy ".into()),
            Part::Variable(Variable::Agente),
            Part::Literal(".".into()),
        ]
    );
    assert_eq!(text.source(), "Hola {{paciente}}, soy {{agente}}.");
}

#[test]
fn unknown_variables_are_all_named_with_their_places() {
    let error = Text::parse("Hola {{nombre}},\nsí: {{paciente}} {{}}").unwrap_err();
    let unknown = |name: &str, line, column| UnknownVariable { name: name.into(), position: Position { line, column } };
    assert_eq!(error, TemplateError::Unknown(vec![unknown("nombre", 1, 6), unknown("", 2, 18)]));
    assert_eq!(error.to_string(), "unknown variable \"nombre\" at line 1, column 6, \"\" at line 2, column 18");
}

#[test]
fn a_brace_that_is_no_variable_is_refused_where_it_stands() {
    let at = |line, column| Position { line, column };
    let refused = [
        ("á {{paciente", TemplateError::Unclosed { position: at(1, 3) }),
        ("a } b", TemplateError::StrayBrace { position: at(1, 3) }),
        ("\n{", TemplateError::StrayBrace { position: at(2, 1) }),
        ("{{paciente}}}", TemplateError::StrayBrace { position: at(1, 13) }),
    ];
    for (source, error) in refused {
        assert_eq!(Text::parse(source), Err(error), "{source}");
    }
    assert!(Text::parse("{{{paciente}}}").is_err());
}

#[test]
fn filling_gives_text_and_parameters_in_order_of_appearance() {
    let copy = template(TemplateChannel::Whatsapp, "Hola {{paciente}}, de {{clinica}}: chau {{paciente}}, PARAR");
    let rendered = copy.render(&values(&[(Variable::Paciente, "Ana"), (Variable::Clinica, "Austral")])).unwrap();
    assert_eq!(rendered.text, "Hola Ana, de Austral: chau Ana, PARAR");
    assert_eq!(rendered.parameters, ["Ana", "Austral", "Ana"]);
    assert_eq!(rendered.buttons, ["PARAR"]);
    assert_eq!((rendered.subject, rendered.html), (None, None));
    assert_eq!(copy.whatsapp_body(), "Hola {{1}}, de {{2}}: chau {{3}}, PARAR");
}

#[test]
fn a_whatsapp_name_says_segment_step_variant_and_version() {
    let mut copy = template(TemplateChannel::Whatsapp, "x");
    assert_eq!(copy.whatsapp_name(), "retorno_preventivo_6_12m_d1_con_fecha_v1");
    copy.dated = false;
    copy.version = 12;
    assert_eq!(copy.whatsapp_name(), "retorno_preventivo_6_12m_d1_sin_fecha_v12");
}

#[test]
fn a_missing_or_blank_value_stops_the_message_and_is_named_once() {
    let copy = template(TemplateChannel::Email, "{{oferta}} {{clinica}} {{clinica}} {{agente}}");
    let some = values(&[(Variable::Agente, "Luz"), (Variable::Clinica, " \t\u{200B}\u{200D} ")]);
    let unfilled = copy.render(&some).unwrap_err();
    assert_eq!(unfilled.variables, [Variable::Paciente, Variable::Clinica, Variable::Oferta]);
    assert_eq!(unfilled.to_string(), "template preventivo-6-12m/d1 has no value for paciente, clinica, oferta");
}

#[test]
fn setting_a_blank_forgets_what_was_known() {
    let mut known = values(&[(Variable::Paciente, "Ana")]);
    known.set(Variable::Paciente, "\n");
    assert_eq!(known.get(Variable::Paciente), None);
}

#[test]
fn a_value_is_one_harmless_line_and_never_a_variable() {
    let seen = |value: &str| {
        let values = values(&[(Variable::Paciente, value)]);
        values.get(Variable::Paciente).map(str::to_owned).unwrap()
    };
    assert_eq!(seen("Ana\r\nBcc: x\tMaría     José"), "Ana Bcc: x María José");
    assert_eq!(seen("\u{202E}anA\u{0007}\u{2066}"), "anA");
    assert_eq!(seen("Ana\u{2028}\u{00A0}Paz"), "Ana Paz");
    assert_eq!(seen("{{enlace_baja}}"), "enlace_baja");
    assert_eq!(seen("{ { Ana } }"), "Ana");
    assert_eq!(seen("👩\u{200D}⚕\u{FE0F} Ana"), "👩\u{200D}⚕\u{FE0F} Ana");
}

#[test]
fn a_long_value_is_cut_at_a_word_but_a_link_is_not() {
    let long = "María del Carmen ".repeat(9);
    let link = format!("https://clinica.example/r/{}", "a".repeat(400));
    let cut = values(&[(Variable::Paciente, &long), (Variable::EnlaceBaja, &link)]);
    assert_eq!(cut.get(Variable::Paciente), Some("María del Carmen María del Carmen…"));
    assert_eq!(cut.get(Variable::EnlaceBaja), Some(link.as_str()));
}

#[test]
fn a_subject_is_one_line_whatever_it_was_given() {
    let mut copy = template(TemplateChannel::Email, "PARAR");
    copy.subject = Some(Text::parse("Hola {{paciente}}\r\n a  todos").unwrap());
    let rendered = copy.render(&values(&[(Variable::Paciente, "Ana\r\nBcc: otra@x.example")])).unwrap();
    assert_eq!(rendered.subject.unwrap(), "Hola Ana Bcc: otra@x.example a todos");
}

#[test]
fn an_email_has_accessible_html_with_everything_escaped() {
    let copy =
        template(TemplateChannel::Email, "Hola {{paciente}} & co:\n\n{{clinica}}\nsigue\n\nLink: {{enlace_reserva}}");
    let html = copy
        .render(&values(&[
            (Variable::Paciente, "<b onclick='x'>\"Ana\"</b>"),
            (Variable::Clinica, "Austral"),
            (Variable::EnlaceReserva, "https://c.example/r?a=1&b=\"2\""),
        ]))
        .unwrap()
        .html
        .unwrap();
    assert!(html.starts_with("<!doctype html>\n<html lang=\"es-AR\">"), "{html}");
    assert!(html.contains("&lt;b onclick=&#39;x&#39;&gt;&quot;Ana&quot;&lt;/b&gt; &amp; co:</p>"));
    assert!(html.contains("<title>Hola &lt;b"), "{html}");
    assert!(html.contains("Austral<br>\nsigue</p>"), "{html}");
    assert!(html.contains("<a href=\"https://c.example/r?a=1&amp;b=&quot;2&quot;\""), "{html}");
    assert!(html.contains(">Elegir mi horario</a>"), "{html}");
    assert_eq!(html.matches("<p ").count(), 3, "{html}");
}

#[test]
fn only_web_addresses_become_anchors() {
    let copy = template(TemplateChannel::Email, "x {{enlace_reserva}}");
    let script = values(&[(Variable::Paciente, "Ana"), (Variable::EnlaceReserva, "javascript:alert(1)")]);
    let html = copy.render(&script).unwrap().html.unwrap();
    assert!(!html.contains("<a "), "{html}");
}

#[test]
fn debug_output_holds_no_value() {
    let known = values(&[(Variable::Paciente, "Ana"), (Variable::Clinica, "Austral")]);
    let rendered = template(TemplateChannel::Email, "Hola {{paciente}}").render(&known).unwrap();
    let shown = format!("{known:?} {rendered:?}");
    assert!(!shown.contains("Ana") && !shown.contains("Austral"), "{shown}");
}

const BRACES: [char; 2] = ['{', '}'];

fn source() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[{}]{1,3}",
        proptest::sample::select(&Variable::ALL[..]).prop_map(|v| format!("{{{{{v}}}}}")),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_source_and_no_values_break_a_message(
        source in source(),
        given in proptest::collection::vec(source_or_any(), Variable::ALL.len()),
    ) {
        let Ok(text) = Text::parse(&source) else { return Ok(()) };
        let again = Text::parse(&text.source());
        prop_assert_eq!(again.as_ref(), Ok(&text));
        let mut copy = template(TemplateChannel::Email, "x");
        copy.body = text;
        let mut known = Values::default();
        for (variable, value) in Variable::ALL.into_iter().zip(given) {
            known.set(variable, value);
        }
        match copy.render(&known) {
            Ok(rendered) => {
                let subject = rendered.subject.unwrap_or_default();
                prop_assert!(!rendered.text.contains(BRACES));
                prop_assert!(!subject.contains(BRACES) && !subject.contains(['\r', '\n']));
                prop_assert!(!rendered.html.unwrap_or_default().contains(BRACES));
                prop_assert_eq!(rendered.parameters.len(), copy.body.variables().count());
                for value in rendered.parameters {
                    prop_assert!(!value.contains(['\n', '\t']) && !value.contains("  "));
                }
            }
            Err(unfilled) => {
                prop_assert!(unfilled.variables.iter().all(|v| known.get(*v).is_none()));
            }
        }
    }
}

fn source_or_any() -> impl Strategy<Value = String> {
    prop_oneof![source(), any::<String>(), "[A-Z][a-z]{1,60}( [a-z]+){0,9}"]
}
