//! The time, as something that is handed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// Where the present instant comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that its owner moves; milliseconds since 1970.
    Movable(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at an instant until it is moved.
    #[must_use]
    pub fn movable(at: DateTime<Utc>) -> Self {
        Self::Movable(Arc::new(AtomicI64::new(at.timestamp_millis())))
    }

    /// The present instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now(),
            Self::Movable(millis) => {
                DateTime::from_timestamp_millis(millis.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
            }
        }
    }

    /// Moves a movable clock forward to an instant; never back. The machine's clock stays.
    pub fn move_to(&self, at: DateTime<Utc>) {
        match self {
            Self::System => {}
            Self::Movable(millis) => {
                millis.fetch_max(at.timestamp_millis(), Ordering::SeqCst);
            }
        }
    }
}
