//! The order in which patients wait, and the number's tier over any 24 hours.

use std::cmp::Reverse;

use chrono::Days;
use proptest::prelude::*;
use retorno_domain::ids::PatientId;
use retorno_domain::segment::Mean;
use retorno_domain::wave::{rank, rank_uses_whatsapp, whatsapp_room};

use crate::given::{clinic, date};

#[derive(Debug, Clone)]
struct Waiting {
    mean: Option<Mean>,
    leaves: Option<i32>,
    reach: char,
    patient: PatientId,
}

fn waiting() -> impl Strategy<Value = Waiting> {
    let mean = prop::option::of((0_i64..5_000_000, 1_u32..9).prop_map(|(sum_cents, count)| Mean { sum_cents, count }));
    let id = "[0-9A-Za-z.#% ñ-]{0,6}[0-9a-z]";
    (mean, prop::option::of(739_000_i32..740_000), prop::sample::select(&['w', 'e'][..]), id)
        .prop_map(|(mean, leaves, reach, id)| Waiting { mean, leaves, reach, patient: PatientId::parse(&id).unwrap() })
}

fn rank_of(waiting: &Waiting) -> String {
    rank(waiting.mean, waiting.leaves, waiting.reach, &waiting.patient)
}

/// The order as people would say it: the half-octave of the mean, who leaves first, the exact mean.
fn order(waiting: &Waiting) -> (Reverse<u32>, i32, Reverse<i64>) {
    let cents = waiting.mean.map_or(0, |mean| mean.sum_cents / i64::from(mean.count));
    let class = if cents == 0 { 0 } else { (u128::from(cents.unsigned_abs()).pow(2)).ilog2() + 1 };
    (Reverse(class), waiting.leaves.unwrap_or(i32::MAX), Reverse(cents))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn ranks_sort_as_people_would(all in prop::collection::vec(waiting(), 2..20)) {
        for pair in all.windows(2) {
            let (a, b) = (rank_of(&pair[0]), rank_of(&pair[1]));
            let expected = order(&pair[0]).cmp(&order(&pair[1]));
            prop_assert!(expected.is_eq() || a.cmp(&b) == expected, "{} {}", a, b);
            prop_assert_eq!(rank_uses_whatsapp(&a), pair[0].reach == 'w');
            prop_assert_eq!(a == b, expected.is_eq() && (pair[0].reach, &pair[0].patient) == (pair[1].reach, &pair[1].patient));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// With each day's messages spread over its hours, no 24 hours hold more than the share planned.
    #[test]
    fn two_days_at_their_pace_never_pass_the_tier(
        tier in 1_u32..5_000, share in 1_u8..=100, saturday in 10_u32..20, start in 0_u64..2_000, quarter in 0_u32..96,
    ) {
        let own = format!(
            "[limits]\nwhatsapp_daily_tier = {tier}\n[wave]\ntier_share_percent = {share}\n\
             [hours]\nsaturday = \"09:00-{saturday}:00\""
        );
        let clinic = clinic(&own);
        let first = date("2024-01-01") + Days::new(start);
        let second = first.succ_opt().unwrap();
        let minute = quarter * 15;
        // From a minute of the first day to the same of the second, by each day's own pace.
        let mut people = 0.0;
        for (day, from, until) in [(first, minute, 1440), (second, 0, minute)] {
            let Some(hours) = clinic.calendar.hours.on(chrono::Datelike::weekday(&day)) else { continue };
            let minutes = |time: chrono::NaiveTime| chrono::Timelike::num_seconds_from_midnight(&time) / 60;
            let (opens, closes) = (minutes(hours.from()).max(from), minutes(hours.until()).min(until));
            let part = f64::from(closes.saturating_sub(opens)) / f64::from(hours.minutes());
            people += f64::from(whatsapp_room(&clinic, day)) * part;
        }
        prop_assert!(people <= f64::from(tier) * f64::from(share) / 100.0 + 1e-6, "{} of {}", people, tier);
    }
}
