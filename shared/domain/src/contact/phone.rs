//! Telephone numbers as people write them, read with the numbering plan of their country.
//!
//! The plan is libphonenumber's, by way of `rlibphonenumber`; the rules written here are the ones
//! it does not have: what Brazil, Argentina and Mexico changed in their numbers and clinics' files
//! have not.

use rlibphonenumber::{ParseError, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region, ValidationError};
use serde::{Deserialize, Serialize};

use super::E164;
use super::dialled::{Dialled, dialled};
use crate::holiday::Country;

/// What kind of line a number is, as far as its country's numbering plan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A mobile.
    Mobile,
    /// A landline, or a number without a place such as voice over IP.
    Fixed,
    /// The plan does not tell: all of Mexico and Chile.
    Either,
}

/// A number that can exist, and the kind of line it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Phone {
    /// The number.
    pub e164: E164,
    /// Its kind.
    pub line: Line,
}

/// Why a text cannot be used as a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum UnusablePhone {
    /// Nothing there, or only punctuation.
    #[error("no telephone number")]
    Missing,
    /// Words, or signs that no number has.
    #[error("not a telephone number")]
    NotANumber,
    /// Digits are lacking; a number without its area code is one.
    #[error("a telephone number with too few digits")]
    TooShort,
    /// Too many digits; two numbers in one cell are one.
    #[error("a telephone number with too many digits")]
    TooLong,
    /// The right length, but no line of that country has such a number, or it is a line nobody
    /// lives behind (toll-free, premium rate, a company's).
    #[error("a telephone number that does not exist")]
    Invalid,
}

impl UnusablePhone {
    /// Its name in records and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotANumber => "not_a_number",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Invalid => "invalid",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        let all = [Self::Missing, Self::NotANumber, Self::TooShort, Self::TooLong, Self::Invalid];
        all.into_iter().find(|why| why.code() == code)
    }
}

impl Line {
    /// Its name in records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Fixed => "fixed",
            Self::Either => "either",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        [Self::Mobile, Self::Fixed, Self::Either].into_iter().find(|line| line.code() == code)
    }
}

impl Phone {
    /// Reads a number as a clinic of `country` writes it: national, or international after a plus,
    /// `00` or the bare calling code.
    ///
    /// - Brazil: the 9 that mobiles got in 2012 to 2016 is put in where it lacks (after the area
    ///   code, when the subscriber's eight digits begin with 6 to 9); a trunk 0, with or without a
    ///   carrier's code, is taken off.
    /// - Argentina: `011 15 …` and `+54 11 15 …` become `+54 9 11 …`. A number with neither the 15
    ///   nor the 9 stays the landline it says it is: it may be a mobile, but may as well be someone
    ///   else's landline.
    /// - Mexico: the 1 after 52 and the prefixes 044, 045 and 01, gone since 2019, are taken off.
    ///
    /// # Errors
    /// [`UnusablePhone`], which says what is wrong and never what was read.
    pub fn parse(raw: &str, country: Country) -> Result<Self, UnusablePhone> {
        let Dialled { digits, international } = dialled(raw)?;
        if international {
            return parse_international(&digits);
        }
        if let Some(rest) = digits.strip_prefix("00") {
            return parse_international(rest);
        }
        match parse_national(&digits, country) {
            // The bare calling code comes second: `55…` may be an area code of Brazil.
            Err(why) if digits.starts_with(country.calling_code()) => parse_international(&digits).map_err(|_| why),
            read => read,
        }
    }

    /// Whether a WhatsApp account may be behind it.
    #[must_use]
    pub const fn can_whatsapp(&self) -> bool {
        match self.line {
            Line::Mobile | Line::Either => true,
            Line::Fixed => false,
        }
    }

    /// Whether a person can call it: always, whatever the line.
    #[must_use]
    pub const fn can_call(&self) -> bool {
        true
    }

    /// The digits under which the same line may write to us: [`E164::aliases`].
    #[must_use]
    pub fn aliases(&self) -> Vec<String> {
        self.e164.aliases()
    }
}

/// Digits with the calling code and without plus or zeros.
fn parse_international(digits: &str) -> Result<Phone, UnusablePhone> {
    let of = |country: Country| digits.strip_prefix(country.calling_code());
    if let Some(national) = of(Country::Br) {
        return brazilian(national);
    }
    if let Some(national) = of(Country::Ar) {
        return argentine(national);
    }
    if let Some(national) = of(Country::Mx) {
        return mexican(national);
    }
    look_up(&format!("+{digits}"), None)
}

/// Digits as dialled within the country.
fn parse_national(digits: &str, country: Country) -> Result<Phone, UnusablePhone> {
    match country {
        Country::Br => brazilian(digits),
        Country::Ar => argentine(digits),
        Country::Mx => mexican(digits),
        Country::Cl => look_up(digits, Some(Region::CL)),
        Country::Co => look_up(digits, Some(Region::CO)),
        Country::Es => look_up(digits, Some(Region::ES)),
        Country::Pe => look_up(digits, Some(Region::PE)),
        Country::Uy => look_up(digits, Some(Region::UY)),
    }
}

fn brazilian(dialled: &str) -> Result<Phone, UnusablePhone> {
    let national = match dialled.strip_prefix('0') {
        // After the trunk 0 two digits may choose a carrier, before area code and number.
        Some(rest) if rest.len() >= 12 => rest.get(2..).unwrap_or(rest),
        Some(rest) => rest,
        None => dialled,
    };
    look_up(with_nine(national).as_deref().unwrap_or(national), Some(Region::BR)).map_err(|why| {
        // The plan has short numbers of companies, so it calls these merely nonexistent.
        match (why, national.len(), national.starts_with('9')) {
            (UnusablePhone::Invalid, 8, _) | (UnusablePhone::Invalid, 9, true) => UnusablePhone::TooShort,
            _ => why,
        }
    })
}

/// A Brazilian mobile's area code and number with the 9 it lacks.
fn with_nine(national: &str) -> Option<String> {
    let (area, subscriber) = national.split_at_checked(2)?;
    let lacks = subscriber.len() == 8 && subscriber.starts_with(['6', '7', '8', '9']);
    lacks.then(|| format!("{area}9{subscriber}"))
}

fn argentine(dialled: &str) -> Result<Phone, UnusablePhone> {
    // Both marks of a mobile at once, 9 11 15 …: without the 9 the plan's own reading of 15 holds.
    match dialled.strip_prefix('9') {
        Some(rest) if rest.len() == 12 => look_up(rest, Some(Region::AR)),
        _ => look_up(dialled, Some(Region::AR)),
    }
}

fn mexican(dialled: &str) -> Result<Phone, UnusablePhone> {
    let national = ["044", "045", "01", "1"]
        .into_iter()
        .filter_map(|prefix| dialled.strip_prefix(prefix))
        .find(|rest| rest.len() == 10);
    look_up(national.unwrap_or(dialled), Some(Region::MX))
}

/// What the plan makes of the digits. It still knows some Brazilian mobiles without the 9, and may
/// come upon one anywhere, by taking off a calling code or a prefix for calls abroad.
fn look_up(digits: &str, region: Option<Region>) -> Result<Phone, UnusablePhone> {
    let read = in_plan(digits, region)?;
    match read.e164.digits().strip_prefix(Country::Br.calling_code()).and_then(with_nine) {
        Some(mobile) => in_plan(&mobile, Some(Region::BR)),
        None => Ok(read),
    }
}

fn in_plan(digits: &str, region: Option<Region>) -> Result<Phone, UnusablePhone> {
    let number = PhoneNumber::parse(digits, region).map_err(|why| not_parsed(&why))?;
    let line = match number.get_type() {
        PhoneNumberType::Mobile => Line::Mobile,
        PhoneNumberType::FixedLineOrMobile => Line::Either,
        PhoneNumberType::FixedLine | PhoneNumberType::VoIP | PhoneNumberType::PersonalNumber => Line::Fixed,
        PhoneNumberType::TollFree
        | PhoneNumberType::PremiumRate
        | PhoneNumberType::SharedCost
        | PhoneNumberType::Pager
        | PhoneNumberType::UAN
        | PhoneNumberType::VoiceMail => return Err(UnusablePhone::Invalid),
        PhoneNumberType::Unknown => return Err(not_valid(&number)),
    };
    let e164 = E164::parse_strict(&number.format_as(PhoneNumberFormat::E164)).map_err(|_| UnusablePhone::Invalid)?;
    Ok(Phone { e164, line })
}

const fn not_parsed(why: &ParseError) -> UnusablePhone {
    match why {
        ParseError::InvalidCountryCode => UnusablePhone::Invalid,
        ParseError::NotANumber(_) => UnusablePhone::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => UnusablePhone::TooShort,
        ParseError::TooLongNsn => UnusablePhone::TooLong,
    }
}

/// What is wrong with a number that has no type: its length, or else that it does not exist.
fn not_valid(number: &PhoneNumber) -> UnusablePhone {
    use rlibphonenumber::NumberLengthType::{IsPossible, IsPossibleLocalOnly};
    match number.is_possible_with_reason() {
        Ok(IsPossible) => UnusablePhone::Invalid,
        // The length of a number dialled within its area: the area code lacks.
        Ok(IsPossibleLocalOnly) | Err(ValidationError::TooShort) => UnusablePhone::TooShort,
        Err(ValidationError::TooLong) => UnusablePhone::TooLong,
        Err(ValidationError::InvalidLength | ValidationError::InvalidCountryCode) => UnusablePhone::Invalid,
    }
}

#[cfg(test)]
mod tests;
