//! A bounded part of the random runs; `protocol run` plays the rest.
#![expect(clippy::panic, reason = "tests")]

use retorno_protocol::guard::Off;
use retorno_protocol::run::{MUTANTS, Totals, play, play_without};

/// Seeds played.
const SEEDS: u64 = 120;
/// Seeds within which what is switched off must be noticed.
const MUTANT_SEEDS: u64 = 150;

fn total(seeds: impl IntoIterator<Item = u64>) -> Totals {
    let mut totals = Totals::default();
    for seed in seeds {
        let outcome = play(seed, false);
        totals.add(seed, &outcome);
        if let Some(violation) = outcome.violations.first() {
            panic!("seed {seed}: {violation}\nto see it: protocol replay {seed}");
        }
    }
    totals
}

#[test]
fn nothing_is_violated_and_all_that_can_go_wrong_does() {
    let totals = total((0..SEEDS).map(|seed| seed + 10_000));
    // Rare kinds need more seeds than there is time for here.
    let missing: Vec<String> = totals.missing().into_iter().filter(|what| what != "OptOutInFlight").collect();
    assert!(missing.len() <= 2, "never happened: {missing:?}");
    assert!(totals.counts.faults_total() * 5 >= totals.counts.events, "fewer than a fault in five events");
}

#[test]
fn what_is_switched_off_is_noticed() {
    for guards in MUTANTS {
        let off: Off = guards.iter().copied().collect();
        let noticed = (1..=MUTANT_SEEDS).any(|seed| !play_without(off, seed, false).violations.is_empty());
        assert!(noticed, "{guards:?}");
    }
}

#[test]
fn the_same_seed_plays_the_same_run() {
    for seed in [3, 4, 11] {
        let (once, again) = (play(seed, false), play(seed, true));
        assert_eq!((once.hash, &once.counts), (again.hash, &again.counts), "seed {seed}");
        assert!(!again.log.is_empty());
    }
    assert_ne!(play(3, false).hash, play(4, false).hash);
}
