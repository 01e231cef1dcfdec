#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use proptest::prelude::*;

use super::{Line, Phone, UnusablePhone};
use crate::contact::E164;
use crate::holiday::Country;

use Line::{Either, Fixed, Mobile};
use UnusablePhone::{Invalid, Missing, NotANumber, TooLong, TooShort};

/// Numbers as clinics write them, by country. None is anyone's we know of.
const READ: &[(Country, &str, &str, Line)] = &[
    (Country::Ar, "+54 9 11 6323-2292", "+5491163232292", Mobile),
    (Country::Ar, "011 15 7619-7626", "+5491176197626", Mobile),
    (Country::Ar, "(011) 15-7619-7626", "+5491176197626", Mobile),
    (Country::Ar, "11 15 7619 7626", "+5491176197626", Mobile),
    (Country::Ar, "+54 11 15 7619 7626", "+5491176197626", Mobile),
    (Country::Ar, "+54 9 11 15 7619 7626", "+5491176197626", Mobile),
    (Country::Ar, "+54 (011) 15 7619 7626", "+5491176197626", Mobile),
    (Country::Ar, "9 11 7619 7626", "+5491176197626", Mobile),
    (Country::Ar, "549 11 7619 7626", "+5491176197626", Mobile),
    (Country::Ar, "00 54 9 11 7619 7626", "+5491176197626", Mobile),
    (Country::Ar, "0351 15 612-3456", "+5493516123456", Mobile),
    (Country::Ar, "0294 15 412-3456", "+5492944123456", Mobile),
    (Country::Ar, "011 7619-7626", "+541176197626", Fixed),
    (Country::Ar, "11 7619 7626", "+541176197626", Fixed),
    (Country::Ar, "+54 11 4321-5678", "+541143215678", Fixed),
    (Country::Br, "+55 27 98396-2313", "+5527983962313", Mobile),
    (Country::Br, "(27) 91347-0379", "+5527913470379", Mobile),
    (Country::Br, "027929660835", "+5527929660835", Mobile),
    (Country::Br, "+55 27 8090-1481", "+5527980901481", Mobile),
    (Country::Br, "(11) 6123-4567", "+5511961234567", Mobile),
    (Country::Br, "41 9888-7777", "+5541998887777", Mobile),
    (Country::Br, "5527983962313", "+5527983962313", Mobile),
    (Country::Br, "552780901481", "+5527980901481", Mobile),
    (Country::Br, "55 12 7993-8321", "+5512979938321", Mobile), // a 7 that the plan still knows without the 9
    (Country::Br, "+55 55 12 7993-8321", "+5512979938321", Mobile),
    (Country::Br, "55 0 97 7555-4321", "+5597975554321", Mobile),
    (Country::Br, "12 7993-8321", "+5512979938321", Mobile),
    (Country::Br, "0055 27 98396-2313", "+5527983962313", Mobile),
    (Country::Br, "+55 (027) 98396-2313", "+5527983962313", Mobile),
    (Country::Br, "0 15 27 98396-2313", "+5527983962313", Mobile),
    (Country::Br, "0 41 27 3333-4444", "+552733334444", Fixed),
    (Country::Br, "(55) 99912-3456", "+5555999123456", Mobile), // area 55, Santa Maria
    (Country::Br, "(55) 3222-4444", "+555532224444", Fixed),
    (Country::Br, "(27) 3333-4444", "+552733334444", Fixed),
    (Country::Cl, "+56 9 8765 4321", "+56987654321", Either),
    (Country::Cl, "9 8765 4321", "+56987654321", Either),
    (Country::Cl, "56987654321", "+56987654321", Either),
    (Country::Co, "321 123 4567", "+573211234567", Mobile),
    (Country::Co, "+57 601 234 5678", "+576012345678", Fixed),
    (Country::Co, "573211234567", "+573211234567", Mobile),
    (Country::Es, "612 34 56 78", "+34612345678", Mobile),
    (Country::Es, "0034 612 345 678", "+34612345678", Mobile),
    (Country::Es, "34612345678", "+34612345678", Mobile),
    (Country::Es, "91 123 45 67", "+34911234567", Fixed),
    (Country::Mx, "+52 55 1234 5678", "+525512345678", Either),
    (Country::Mx, "+52 1 55 1234 5678", "+525512345678", Either),
    (Country::Mx, "5215512345678", "+525512345678", Either),
    (Country::Mx, "044 55 1234 5678", "+525512345678", Either),
    (Country::Mx, "045 55 1234 5678", "+525512345678", Either),
    (Country::Mx, "01 55 1234 5678", "+525512345678", Either),
    (Country::Mx, "55 1234 5678", "+525512345678", Either),
    (Country::Mx, "525512345678", "+525512345678", Either),
    (Country::Pe, "912 345 678", "+51912345678", Mobile),
    (Country::Pe, "+51 1 4234567", "+5114234567", Fixed),
    (Country::Uy, "094 231 234", "+59894231234", Mobile),
    (Country::Uy, "94 231 234", "+59894231234", Mobile),
    (Country::Uy, "+598 2123 1234", "+59821231234", Fixed),
    // A patient from elsewhere keeps the plan of their own country.
    (Country::Mx, "0955 84 7743-5678", "+5584977435678", Mobile), // 09: a call abroad
    (Country::Ar, "+55 27 8090-1481", "+5527980901481", Mobile),
    (Country::Br, "+54 11 15 7619 7626", "+5491176197626", Mobile),
    (Country::Es, "+52 1 55 1234 5678", "+525512345678", Either),
    (Country::Uy, "+595 961 456789", "+595961456789", Mobile),
    (Country::Es, "+1 212 555 0123", "+12125550123", Either),
    // Signs that come along.
    (Country::Br, "\u{202A}+55 27 98396\u{2011}2313\u{202C}", "+5527983962313", Mobile),
    (Country::Br, "'+5527983962313", "+5527983962313", Mobile),
    (Country::Br, "\u{a0}(27) 98396.2313\t", "+5527983962313", Mobile),
];

/// Texts that are no number, and what is wrong with them.
const REFUSED: &[(Country, &str, UnusablePhone)] = &[
    (Country::Ar, "", Missing),
    (Country::Ar, "  ", Missing),
    (Country::Ar, "-", Missing),
    (Country::Ar, "+", Missing),
    (Country::Ar, "no tiene", NotANumber),
    (Country::Br, "nao tem", NotANumber),
    (Country::Br, "não tem", NotANumber),
    (Country::Br, "27 98396-2313 mãe", NotANumber),
    (Country::Br, "5.51199E+12", NotANumber),
    (Country::Br, "ana@example.com", NotANumber),
    (Country::Br, "27*98396#2313", NotANumber),
    (Country::Br, "2798396+2313", NotANumber),
    (Country::Br, "２７９８３９６２３１３", NotANumber),
    (Country::Ar, "0", TooShort),
    (Country::Ar, "11 4", TooShort),
    (Country::Ar, "15-", TooShort),
    (Country::Br, "27 9999", TooShort),
    (Country::Br, "55279", TooShort),
    (Country::Br, "98396-2313", TooShort),
    (Country::Br, "3333-4444", TooShort),
    (Country::Ar, "4321-5678", TooShort),
    (Country::Br, "+55 27 99999-99999", TooLong),
    (Country::Br, "55279999999999", TooLong),
    (Country::Ar, "11 4321-5678 / 11 4321-5679", TooLong),
    (Country::Es, "612 34 56 78 9", TooLong),
    (Country::Br, "(20) 98396-2313", Invalid), // no such area
    (Country::Br, "0800 123 4567", Invalid),
    (Country::Br, "0800 12 3456", Invalid),
    (Country::Br, "4004-1234", TooShort),
    (Country::Es, "803 12 34 56", Invalid),
    (Country::Es, "112 34 56 78", Invalid),
    (Country::Br, "+999 27 98396-2313", Invalid),
    (Country::Br, "0000000000", Invalid),
    (Country::Mx, "000 000 0000", Invalid),
];

#[test]
fn numbers_are_read_as_their_country_writes_them() {
    for (country, raw, e164, line) in READ {
        match Phone::parse(raw, *country) {
            Ok(phone) => assert_eq!((phone.e164.as_str(), phone.line), (*e164, *line), "{raw}"),
            Err(why) => panic!("{country} {raw}: {why}"),
        }
    }
}

#[test]
fn what_is_no_number_says_why() {
    for (country, raw, why) in REFUSED {
        assert_eq!(Phone::parse(raw, *country), Err(*why), "{country} {raw:?}");
    }
}

#[test]
fn reasons_have_codes() {
    let codes = [Missing, NotANumber, TooShort, TooLong, Invalid].map(UnusablePhone::code);
    assert_eq!(codes, ["missing", "not_a_number", "too_short", "too_long", "invalid"]);
}

#[test]
fn a_landline_is_called_and_not_written_to() {
    for (line, whatsapp) in [(Mobile, true), (Either, true), (Fixed, false)] {
        let e164 = E164::parse_strict("+541143215678").unwrap();
        let phone = Phone { e164, line };
        assert_eq!((phone.can_whatsapp(), phone.can_call()), (whatsapp, true));
        assert_eq!(phone.aliases(), phone.e164.aliases());
        assert!(!format!("{phone:?}").contains("4321"));
    }
}

fn shared(path: &str) -> Option<csv::Reader<File>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    let file = File::open(path).ok();
    if file.is_none() {
        println!("skipped: no such examples");
    }
    file.map(csv::Reader::from_reader)
}

/// libphonenumber's own example of each kind of number, in its E.164 and national forms.
#[test]
fn every_country_reads_the_examples_of_its_plan() {
    let Some(mut examples) = shared("phones/example_numbers_by_type.csv") else {
        return;
    };
    let mut read = 0;
    for row in examples.records().map(Result::unwrap) {
        let (region, kind, e164, national) = (&row[0], &row[1], &row[2], &row[3]);
        let Ok(country) = region.parse::<Country>() else {
            continue;
        };
        for written in [e164, national] {
            let phone = Phone::parse(written, country);
            let line = phone.as_ref().map(|phone| phone.line);
            match kind {
                "mobile" => assert!(matches!(line, Ok(Mobile | Either)), "{region} {written}"),
                "fixed" => assert!(matches!(line, Ok(Fixed | Either)), "{region} {written}"),
                "voip" | "personal" => {
                    assert!(matches!(line, Ok(Fixed | Either)), "{region} {written}")
                }
                _ => assert!(phone.is_err(), "{region} {kind} {written}"),
            }
            if let Ok(phone) = phone {
                assert_eq!(phone.e164.as_str(), e164);
                read += 1;
            }
        }
    }
    assert!(read >= 32, "{read}");
}

#[test]
fn the_numbers_of_two_clinics_read_as_far_as_they_are_numbers() {
    for (file, country, share) in
        [("clinica-austral.csv", Country::Ar, 0.85), ("clinica-vitoria.csv", Country::Br, 0.95)]
    {
        let Some(mut rows) = shared(file) else { return };
        let column = rows.headers().unwrap().iter().position(|name| name == "paciente_contacto");
        let column = column.unwrap();
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for row in rows.records().map(Result::unwrap) {
            let raw = &row[column];
            let phone = Phone::parse(raw, country);
            let digits = raw.chars().filter(char::is_ascii_digit).count();
            if !(10..=13).contains(&digits) || raw.chars().any(char::is_alphabetic) {
                assert!(phone.is_err(), "{raw}");
            }
            if phone == Err(Invalid) {
                // No Argentine subscriber's number begins with 9; a tenth of the made-up ones do.
                let subscriber = digits.checked_sub(8).unwrap();
                let mut figures = raw.chars().filter(char::is_ascii_digit);
                assert_eq!((country, figures.nth(subscriber)), (Country::Ar, Some('9')), "{raw}");
            }
            let outcome = match &phone {
                Ok(phone) => match phone.line {
                    Mobile => "mobile",
                    Fixed => "fixed",
                    Either => "either",
                },
                Err(why) => why.code(),
            };
            *counts.entry(outcome).or_default() += 1;
        }
        println!("{file}: {counts:?}");
        let all: u32 = counts.values().sum();
        let read = counts.get("mobile").unwrap();
        assert!(f64::from(*read) > share * f64::from(all), "{file}: {counts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_panics(raw in any::<String>(), country in prop::sample::select(&Country::ALL[..])) {
        if let Ok(phone) = Phone::parse(&raw, country) {
            prop_assert!(raw.contains(|character: char| character.is_ascii_digit()));
            prop_assert!(E164::parse_strict(phone.e164.as_str()).is_ok());
        }
    }

    /// What was read is read again as itself, wherever the reader is.
    #[test]
    fn what_is_read_reads_again(
        raw in "\\+?[0-9 ()-]{7,18}",
        country in prop::sample::select(&Country::ALL[..]),
        other in prop::sample::select(&Country::ALL[..]),
    ) {
        if let Ok(phone) = Phone::parse(&raw, country) {
            prop_assert_eq!(Phone::parse(phone.e164.as_str(), other), Ok(phone));
        }
    }
}
