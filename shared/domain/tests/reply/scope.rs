//! How far an opt-out reaches: the words that messages name end marketing, more than that ends all.

use retorno_domain::channel::PurposeSet;
use retorno_domain::conversation::stopped;
use retorno_domain::reply::{Asked, understand};

use crate::today;

const LINES: &str = include_str!("scope.tsv");

/// Nobody who wants nothing any more is taken for one who wants no marketing; the other way round is
/// rare, and is answered with how to undo it.
#[test]
fn an_opt_out_stops_what_it_says_and_in_doubt_more() {
    let mut wrong = Vec::new();
    let mut lines = 0;
    for line in LINES.lines().skip(1) {
        let (label, text) = line.split_once('\t').unwrap();
        let purposes = stopped(&understand(text, &Asked::default(), today()), false, false);
        let expected = if label == "marketing" { PurposeSet::MARKETING } else { PurposeSet::ALL };
        if purposes != Some(expected) {
            wrong.push(format!("{label} {text:?}: {purposes:?}"));
        }
        lines += 1;
    }
    assert!(lines >= 75);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
