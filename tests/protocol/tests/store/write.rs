//! A write, as a few numbers: what they mean depends on what there is when it is made.

use proptest::prelude::*;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Read a patient anew: later writes rest on it until the next reading.
    Read,
    Enroll,
    Claim,
    Undo,
    Record,
    Age,
    Advance,
    End,
    OptOut,
    Imported,
    Unreachable,
    Replace,
    Pause,
}

/// A write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write {
    pub(crate) kind: Kind,
    /// Which patient.
    pub(crate) who: usize,
    /// Which of what there is.
    pub(crate) which: usize,
    /// How, one way or another.
    pub(crate) how: usize,
    /// After how long.
    pub(crate) seconds: i64,
}

/// The often ones stand there more often.
const KINDS: [Kind; 24] = [
    Kind::Read,
    Kind::Read,
    Kind::Read,
    Kind::Read,
    Kind::Enroll,
    Kind::Enroll,
    Kind::Claim,
    Kind::Claim,
    Kind::Claim,
    Kind::Claim,
    Kind::Claim,
    Kind::Claim,
    Kind::Undo,
    Kind::Undo,
    Kind::Undo,
    Kind::Record,
    Kind::Age,
    Kind::Advance,
    Kind::End,
    Kind::OptOut,
    Kind::Imported,
    Kind::Unreachable,
    Kind::Replace,
    Kind::Pause,
];
/// An instant, seconds, minutes, a day, more than a month.
const SECONDS: [i64; 6] = [0, 1, 1, 420, 90_000, 31 * 86_400];

fn write(kind: usize, who: usize, which: usize, how: usize, after: usize) -> Write {
    Write { kind: KINDS[kind % KINDS.len()], who, which, how, seconds: SECONDS[after % SECONDS.len()] }
}

/// Any write.
pub(crate) fn any_write() -> impl Strategy<Value = Write> {
    let numbers = (0..KINDS.len(), 0..2_usize, 0..8_usize, 0..64_usize, 0..SECONDS.len());
    numbers.prop_map(|(kind, who, which, how, after)| write(kind, who, which, how, after))
}

/// A write of a stream that is always the same.
pub(crate) fn drawn(rng: &mut fastrand::Rng) -> Write {
    write(rng.usize(..KINDS.len()), rng.usize(..2), rng.usize(..8), rng.usize(..64), rng.usize(..SECONDS.len()))
}
