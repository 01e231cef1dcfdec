//! What is stored of a phone that staff noted: nothing for almost everybody.

use retorno_domain::contact::{E164, Line, PersonName, Phone, UnusablePhone};
use retorno_domain::noted::{NotedPhone, ToldPhone};

use super::item::{Item, Reader, ms, s};
use crate::error::CloudError;

/// When it was noted, the phone, what the export said then and last, and the guardian whose it is.
const NOTED: [&str; 5] = ["noted_at", "noted", "noted_was", "noted_told", "noted_of"];

/// A phone as one text: its number and kind of line, or why it is of no use.
fn phone_text(phone: &ToldPhone) -> String {
    match phone {
        Ok(phone) => format!("{} {}", phone.e164.as_str(), phone.line.code()),
        Err(why) => why.code().to_owned(),
    }
}

fn phone_of(text: &str) -> Option<ToldPhone> {
    match text.split_once(' ') {
        Some((number, line)) => Some(Ok(Phone { e164: E164::parse_strict(number).ok()?, line: Line::of_code(line)? })),
        None => UnusablePhone::of_code(text).map(Err),
    }
}

pub(super) fn noted_attributes(item: &mut Item, noted: Option<&NotedPhone>) {
    let Some(noted) = noted else { return };
    let [at, phone, was, told, of] = NOTED;
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put(at, ms(noted.at));
    put(phone, s(phone_text(&Ok(noted.phone.clone()))));
    put(was, s(phone_text(&noted.in_place_of)));
    put(told, s(phone_text(&noted.told)));
    if let Some(guardian) = &noted.guardian {
        put(of, s(guardian.as_str()));
    }
}

pub(super) fn noted_of(reader: &Reader<'_>) -> Result<Option<NotedPhone>, CloudError> {
    let [at, phone, was, told, of] = NOTED;
    let Some(at) = reader.instant_opt(at)? else { return Ok(None) };
    let guardian = match reader.text_opt(of) {
        Some(text) => Some(PersonName::parse(text).map_err(|_| reader.corrupt(of))?),
        None => None,
    };
    Ok(Some(NotedPhone {
        phone: reader.parse(phone, |text| phone_of(text)?.ok())?,
        at,
        guardian,
        in_place_of: reader.parse(was, phone_of)?,
        told: reader.parse(told, phone_of)?,
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use retorno_domain::holiday::Country;

    use super::*;

    #[test]
    fn what_was_noted_comes_back() {
        let phone = Phone::parse("+54 9 11 5555-1234", Country::Ar).unwrap();
        let noted = NotedPhone {
            phone: phone.clone(),
            at: chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            guardian: PersonName::parse("Carolina Paz").ok(),
            in_place_of: Err(UnusablePhone::Missing),
            told: Ok(phone),
        };
        let mut item = Item::new();
        noted_attributes(&mut item, Some(&noted));
        assert_eq!(noted_of(&Reader { kind: "patient", item: &item }).unwrap(), Some(noted.clone()));
        assert!(!format!("{noted:?}").contains("Carolina"));
        assert_eq!(noted_of(&Reader { kind: "patient", item: &Item::new() }).unwrap(), None);
    }
}
