//! Idempotent transactions: a repeated `ClientRequestToken` is answered with what the first one was.
//!
//! The engine has a memory of tokens of its own, which it goes through whole at each transaction;
//! after some thousand transactions that is most of what a transaction takes. This one remembers the
//! last few hundred, where the service remembers ten minutes: ample for the retries of one process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use dynoxide::actions::transact_write_items::{TransactWriteItemsRequest, TransactWriteItemsResponse};
use dynoxide::{DynoxideError, Result};
use serde_json::Value;

/// Tokens remembered.
const REMEMBERED: usize = 256;
/// The service's limit, in bytes.
const TOKEN_LENGTH_MAX: usize = 36;

#[derive(Default)]
pub(super) struct Tokens(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    by_token: HashMap<String, (Vec<u8>, TransactWriteItemsResponse)>,
    oldest_first: VecDeque<String>,
}

impl Tokens {
    /// Carries out a transaction, once per token. `body` is the request as it came.
    pub(super) fn once(
        &self,
        body: &[u8],
        mut request: TransactWriteItemsRequest,
        call: impl FnOnce(TransactWriteItemsRequest) -> Result<TransactWriteItemsResponse>,
    ) -> Result<TransactWriteItemsResponse> {
        // One that is too long is the engine's to refuse.
        let Some(token) = request.client_request_token.take_if(|token| token.len() <= TOKEN_LENGTH_MAX) else {
            return call(request);
        };
        // Held throughout: of two with the same token the second waits for the first.
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((first, response)) = memory.by_token.get(&token) {
            return if asks_the_same(first, body) {
                // Nothing is written again, so nothing is counted; the service bills a read.
                Ok(TransactWriteItemsResponse { consumed_capacity: None, ..response.clone() })
            } else {
                let text = "An error occurred (IdempotentParameterMismatchException)";
                Err(DynoxideError::IdempotentParameterMismatchException(text.to_owned()))
            };
        }
        // A refusal is not remembered: the service carries out such a request again too.
        let response = call(request)?;
        memory.remember(token, body.to_vec(), response.clone());
        Ok(response)
    }
}

impl Memory {
    fn remember(&mut self, token: String, body: Vec<u8>, response: TransactWriteItemsResponse) {
        let oldest = (self.oldest_first.len() >= REMEMBERED).then(|| self.oldest_first.pop_front());
        if let Some(oldest) = oldest.flatten() {
            self.by_token.remove(&oldest);
        }
        self.oldest_first.push_back(token.clone());
        self.by_token.insert(token, (body, response));
    }
}

/// Whether two requests are of the same items, in whatever order their attributes are written.
fn asks_the_same(first: &[u8], second: &[u8]) -> bool {
    let items = |body: &[u8]| serde_json::from_slice::<Value>(body).ok()?.get("TransactItems").cloned();
    first == second || items(first) == items(second)
}
