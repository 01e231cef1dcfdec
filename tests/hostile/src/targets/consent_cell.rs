//! A statement of consent as a cell has it.

use chrono::Datelike as _;
use export_importer::export::{ConsentCell, ConsentChannel, ConsentChannels};

/// The bytes are the cell.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<ConsentCell>() {
        Ok(cell) => {
            assert!(says(text, &cell), "a consent that nobody wrote");
            assert_eq!(printed(&cell).parse(), Ok(cell), "printed and read again");
        }
        Err(why) => assert!(why.to_string().is_ascii()),
    }
}

/// Whether the words of an agreement stand there. Nothing may be taken for one that is not.
fn says(text: &str, cell: &ConsentCell) -> bool {
    let text = text.to_ascii_lowercase();
    match cell {
        ConsentCell::OptIn { date, channels } => {
            let named = ["whatsapp", "email", "sms", "call"].into_iter().filter(|name| text.contains(name)).count();
            let covered = match channels {
                ConsentChannels::All => 0,
                ConsentChannels::Only(list) => list.len(),
            };
            let is_in = text.contains("opt-in") || text.contains("optin");
            is_in && named == covered && text.contains(&date.to_string()) && (1990..=2100).contains(&date.year())
        }
        ConsentCell::OptOut { date } => {
            (text.contains("opt-out") || text.contains("optout")) && text.contains(&date.to_string())
        }
    }
}

fn printed(cell: &ConsentCell) -> String {
    let word = |channel: &ConsentChannel| match channel {
        ConsentChannel::Whatsapp => "whatsapp",
        ConsentChannel::Email => "email",
        ConsentChannel::Sms => "sms",
        ConsentChannel::Call => "call",
        ConsentChannel::Push => "push",
    };
    match cell {
        ConsentCell::OptIn { date, channels: ConsentChannels::All } => format!("opt-in {date}"),
        ConsentCell::OptIn { date, channels: ConsentChannels::Only(list) } => {
            format!("opt-in {date} {}", list.iter().map(word).collect::<Vec<_>>().join(","))
        }
        ConsentCell::OptOut { date } => format!("opt-out {date}"),
    }
}
