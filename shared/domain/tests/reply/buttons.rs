//! Presses of buttons, by payload and by title.

use retorno_domain::reply::{Intent, Wish, of_button};

use crate::{asked, today};

fn press(button: &str, short: &str) -> (Intent, bool) {
    let reading = of_button(button, &asked(short), today());
    (reading.intent, reading.sure)
}

#[test]
fn titles_are_read() {
    let cases = [
        ("PARAR", "2", Intent::OptOut),
        ("Parar", "2", Intent::OptOut),
        ("No, gracias", "2", Intent::No),
        ("Ahora no", "-", Intent::No),
        ("Agora não", "-", Intent::No),
        ("Opción 1", "2", Intent::Option(1)),
        ("Opção 2", "2", Intent::Option(2)),
        ("Sí, quiero horarios", "-", Intent::Yes),
        ("Sí, pasame horarios", "-", Intent::Yes),
        ("Sí, quiero hora", "-", Intent::Yes),
        ("Sim, quero horários", "-", Intent::Yes),
        ("Confirmo", "bc", Intent::Yes),
        ("Otro horario", "2", Intent::OtherTime(Wish::default())),
        ("Reprogramar", "bc", Intent::Reschedule),
        ("Cancelar turno", "bc", Intent::Cancel),
    ];
    for (title, short, expected) in cases {
        assert_eq!(press(title, short), (expected, true), "{title}");
    }
}

#[test]
fn payloads_are_codes() {
    let codes = ["opt_out", "stop_all", "opt_in", "stop_reminders", "yes", "no", "other_time", "reschedule", "cancel"];
    for code in codes {
        let (intent, sure) = press(code, "2");
        assert_eq!((intent.code(), sure), (code, true));
        assert_eq!(press(&code.to_uppercase(), "2"), (intent, true));
    }
    assert_eq!(press("option_2", "2"), (Intent::Option(2), true));
    assert_eq!(press("option_2", "1"), (Intent::Option(2), false), "that slot is no longer open");
    assert_eq!(press("STOP", "-"), (Intent::OptOut, true));
}
