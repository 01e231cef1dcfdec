//! The model's table against the real store over the embedded engine: the same writes, many of them
//! resting on what was read long ago, are accepted or refused alike and leave the same items. This is
//! what makes the model the code's model.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod both;
mod compare;
mod others;
mod write;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use both::Both;
use write::Write;

/// Sequences of writes, each with its own empty table.
const CASES: u32 = 60;

fn played(writes: Vec<Write>) -> both::Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut both = Both::begin().await;
        for write in writes {
            both.write(write).await;
            both.compare(write).await;
        }
        both.tally
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]
    #[test]
    fn table_and_store_accept_the_same_and_become_the_same(writes in prop::collection::vec(write::any_write(), 1..60)) {
        played(writes);
    }
}

/// A fixed stream of writes, long enough that each kind is accepted and refused often: otherwise the
/// comparison would say little.
#[test]
fn every_kind_of_write_is_accepted_and_refused() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut sum = both::Tally::default();
    for _ in 0..40 {
        let writes = (0..60).map(|_| write::drawn(&mut rng)).collect();
        for (kind, (accepted, refused)) in played(writes) {
            let total = sum.entry(kind).or_default();
            total.0 += accepted;
            total.1 += refused;
        }
    }
    for kind in ["enroll", "claim", "undo", "advance", "end", "replace"] {
        let (accepted, refused) = sum.get(kind).copied().unwrap_or_default();
        assert!(accepted >= 5 && refused >= 5, "{kind}: {accepted} accepted, {refused} refused; {sum:?}");
    }
}
