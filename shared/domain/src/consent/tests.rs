#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn day(n: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, n).unwrap()
}
fn import(on: u32, wish: Wish) -> Statement {
    Statement::of_all(day(on), wish, Source::Import)
}
fn ours(on: u32, wish: Wish) -> Statement {
    Statement::of_all(day(on), wish, Source::Recorded)
}
const ALL: Wish = Wish::OptIn(ChannelSet::ALL);

#[test]
fn unknown_is_no() {
    let proof = Consent::default().prove(Channel::Email, Purpose::Marketing, day(1));
    assert_eq!(proof.unwrap_err(), NoConsent::Unknown);
}

#[test]
fn the_latest_statement_wins_and_a_tie_is_an_opt_out() {
    let yes = Consent::from_statements(vec![import(3, ALL), import(2, Wish::OptOut)]);
    assert!(yes.prove(Channel::Call, Purpose::Marketing, day(5)).is_ok());
    let no = Consent::from_statements(vec![import(2, ALL), import(3, Wish::OptOut)]);
    assert_eq!(no.agreed(Purpose::Marketing, day(5)), Err(NoConsent::OptedOut(day(3))));
    let tie = Consent::from_statements(vec![import(3, ALL), import(3, Wish::OptOut)]);
    assert_eq!(tie.agreed(Purpose::Marketing, day(5)), Err(NoConsent::OptedOut(day(3))));
}

#[test]
fn a_later_narrower_agreement_replaces_a_wider_one() {
    let only: ChannelSet = [Channel::Whatsapp].into_iter().collect();
    let consent = Consent::from_statements(vec![import(1, ALL), import(2, Wish::OptIn(only))]);
    assert!(consent.prove(Channel::Whatsapp, Purpose::Care, day(4)).is_ok());
    assert_eq!(consent.prove(Channel::Email, Purpose::Care, day(4)).unwrap_err(), NoConsent::ChannelNotAgreed(day(2)));
}

#[test]
fn an_agreement_counts_from_its_day_and_an_opt_out_at_once() {
    let later = Consent::from_statements(vec![import(9, ALL)]);
    assert_eq!(later.agreed(Purpose::Marketing, day(8)), Err(NoConsent::NotYet(day(9))));
    assert!(later.agreed(Purpose::Marketing, day(9)).is_ok());
    assert_eq!(later.next_change(day(8)), Some(day(9)));
    let out = Consent::from_statements(vec![import(1, ALL), import(9, Wish::OptOut)]);
    assert!(out.is_opted_out(Purpose::Care, day(8)));
}

#[test]
fn an_import_never_lifts_an_opt_out_recorded_by_us() {
    let mut consent = Consent::from_statements(vec![ours(2, Wish::OptOut), import(9, ALL)]);
    assert_eq!(consent.agreed(Purpose::Marketing, day(10)), Err(NoConsent::OptedOut(day(2))));
    assert!(consent.record(ours(10, ALL)), "the person's own later word does");
    assert!(consent.agreed(Purpose::Marketing, day(10)).is_ok());
    assert!(!consent.record(ours(10, ALL)), "the same statement twice is one");
}

fn about(purposes: PurposeSet, statement: Statement) -> Statement {
    Statement { purposes, ..statement }
}

#[test]
fn an_opt_out_of_one_purpose_leaves_the_other() {
    let consent = Consent::from_statements(vec![import(1, ALL), about(PurposeSet::MARKETING, ours(2, Wish::OptOut))]);
    assert_eq!(consent.opted_out(day(3)), PurposeSet::MARKETING);
    assert_eq!(consent.prove(Channel::Email, Purpose::Marketing, day(3)).unwrap_err(), NoConsent::OptedOut(day(2)));
    assert!(consent.prove(Channel::Email, Purpose::Care, day(3)).is_ok());
    let mut all = consent.clone();
    all.record(import(4, Wish::OptOut));
    assert_eq!(all.opted_out(day(5)), PurposeSet::ALL, "what an export says is about everything");
    all.record(import(6, ALL));
    assert_eq!(all.opted_out(day(7)), PurposeSet::MARKETING, "and lifts only what an export said");
}

#[test]
fn wanting_messages_again_lifts_what_was_stopped_as_a_whole_and_not_the_reminders_stopped_by_themselves() {
    let of = |said: &[(u32, PurposeSet)]| {
        let said = said.iter().map(|(on, purposes)| about(*purposes, ours(*on, Wish::OptOut)));
        Consent::from_statements(said.collect()).meant_by_agreeing(day(9))
    };
    let (marketing, care, all) = (PurposeSet::MARKETING, PurposeSet::CARE, PurposeSet::ALL);
    assert_eq!(of(&[]), all);
    assert_eq!(of(&[(1, marketing)]), all);
    assert_eq!(of(&[(1, marketing), (2, all)]), all, "PARAR, said twice");
    assert_eq!(of(&[(1, care), (2, marketing)]), marketing, "the reminders were stopped by themselves");
    assert_eq!(of(&[(1, marketing), (2, care)]), marketing);
    assert_eq!(of(&[(1, care)]), all, "nothing else can be meant");
}
