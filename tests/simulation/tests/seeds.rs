//! A bounded part of the simulation: every seed that once failed, a range that moves with nothing,
//! and the same seed twice. `tests/long` plays the rest.

#![expect(clippy::expect_used, reason = "tests")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use retorno_simulation::run::run;
use retorno_simulation::summary::Summary;

/// Seeds played besides those that once failed.
const SEEDS: u64 = 70;
const THREADS: usize = 2;

/// What must have come up so often at least: about a third of how often it does.
const OFTEN: [(&str, u64); 16] = [
    ("accepted by whatsapp", 150),
    ("accepted by email", 80),
    ("accepted by sms", 150),
    ("accepted by push", 4),
    ("page notified", 4),
    ("a browser is gone", 1),
    ("said by sms", 100),
    ("text delivered", 50),
    ("accepted for a minor", 60),
    ("accepted by who came of age", 3),
    ("slot of a timetable taken", 12),
    ("rest slot of a timetable", 60),
    ("called: nobody answered", 15),
    ("called: wants nothing any more", 6),
    ("called: agreed", 6),
    ("called: took a date", 4),
];

fn played(seeds: &[u64]) -> Summary {
    let (next, sum) = (AtomicU64::new(0), Mutex::new(Summary::default()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let at = || usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
                while let Some(seed) = seeds.get(at()) {
                    let outcome = run(*seed, None, false);
                    sum.lock().expect("nobody dies holding it").add(&outcome);
                }
            });
        }
    });
    sum.into_inner().expect("nobody dies holding it")
}

#[test]
fn nothing_that_may_not_be_ever_is() {
    let once_failed = include_str!("../failed-seeds.txt").lines().filter(|line| !line.starts_with('#'));
    let mut seeds: Vec<u64> = once_failed
        .map(|line| line.split_whitespace().next().and_then(|seed| seed.parse().ok()).expect("a seed a line"))
        .collect();
    seeds.extend(1_000..1_000 + SEEDS);
    let sum = played(&seeds);
    assert!(sum.violations.is_empty(), "\n{}", sum.text());
    // A run in which nothing happens proves nothing.
    assert!(sum.all.accepts > 10 * SEEDS, "\n{}", sum.text());
    assert!(sum.faults() > 500 * SEEDS && sum.faults() * 5 > sum.all.requests, "\n{}", sum.text());
    let every_run_may_miss = ["message unknown to accepted", "message unknown to undetermined", "ended left_segment"];
    let missing: Vec<&str> = sum.missing().into_iter().filter(|what| !every_run_may_miss.contains(what)).collect();
    let seldom = OFTEN.iter().filter(|(what, least)| sum.all.reached.get(*what).is_none_or(|count| count < least));
    let seldom: Vec<&str> = seldom.map(|(what, _)| *what).collect();
    assert!(seldom.is_empty(), "too seldom: {seldom:?}\n{:?}", sum.all.reached);
    assert!(missing.is_empty(), "never came up: {missing:?}\n{}", sum.text());
}

#[test]
fn a_seed_is_one_run() {
    for seed in [7, 2_026] {
        let (once, again) = (run(seed, None, false), run(seed, None, false));
        assert_eq!((once.hash, once.requests, &once.faults), (again.hash, again.requests, &again.faults));
    }
    assert_ne!(run(7, None, false).hash, run(8, None, false).hash);
}
