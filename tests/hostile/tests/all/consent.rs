//! Consent, whatever was said and in whichever order it is learnt, against the rule read again.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Consent, NoConsent, Source, Statement, Wish};

fn day(n: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(n)
}

fn statement() -> impl Strategy<Value = Statement> {
    let wish = prop_oneof![
        2 => prop::collection::vec(prop::sample::select(&Channel::ALL[..]), 0..4)
            .prop_map(|channels| Wish::OptIn(channels.into_iter().collect())),
        1 => Just(Wish::OptIn(ChannelSet::ALL)),
        2 => Just(Wish::OptOut),
    ];
    let purposes = prop_oneof![
        3 => Just(PurposeSet::ALL),
        1 => Just(PurposeSet::MARKETING),
        1 => Just(PurposeSet::CARE),
    ];
    (0_u64..6, wish, any::<bool>(), purposes).prop_map(|(on, wish, ours, purposes)| Statement {
        on: day(on),
        wish,
        source: if ours { Source::Recorded } else { Source::Import },
        purposes,
    })
}

/// The last word of these statements on a day: an agreement counts from its day, an opt-out at once;
/// of one day an opt-out wins, and agreements hold for what all of them name; for notifications, if any does.
fn last_word(statements: &[&Statement], today: NaiveDate) -> Option<Wish> {
    let counts = |s: &&&Statement| s.wish == Wish::OptOut || s.on <= today;
    let last = statements.iter().filter(counts).map(|s| s.on).max()?;
    let (mut agreed, mut push) = (ChannelSet::ALL, false);
    for statement in statements.iter().filter(counts).filter(|s| s.on == last) {
        match statement.wish {
            Wish::OptOut => return Some(Wish::OptOut),
            Wish::OptIn(channels) => {
                agreed = agreed.and(channels);
                push |= channels.contains(Channel::Push);
            }
        }
    }
    Some(Wish::OptIn(if push { agreed.with(Channel::Push) } else { agreed }))
}

/// What may be used for a purpose on a day; nothing where there is no agreement.
fn agreed(statements: &[Statement], purpose: Purpose, today: NaiveDate) -> Option<ChannelSet> {
    let all: Vec<&Statement> = statements.iter().filter(|s| s.purposes.contains(purpose)).collect();
    let ours: Vec<&Statement> = all.iter().copied().filter(|s| s.source == Source::Recorded).collect();
    match (last_word(&ours, today), last_word(&all, today)) {
        (Some(Wish::OptOut), _) | (_, Some(Wish::OptOut) | None) => None,
        (_, Some(Wish::OptIn(channels))) => Some(channels),
    }
}

fn joined(parts: &[&[Statement]]) -> Consent {
    let mut consent = Consent::default();
    for statement in parts.iter().copied().flatten() {
        consent.record(statement.clone());
    }
    consent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_is_agreed_is_what_the_rule_says(said in prop::collection::vec(statement(), 0..8), today in 0_u64..7) {
        let consent = Consent::from_statements(said.clone());
        for purpose in Purpose::ALL {
            let expected = agreed(&said, purpose, day(today));
            prop_assert_eq!(consent.agreed(purpose, day(today)).ok().map(|(_, channels)| channels), expected);
            for channel in Channel::ALL {
                let proof = consent.prove(channel, purpose, day(today));
                prop_assert_eq!(proof.is_ok(), expected.is_some_and(|channels| channels.contains(channel)));
            }
            let words = said.iter().any(|s| s.wish == Wish::OptOut && s.purposes.contains(purpose));
            prop_assert!(words || !consent.is_opted_out(purpose, day(today)), "an opt-out nobody said");
        }
    }

    #[test]
    fn the_order_and_the_number_of_tellings_do_not_matter(
        a in prop::collection::vec(statement(), 0..6), b in prop::collection::vec(statement(), 0..6),
        c in prop::collection::vec(statement(), 0..6), turn in 0_usize..6,
    ) {
        let once = joined(&[&a, &b, &c]);
        prop_assert_eq!(&joined(&[&c, &a, &b]), &once, "commutative");
        prop_assert_eq!(&joined(&[&a, &b, &a, &c, &b, &c, &a]), &once, "idempotent");
        let pair = joined(&[&b, &c]);
        prop_assert_eq!(&joined(&[&a, pair.statements()]), &once, "associative");
        let mut all: Vec<Statement> = [a, b, c].concat();
        let places = all.len().max(1);
        all.rotate_left(turn % places);
        prop_assert_eq!(&Consent::from_statements(all), &once, "as stored");
    }

    #[test]
    fn one_more_opt_out_never_opens_a_channel(
        said in prop::collection::vec(statement(), 0..8), on in 0_u64..6, ours in any::<bool>(), today in 0_u64..7,
    ) {
        let source = if ours { Source::Recorded } else { Source::Import };
        let before = Consent::from_statements(said.clone());
        let after = joined(&[&said, &[Statement::of_all(day(on), Wish::OptOut, source)]]);
        for channel in Channel::ALL {
            let may = |consent: &Consent| consent.prove(channel, Purpose::Care, day(today)).is_ok();
            prop_assert!(may(&before) || !may(&after), "an opt-out opened {}", channel);
        }
        let is_last = said.iter().all(|statement| statement.on <= day(on));
        prop_assert!(!is_last || matches!(after.agreed(Purpose::Marketing, day(today)), Err(NoConsent::OptedOut(_))), "the last word");
    }
}
