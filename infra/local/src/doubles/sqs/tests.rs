//! The queues through the real SDK client.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use chrono::TimeDelta;

use super::{QueueDepth, Sqs, queue_url};
use crate::doubles::testing::{Hand, doubles};
use crate::doubles::{Doubles, Fault, Provider};

const QUEUE: &str = "due-steps";
const MINUTE: Duration = Duration::from_secs(60);

fn client(sqs: &Sqs) -> Client {
    Client::from_conf(sqs.sdk_config().build())
}

async fn send(sqs: &Sqs, body: &str) {
    client(sqs).send_message().queue_url(queue_url(QUEUE)).message_body(body).send().await.unwrap();
}

fn receive(sqs: &Sqs, max: usize) -> Vec<String> {
    let received = sqs.receive(QUEUE, max, MINUTE).unwrap();
    received.into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn a_message_is_received_hidden_and_deleted() {
    let (doubles, clock) = doubles();
    let sqs = doubles.sqs();
    let sent = client(&sqs).send_message().queue_url(queue_url(QUEUE)).message_body("hello");
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));

    let received = sqs.receive(QUEUE, 10, MINUTE).unwrap();
    assert_eq!(received[0].body, "hello");
    assert_eq!(Some(received[0].id.as_str()), sent.message_id());
    assert_eq!(received[0].receive_count, 1);
    assert!(receive(&sqs, 10).is_empty(), "hidden while it is in flight");
    assert_eq!(sqs.next_visible_at(QUEUE).unwrap(), Some(clock.now() + TimeDelta::minutes(1)));

    assert!(sqs.delete(&received[0].receipt).unwrap());
    assert!(!sqs.delete(&received[0].receipt).unwrap());
    assert_eq!(sqs.next_visible_at(QUEUE).unwrap(), None);
}

#[tokio::test]
async fn a_message_that_is_not_deleted_comes_back_and_old_receipts_are_void() {
    let (doubles, clock) = doubles();
    let sqs = doubles.sqs();
    send(&sqs, "again").await;
    let first = sqs.receive(QUEUE, 1, MINUTE).unwrap().remove(0);
    clock.forward(60);
    let second = sqs.receive(QUEUE, 1, MINUTE).unwrap().remove(0);
    assert_eq!((second.id, second.receive_count), (first.id, 2));
    assert!(!sqs.delete(&first.receipt).unwrap());
    assert!(!sqs.release(&first.receipt, clock.now()).unwrap());
    assert!(sqs.release(&second.receipt, clock.now() + TimeDelta::seconds(5)).unwrap());
    assert!(receive(&sqs, 1).is_empty());
    clock.forward(5);
    assert_eq!(receive(&sqs, 1), ["again"]);
}

#[tokio::test]
async fn messages_come_by_visibility_and_then_by_arrival() {
    let (doubles, clock) = doubles();
    let sqs = doubles.sqs();
    let late = client(&sqs).send_message().queue_url(queue_url(QUEUE)).message_body("late");
    late.delay_seconds(30).send().await.unwrap();
    for body in ["a", "b", "c"] {
        send(&sqs, body).await;
    }
    let depth = sqs.depth(QUEUE).unwrap();
    assert_eq!(depth, QueueDepth { visible: 3, in_flight: 0, delayed: 1 });
    assert_eq!(depth.total(), 4);
    assert_eq!(receive(&sqs, 2), ["a", "b"]);
    clock.forward(30);
    assert_eq!(receive(&sqs, 10), ["c", "late"]);
}

#[tokio::test]
async fn after_five_receives_a_message_is_set_aside() {
    let (doubles, clock) = doubles();
    let sqs = doubles.sqs();
    send(&sqs, "poison").await;
    for _ in 0..5 {
        assert_eq!(receive(&sqs, 1), ["poison"]);
        clock.forward(60);
    }
    assert!(receive(&sqs, 1).is_empty());
    assert_eq!(sqs.depth(QUEUE).unwrap().total(), 0);
    let aside = sqs.receive("due-steps-dlq", 1, MINUTE).unwrap();
    assert_eq!(aside[0].body, "poison");
}

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

#[tokio::test]
async fn a_batch_is_taken_entry_by_entry() {
    let (doubles, _clock) = doubles();
    let sqs = doubles.sqs();
    let batch = client(&sqs).send_message_batch().queue_url(queue_url(QUEUE));
    let answer = batch
        .entries(entry("0", "fine"))
        .entries(entry("1", "a \u{1} control character"))
        .entries(entry("2", "fine too"))
        .send()
        .await
        .unwrap();
    let taken: Vec<_> = answer.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(taken, ["0", "2"]);
    assert_eq!(answer.failed()[0].id(), "1");
    assert!(answer.failed()[0].sender_fault());
    assert_eq!(receive(&sqs, 10), ["fine", "fine too"]);
}

#[tokio::test]
async fn the_limits_of_a_batch_are_those_of_the_service() {
    let (doubles, _clock) = doubles();
    let client = client(&doubles.sqs());
    let send = |entries| client.send_message_batch().queue_url(queue_url(QUEUE)).set_entries(Some(entries)).send();
    let eleven = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    let refused = send(eleven).await.unwrap_err().into_service_error();
    assert_eq!(refused.meta().code(), Some("TooManyEntriesInBatchRequest"));
    let twins = send(vec![entry("1", "x"), entry("1", "y")]).await.unwrap_err();
    assert_eq!(twins.into_service_error().meta().code(), Some("BatchEntryIdsNotDistinct"));
    let half = "x".repeat(128 * 1024);
    assert!(send(vec![entry("1", &half), entry("2", &half)]).await.is_ok());
    let long = send(vec![entry("1", &half), entry("2", &half), entry("3", "x")]).await.unwrap_err();
    assert_eq!(long.into_service_error().meta().code(), Some("BatchRequestTooLong"));
}

#[tokio::test]
async fn a_message_over_256_kib_and_a_delay_over_15_minutes_are_refused() {
    let (doubles, _clock) = doubles();
    let client = client(&doubles.sqs());
    let send = |body: String, delay| {
        let request = client.send_message().queue_url(queue_url(QUEUE));
        request.message_body(body).delay_seconds(delay).send()
    };
    assert!(send("x".repeat(256 * 1024), 900).await.is_ok());
    assert!(send("x".repeat(256 * 1024 + 1), 0).await.is_err());
    assert!(send("x".to_owned(), 901).await.is_err());
}

#[tokio::test]
async fn attributes_tell_the_depth() {
    let (doubles, _clock) = doubles();
    let sqs = doubles.sqs();
    send(&sqs, "one").await;
    let client = client(&sqs);
    let url = client.get_queue_url().queue_name(QUEUE).send().await.unwrap().queue_url.unwrap();
    let asked = client.get_queue_attributes().queue_url(url);
    let told = asked.attribute_names(QueueAttributeName::All).send().await.unwrap();
    let told = told.attributes().unwrap();
    assert_eq!(told[&QueueAttributeName::ApproximateNumberOfMessages], "1");
    assert_eq!(told[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible], "0");
}

#[tokio::test]
async fn faults_strike_before_or_after_the_message_is_stored() {
    let (doubles, _clock) = doubles();
    let sqs = doubles.sqs();
    let try_send = || {
        let client = client(&sqs);
        async move { client.send_message().queue_url(queue_url(QUEUE)).message_body("x").send().await }
    };
    doubles.fail_next(Provider::Sqs, Fault::Throttle);
    doubles.fail_next(Provider::Sqs, Fault::Unavailable);
    doubles.fail_next(Provider::Sqs, Fault::Reject("UnsupportedOperation".to_owned()));
    let throttled = try_send().await.unwrap_err();
    assert!(throttled.as_service_error().unwrap().is_request_throttled());
    let down = try_send().await.unwrap_err();
    assert_eq!(down.raw_response().unwrap().status().as_u16(), 503);
    let rejected = try_send().await.unwrap_err().into_service_error();
    assert_eq!(rejected.meta().code(), Some("UnsupportedOperation"));
    assert_eq!(sqs.depth(QUEUE).unwrap().total(), 0);

    doubles.fail_next(Provider::Sqs, Fault::AcceptThenDrop);
    assert!(matches!(try_send().await, Err(SdkError::DispatchFailure(_))));
    assert_eq!(sqs.depth(QUEUE).unwrap().total(), 1);

    doubles.fail_next(Provider::Sqs, Fault::Slow(60_000));
    let impatient = tokio::time::timeout(Duration::from_millis(5), try_send()).await;
    assert!(impatient.is_err(), "the answer takes a minute");
    assert_eq!(sqs.depth(QUEUE).unwrap().total(), 2, "and the message was taken all the same");
}

#[tokio::test]
async fn a_file_keeps_what_was_accepted_though_it_is_never_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doubles.db");
    let clock = Hand::at("2026-03-01T09:00:00Z");
    let never_closed = Doubles::open(&path, clock.clock()).unwrap();
    send(&never_closed.sqs(), "kept").await;
    let reopened = Doubles::open(&path, clock.clock()).unwrap();
    assert_eq!(receive(&reopened.sqs(), 1), ["kept"]);
}
