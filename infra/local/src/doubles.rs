//! Small doubles of the services Retorno talks to — SQS, EventBridge Scheduler, SES v2, the WhatsApp
//! Cloud API, gateways to WhatsApp and the browsers' push services — at the wire boundary: the
//! production clients speak to them unchanged.
//!
//! They keep what they accepted in one SQLite database, in memory or in a file, and commit before
//! they answer: what was acknowledged survives the death of the process at any instant. Ids follow
//! from the order of acceptance, so the same run gives the same ids. Time is a clock passed in.
//!
//! They are for one machine and for tests, never a path in production code.

mod faults;
mod gateway;
mod push;
mod scheduler;
mod ses;
mod sqs;
#[cfg(test)]
mod testing;
mod whatsapp;
mod wire;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use uuid::Uuid;

pub use faults::{Fault, Provider};
pub use gateway::{GatewayDouble, GatewayLink, GatewayMessage};
pub use push::{PushDouble, ShownAlert};
pub use scheduler::{Fired, Invocation, Scheduler};
pub use ses::{Mail, Ses};
pub use sqs::{QueueDepth, QueuedMessage, Sqs, queue_url};
pub use whatsapp::{MetaSays, SentButton, SentMessage, SentParameter, SentTemplate, Whatsapp, serve};

use faults::FaultScript;

/// Tells the doubles what time it is; a simulation moves it.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The doubles over one database. Clones share it.
#[derive(Clone)]
pub struct Doubles {
    inner: Arc<Inner>,
}

struct Inner {
    connection: Mutex<Connection>,
    clock: Clock,
    faults: FaultScript,
}

/// Why a double could not keep or read its state.
#[derive(Debug, thiserror::Error)]
pub enum DoublesError {
    /// SQLite refused: a file that is not a database, a full disk.
    #[error("the doubles' database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A stored record is not readable: the file was written by another version or by hand.
    #[error("a record of the doubles' database is unreadable: {0}")]
    Record(String),
}

impl Doubles {
    /// Doubles that forget everything with their last clone.
    ///
    /// # Errors
    /// [`DoublesError::Database`] when SQLite cannot be set up.
    pub fn in_memory(clock: Clock) -> Result<Self, DoublesError> {
        Self::over(Connection::open_in_memory()?, clock)
    }

    /// Opens or creates file-backed doubles. Invocations that were taken and not finished become
    /// available again; received messages reappear when their visibility ends.
    ///
    /// # Errors
    /// [`DoublesError::Database`] when the file cannot be opened as a database.
    pub fn open(path: impl AsRef<Path>, clock: Clock) -> Result<Self, DoublesError> {
        Self::over(Connection::open(path)?, clock)
    }

    fn over(connection: Connection, clock: Clock) -> Result<Self, DoublesError> {
        // NORMAL in WAL mode survives the death of the process; only a power cut may take the last
        // commits, which for a double is no loss.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(include_str!("doubles/schema.sql"))?;
        connection.execute("UPDATE invocations SET taken = 0", [])?;
        let inner = Inner { connection: Mutex::new(connection), clock, faults: FaultScript::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The queues.
    #[must_use]
    pub fn sqs(&self) -> Sqs {
        Sqs::new(self.clone())
    }

    /// The schedules.
    #[must_use]
    pub fn scheduler(&self) -> Scheduler {
        Scheduler::new(self.clone())
    }

    /// The mail.
    #[must_use]
    pub fn ses(&self) -> Ses {
        Ses::new(self.clone())
    }

    /// The WhatsApp number.
    #[must_use]
    pub fn whatsapp(&self) -> Whatsapp {
        Whatsapp::new(self.clone())
    }

    /// Gateways to WhatsApp that clinics operate themselves.
    #[must_use]
    pub fn gateway(&self) -> GatewayDouble {
        GatewayDouble::new(self.clone())
    }

    /// The browsers' push services.
    #[must_use]
    pub fn push(&self) -> PushDouble {
        PushDouble::new(self.clone())
    }

    /// Makes the next request to `provider` meet `fault`. Several queue up, one per request.
    pub fn fail_next(&self, provider: Provider, fault: Fault) {
        self.inner.faults.push(provider, fault);
    }

    fn next_fault(&self, provider: Provider) -> Option<Fault> {
        self.inner.faults.pop(provider)
    }

    fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }

    /// Runs `work` in one transaction, committed before this returns.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, DoublesError>) -> Result<T, DoublesError> {
        let mut connection = self.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, DoublesError>) -> Result<T, DoublesError> {
        // A transaction that panicked was rolled back when it was dropped.
        let connection = self.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection)
    }
}

impl fmt::Debug for Doubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doubles").finish_non_exhaustive()
    }
}

/// A provider's id for the `number`th thing it accepted.
fn id_of(provider: &str, number: i64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{provider}/{number}").as_bytes())
}

/// An instant as it is stored: microseconds since the Unix epoch.
fn stored(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

fn instant(stored: i64) -> Result<DateTime<Utc>, DoublesError> {
    DateTime::from_timestamp_micros(stored).ok_or_else(|| DoublesError::Record(format!("{stored} µs is no instant")))
}

fn record<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, DoublesError> {
    serde_json::from_str(json).map_err(|error| DoublesError::Record(error.to_string()))
}
