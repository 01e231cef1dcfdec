//! A batch of the dispatch queue. Each order is taken up by itself: one that fails, panics or finds too
//! little time left is handed back alone.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt as _;
use retorno_cloud::orders::Order;

use crate::dispatch::Dispatcher;

/// No order is begun with less time left: the longest call, and what is recorded after it.
const TIME_LEFT_MIN: Duration = Duration::from_secs(13);

/// Takes a batch up, of an invocation that ends at an instant.
pub async fn batch(dispatcher: &Dispatcher, event: SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        #[expect(clippy::disallowed_methods, reason = "the invocation's deadline is the machine's time")]
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        let taken = left >= TIME_LEFT_MIN
            && AssertUnwindSafe(take_up(dispatcher, &message)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!(id = message.message_id, "an order broke the dispatcher");
                false
            });
        if !taken {
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    response
}

async fn take_up(dispatcher: &Dispatcher, message: &SqsMessage) -> bool {
    let Ok(order) = serde_json::from_str::<Order>(message.body.as_deref().unwrap_or("")) else {
        // Handed back until the queue parks it where it is seen.
        tracing::error!(id = message.message_id, "an unreadable order");
        return false;
    };
    match dispatcher.take_up(&order).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(id = message.message_id, %error, "an order is handed back");
            false
        }
    }
}
