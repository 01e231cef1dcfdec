//! Identifiers and the other short texts that are stored and read again.

use std::fmt::Display;
use std::str::FromStr;

use retorno_domain::calendar::IsoWeek;
use retorno_domain::channel::Channel;
use retorno_domain::holiday::Country;
use retorno_domain::ids::{
    AppointmentId, BadId, ClinicId, EnrollmentId, FlowId, MessageId, PatientId, SegmentId, StepId,
};
use retorno_domain::language::Language;

use crate::pieces::Pieces;

/// The first byte chooses the kind, the rest is the text.
pub fn run(bytes: &[u8]) {
    let mut pieces = Pieces::of(bytes);
    let kind = pieces.byte() % 11;
    let Ok(text) = std::str::from_utf8(pieces.rest()) else { return };
    match kind {
        0 => id::<ClinicId>(text, 40),
        1 => id::<PatientId>(text, 128),
        2 => id::<AppointmentId>(text, 128),
        3 => id::<SegmentId>(text, 40),
        4 => id::<FlowId>(text, 40),
        5 => id::<StepId>(text, 40),
        6 => read_again::<IsoWeek>(text),
        7 => read_again::<Country>(text),
        8 => read_again::<Language>(text),
        9 => read_again::<Channel>(text),
        _ => derived(text),
    }
}

/// What the clinic's system names.
fn id<T: FromStr<Err = BadId> + Display + PartialEq>(text: &str, longest: usize) {
    match text.parse::<T>() {
        Ok(id) => {
            let printed = id.to_string();
            assert_eq!(printed, text.trim());
            assert!((1..=longest).contains(&printed.chars().count()) && !printed.contains(char::is_control));
            assert!(printed.parse::<T>().is_ok_and(|again| again == id));
        }
        // By its place, never by itself.
        Err(why) => assert!(why.to_string().is_ascii() && why.to_string().len() < 60),
    }
}

fn read_again<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert!(value.to_string().parse::<T>().is_ok_and(|again| again == value), "read again");
    }
}

/// What we derive.
fn derived(text: &str) {
    if let Some(id) = MessageId::parse(text) {
        assert_eq!(MessageId::parse(&id.to_string()), Some(id));
        assert_eq!(format!("{:032x}", id.as_u128()), id.to_string());
        assert_eq!(EnrollmentId::parse(text).map(|other| other.as_u128()), Some(id.as_u128()));
    }
}
