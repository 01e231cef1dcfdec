//! Guards that a test build can switch off, one at a time, to see whether anybody notices.
//!
//! A guard nobody misses is not proved to be needed, and a test that misses nothing proves nothing.
//! Only the feature `switchable-guards` makes a guard switchable, and no program of the product
//! turns it on: without it [`is_off`] is the constant `false`, and the compiler leaves it out.

#[cfg(feature = "switchable-guards")]
use std::cell::Cell;

/// A guard: the kind of thing it belongs to (`step`, `limit`, `hours`, `send`), and its name there.
pub type Guard = (&'static str, &'static str);

#[cfg(feature = "switchable-guards")]
thread_local! {
    static OFF: Cell<Option<Guard>> = const { Cell::new(None) };
}

/// Whether a guard is switched off in this thread. Always `false` in a build without the feature.
#[must_use]
#[inline]
#[cfg(feature = "switchable-guards")]
pub fn is_off(kind: &str, name: &str) -> bool {
    OFF.with(Cell::get) == Some((kind, name))
}

/// Whether a guard is switched off: never, in this build.
#[must_use]
#[inline]
#[cfg(not(feature = "switchable-guards"))]
pub const fn is_off(_kind: &str, _name: &str) -> bool {
    false
}

/// Switches one guard off in this thread, and every other one on.
#[cfg(feature = "switchable-guards")]
pub fn switch_off(guard: Option<Guard>) {
    OFF.with(|off| off.set(guard));
}
