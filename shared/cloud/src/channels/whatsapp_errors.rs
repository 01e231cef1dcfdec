//! Meta's error codes, sorted by what may be done (error-codes reference, 15 May 2026). Decided on
//! the code, never on the title.

use chrono::TimeDelta;
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};
use serde::Deserialize;

/// The part of Meta's error that decisions rest on.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct GraphError {
    pub(super) code: Option<i64>,
    #[serde(default)]
    pub(super) is_transient: bool,
}

/// Stands for an answer without a code; Meta's codes are not negative.
const NO_CODE: i64 = -1;

fn not_sent(code: String, again_in: TimeDelta, breaker: Option<BreakerScope>) -> Outcome {
    Outcome::NotSent { code, again_in, breaker }
}

/// What an error answer means for the message.
pub(super) fn outcome_of(status: u16, error: &GraphError) -> Outcome {
    let code = error.code.map_or_else(|| format!("http_{status}"), |code| code.to_string());
    match error.code.unwrap_or(NO_CODE) {
        // Throughput and pair limits, maintenance: certainly not sent.
        4 | 80007 | 130_429 | 131_057 => not_sent(code, TimeDelta::minutes(2), None),
        131_056 => not_sent(code, TimeDelta::minutes(5), None),
        // May have been sent.
        1 | 2 | 131_000 | 131_016 | 133_004 | 2_494_100 => Outcome::Ambiguous { code },
        // This recipient, for good.
        131_026 | 131_021 | 130_403 | 131_030 | 130_497 | 131_062 | 137_000 => {
            Outcome::Refused { code, news: RecipientNews::Unreachable }
        }
        131_050 => Outcome::Refused { code, news: RecipientNews::OptedOut },
        // Held out by an experiment, the per-user cap, the window closed: the next channel.
        130_472 | 131_049 | 131_047 => Outcome::Refused { code, news: RecipientNews::None },
        // The template: wrong, paused or still syncing. The recipient's attempt is not spent.
        132_000 | 132_001 | 132_005 | 132_007 | 132_008 | 132_012 | 132_016 | 132_018 | 132_068 | 132_069 | 131_055
        | 131_063 | 134_100 | 134_102 => not_sent(code, TimeDelta::hours(24), Some(BreakerScope::Template)),
        132_015 => not_sent(code, TimeDelta::hours(3), Some(BreakerScope::Template)),
        134_101 => not_sent(code, TimeDelta::minutes(15), Some(BreakerScope::Template)),
        // The account, the number, the token, the payment: nothing goes out until a person acts.
        0
        | 190
        | 3
        | 10
        | 200..=299
        | 131_005
        | 368
        | 131_031
        | 131_048
        | 131_064
        | 131_042
        | 131_044
        | 134_011
        | 133_010
        | 131_045
        | 133_000
        | 133_005
        | 133_006
        | 133_008
        | 133_009
        | 133_015
        | 133_016
        | 136_024
        | 131_037
        | 147_001..=147_005 => not_sent(code, TimeDelta::hours(1), Some(BreakerScope::Channel)),
        // Our own mistake: never again the same way.
        33 | 100 | 131_008 | 131_009 | 131_051 | 135_000 | 131_052 | 131_053 => {
            Outcome::Refused { code, news: RecipientNews::None }
        }
        _ if error.is_transient || status >= 500 => Outcome::Ambiguous { code },
        _ if status == 429 => not_sent(code, TimeDelta::minutes(2), None),
        _ => Outcome::Refused { code, news: RecipientNews::None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: i64) -> Outcome {
        outcome_of(status, &GraphError { code: Some(code), is_transient: false })
    }

    #[test]
    fn each_class_of_the_contract_has_its_outcome() {
        for code in [4, 80007, 130_429, 131_056, 131_057] {
            assert!(matches!(of(400, code), Outcome::NotSent { breaker: None, .. }), "{code}");
        }
        for code in [1, 2, 131_000, 131_016, 133_004] {
            assert!(matches!(of(400, code), Outcome::Ambiguous { .. }), "{code}");
        }
        for code in [131_026, 131_021, 137_000] {
            assert!(matches!(of(400, code), Outcome::Refused { news: RecipientNews::Unreachable, .. }), "{code}");
        }
        assert!(matches!(of(400, 131_050), Outcome::Refused { news: RecipientNews::OptedOut, .. }));
        for code in [0, 190, 200, 131_048, 131_042] {
            assert!(matches!(of(400, code), Outcome::NotSent { breaker: Some(BreakerScope::Channel), .. }), "{code}");
        }
        for code in [132_001, 132_015] {
            assert!(matches!(of(400, code), Outcome::NotSent { breaker: Some(BreakerScope::Template), .. }), "{code}");
        }
        assert!(matches!(of(400, 424_242), Outcome::Refused { .. }));
        assert!(matches!(of(500, 424_242), Outcome::Ambiguous { .. }));
        assert!(matches!(
            outcome_of(400, &GraphError { code: Some(424_242), is_transient: true }),
            Outcome::Ambiguous { .. }
        ));
    }
}
