//! The judge judged: a list it must pass in silence, and for every rule one that breaks it alone.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "hand-made scenes")]

use serde_json::json;

pub(super) mod scene;
use super::{Rule, Shortfall};
use scene::{Row, Scene, line, scene};

#[test]
fn a_sequence_as_it_should_be_breaks_nothing_and_leaves_nothing_undone() {
    let review = scene().review();
    assert_eq!(review.violations, []);
    assert_eq!(review.notes, []);
    assert_eq!(review.per_channel, [("call", 1), ("email", 1), ("whatsapp", 2)].into());
}

#[test]
fn every_rule_is_broken_by_a_list_that_breaks_nothing_else() {
    for rule in Rule::ALL {
        let mut expected = vec![rule];
        if rule == Rule::PersonCap {
            // Three WhatsApp to one person in 30 days take a repeated step or a second sequence.
            expected.insert(0, Rule::EntryPause);
        }
        assert_eq!(breaking(rule).broken(), expected, "{rule:?}");
    }
}

#[test]
fn no_rule_is_missing_from_the_list_of_all() {
    assert_eq!(Rule::ALL.map(|r| r as usize).to_vec(), (0..Rule::ALL.len()).collect::<Vec<_>>());
    assert_eq!(Rule::SlotSeats as usize + 1, Rule::ALL.len(), "SlotSeats is the last");
}

/// The smallest change to the scene that breaks a rule.
fn breaking(rule: Rule) -> Scene {
    let mut s = scene();
    match rule {
        Rule::Readable => s.lines.push(json!("a line that is no message")),
        Rule::UniqueMessageId => s.set_all("message_id", "m1"),
        Rule::Text => s.set(0, "text", " "),
        Rule::OptOutWord => s.set(0, "text", "Hola."),
        Rule::NoUnfilledVariable => s.set(0, "text", "Hola {{nombre}}. PARAR"),
        Rule::Subject => s.set(1, "subject", ""),
        Rule::StepChannel => {
            s.set(1, "channel", "call");
            s.set(1, "contact", "+5491140000001");
        }
        Rule::WithinRun => s.days = 5,
        Rule::Offset => s.set(0, "at", "2026-03-02T13:00:00Z"),
        Rule::ContactHours => s.set(0, "at", "2026-03-02T20:00:00-03:00"),
        Rule::Holiday => {
            for (n, day) in ["23", "25", "28", "30"].iter().enumerate() {
                s.set(n, "at", format!("2026-03-{day}T10:00:00-03:00"));
            }
        }
        Rule::KnownPatient => s.set_all("patient_id", "nobody"),
        Rule::UsableContact => s.rows[0].phone = "no tiene".to_owned(),
        Rule::OwnContact => s.set(0, "contact", "+5491150000000"),
        Rule::Consent => s.rows[0].consent = "opt-in 2025-01-01 whatsapp,email",
        Rule::OptOut => s.rows[0].consent = "opt-out 2025-01-01",
        Rule::SharedOptOut => {
            s.rows.push(Row { consent: "opt-out 2025-01-01", ..Row::visit("zoe", "2026-02-20") });
        }
        Rule::OpenAppointment => {
            s.rows.push(Row { status: "reservado", ..Row::visit("ana", "2026-03-20") });
        }
        Rule::AwaitingOutcome => {
            s.rows.push(Row { status: "confirmado", ..Row::visit("ana", "2026-02-25") });
        }
        Rule::Segment => s.set_all("segment", "churn-18m"),
        Rule::OneMessagePerStep => s.lines.push(line("ana", "d3", "2026-03-05T10:00:00")),
        Rule::StepOrder => s.set(1, "at", "2026-03-09T10:00:00-03:00"),
        Rule::NotTooEarly => s.set(1, "at", "2026-03-03T10:00:00-03:00"),
        Rule::NotTooLate => s.set(1, "at", "2026-03-07T09:30:00-03:00"),
        Rule::FirstStep => s.lines = vec![line("ana", "d3", "2026-03-04T10:00:00")],
        Rule::OneSequence => s.again("d3", "2026-03-05T10:00:00"),
        Rule::EntryPause => s.again("d3", "2026-03-20T10:00:00"),
        Rule::ContactCap => {
            s.rows.push(Row::visit("bea", "2025-08-01"));
            s.lines.push(line("bea", "d1", "2026-03-10T10:00:00"));
        }
        Rule::PersonCap => s.again("d1", "2026-03-20T10:00:00"),
        Rule::Rest => {
            s.days = 60;
            s.again("d1", "2026-04-09T10:00:00");
        }
        Rule::NumberTier => {
            s.crowd(150, "2025-08-01", "preventivo-6-12m", "2026-03-10");
            s.crowd(101, "2024-12-01", "inactivo-12-18m", "2026-03-10");
        }
        Rule::SegmentSeats => {
            s.crowd(100, "2025-08-01", "preventivo-6-12m", "2026-03-10");
            s.crowd(101, "2025-08-01", "preventivo-6-12m", "2026-03-12");
        }
        Rule::SlotSeats => s.slots = Some(FAR_SLOT),
    }
    s
}

const FAR_SLOT: &str =
    "id_hueco,fecha_hora_inicio,zona_horaria\n1,2026-03-16T10:00:00,America/Argentina/Buenos_Aires\n";
const NEAR_SLOT: &str =
    "id_hueco,fecha_hora_inicio,zona_horaria\n1,2026-03-15T10:00:00,America/Argentina/Buenos_Aires\n";

fn assert_legal(scene: &Scene, what: &str) {
    assert_eq!(scene.review().violations, [], "{what}");
}

#[test]
fn what_is_just_within_a_limit_passes() {
    let mut s = scene();
    s.crowd(149, "2025-08-01", "preventivo-6-12m", "2026-03-10");
    s.crowd(101, "2024-12-01", "inactivo-12-18m", "2026-03-10");
    assert_legal(&s, "250 recipients in a day");
    let mut s = scene();
    s.crowd(100, "2025-08-01", "preventivo-6-12m", "2026-03-10");
    s.crowd(100, "2025-08-01", "preventivo-6-12m", "2026-03-12");
    assert_legal(&s, "200 seats");
    let mut s = scene();
    s.slots = Some(NEAR_SLOT);
    s.crowd(5, "2025-08-01", "preventivo-6-12m", "2026-03-02");
    assert_legal(&s, "six seats for one slot");
    s.crowd(1, "2025-08-01", "preventivo-6-12m", "2026-03-03");
    assert_eq!(s.broken(), [Rule::SlotSeats], "seven are too many");
}

#[test]
fn times_at_the_edge_pass() {
    let mut s = scene();
    s.set(0, "at", "2026-03-02T09:00:00-03:00");
    s.set(1, "at", "2026-03-06T19:59:59-03:00");
    assert_legal(&s, "the opening, the last second, two open days' grace");
    let mut s = scene();
    for (n, at) in ["20T10:00", "25T10:00", "25T11:00", "27T10:00"].iter().enumerate() {
        s.set(n, "at", format!("2026-03-{at}:00-03:00"));
    }
    assert_legal(&s, "d3 due on a Sunday before two holidays leaves on the 25th");
}

#[test]
fn the_first_step_that_can_be_sent_is_day_one_and_the_others_keep_their_offsets() {
    let mut s = scene();
    s.rows[0].consent = "opt-in 2025-01-01 email,call";
    s.lines = vec![line("ana", "d3", "2026-03-02T10:00:00"), line("ana", "d8", "2026-03-09T10:00:00")];
    assert_legal(&s, "email today, call seven days on");
    s.set(1, "at", "2026-03-07T10:00:00-03:00");
    assert_eq!(s.broken(), [Rule::NotTooEarly], "not five days on");
}

#[test]
fn a_family_shares_its_two_whatsapp() {
    let mut s = scene();
    s.rows.push(Row::visit("bea", "2025-08-01"));
    s.lines[2] = line("bea", "d1", "2026-03-07T10:00:00");
    assert_legal(&s, "one each");
    let mut s = scene();
    s.rows.push(Row::visit("bea", "2025-08-01"));
    s.lines.push(line("bea", "d3", "2026-03-10T10:00:00"));
    assert_legal(&s, "the phone is at rest, so the second begins by email");
}

#[test]
fn people_change_standing_with_the_days() {
    let mut s = scene();
    s.rows[0].consent = "opt-in 2026-03-02";
    assert_legal(&s, "agreed the same day");
    s.rows[0].consent = "opt-in 2026-03-05";
    assert_eq!(s.broken(), [Rule::Consent], "not yet valid for the first two");
    let mut s = scene();
    s.rows.push(Row { status: "reservado", ..Row::visit("ana", "2026-02-16") });
    assert_legal(&s, "fourteen days behind");
    let mut s = scene();
    s.rows.push(Row { consent: "opt-out 2025-01-01", ..Row::visit("zoe", "2026-02-20") });
    s.rows.push(Row { consent: "opt-in 2025-02-01", ..Row::visit("zoe", "2026-02-21") });
    assert_legal(&s, "who opted out has come back");
}

#[test]
fn the_newest_row_of_an_appointment_counts_and_at_a_tie_its_outcome() {
    let booked = Row { status: "reservado", id: "a1".to_owned(), ..Row::visit("ana", "2026-03-20") };
    for updated in ["2025-12-01T00:00:00", "2025-12-02T00:00:00"] {
        let mut s = scene();
        s.rows.push(Row { status: "cancelado", updated, ..booked.clone() });
        s.rows.push(booked.clone());
        assert_legal(&s, "cancelled");
    }
    let mut s = scene();
    s.rows.push(Row { status: "cancelado", updated: "2025-11-30T00:00:00", ..booked.clone() });
    s.rows.push(booked);
    assert_eq!(s.broken(), [Rule::OpenAppointment], "booked again since");
}

#[test]
fn what_was_left_undone_is_noted() {
    let of = |s: &Scene, kind| s.review().notes.iter().filter(|n| n.shortfall == kind).count();
    let mut s = scene();
    s.lines.clear();
    assert_eq!(of(&s, Shortfall::EmptyDay), 24, "every whole open day of the thirty");
    assert_eq!(of(&s, Shortfall::Starved), 24);
    assert_eq!(of(&s, Shortfall::SeatsLeft), 0);
    let mut s = scene();
    s.rows.push(Row { phone: String::new(), ..Row::visit("bea", "2025-08-01") });
    s.lines.push(line("bea", "d3", "2026-03-03T10:00:00"));
    assert_eq!(of(&s, Shortfall::Starved), 0, "a wave may take its days");
    assert_eq!(of(&s, Shortfall::StepMissing), 0);
    let mut s = scene();
    s.lines.remove(2);
    s.lines.remove(1);
    assert_eq!(of(&s, Shortfall::StepMissing), 2);
    let mut s = scene();
    s.rows.push(Row { phone: "011 15 4000-0002".to_owned(), ..Row::visit("bea", "2024-12-01") });
    let starved: Vec<_> = s.review().notes.iter().map(|n| n.shortfall).collect();
    assert_eq!(starved.iter().filter(|n| **n == Shortfall::Starved).count(), 24, "bea never begins");
    assert_eq!(starved.iter().filter(|n| **n == Shortfall::EmptyDay).count(), 23, "ana began once");
}
