//! DynamoDB inside the process: an embedded engine behind the unmodified AWS SDK.
//!
//! The seam is the SDK's HTTP connector. A client built from [`sdk_config`] serialises its requests
//! as it would for the cloud; [`Engine::http_client`] answers them from SQLite, without a socket.
//! The store above it is the production store, and the wire is where faults are injected.
//!
//! Engine calls block, and they are made inline, on the task that asked. One lock serialises the
//! engine, so a thread pool gives no parallelism; it would only add two thread hand-overs to calls
//! of 30–500 µs. In return the connector gives way to other tasks as the runtime's budget demands,
//! so that a long import does not starve the pages served beside it.

mod client;
mod dispatch;
#[cfg(test)]
mod tests;
mod tokens;
mod trace;
mod units;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};

pub use client::sdk_config;
pub use trace::TracedRequest;
pub use units::{OperationUnits, RequestUnits};

use dispatch::Reply;
use tokens::Tokens;
use trace::Trace;
use units::Ledger;

/// The embedded table engine. Clones share the same tables and the same count of units.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
    intercept: Option<Intercept>,
}

struct Inner {
    database: Database,
    ledger: Mutex<Ledger>,
    trace: Trace,
    tokens: Tokens,
}

/// Decides, before each operation (its name as in `X-Amz-Target`, e.g. `PutItem`), what goes wrong
/// with it; `None` lets it through.
pub type Intercept = Arc<dyn Fn(&str) -> Option<Fault> + Send + Sync>;

/// What can go wrong between a client and the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refused with `ProvisionedThroughputExceededException`; nothing was done.
    Throttled,
    /// Answered with `InternalServerError` (500); nothing was done.
    Unavailable,
    /// The connection failed on the way there; nothing was done.
    LostRequest,
    /// The operation was carried out and its answer was lost on the way back.
    LostAnswer,
}

/// Why an engine could not be opened or swept.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database path holds characters the engine cannot pass on to SQLite.
    #[error("the database path is not valid UTF-8: {0}")]
    Path(String),
    /// The engine refused: a file that is not a database, a newer format, a full disk.
    #[error("embedded table engine: {0}")]
    Engine(#[from] DynoxideError),
}

impl Engine {
    /// An empty engine that lives as long as its last clone.
    ///
    /// # Errors
    /// [`EngineError::Engine`] when SQLite cannot be set up.
    pub fn in_memory() -> Result<Self, EngineError> {
        Ok(Self::over(Database::memory()?))
    }

    /// Opens or creates a file-backed engine. What an answered request wrote survives the death of
    /// the process at any instant (`SIGKILL`); after a power cut the file is intact but may lack the
    /// last writes, because the log is not flushed to the disk at each commit.
    ///
    /// # Errors
    /// [`EngineError::Path`] or [`EngineError::Engine`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EngineError> {
        let path = path.as_ref();
        let utf8 = path.to_str().ok_or_else(|| EngineError::Path(path.to_string_lossy().into_owned()))?;
        let database = Database::new(utf8)?;
        // The engine's own name for `synchronous = NORMAL`: no flush per commit in WAL mode.
        database.disable_bulk_loading()?;
        Ok(Self::over(database))
    }

    fn over(database: Database) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                ledger: Mutex::default(),
                trace: Trace::default(),
                tokens: Tokens::default(),
            }),
            intercept: None,
        }
    }

    /// The same engine, seen through `intercept`: clients made from the returned value suffer its
    /// faults, those made from `self` do not.
    #[must_use]
    pub fn with_intercept(&self, intercept: Intercept) -> Self {
        Self { inner: Arc::clone(&self.inner), intercept: Some(intercept) }
    }

    /// The HTTP client to hand to the SDK's configuration.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector(self.clone()));
        http_client_fn(move |_, _| connector.clone())
    }

    /// Answers one operation of the wire, past the SDK: the HTTP status and the body. `body` is the
    /// JSON request as a client sends it. Faults do not meet it.
    #[must_use]
    pub fn answer(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let reply = self.carry_out_body(operation, body);
        (reply.status.as_u16(), reply.body)
    }

    /// Deletes what has expired, as the service does in its own time, and says how many items went.
    /// Expiry is judged by the machine's clock, not by the clock of a simulation.
    ///
    /// # Errors
    /// [`EngineError::Engine`] when the store fails.
    pub fn sweep_ttl(&self) -> Result<usize, EngineError> {
        Ok(self.inner.database.sweep_ttl()?)
    }

    /// Request units consumed since the engine was opened, over all tables and their indexes.
    #[must_use]
    pub fn units(&self) -> RequestUnits {
        self.ledger().total()
    }

    /// [`Engine::units`] broken down by operation name, with the number of calls.
    #[must_use]
    pub fn units_by_operation(&self) -> BTreeMap<&'static str, OperationUnits> {
        self.ledger().by_operation().clone()
    }

    /// Begins to keep every request that reaches the table, until [`Engine::end_trace`].
    pub fn start_trace(&self) {
        self.inner.trace.start();
    }

    /// Ends what [`Engine::start_trace`] began: the requests that consumed units, in order.
    #[must_use]
    pub fn end_trace(&self) -> Vec<TracedRequest> {
        self.inner.trace.end()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // A count is valid whatever the thread that held it was doing when it died.
        self.inner.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let operation = operation_of(request);
        crate::calls::note_table(operation, request.body().bytes().unwrap_or_default());
        match self.intercept.as_ref().and_then(|intercept| intercept(operation)) {
            None => Ok(respond(self.carry_out(operation, request))),
            Some(Fault::Throttled) => Ok(respond(Reply::throttled())),
            Some(Fault::Unavailable) => Ok(respond(Reply::unavailable())),
            Some(Fault::LostRequest) => Err(ConnectorError::io("connection refused".into())),
            Some(Fault::LostAnswer) => {
                self.carry_out(operation, request);
                Err(ConnectorError::io("connection closed before the answer".into()))
            }
        }
    }

    fn carry_out(&self, operation: &str, request: &HttpRequest) -> Reply {
        let Some(body) = request.body().bytes() else {
            return Reply::unreadable();
        };
        self.carry_out_body(operation, body)
    }

    fn carry_out_body(&self, operation: &str, body: &[u8]) -> Reply {
        let asking = self.inner.trace.asking(body);
        let body = asking.as_deref().unwrap_or(body);
        let reply = dispatch::answer(&self.inner.database, &self.inner.tokens, operation, body);
        if let Some((operation, units)) = reply.spent {
            self.ledger().record(operation, units);
            self.inner.trace.keep(operation, units, body, &reply.body);
        }
        reply
    }
}

/// `DynamoDB_20120810.PutItem` → `PutItem`; empty when the header is missing.
fn operation_of(request: &HttpRequest) -> &str {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    target.rsplit_once('.').map_or(target, |(_, operation)| operation)
}

fn respond(reply: Reply) -> HttpResponse {
    HttpResponse::new(reply.status.into(), SdkBody::from(reply.body))
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
struct Connector(Engine);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engine = self.0.clone();
        HttpConnectorFuture::new(async move {
            // Answers are always ready, so without this a task that writes in a loop would never
            // let another one run.
            tokio::task::coop::consume_budget().await;
            engine.serve(&request)
        })
    }
}
