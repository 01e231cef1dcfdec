//! A batch of the dispatch queue. Each order is taken up by itself: one that fails or finds too little time
//! left is handed back alone.

use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use retorno_cloud::orders::Order;

use crate::dispatch::Dispatcher;
use crate::time_left::needed;

/// What is recorded before the function is ended in any case.
const SPARE: Duration = Duration::from_secs(2);

/// Takes a batch up, of an invocation that ends at an instant.
pub async fn batch(dispatcher: &Dispatcher, event: SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        #[expect(clippy::disallowed_methods, reason = "the invocation's deadline is the machine's time")]
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        if !take_up(dispatcher, &message, left).await {
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    response
}

async fn take_up(dispatcher: &Dispatcher, message: &SqsMessage, left: Duration) -> bool {
    let Ok(order) = serde_json::from_str::<Order>(message.body.as_deref().unwrap_or("")) else {
        // Handed back until the queue parks it where it is seen.
        tracing::error!(id = message.message_id, "an unreadable order");
        return false;
    };
    if left < needed(&order) {
        return false;
    }
    // What would be cut off by the end of the function is cut off a moment earlier, and by itself: the
    // others of its batch stay done.
    match tokio::time::timeout(left.saturating_sub(SPARE), dispatcher.take_up(&order)).await {
        Err(_) => {
            tracing::warn!(id = message.message_id, "an order took too long and is handed back");
            false
        }
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::warn!(id = message.message_id, %error, "an order is handed back");
            false
        }
    }
}
