//! Reads the dispatch queue. Each order of a batch is taken up by itself: one that fails, panics or
//! finds too little time left is handed back alone.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt as _;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use retorno_cloud::Clock;
use retorno_cloud::orders::Order;
use retorno_cloud::vault::{Kept, Vault};
use step_dispatcher::{Dispatcher, SECRETS};

/// No order is begun with less time left: the longest call, and what is recorded after it.
const TIME_LEFT_MIN: Duration = Duration::from_secs(13);

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
        let taken = left >= TIME_LEFT_MIN
            && AssertUnwindSafe(take_up(dispatcher, &message)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!(id = message.message_id, "an order broke the dispatcher");
                false
            });
        if !taken {
            response.add_failure(message.message_id.unwrap_or_default());
        }
    }
    Ok(response)
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
