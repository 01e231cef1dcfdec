//! Reads the dispatch queue. Each order of a batch is taken up by itself: one that fails, panics or
//! finds too little time left is handed back alone.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt as _;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::orders::Order;
use retorno_cloud::vault::{Kept, Vault};
use retorno_cloud::{Clock, CloudError};
use step_dispatcher::{Dispatcher, Done, SECRETS, time_left};

/// What is recorded before the function is ended in any case.
const SPARE: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    retorno_cloud::logging::start();
    let config = retorno_cloud::aws::config_from_env()?;
    let kept = Kept::of(Vault::from_env(&config, SECRETS));
    run(service_fn(|event: LambdaEvent<SqsEvent>| async {
        let dispatcher = kept.get(Clock::System.now(), |secrets| Dispatcher::from_env(&config, secrets)).await?;
        batch(&dispatcher, event).await
    }))
    .await
}

async fn batch(dispatcher: &Dispatcher, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
    let mut response = SqsBatchResponse::default();
    let deadline = event.context.deadline();
    for message in event.payload.records {
        #[expect(clippy::disallowed_methods, reason = "the invocation's deadline is the machine's time")]
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        let taken = AssertUnwindSafe(take_up(dispatcher, &message, left)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(id = message.message_id, "an order broke the dispatcher");
            false
        });
        if !taken {
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    Ok(response)
}

async fn take_up(dispatcher: &Dispatcher, message: &SqsMessage, left: Duration) -> bool {
    let Ok(order) = serde_json::from_str::<Order>(message.body.as_deref().unwrap_or("")) else {
        // Handed back until the queue parks it where it is seen.
        tracing::error!(id = message.message_id, "an unreadable order");
        return false;
    };
    if left < time_left::needed(&order) {
        return false;
    }
    // What would be cut off by the end of the function is cut off a moment earlier, and by itself: the
    // others of its batch stay done.
    // Behind a pointer: what it awaits is nested deeper than the compiler lays out in one piece.
    let taking: Pin<Box<dyn Future<Output = Result<Done, CloudError>> + '_>> = Box::pin(dispatcher.take_up(&order));
    match tokio::time::timeout(left.saturating_sub(SPARE), taking).await {
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
