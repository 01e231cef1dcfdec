//! Every copy of the catalogue, filled with what patients and clinics are called.

use proptest::prelude::*;
use retorno_domain::catalogue::Catalogue;
use retorno_domain::lint::{SUBJECT_CHARS_MAX, WHATSAPP_BODY_CHARS_MAX, lint};
use retorno_domain::template::{TemplateChannel, Values, Variable};

/// A name, a sentence, a link, or what somebody typed to see what happens.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,400}",
        any::<String>(),
        "[a-zA-ZñáéíÓ ]{1,90}",
        "(\\{\\{[a-z_]{1,12}\\}\\}|[ \t\n<>&\"']){1,20}"
    ]
}

/// A signed link of any clinic is shorter than this.
fn link() -> impl Strategy<Value = String> {
    "https://[a-z]{3,40}\\.example/l/[A-Za-z0-9_-]{60,120}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// What passes the lint fits its channel once filled, whatever it is filled with.
    #[test]
    fn what_passes_the_lint_fits_when_filled(
        given in prop::collection::vec(value(), Variable::ALL.len()), links in (link(), link()),
    ) {
        let mut values = Values::default();
        for (variable, text) in Variable::ALL.into_iter().zip(given) {
            values.set(variable, text);
            if values.get(variable).is_none() {
                values.set(variable, "algo");
            }
        }
        values.set(Variable::EnlaceReserva, links.0).set(Variable::EnlaceBaja, links.1);
        for template in Catalogue::embedded().templates() {
            prop_assert_eq!(lint(template), []);
            let rendered = template.render(&values).unwrap();
            prop_assert!(!rendered.text.contains(['{', '}']), "a gap");
            let chars = rendered.text.chars().count();
            prop_assert!(template.channel != TemplateChannel::Whatsapp || chars <= WHATSAPP_BODY_CHARS_MAX);
            let subject = rendered.subject.as_deref().unwrap_or("");
            prop_assert!(subject.chars().count() <= SUBJECT_CHARS_MAX && !subject.contains(char::is_control));
            // The parameters, put where the numbers stand, are the text.
            let filled = rendered.parameters.iter().zip(1..).fold(template.whatsapp_body(), |body, (value, n)| {
                body.replacen(&format!("{{{{{n}}}}}"), value, 1)
            });
            prop_assert_eq!(filled, rendered.text);
        }
    }
}

#[test]
fn a_copy_without_one_of_its_values_is_never_filled() {
    for template in Catalogue::embedded().templates() {
        for missing in template.variables() {
            let mut values = Values::default();
            for variable in Variable::ALL.into_iter().filter(|variable| *variable != missing) {
                values.set(variable, "algo");
            }
            let refused = template.render(&values).expect_err("a gap");
            assert_eq!(refused.variables, [missing], "{}", template.key);
        }
    }
}
