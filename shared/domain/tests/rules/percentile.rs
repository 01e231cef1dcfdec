//! The clinic-wide threshold: the 80th percentile of the means by the nearest rank, exact to the
//! hundredth, and who is looked at again when a new week's threshold differs.

use proptest::prelude::*;
use retorno_domain::segment::{AmountAtLeast, Condition, Mean, Thresholds, check, percentiles_used};
use retorno_domain::standing::crosses;
use retorno_domain::summary::Summary;

use crate::given::clinic_with;

fn whole(amounts: &[i64]) -> Vec<Mean> {
    amounts.iter().map(|amount| Mean { sum_cents: *amount, count: 1 }).collect()
}

fn at(percentile: u8, amounts: &[i64]) -> Option<i64> {
    Thresholds::over(whole(amounts), &[percentile]).percentile(percentile).map(|mean| mean.sum_cents)
}

#[test]
fn the_nearest_rank_is_the_80_percent_of_n_th_smallest_rounded_up() {
    assert_eq!(at(80, &[]), None, "a clinic where nobody has three visits has none");
    assert_eq!(at(80, &[7]), Some(7), "one patient");
    assert_eq!(at(80, &[1, 2]), Some(2), "1.6 is the second");
    assert_eq!(at(80, &[5, 4, 3, 2, 1]), Some(4), "exactly the fourth of five");
    assert_eq!(at(80, &[1, 2, 3, 4, 5, 6]), Some(5), "4.8 is the fifth of six");
    assert_eq!(at(80, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), Some(8));
    assert_eq!(at(80, &[1, 1, 1, 1, 9]), Some(1), "among equals");
    assert_eq!(at(80, &[1, 9, 9, 9, 9]), Some(9));
    assert_eq!(at(100, &[1, 2, 3]), Some(3), "the largest");
    assert_eq!(at(1, &[1, 2, 3]), Some(1), "the smallest");
}

#[test]
fn means_are_compared_exactly() {
    let mean = |sum_cents, count| Mean { sum_cents, count };
    assert!(mean(100, 3) > mean(33, 1), "a third of a hundredth more");
    assert!(mean(100, 3) < mean(34, 1));
    assert_eq!(mean(200, 6), mean(100, 3), "equal means are equal, however many visits made them");
    assert_eq!(mean(200, 6).cmp(&mean(100, 3)), std::cmp::Ordering::Equal);
    assert!(mean(i64::MAX, 1) > mean(i64::MAX, u32::MAX), "no overflow");
}

#[test]
fn only_the_percentiles_that_segments_use_are_frozen_and_the_clinic_sets_which() {
    assert_eq!(percentiles_used(&crate::given::clinic("").segments), [80]);
    assert_eq!(
        percentiles_used(&clinic_with("mean_amount_percentile = 80", "mean_amount_percentile = 65").segments),
        [65]
    );
    let fixed = clinic_with("mean_amount_percentile = 80", "mean_amount_at_least = 10.0");
    assert!(percentiles_used(&fixed.segments).is_empty());
}

#[test]
fn in_a_clinics_first_week_everybody_with_a_mean_is_looked_at() {
    let after = Thresholds::over(whole(&[10]), &[80]);
    assert!(crosses(Some(Mean { sum_cents: 1, count: 1 }), None, &after));
    assert!(!crosses(None, None, &after), "no mean, no threshold to cross");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_threshold_is_the_smallest_amount_that_so_many_percent_do_not_exceed(
        amounts in prop::collection::vec(0i64..40, 1..60), percentile in 1u8..=100,
    ) {
        let threshold = at(percentile, &amounts).unwrap();
        let share = |most: i64| amounts.iter().filter(|amount| **amount <= most).count() * 100;
        let wanted = usize::from(percentile) * amounts.len();
        prop_assert!(amounts.contains(&threshold));
        prop_assert!(share(threshold) >= wanted, "enough lie at or below it");
        prop_assert!(share(threshold - 1) < wanted, "and too few below it");
    }

    /// What makes the incremental evaluation equal the full one when the week turns: whoever
    /// crosses no threshold is above or below the new ones exactly as they were with the old.
    #[test]
    fn who_crosses_no_threshold_stands_as_before(
        sum_cents in 0i64..60, count in 1u32..4,
        before in prop::collection::vec(0i64..60, 0..8), after in prop::collection::vec(0i64..60, 0..8),
    ) {
        let summary = Summary { amount_sum_cents: sum_cents, amount_count: count, ..Summary::default() };
        let (before, after) = (Thresholds::over(whole(&before), &[50, 80]), Thresholds::over(whole(&after), &[50, 80]));
        let holds = |percentile, thresholds: &Thresholds| {
            check(&Condition::MeanAmount(AmountAtLeast::Percentile(percentile)), &summary, thresholds, 0).0
        };
        let differs = [50, 80].into_iter().any(|p| holds(p, &before) != holds(p, &after));
        prop_assert_eq!(crosses(summary.mean(), Some(&before), &after), differs);
    }
}
