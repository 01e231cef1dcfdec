//! Who the patients are, how they can be reached and what they agreed to.

use chrono::NaiveDate;

use super::history::before;
use super::words::{Draw, Words};

/// Every so many patients, one is of the family of the one before and shares the phone.
const FAMILY_EVERY: u64 = 12;

pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) email: String,
    pub(super) insurer: String,
    pub(super) lead_source: String,
}

impl Person {
    pub(super) fn new(words: &Words, language: &str, seed: u64, number: u64) -> Self {
        let household = if number % FAMILY_EVERY == 1 { number - 1 } else { number };
        // A stream beside that of the visits, and one for what the family has together.
        let mut shared = Draw::new(seed ^ 0xF000, household);
        let mut own = Draw::new(seed ^ 0x9000, number);
        let last_name = shared.word(&words.last_names);
        let phone = phone(words, language, household, &mut shared);
        let first_name = own.word(&words.first_names);
        Self {
            id: format!("P{number:04}"),
            email: email(&first_name, &last_name, number, &mut own),
            name: format!("{first_name} {last_name}"),
            phone,
            insurer: if own.percent(55) { own.word(&words.insurers) } else { String::new() },
            lead_source: if own.percent(40) { own.word(&words.lead_sources) } else { String::new() },
        }
    }

    /// What the patient agreed to; said first within ten days before the first visit.
    pub(super) fn consent(&self, first_day: NaiveDate, today: NaiveDate, draw: &mut Draw) -> Consent {
        let agreed = before(first_day, draw.between(0, 10));
        let since = today.signed_duration_since(agreed).num_days().unsigned_abs();
        let withdrawn = before(today, draw.between(1, since.max(1)));
        let channels = |names| Consent { agreed: Some((agreed, names)), withdrawn: None };
        match draw.between(0, 99) {
            0..=62 => channels(""),
            63..=72 => channels(" whatsapp"),
            73..=77 => channels(" email"),
            78..=81 => channels(" whatsapp,email"),
            82..=83 => channels(" call"),
            84..=87 => Consent { agreed: Some((agreed, "")), withdrawn: Some(withdrawn) },
            88..=91 => Consent { agreed: None, withdrawn: Some(agreed) },
            _ => Consent { agreed: None, withdrawn: None },
        }
    }
}

/// What a patient said over time.
pub(super) struct Consent {
    agreed: Option<(NaiveDate, &'static str)>,
    withdrawn: Option<NaiveDate>,
}

impl Consent {
    /// The statement in force when the row was written, as the cell has it.
    pub(super) fn on(&self, day: NaiveDate) -> String {
        match (self.withdrawn, self.agreed) {
            (Some(withdrawn), Some((agreed, channels))) if day < withdrawn => {
                format!("opt-in {agreed}{channels}")
            }
            (Some(withdrawn), _) => format!("opt-out {withdrawn}"),
            (None, Some((agreed, channels))) => format!("opt-in {agreed}{channels}"),
            (None, None) => String::new(),
        }
    }
}

/// A mobile number of one block, in one of the ways people write it, or not one at all.
fn phone(words: &Words, language: &str, household: u64, draw: &mut Draw) -> String {
    // 7 has no factor in common with 10 000, so no two households get the same number.
    let last = household * 7 % 10_000;
    let chance = draw.between(0, 99);
    match (chance, language) {
        (0..=3, _) => String::new(),
        (4..=6, _) => draw.word(&words.bad_phones),
        // Without the ninth digit, as before 2012.
        (7..=12, "pt-BR") => format!("(11) 8555-{last:04}"),
        (13..=35, "pt-BR") => format!("(11) 98555-{last:04}"),
        (_, "pt-BR") => format!("+55 11 98555-{last:04}"),
        // As dialled within the country, with 15 for mobiles.
        (7..=20, _) => format!("011 15 5555-{last:04}"),
        (21..=30, _) => format!("11 5555 {last:04}"),
        _ => format!("+54 9 11 5555 {last:04}"),
    }
}

fn email(first_name: &str, last_name: &str, number: u64, draw: &mut Draw) -> String {
    let name = format!("{}.{}.{number}", plain(first_name), plain(last_name));
    match draw.between(0, 99) {
        0..=29 => String::new(),
        30..=32 => format!("{name}@"),
        33 => format!("{name}@@example.com"),
        34..=79 => format!("{name}@example.com"),
        _ => format!("{name}@example.org"),
    }
}

/// In small letters without accents, as in an address.
fn plain(name: &str) -> String {
    let letters = name.chars().flat_map(char::to_lowercase).map(|letter| match letter {
        'á' | 'à' | 'â' | 'ã' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    });
    letters.filter(char::is_ascii_lowercase).collect()
}
