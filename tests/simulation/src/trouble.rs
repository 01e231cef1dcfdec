//! What goes wrong, how often, and how often it did.

use std::collections::BTreeMap;

use crate::chance::Chance;

/// Every kind of trouble; each must come up in a long run.
pub const KINDS: [&str; 36] = [
    "table_throttled",
    "table_unavailable",
    "table_conflict",
    "request_lost",
    "answer_lost",
    "frozen",
    "crash_before",
    "crash_after",
    "function_timed_out",
    "queue_unavailable",
    "schedule_unavailable",
    "order_twice",
    "order_late",
    "order_after_delete",
    "order_dead_lettered",
    "schedule_twice",
    "schedule_late",
    "schedule_lost",
    "morning_twice",
    "morning_lost",
    "export_twice",
    "provider_throttled",
    "provider_refused",
    "provider_answer_lost",
    "provider_unreachable",
    "provider_garbled",
    "provider_ambiguous",
    "provider_takes_in_vain",
    "webhook_twice",
    "webhook_late",
    "clock_skewed",
    "rival_at_claim",
    "rival_at_call",
    "rival_at_enrollment",
    "rival_at_take_back",
    "rival_at_import",
];

/// How much goes wrong in a run; each run draws its own mixture. Rates are per thousand.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// A request to the table, the queue or the schedules meets a fault.
    pub request: u32,
    /// The environment dies at a wait.
    pub crash: u32,
    /// Waits at which it dies far more often: those whose label falls into this class.
    pub crash_class: u64,
    /// The environment is frozen at a wait.
    pub freeze: u32,
    /// The longest freeze, in ms.
    pub freeze_ms_max: i64,
    /// An order is delivered twice, late, or after it was deleted; a schedule likewise.
    pub delivery: u32,
    /// A call to a provider meets trouble.
    pub provider: u32,
    /// Somebody acts at the very moment of a claim.
    pub rival: u32,
    /// How readily people answer what reaches them.
    pub talk: u32,
    /// How far a clock may be off, in ms.
    pub skew_ms: i64,
    /// The longest wait for an answer in ordinary times, in ms.
    pub latency_ms: i64,
}

/// Requests that a run makes once or never; at the ordinary rates nobody would ever die there.
const SELDOM: [&str; 9] = [
    "PutItem breaker",
    "update contact unreachable",
    "update contact opt-out",
    "update contact unlist",
    "update contact vacate",
    "evaluate: send message",
    "get flow",
    "PutItem flow",
    "PutItem evaluated",
];

/// Classes of waits; in each run one class is where environments like to die.
const CRASH_CLASSES: u64 = 24;

impl Knobs {
    /// A run's mixture.
    #[must_use]
    pub fn draw(chance: &mut Chance) -> Self {
        Self {
            request: chance.pick(&[40, 120, 250, 400], 120),
            crash: chance.pick(&[0, 4, 10, 25], 4),
            crash_class: u64::try_from(chance.below(24)).unwrap_or(0) % CRASH_CLASSES,
            freeze: chance.pick(&[0, 2, 6, 15], 2),
            freeze_ms_max: chance.pick(&[15_000, 120_000, 3_600_000, 30_000_000], 120_000),
            delivery: chance.pick(&[50, 200, 400], 200),
            provider: chance.pick(&[50, 200, 450], 200),
            rival: chance.pick(&[100, 300, 600], 300),
            talk: chance.pick(&[0, 150, 400, 700], 400),
            skew_ms: chance.pick(&[0, 200, 2_000], 200),
            latency_ms: chance.pick(&[20, 80, 400], 80),
        }
    }

    /// How often environments die at this wait, per thousand: more where a class of waits has its turn,
    /// and most where a run seldom comes at all.
    #[must_use]
    pub fn crash_at(&self, place: &str) -> u32 {
        if SELDOM.iter().any(|seldom| place.contains(seldom)) {
            return 250;
        }
        if self.likes_to_crash_at(place) { self.crash * 12 } else { self.crash }
    }

    /// Whether environments like to freeze at this wait: the class beside the one for dying.
    #[must_use]
    pub fn likes_to_freeze_at(&self, label: &str) -> bool {
        (fingerprint(label.as_bytes()) + 1) % CRASH_CLASSES == self.crash_class
    }

    /// Whether environments like to die at this wait.
    fn likes_to_crash_at(&self, label: &str) -> bool {
        fingerprint(label.as_bytes()) % CRASH_CLASSES == self.crash_class
    }
}

/// FNV-1a: names a text by a number.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Trouble and its count.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// How much of it.
    pub knobs: Knobs,
    /// Whether there is any now; at the end of a run there is none.
    pub is_on: bool,
    /// How often each kind came up.
    pub counts: BTreeMap<&'static str, u64>,
    /// Crashes by handler, wait, and before or after.
    pub crashes: BTreeMap<String, u64>,
    /// Waits passed, by the same names.
    pub waits: BTreeMap<String, u64>,
    /// Requests made to anything outside.
    pub requests: u64,
}

impl Trouble {
    /// Trouble of a mixture.
    #[must_use]
    pub fn of(knobs: Knobs) -> Self {
        Self {
            knobs,
            is_on: true,
            counts: BTreeMap::new(),
            crashes: BTreeMap::new(),
            waits: BTreeMap::new(),
            requests: 0,
        }
    }

    /// Counts one.
    pub fn note(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
    }

    /// Whether something goes wrong now, at this rate.
    pub fn strikes(&self, chance: &mut Chance, per_mille: u32) -> bool {
        self.is_on && chance.per_mille(per_mille)
    }
}
