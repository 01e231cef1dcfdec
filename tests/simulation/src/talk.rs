//! What patients say, and what they mean by it — as they know it, not as the product understands it.

use crate::chance::Chance;
use crate::clinic::CANARY;

/// What somebody means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meant {
    /// No more messages.
    Out,
    /// Messages again.
    In,
    /// This is somebody else's number.
    Wrong,
    /// The patient has died.
    Deceased,
    /// One of the dates that were offered.
    Option,
    /// To come.
    Come,
    /// Another day.
    OtherDay,
    /// Not to come.
    No,
    /// The visit is off.
    Cancel,
    /// Pain, blood, fever.
    Unwell,
    /// Something else.
    Else,
}

impl Meant {
    /// The handler's name in reports: where crashes are counted.
    #[must_use]
    pub fn handler(self) -> &'static str {
        match self {
            Self::Out => "take in opt-out",
            Self::In => "take in opt-in",
            Self::Wrong | Self::Deceased => "take in farewell",
            Self::Option => "take in option",
            Self::Come | Self::OtherDay => "take in wish",
            Self::Cancel => "take in cancel",
            Self::No | Self::Unwell | Self::Else => "take in words",
        }
    }

    /// Whether nobody may write there afterwards.
    #[must_use]
    pub fn stops(self) -> bool {
        matches!(self, Self::Out | Self::Wrong | Self::Deceased)
    }
}

const OUT: [&str; 14] = [
    "PARAR",
    "parar",
    "Parar.",
    "BAJA",
    "baja por favor",
    "STOP",
    "SAIR",
    "sair!",
    "no me escriban más",
    "no quiero recibir más mensajes",
    "não quero mais receber mensagens",
    "descadastrar",
    "dar de baja",
    "PARAR 🙏",
];
const IN: [&str; 3] = ["ALTA", "alta", "quiero volver a recibir mensajes"];
const WRONG: [&str; 3] = ["número equivocado", "numero errado", "se equivocaron de número"];
const DECEASED: [&str; 2] = ["falleció hace un mes", "ela faleceu"];
const OPTION: [&str; 8] = ["1", "2", "la 1", "el 2", "opción 1", "opção 2", "1 por favor", "2️⃣"];
const COME: [&str; 6] = ["quiero un turno", "quero marcar", "sí", "sim", "dale", "me gustaría agendar una cita"];
const OTHER: [&str; 5] =
    ["otro día", "no puedo esos días, el jueves a la tarde?", "semana que vem", "el viernes a la mañana", "outro dia"];
const NO: [&str; 4] = ["no gracias", "no, gracias", "não, obrigado", "ahora no"];
const CANCEL: [&str; 3] = ["quiero cancelar el turno", "preciso cancelar a consulta", "cancelar mi cita"];
const UNWELL: [&str; 3] = ["tengo mucho dolor y fiebre", "estou com muita dor", "me sangra la encía"];

/// Draws what somebody who was written to says.
#[must_use]
pub fn says(chance: &mut Chance) -> (Meant, String) {
    let one = |of: &[&'static str], chance: &mut Chance| chance.pick(of, "hola").to_owned();
    let meant = match chance.below(100) {
        0..=9 => Meant::Out,
        10..=13 => Meant::In,
        14 => Meant::Wrong,
        15 => Meant::Deceased,
        16..=50 => Meant::Option,
        51..=65 => Meant::Come,
        66..=75 => Meant::OtherDay,
        76..=80 => Meant::No,
        81..=88 => Meant::Cancel,
        89..=91 => Meant::Unwell,
        _ => Meant::Else,
    };
    let text = match meant {
        Meant::Out => one(&OUT, chance),
        Meant::In => one(&IN, chance),
        Meant::Wrong => one(&WRONG, chance),
        Meant::Deceased => one(&DECEASED, chance),
        Meant::Option => one(&OPTION, chance),
        Meant::Come => one(&COME, chance),
        Meant::OtherDay => one(&OTHER, chance),
        Meant::No => one(&NO, chance),
        Meant::Cancel => one(&CANCEL, chance),
        Meant::Unwell => one(&UNWELL, chance),
        // Whatever nobody can read names a person, so that it is heard where it may not be.
        Meant::Else => format!("{CANARY} pregunta por lo de la otra vez, {}", chance.between(1, 999)),
    };
    (meant, text)
}

#[cfg(test)]
mod tests {
    use super::{CANCEL, DECEASED, IN, OUT, UNWELL, WRONG};
    use retorno_domain::reply::{Asked, Intent, understand};

    /// The judge counts on these words: nobody could take them for anything else.
    #[test]
    fn what_is_said_is_plain() {
        let today = chrono::NaiveDate::default();
        // As by somebody who has a visit: whoever has none may cancel something else.
        let asked = Asked { booked: true, ..Asked::default() };
        let heard = |text: &str| {
            let reading = understand(text, &asked, today);
            (reading.intent, reading.sure)
        };
        let plain = |texts: &[&str], intent: &Intent| {
            for text in texts {
                assert_eq!(heard(text), (intent.clone(), true), "{text}");
            }
        };
        for text in OUT {
            let (intent, sure) = heard(text);
            assert!(sure && matches!(intent, Intent::OptOut | Intent::StopAll), "{text}");
        }
        plain(&IN, &Intent::OptIn);
        plain(&WRONG, &Intent::WrongPerson);
        plain(&DECEASED, &Intent::Deceased);
        plain(&CANCEL, &Intent::Cancel);
        plain(&UNWELL, &Intent::Urgent);
    }
}
