//! What is stored of a person's coming of age and guardian. Only what there is takes room: most patients
//! have neither, and what was told in the row of the profile needs no date of its own.

use retorno_domain::contact::{E164, EmailAddress, Line, PersonName, Phone, UnusableEmail, UnusablePhone};
use retorno_domain::guardian::{AsOf, Guardian, Guardianship, Told};
use retorno_domain::ids::AppointmentId;

use super::item::{Item, Reader, ms, s};
use crate::error::CloudError;

/// What is known of the coming of age: the attributes of its day and of when it was told.
const AGE: [&str; 3] = ["age_on", "age_at", "age_by"];
/// Whether there is a guardian, and when that was told.
const GUARDIAN: [&str; 3] = ["tu", "tu_at", "tu_by"];
const ONE: &str = "1";
const NONE: &str = "0";

pub(super) fn guardianship_attributes(item: &mut Item, known: &Guardianship, profile: &AsOf) {
    let mut put = |name: &str, value: &str| item.insert(name.to_owned(), s(value));
    let ([age_on, ..], [there, ..]) = (AGE, GUARDIAN);
    if let Some(told) = &known.of_age {
        put(age_on, &told.what.to_string());
    }
    if let Some(told) = &known.guardian {
        put(there, if told.what.is_some() { ONE } else { NONE });
        if let Some(guardian) = &told.what {
            if let Some(name) = &guardian.name {
                put("tu_name", name.as_str());
            }
            match &guardian.phone {
                Ok(phone) => {
                    put("tu_phone", phone.e164.as_str());
                    put("tu_line", phone.line.code())
                }
                Err(why) => put("tu_phone_bad", why.code()),
            };
            match &guardian.email {
                Ok(email) => put("tu_email", email.as_str()),
                Err(why) => put("tu_email_bad", why.code()),
            };
        }
    }
    let age = known.of_age.as_ref().map(|told| (AGE, &told.as_of));
    let guardian = known.guardian.as_ref().map(|told| (GUARDIAN, &told.as_of));
    for ([_, at, by], as_of) in [age, guardian].into_iter().flatten().filter(|(_, as_of)| *as_of != profile) {
        item.insert(at.to_owned(), ms(as_of.0));
        item.insert(by.to_owned(), s(as_of.1.as_str()));
    }
}

pub(super) fn guardianship_of(reader: &Reader<'_>, profile: &AsOf) -> Result<Guardianship, CloudError> {
    let [age_on, age_at, age_by] = AGE;
    let of_age = match reader.text_opt(age_on) {
        Some(text) => Some(Told {
            what: text.parse().map_err(|_| reader.corrupt(age_on))?,
            as_of: as_of(reader, age_at, age_by, profile)?,
        }),
        None => None,
    };
    let [there, at, by] = GUARDIAN;
    let guardian = match reader.text_opt(there) {
        Some(ONE) => Some(Some(Box::new(guardian_of(reader)?))),
        Some(_) => Some(None),
        None => None,
    };
    let guardian = match guardian {
        Some(what) => Some(Told { what, as_of: as_of(reader, at, by, profile)? }),
        None => None,
    };
    Ok(Guardianship { of_age, guardian })
}

fn as_of(reader: &Reader<'_>, at: &'static str, by: &'static str, profile: &AsOf) -> Result<AsOf, CloudError> {
    match reader.instant_opt(at)? {
        Some(instant) => Ok((instant, reader.parse(by, |text| AppointmentId::parse(text).ok())?)),
        None => Ok(profile.clone()),
    }
}

fn guardian_of(reader: &Reader<'_>) -> Result<Guardian, CloudError> {
    let name = match reader.text_opt("tu_name") {
        Some(text) => Some(PersonName::parse(text).map_err(|_| reader.corrupt("tu_name"))?),
        None => None,
    };
    let phone = match reader.text_opt("tu_phone") {
        Some(text) => Ok(Phone {
            e164: E164::parse_strict(text).map_err(|_| reader.corrupt("tu_phone"))?,
            line: reader.parse("tu_line", Line::of_code)?,
        }),
        None => Err(reader.parse("tu_phone_bad", UnusablePhone::of_code)?),
    };
    let email = match reader.text_opt("tu_email") {
        Some(text) => Ok(EmailAddress::parse(text).map_err(|_| reader.corrupt("tu_email"))?),
        None => Err(reader.parse("tu_email_bad", UnusableEmail::of_code)?),
    };
    Ok(Guardian { name, phone, email })
}
