//! What must hold of any text.

use proptest::prelude::*;
use retorno_domain::reply::{Asked, Intent, TEXT_CHARS_MAX, understand};

use crate::{is_opt_out, today};

/// Words that end messages when they stand alone.
const KEYWORDS: [&str; 24] = [
    "parar",
    "pare",
    "paren",
    "parem",
    "baja",
    "stop",
    "salir",
    "sair",
    "alto",
    "no más",
    "dar de baja",
    "darme de baja",
    "no me escriban",
    "no molestar",
    "cancelar suscripción",
    "remover",
    "descadastrar",
    "me remova",
    "não enviar",
    "cancelar inscrição",
    "chega",
    "unsubscribe",
    "opt out",
    "atura",
];

fn any_asked() -> impl Strategy<Value = Asked> {
    (0_u8..4, any::<bool>(), any::<bool>()).prop_map(|(options, booked, confirm)| Asked { options, booked, confirm })
}

/// A keyword as somebody in a hurry types it.
fn keyword() -> impl Strategy<Value = String> {
    let before = prop::sample::select(vec!["", " ", "¡", "🛑 ", "hola ", "\n", "*", "Buenas tardes, "]);
    let after =
        prop::sample::select(vec!["", " ", ".", "!!!", " 🙏", " por favor", "\n", "…", "*", " gracias", " 🚫🚫", ")"]);
    (prop::sample::select(KEYWORDS.to_vec()), any::<u64>(), before, after).prop_map(|(word, bits, before, after)| {
        let plain = |c: char| match c {
            'á' | 'ã' => 'a',
            'ó' => 'o',
            'ç' => 'c',
            c => c,
        };
        let typed = word.chars().enumerate().map(|(at, c)| {
            let c = if bits >> 63 == 0 { plain(c) } else { c };
            if bits >> (at % 62) & 1 == 1 { c.to_uppercase().next().unwrap() } else { c }
        });
        format!("{before}{}{after}", typed.collect::<String>())
    })
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in any::<String>(), asked in any_asked()) {
        let once = understand(&text, &asked, today());
        prop_assert_eq!(once, understand(&text, &asked, today()));
    }

    #[test]
    fn no_mixture_of_words_is_too_much(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "no", "puedo", "el", "martes", "31/2", "99", "25:61", "la", "2", "a", "las", "?", ",", "mañana", "4294967296",
                "0", "entre", "y", "despues", "de", "baja", "dia", "febrero", "30", "👍", "\u{0}", "pm", "ate", "parar",
            ]),
            0..40,
        ),
        asked in any_asked(),
    ) {
        let reading = understand(&words.join(" "), &asked, today());
        if let Intent::Option(number) = reading.intent {
            prop_assert!(!reading.sure || (1..=asked.options).contains(&number));
        }
    }

    #[test]
    fn a_keyword_alone_is_an_opt_out(text in keyword(), asked in any_asked()) {
        prop_assert!(is_opt_out(&understand(&text, &asked, today()).intent), "{}", text);
    }

    #[test]
    fn control_characters_leave_no_trace(text in keyword(), at in any::<prop::sample::Index>()) {
        let mut chars: Vec<char> = text.chars().collect();
        let asked = Asked::default();
        let without = understand(&text, &asked, today());
        chars.insert(at.index(chars.len() + 1), '\u{0}');
        prop_assert_eq!(understand(&chars.into_iter().collect::<String>(), &asked, today()), without);
    }
}

#[test]
fn a_text_is_read_up_to_its_limit() {
    let long = format!("{} parar", "á ".repeat(TEXT_CHARS_MAX));
    assert!(!is_opt_out(&understand(&long, &Asked::default(), today()).intent));
    let within = format!("no me escriban más. {}", "x".repeat(TEXT_CHARS_MAX));
    assert_eq!(understand(&within, &Asked::default(), today()).intent, Intent::StopAll);
}
