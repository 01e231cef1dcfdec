//! How much goes wrong in a run: drawn anew for each, so that calm and wild runs both occur.

use fastrand::Rng;

/// Chances are in thousandths.
#[derive(Debug, Clone)]
pub(super) struct Knobs {
    /// Of each step: that something befalls the worker.
    pub(super) step: u32,
    /// Of each order: delivered more than once.
    pub(super) duplicate: u32,
    /// Of each order: late.
    pub(super) late: u32,
    /// Of each order: lost.
    pub(super) lost: u32,
    /// Of each call: not simply taken.
    pub(super) answer: u32,
    /// Of each step close to the claim: that something happens to its patient at that moment.
    pub(super) strike: u32,
    /// Mean time between happenings at the clinic, in minutes.
    pub(super) happening_minutes: u64,
    /// The most a clock is off, in milliseconds.
    pub(super) skew_ms: i64,
    /// Duplicates come within so many milliseconds.
    pub(super) spacing_ms: i64,
    /// Days simulated.
    pub(super) days: i64,
    /// Patients.
    pub(super) patients: usize,
    /// Patients per phone, about.
    pub(super) per_phone: usize,
    /// Patients enrolled a day at most.
    pub(super) a_day: usize,
}

/// The most a clock may be off: two of them stay within the margin of the caps.
pub(super) const SKEW_MAX_MS: i64 = 20_000;

fn pick<T: Copy>(rng: &mut Rng, of: &[T], otherwise: T) -> T {
    of.get(rng.usize(..of.len().max(1))).copied().unwrap_or(otherwise)
}

impl Knobs {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        Self {
            step: pick(rng, &[60, 150, 250], 150),
            duplicate: pick(rng, &[100, 400, 800], 400),
            late: pick(rng, &[20, 200, 400], 200),
            lost: pick(rng, &[0, 50, 150], 50),
            answer: pick(rng, &[100, 300, 600], 300),
            strike: pick(rng, &[0, 10, 40], 10),
            happening_minutes: pick(rng, &[120, 480, 1_440], 480),
            skew_ms: pick(rng, &[0, 2_000, SKEW_MAX_MS], 2_000),
            spacing_ms: pick(rng, &[40, 3_000, 900_000], 3_000),
            days: pick(rng, &[30, 120, 365], 120),
            patients: rng.usize(8..60),
            per_phone: rng.usize(1..5),
            a_day: rng.usize(1..12),
        }
    }
}
