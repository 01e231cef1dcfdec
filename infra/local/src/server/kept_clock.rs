//! The system's clock: the machine's time plus an offset that grows when somebody moves it. It never
//! goes back, also not across restarts: it is stored before anything happens at a later instant.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use retorno_cloud::Clock;
use serde::{Deserialize, Serialize};

use super::folder::{read_json, write_json};
use crate::host::HostError;

/// As stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// How far ahead of the machine's time, in milliseconds.
    offset_ms: i64,
    /// An instant that has been reached.
    reached: DateTime<Utc>,
}

/// The clock and where it is kept.
#[derive(Debug)]
pub(crate) struct KeptClock {
    path: PathBuf,
    clock: Clock,
    kept: Mutex<Kept>,
}

impl KeptClock {
    /// Opens the clock of a folder; a new one shows the machine's time.
    ///
    /// # Errors
    /// [`HostError`] when its file cannot be read or written.
    pub(crate) fn open(folder: &Path) -> Result<Self, HostError> {
        let path = folder.join("clock.json");
        let machine = machine_now();
        let last: Option<Kept> = read_json(&path)?;
        let now = last.map_or(machine, |kept| (machine + TimeDelta::milliseconds(kept.offset_ms)).max(kept.reached));
        let kept = Kept { offset_ms: (now - machine).num_milliseconds(), reached: now };
        write_json(&path, &kept)?;
        Ok(Self { path, clock: Clock::movable(now), kept: Mutex::new(kept) })
    }

    /// The clock itself.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Where the machine's time would have the clock now.
    pub(crate) fn machine(&self) -> DateTime<Utc> {
        machine_now() + TimeDelta::milliseconds(self.kept.lock().unwrap_or_else(PoisonError::into_inner).offset_ms)
    }

    /// Moves the clock to an instant, stored first. Earlier than now, nothing happens.
    ///
    /// # Errors
    /// [`HostError`] when it cannot be stored; then it has not moved.
    pub(crate) fn move_to(&self, at: DateTime<Utc>) -> Result<(), HostError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Kept { offset_ms: kept.offset_ms.max((at - machine_now()).num_milliseconds()), reached: at };
        if at > kept.reached {
            write_json(&self.path, &next)?;
            *kept = next;
        }
        self.clock.move_to(at);
        Ok(())
    }

    /// Moves the clock on without storing it: nothing happens at the instant reached.
    pub(crate) fn tick(&self) {
        self.clock.move_to(self.machine());
    }
}

fn machine_now() -> DateTime<Utc> {
    let now = Clock::System.now();
    DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_moved_clock_stands_where_it_was_moved_to_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = KeptClock::open(folder.path()).unwrap();
        let target = first.clock().now() + TimeDelta::days(9);
        first.move_to(target).unwrap();
        assert_eq!(first.clock().now(), target);
        first.move_to(target - TimeDelta::days(3)).unwrap();
        assert_eq!(first.clock().now(), target, "never back");
        drop(first);
        let again = KeptClock::open(folder.path()).unwrap();
        let ahead = again.clock().now() - target;
        assert!(ahead >= TimeDelta::zero() && ahead < TimeDelta::minutes(10), "goes on from there: {ahead}");
    }

    #[test]
    fn a_machine_whose_time_went_back_does_not_take_the_clock_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let reached = machine_now() + TimeDelta::hours(5);
        write_json(&folder.path().join("clock.json"), &Kept { offset_ms: 0, reached }).unwrap();
        assert!(KeptClock::open(folder.path()).unwrap().clock().now() >= reached);
    }

    #[test]
    fn a_broken_file_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("clock.json"), "{").unwrap();
        assert!(KeptClock::open(folder.path()).unwrap_err().to_string().contains("clock.json"));
    }
}
