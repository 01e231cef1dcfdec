#![expect(clippy::unwrap_used, reason = "a test that cannot build its input fails")]

use super::*;
use crate::language::Language;

/// A copy with nothing wrong with it.
const GOOD: &str = "Hola {{paciente}}, de {{clinica}}. Respondé SÍ y te paso horarios. \
                    Si no querés más, respondé PARAR.";

fn copy(channel: TemplateChannel, body: &str) -> Template {
    let is_email = channel == TemplateChannel::Email;
    Template {
        key: "preventivo-6-12m/d1".into(),
        version: 1,
        channel,
        language: Language::EsAr,
        dated: false,
        clinical_detail: false,
        subject: is_email.then(|| Text::parse("{{paciente}}, tu control").unwrap()),
        body: Text::parse(body).unwrap(),
        buttons: Vec::new(),
    }
}

fn whatsapp(body: &str) -> Vec<LintFinding> {
    lint(&copy(TemplateChannel::Whatsapp, body))
}

fn blaming(language: Language, body: &str) -> Vec<LintFinding> {
    lint(&Template { language, ..copy(TemplateChannel::Whatsapp, body) })
}

#[test]
fn a_good_copy_has_no_findings() {
    assert_eq!(whatsapp(GOOD), []);
}

#[test]
fn the_opt_out_is_the_word_itself() {
    for broken in ["parar", "PARARé", "BAJA"] {
        assert_eq!(
            lint(&copy(TemplateChannel::Whatsapp, &format!("Hola. Contestá SÍ, {broken}. {{{{clinica}}}} saluda"))),
            [LintFinding::MissingOptOut],
            "{broken}"
        );
    }
}

#[test]
fn a_copy_asks_for_one_thing() {
    assert_eq!(
        whatsapp("Hola {{paciente}}, te saludamos. Si no querés más, respondé PARAR."),
        [LintFinding::NoCallToAction]
    );
    let two = format!("Llamanos al {{{{contacto_clinica}}}} cuando quieras. {GOOD}");
    assert_eq!(whatsapp(&two), [LintFinding::SeveralCallsToAction { count: 2 }]);
    let called = copy(TemplateChannel::Call, &two);
    assert_eq!(lint(&called), []);
}

#[test]
fn the_booking_link_is_a_call_to_action_and_the_unsubscribe_link_none() {
    let body = "Tu horario: {{enlace_reserva}}\nPARAR o escribinos acá: {{enlace_baja}}";
    assert_eq!(lint(&copy(TemplateChannel::Email, body)), []);
}

#[test]
fn an_email_needs_its_unsubscribe_link() {
    assert_eq!(lint(&copy(TemplateChannel::Email, GOOD)), [LintFinding::MissingUnsubscribeLink]);
}

#[test]
fn a_whatsapp_body_must_fit_with_its_longest_values() {
    // paciente and clinica may take 40 and 60 characters.
    let words = GOOD.replace("{{paciente}}", "").replace("{{clinica}}", "");
    let room = WHATSAPP_BODY_CHARS_MAX - words.chars().count() - 100;
    assert_eq!(whatsapp(&format!("{}{GOOD}", "a".repeat(room))), []);
    assert_eq!(
        whatsapp(&format!("{}{GOOD}", "a".repeat(room + 1))),
        [LintFinding::TooLong { part: LimitedPart::WhatsappBody, length: 1025, limit: 1024 }]
    );
}

#[test]
fn a_button_must_fit() {
    let mut template = copy(TemplateChannel::Whatsapp, GOOD);
    template.buttons = vec!["Sí, pasame horarios".into(), "Sí, pasame los horarios".into()];
    assert_eq!(lint(&template), [LintFinding::TooLong { part: LimitedPart::Button, length: 23, limit: 20 }]);
}

#[test]
fn a_subject_must_fit() {
    let body = format!("{GOOD} {{{{enlace_baja}}}}");
    let mut template = copy(TemplateChannel::Email, &body);
    template.subject = Some(Text::parse(&format!("{{{{paciente}}}}{}", "a".repeat(39))).unwrap());
    assert_eq!(lint(&template), [LintFinding::TooLong { part: LimitedPart::Subject, length: 79, limit: 78 }]);
}

#[test]
fn a_text_message_is_counted_in_segments() {
    // Accents are left out of what is sent, so they cost nothing; an emoji does.
    let body = format!("{GOOD} {}", "í".repeat(400));
    assert_eq!(
        lint(&copy(TemplateChannel::Sms, &body)),
        [LintFinding::TooLong { part: LimitedPart::SmsSegments, length: 4, limit: 3 }]
    );
    let body = format!("{GOOD} 😀{}", "a".repeat(30));
    assert_eq!(
        lint(&copy(TemplateChannel::Sms, &body)),
        [LintFinding::TooLong { part: LimitedPart::SmsSegments, length: 4, limit: 3 }]
    );
    let plain = "Hola {{paciente}}, hay lugar en {{clinica}}. Llamanos. Para no recibir: PARAR";
    assert_eq!(lint(&copy(TemplateChannel::Sms, plain)), []);
}

#[test]
fn whatsapp_variables_stand_among_words() {
    let bare = GOOD.trim_start_matches("Hola ");
    assert_eq!(whatsapp(bare), [LintFinding::LeadingVariable(Variable::Paciente)]);
    assert_eq!(whatsapp(&format!("{GOOD} {{{{agente}}}} ")), [LintFinding::TrailingVariable(Variable::Agente)]);
    assert_eq!(
        whatsapp(&GOOD.replace(", de ", ", ")),
        [LintFinding::AdjacentVariables(Variable::Paciente, Variable::Clinica)]
    );
}

#[test]
fn a_service_or_procedure_needs_the_flag() {
    for (body, what) in [
        (GOOD.replace("Hola", "Hola, por {{servicio}} te escribo:"), "servicio"),
        (GOOD.replace("Hola", "Por tu Cirugía, hola"), "cirug"),
        (GOOD.replace("Hola", "Implantes: hola"), "implant"),
    ] {
        let mut template = copy(TemplateChannel::Whatsapp, &body);
        let what = what.to_owned();
        assert_eq!(lint(&template), [LintFinding::ClinicalDetail { what }], "{body}");
        template.clinical_detail = true;
        assert_eq!(lint(&template), [], "{body}");
    }
}

#[test]
fn nobody_is_blamed_in_any_language() {
    let spanish =
        |reply: &str, blame: &str| format!("Hola {{{{paciente}}}}: {blame} a tu turno. {reply} SÍ. {reply} PARAR.");
    let cases = [
        (Language::EsAr, spanish("Respondé", "OTRA vez faltaste"), "otra vez faltaste"),
        (Language::EsAr, spanish("Respondé", "no viniste"), "no viniste"),
        (Language::EsEs, spanish("Responde", "no has venido"), "no has venido"),
        (Language::EsMx, spanish("Responda", "no se presento"), "no se presentó"),
        (Language::EsCl, spanish("Responda", "usted faltó"), "usted faltó"),
        (Language::PtBr, spanish("Responda", "você faltou"), "você faltou"),
        (Language::PtBr, spanish("Responda", "Voce faltou"), "você faltou"),
    ];
    for (language, body, phrase) in cases {
        let phrase = phrase.to_owned();
        assert_eq!(blaming(language, &body), [LintFinding::ShamingTone { phrase }], "{body}");
    }
}

#[test]
fn a_subject_is_listened_to_as_well() {
    let body = format!("{GOOD} {{{{enlace_baja}}}}");
    let mut template = copy(TemplateChannel::Email, &body);
    template.subject = Some(Text::parse("No viniste").unwrap());
    let phrase = "no viniste".to_owned();
    assert_eq!(lint(&template), [LintFinding::ShamingTone { phrase }]);
}

#[test]
fn nobody_is_shouted_at() {
    for (shout, what) in [("Hola", "URGENTE"), ("Hola", "Dale!!!"), ("Hola", "¡¡dale!")] {
        let findings = whatsapp(&GOOD.replace(shout, what));
        let what = match what {
            "URGENTE" => "URGENTE",
            "Dale!!!" => "!!",
            _ => "¡¡",
        };
        assert_eq!(findings, [LintFinding::Shouting { what: what.into() }]);
    }
    assert_eq!(whatsapp(&GOOD.replace("Hola", "Hola, IMSS y OSDE,")), []);
}

#[test]
fn every_finding_says_what_it_is() {
    let finding = LintFinding::TooLong { part: LimitedPart::Subject, length: 80, limit: 78 };
    assert_eq!(finding.to_string(), "Subject can reach 80, at most 78 pass");
    assert_eq!(LintFinding::MissingOptOut.to_string(), "does not say how to stop (PARAR)");
}
