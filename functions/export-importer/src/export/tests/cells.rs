//! Cells, good and bad.

use chrono::NaiveDate;

use crate::export::cell::{amount_cents, id, minutes, optional_id, session, status, text, zone};
use crate::export::consent::consent;
use crate::export::instant::start;
use crate::export::{ConsentCell, ConsentChannel, ConsentChannels, RefusalReason as Reason, StatusCell};

fn start_text(cell: &str) -> Result<String, Reason> {
    start(cell).map(|start| match start.offset {
        Some(offset) => format!("{} {offset}", start.local),
        None => start.local.to_string(),
    })
}

#[test]
fn a_start_is_an_iso_date_and_time() {
    for (cell, expected) in [
        ("2026-03-02T09:30:15", "2026-03-02 09:30:15"),
        ("2026-03-02T09:30", "2026-03-02 09:30:00"),
        ("  2026-03-02 09:30 ", "2026-03-02 09:30:00"),
        ("2026-03-02t09:30:00.123456", "2026-03-02 09:30:00"),
        ("2026-03-02T09:30:00Z", "2026-03-02 09:30:00 +00:00"),
        ("2026-03-02T09:30-03:00", "2026-03-02 09:30:00 -03:00"),
        ("2026-03-02 09:30:00 +0530", "2026-03-02 09:30:00 +05:30"),
        ("2026-03-02T09:30-03", "2026-03-02 09:30:00 -03:00"),
        ("2024-02-29T00:00", "2024-02-29 00:00:00"),
        ("1990-01-01T00:00", "1990-01-01 00:00:00"),
        ("2100-12-31T23:59:59", "2100-12-31 23:59:59"),
    ] {
        assert_eq!(start_text(cell).as_deref(), Ok(expected), "{cell}");
    }
    for (cell, reason) in [
        ("", Reason::Empty),
        ("2026-02-30T09:00", Reason::ImpossibleDateTime),
        ("2025-02-29T09:00", Reason::ImpossibleDateTime),
        ("2026-13-01T09:00", Reason::ImpossibleDateTime),
        ("2026-03-02T24:00", Reason::ImpossibleDateTime),
        ("2026-03-02T09:60", Reason::ImpossibleDateTime),
        ("2026-03-02T09:00:60", Reason::ImpossibleDateTime),
        ("2026-03-02T09:00+15:00", Reason::ImpossibleDateTime),
        ("1989-12-31T23:59", Reason::YearOutOfRange),
        ("2101-01-01T00:00", Reason::YearOutOfRange),
        ("0000-01-01T00:00", Reason::YearOutOfRange),
        ("02/03/2026 09:00", Reason::NotADateTime),
        ("2026-3-2T09:00", Reason::NotADateTime),
        ("2026-03-02", Reason::NotADateTime),
        ("2026-03-02T", Reason::NotADateTime),
        ("2026-03-02T9:00", Reason::NotADateTime),
        ("2026-03-02T09", Reason::NotADateTime),
        ("2026-03-02T09:00:00:00", Reason::NotADateTime),
        ("2026-03-02T09:00:00.", Reason::NotADateTime),
        ("2026-03-02T09:00-", Reason::NotADateTime),
        ("2026-03-02T09:00-03:", Reason::NotADateTime),
        ("2026-03-02T09:00Zulu", Reason::NotADateTime),
        ("+026-03-02T09:00", Reason::NotADateTime),
        ("2026-03-0é 09:00", Reason::NotADateTime),
        ("46084.375", Reason::NotADateTime),
    ] {
        assert_eq!(start_text(cell), Err(reason), "{cell}");
    }
}

#[test]
fn a_zone_is_an_iana_name() {
    assert_eq!(zone(" America/Sao_Paulo "), Ok(chrono_tz::America::Sao_Paulo));
    assert_eq!(zone(""), Err(Reason::Empty));
    assert_eq!(zone("GMT-3 Brasilia"), Err(Reason::UnknownZone));
}

#[test]
fn a_status_is_read_whatever_its_spelling() {
    for (cell, expected) in [
        ("reservado", StatusCell::Booked),
        ("Reservada", StatusCell::Booked),
        ("CONFIRMADO", StatusCell::Confirmed),
        (" completado ", StatusCell::Completed),
        ("Completáda", StatusCell::Completed),
        ("cancelada", StatusCell::Cancelled),
        ("no-show", StatusCell::NoShow),
        ("No Show", StatusCell::NoShow),
        ("no_show", StatusCell::NoShow),
        ("NOSHOW", StatusCell::NoShow),
    ] {
        assert_eq!(status(cell), Ok(expected), "{cell}");
    }
    for cell in ["ausente", "?", "completado!", "completadocompletado", "no"] {
        assert_eq!(status(cell), Err(Reason::UnknownStatus), "{cell}");
    }
    assert_eq!(status(" - "), Err(Reason::Empty));
}

#[test]
fn an_amount_has_at_most_two_decimals_and_no_thousands() {
    for (cell, expected) in [
        ("", None),
        ("0", Some(0)),
        ("49569.00", Some(4_956_900)),
        ("49569,5", Some(4_956_950)),
        ("0,05", Some(5)),
        ("000012.30", Some(1230)),
        ("1000000000000", Some(100_000_000_000_000)),
    ] {
        assert_eq!(amount_cents(cell), Ok(expected), "{cell}");
    }
    for (cell, reason) in [
        ("-1", Reason::AmountNegative),
        ("1.234", Reason::AmountDecimals),
        ("1000000000000.01", Reason::AmountTooLarge),
        ("1000000000001", Reason::AmountTooLarge),
        ("99999999999999999999999999", Reason::AmountTooLarge),
        ("1.234,56", Reason::NotAnAmount),
        ("$100", Reason::NotAnAmount),
        ("1e5", Reason::NotAnAmount),
        (".5", Reason::NotAnAmount),
        ("5.", Reason::NotAnAmount),
        ("-", Reason::NotAnAmount),
        ("+5", Reason::NotAnAmount),
        ("NaN", Reason::NotAnAmount),
        ("٣", Reason::NotAnAmount),
    ] {
        assert_eq!(amount_cents(cell), Err(reason), "{cell}");
    }
}

#[test]
fn sessions_and_minutes_are_small_whole_numbers() {
    assert_eq!(session(""), Ok(None));
    assert_eq!(session(" 012 "), Ok(Some(12)));
    assert_eq!(session("1000"), Ok(Some(1000)));
    for cell in ["0", "1001", "-1", "1.5", "3/6", "+1", "99999999999"] {
        assert_eq!(session(cell), Err(Reason::NotASession), "{cell}");
    }
    assert_eq!(minutes("15"), Ok(15));
    assert_eq!(minutes(""), Err(Reason::Empty));
    assert_eq!(minutes("1441"), Err(Reason::NotADuration));
}

#[test]
fn an_identifier_is_kept_as_it_is_or_refused() {
    assert_eq!(id(" 000244 ").as_deref(), Ok("000244"));
    assert_eq!(optional_id("  "), Ok(None));
    assert_eq!(id(""), Err(Reason::Empty));
    assert_eq!(id("12\n34"), Err(Reason::IdHasControl));
    assert_eq!(id("12\u{202e}34"), Err(Reason::IdHasControl));
    assert_eq!(id(&"ñ".repeat(128)), Ok("ñ".repeat(128)));
    assert_eq!(id(&"ñ".repeat(129)), Err(Reason::TextTooLong { chars: 129, max_chars: 128 }));
    assert_eq!(id("5.58998E+12"), Err(Reason::IdRounded));
    assert_eq!(id("5,58998e+12"), Err(Reason::IdRounded));
    assert_eq!(id("AB.1E+X").as_deref(), Ok("AB.1E+X"));
}

#[test]
fn text_is_trimmed_and_shows_what_it_is() {
    assert_eq!(text("  Ana\tMaría\r\nSosa\u{a0}").as_deref(), Ok("Ana María Sosa"));
    assert_eq!(text("\u{feff}An\u{200b}a\u{7}\u{202e}").as_deref(), Ok("Ana"));
    assert_eq!(text("\u{7f}x").as_deref(), Ok("x"));
    assert_eq!(text(&"ñ".repeat(500)), Ok("ñ".repeat(500)));
    assert_eq!(text(&"x".repeat(501)), Err(Reason::TextTooLong { chars: 501, max_chars: 500 }));
}

#[test]
fn a_consent_is_a_dated_statement() {
    let date = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let only = |channels: &[ConsentChannel]| ConsentCell::OptIn {
        date,
        channels: ConsentChannels::Only(channels.iter().copied().collect()),
    };
    let all = ConsentCell::OptIn { date, channels: ConsentChannels::All };
    let (whatsapp, email) = (ConsentChannel::Whatsapp, ConsentChannel::Email);
    for (cell, expected) in [
        ("", None),
        ("   ", None),
        ("opt-in 2026-03-02", Some(all.clone())),
        ("OPT-IN  2026-03-02 ", Some(all)),
        ("opt-in 2026-03-02 whatsapp", Some(only(&[whatsapp]))),
        ("opt-in 2026-03-02 email, WhatsApp", Some(only(&[whatsapp, email]))),
        ("opt-in 2026-03-02 call,sms", Some(only(&[ConsentChannel::Sms, ConsentChannel::Call]))),
        ("opt-out 2026-03-02", Some(ConsentCell::OptOut { date })),
        ("opt-out 2026-03-02 whatsapp", Some(ConsentCell::OptOut { date })),
    ] {
        assert_eq!(consent(cell), Ok(expected), "{cell}");
    }
    for (cell, reason) in [
        ("sí", Reason::NotAConsent),
        ("opt-maybe 2026-03-02", Reason::NotAConsent),
        (",", Reason::NotAConsent),
        ("opt-in", Reason::ConsentWithoutDate),
        ("opt-out 02/03/2026", Reason::ConsentDate),
        ("opt-in 2026-02-30", Reason::ImpossibleDateTime),
        ("opt-in 0202-03-02", Reason::YearOutOfRange),
        ("opt-in 2026-03-02 telegram", Reason::ConsentChannel),
    ] {
        assert_eq!(consent(cell), Err(reason), "{cell}");
    }
}
