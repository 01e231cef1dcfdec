//! Chance, from one seed.

use fastrand::Rng;

/// Draws that follow from the seed and their order alone.
#[derive(Debug, Clone)]
pub struct Chance(Rng);

impl Chance {
    /// The draws of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// True `per_mille` times in a thousand.
    pub fn per_mille(&mut self, per_mille: u32) -> bool {
        self.0.u32(0..1_000) < per_mille
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if low >= high { low } else { self.0.i64(low..=high) }
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.usize(0..bound.max(1))
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, of: &[T], otherwise: T) -> T {
        of.get(self.below(of.len())).copied().unwrap_or(otherwise)
    }

    /// A length of time in milliseconds between `low` and `high`, each order of magnitude as likely
    /// as the others.
    pub fn stretch(&mut self, low: i64, high: i64) -> i64 {
        let (low, high) = (low.max(1), high.max(2));
        let doublings = i64::from((high / low).max(1).ilog2());
        let base = low << self.between(0, doublings);
        self.between(base, base.saturating_mul(2)).min(high)
    }
}
