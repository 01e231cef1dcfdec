//! From the wire to the engine and back: one arm per operation the product uses.

use axum::http::StatusCode;
use dynoxide::actions;
use dynoxide::types::ConsumedCapacity;
use dynoxide::{Database, DynoxideError, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::tokens::Tokens;
use super::units::RequestUnits;

/// An answer as it goes on the wire, and what it cost.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    pub(super) spent: Option<(&'static str, RequestUnits)>,
}

/// Carries out `operation` with the JSON request `body`.
pub(super) fn answer(database: &Database, tokens: &Tokens, operation: &str, body: &[u8]) -> Reply {
    match route(database, tokens, operation, body) {
        Some(Ok(done)) => Reply { status: StatusCode::OK, body: done.body, spent: done.spent },
        Some(Err(error)) => Reply::failed(operation, &error),
        None => Reply::unknown(operation),
    }
}

struct Done {
    body: Vec<u8>,
    spent: Option<(&'static str, RequestUnits)>,
}

const READ: fn(f64) -> RequestUnits = |units| RequestUnits { read: units, write: 0.0 };
const WRITE: fn(f64) -> RequestUnits = |units| RequestUnits { read: 0.0, write: units };

fn route(db: &Database, tokens: &Tokens, operation: &str, body: &[u8]) -> Option<Result<Done>> {
    Some(match operation {
        "PutItem" => metered("PutItem", WRITE, body, |q| db.put_item(q)),
        "GetItem" => metered("GetItem", READ, body, |q| db.get_item(q)),
        "UpdateItem" => metered("UpdateItem", WRITE, body, |q| db.update_item(q)),
        "DeleteItem" => metered("DeleteItem", WRITE, body, |q| db.delete_item(q)),
        "Query" => metered("Query", READ, body, |q| db.query(q)),
        "Scan" => metered("Scan", READ, body, |q| db.scan(q)),
        "BatchGetItem" => metered("BatchGetItem", READ, body, |q| db.batch_get_item(q)),
        "BatchWriteItem" => metered("BatchWriteItem", WRITE, body, |q| db.batch_write_item(q)),
        "TransactWriteItems" => {
            metered("TransactWriteItems", WRITE, body, |q| tokens.once(body, q, |q| db.transact_write_items(q)))
        }
        "TransactGetItems" => metered("TransactGetItems", READ, body, |q| db.transact_get_items(q)),
        "CreateTable" => free(body, |q| db.create_table(q)),
        "DescribeTable" => free(body, |q| db.describe_table(q)),
        "UpdateTimeToLive" => free(body, |q| db.update_time_to_live(q)),
        _ => return None,
    })
}

/// Runs an operation that consumes units. The engine is always asked for them; the caller sees them
/// only if it asked too.
fn metered<Q: Asks, R: Tells>(
    operation: &'static str,
    kind: fn(f64) -> RequestUnits,
    body: &[u8],
    call: impl FnOnce(Q) -> Result<R>,
) -> Result<Done> {
    let mut request: Q = parse(body)?;
    let asked = request.capacity();
    let told = matches!(asked.as_deref(), Some("TOTAL" | "INDEXES"));
    if !told {
        *asked = Some("TOTAL".to_owned());
    }
    let mut response = call(request)?;
    let spent = response.spent(kind);
    if !told {
        response.silence();
    }
    Ok(Done { body: write(&response)?, spent: Some((operation, spent)) })
}

fn free<Q: DeserializeOwned, R: Serialize>(body: &[u8], call: impl FnOnce(Q) -> Result<R>) -> Result<Done> {
    let response = call(parse(body)?)?;
    Ok(Done { body: write(&response)?, spent: None })
}

/// A request that can ask for its consumed capacity.
trait Asks: DeserializeOwned {
    fn capacity(&mut self) -> &mut Option<String>;
}

/// A response that can tell its consumed capacity.
trait Tells: Serialize {
    fn spent(&self, kind: fn(f64) -> RequestUnits) -> RequestUnits;
    fn silence(&mut self);
}

/// Implements both sides for the operations of one module of the engine.
macro_rules! meter {
    ($($module:ident: $request:ident -> $response:ident),+ $(,)?) => {$(
        impl Asks for actions::$module::$request {
            fn capacity(&mut self) -> &mut Option<String> {
                &mut self.return_consumed_capacity
            }
        }
        impl Tells for actions::$module::$response {
            fn spent(&self, kind: fn(f64) -> RequestUnits) -> RequestUnits {
                let mut spent = RequestUnits::default();
                // One figure for a single table, a list of them for a batch.
                for consumed in self.consumed_capacity.as_slice().iter().flat_map(Figures::each) {
                    spent += units_of(consumed, kind);
                }
                spent
            }
            fn silence(&mut self) {
                self.consumed_capacity = None;
            }
        }
    )+};
}

meter! {
    put_item: PutItemRequest -> PutItemResponse,
    get_item: GetItemRequest -> GetItemResponse,
    update_item: UpdateItemRequest -> UpdateItemResponse,
    delete_item: DeleteItemRequest -> DeleteItemResponse,
    query: QueryRequest -> QueryResponse,
    scan: ScanRequest -> ScanResponse,
    batch_get_item: BatchGetItemRequest -> BatchGetItemResponse,
    batch_write_item: BatchWriteItemRequest -> BatchWriteItemResponse,
    transact_write_items: TransactWriteItemsRequest -> TransactWriteItemsResponse,
    transact_get_items: TransactGetItemsRequest -> TransactGetItemsResponse,
}

trait Figures {
    fn each(&self) -> &[ConsumedCapacity];
}

impl Figures for ConsumedCapacity {
    fn each(&self) -> &[ConsumedCapacity] {
        std::slice::from_ref(self)
    }
}

impl Figures for Vec<ConsumedCapacity> {
    fn each(&self) -> &[ConsumedCapacity] {
        self
    }
}

/// A transaction tells reads and writes apart (a repeated token is answered by reading); the other
/// operations give one figure whose kind is the operation's.
fn units_of(consumed: &ConsumedCapacity, kind: fn(f64) -> RequestUnits) -> RequestUnits {
    match (consumed.read_capacity_units, consumed.write_capacity_units) {
        (None, None) => kind(consumed.capacity_units),
        (read, write) => RequestUnits { read: read.unwrap_or_default(), write: write.unwrap_or_default() },
    }
}

/// Reads a request. The engine's readers report what DynamoDB validates as a serde error whose text
/// starts with a marker; those become a `ValidationException`, the rest is malformed.
fn parse<Q: DeserializeOwned>(body: &[u8]) -> Result<Q> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        match text.split_once(':') {
            Some((marker, said)) if marker.starts_with("VALIDATION") => {
                DynoxideError::ValidationException(said.to_owned())
            }
            Some((marker, said)) if marker.starts_with("SERIALIZATION") => {
                DynoxideError::SerializationException(said.to_owned())
            }
            _ => DynoxideError::SerializationException(text.to_owned()),
        }
    })
}

fn write<R: Serialize>(response: &R) -> Result<Vec<u8>> {
    serde_json::to_vec(response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

impl Reply {
    fn failed(operation: &str, error: &DynoxideError) -> Self {
        Self {
            status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: error.to_json().into_bytes(),
            spent: refused(operation, error),
        }
    }

    fn unknown(operation: &str) -> Self {
        Self::error(
            StatusCode::BAD_REQUEST,
            "com.amazon.coral.service#UnknownOperationException",
            &format!("the embedded table engine does not serve the operation '{operation}'"),
        )
    }

    /// A body that is a stream, which the SDK never sends to DynamoDB.
    pub(super) fn unreadable() -> Self {
        Self::error(
            StatusCode::BAD_REQUEST,
            "com.amazon.coral.service#SerializationException",
            "the request has no readable body",
        )
    }

    pub(super) fn throttled() -> Self {
        Self::error(
            StatusCode::BAD_REQUEST,
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "throttled by the fault script",
        )
    }

    pub(super) fn unavailable() -> Self {
        Self::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "com.amazonaws.dynamodb.v20120810#InternalServerError",
            "unavailable by the fault script",
        )
    }

    fn error(status: StatusCode, kind: &str, message: &str) -> Self {
        let body = json!({ "__type": kind, "message": message }).to_string().into_bytes();
        Self { status, body, spent: None }
    }
}

/// A write whose condition fails is billed all the same, but the engine gives no figure for it. The
/// least it can cost is counted: one unit, or two for each item of a transaction.
fn refused(operation: &str, error: &DynoxideError) -> Option<(&'static str, RequestUnits)> {
    let (operation, units) = match (operation, error) {
        ("PutItem", DynoxideError::ConditionalCheckFailedException(..)) => ("PutItem", 1),
        ("UpdateItem", DynoxideError::ConditionalCheckFailedException(..)) => ("UpdateItem", 1),
        ("DeleteItem", DynoxideError::ConditionalCheckFailedException(..)) => ("DeleteItem", 1),
        ("TransactWriteItems", DynoxideError::TransactionCanceledException(_, reasons)) => {
            ("TransactWriteItems", 2 * reasons.len().min(100))
        }
        _ => return None,
    };
    Some((operation, WRITE(f64::from(u32::try_from(units).unwrap_or(u32::MAX)))))
}
