//! A few guards, switched off: the runs must notice. `tests/long` does it with all of them.

use retorno_simulation::guards::{GUARDS, Mutant};
use retorno_simulation::run::run;

/// Guards whose absence shows within a few seeds, by name.
const SOON: [&str; 7] = [
    "claim: message not claimed before",
    "claim: enrollment as read",
    "claim: place in the number's tier free",
    "advance: enrollment as read",
    "turn: patient as read",
    "say: answer not claimed before",
    "send: the client does not retry by itself (text messages)",
];
const SEEDS: u64 = 24;

fn notices(guard: Mutant) -> bool {
    let broken = |seed, guard| !run(seed, guard, false).violations.is_empty();
    (1..=SEEDS).any(|seed| broken(seed, Some(guard)) && !broken(seed, None))
}

#[test]
fn a_guard_that_is_off_is_missed() {
    let named = GUARDS.iter().copied().filter(|guard| SOON.contains(&guard.name().as_str()));
    let guards: Vec<Mutant> = named.collect();
    assert_eq!(guards.len(), SOON.len());
    for guard in guards {
        assert!(notices(guard), "nobody notices that this guard is off: {}", guard.name());
    }
}
