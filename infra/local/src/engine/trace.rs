//! A record of requests, for whoever wants to know what an action costs item by item. Requests hold
//! what patients' records hold: a trace is neither logged nor shown as it is.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::RequestUnits;

/// A request that reached the table while it was traced. Its Debug leaves the content out.
#[derive(Clone)]
pub struct TracedRequest {
    /// The operation.
    pub operation: &'static str,
    /// What it consumed.
    pub units: RequestUnits,
    /// The request's body.
    pub request: Value,
    /// `ConsumedCapacity` of the answer, broken down by table and index; null where it was refused.
    pub consumed: Value,
}

impl fmt::Debug for TracedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedRequest")
            .field("operation", &self.operation)
            .field("units", &self.units)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(super) struct Trace {
    is_on: AtomicBool,
    kept: Mutex<Vec<TracedRequest>>,
}

impl Trace {
    pub(super) fn start(&self) {
        self.kept().clear();
        self.is_on.store(true, Ordering::SeqCst);
    }

    pub(super) fn end(&self) -> Vec<TracedRequest> {
        self.is_on.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.kept())
    }

    /// The request's body as it asks for consumption by index too, while tracing.
    pub(super) fn asking(&self, body: &[u8]) -> Option<Vec<u8>> {
        if !self.is_on.load(Ordering::SeqCst) {
            return None;
        }
        let mut request: Value = serde_json::from_slice(body).ok()?;
        let object = request.as_object_mut()?;
        object.insert("ReturnConsumedCapacity".to_owned(), Value::from("INDEXES"));
        serde_json::to_vec(&request).ok()
    }

    pub(super) fn keep(&self, operation: &'static str, units: RequestUnits, request: &[u8], answer: &[u8]) {
        if !self.is_on.load(Ordering::SeqCst) {
            return;
        }
        let read = |body| serde_json::from_slice::<Value>(body).unwrap_or_default();
        let consumed = read(answer).get("ConsumedCapacity").cloned().unwrap_or_default();
        self.kept().push(TracedRequest { operation, units, request: read(request), consumed });
    }

    fn kept(&self) -> MutexGuard<'_, Vec<TracedRequest>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
