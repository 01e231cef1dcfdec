//! The schedules through the real SDK client.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::SdkError;
use aws_sdk_scheduler::operation::create_schedule::builders::CreateScheduleFluentBuilder;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, ScheduleState, Target,
};

use super::Scheduler;
use crate::doubles::testing::{Hand, doubles, utc};
use crate::doubles::{Doubles, Fault, Provider};

const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:due-steps";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:segment-evaluator";

fn client(scheduler: &Scheduler) -> Client {
    Client::from_conf(scheduler.sdk_config().build())
}

fn target(arn: &str, input: &str) -> Target {
    Target::builder().arn(arn).role_arn("arn:aws:iam::000000000000:role/r").input(input).build().unwrap()
}

fn exactly() -> FlexibleTimeWindow {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap()
}

/// A one-time schedule that deletes itself and puts its own name into the queue.
fn once(client: &Client, name: &str, at: &str) -> CreateScheduleFluentBuilder {
    client
        .create_schedule()
        .name(name)
        .schedule_expression(format!("at({at})"))
        .flexible_time_window(exactly())
        .action_after_completion(ActionAfterCompletion::Delete)
        .target(target(QUEUE, name))
}

fn queued(doubles: &Doubles) -> Vec<String> {
    let received = doubles.sqs().receive("due-steps", 100, Duration::from_secs(60)).unwrap();
    received.into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn what_is_due_goes_to_its_queue_in_order_and_is_gone() {
    let (doubles, clock) = doubles();
    let scheduler = doubles.scheduler();
    let client = client(&scheduler);
    for (name, at) in [
        ("c", "2026-03-01T10:00:00"),
        ("b", "2026-03-01T10:00:00"),
        ("a", "2026-03-01T10:30:00"),
        ("later", "2026-03-02T10:00:00"),
    ] {
        once(&client, name, at).send().await.unwrap();
    }
    assert_eq!(scheduler.next_due().unwrap(), Some(utc("2026-03-01T10:00:00Z")));
    assert_eq!(scheduler.fire_due(clock.now()).unwrap(), []);

    clock.set("2026-03-01T11:00:00Z");
    let fired = scheduler.fire_due(clock.now()).unwrap();
    let names: Vec<_> = fired.iter().map(|fired| fired.name.as_str()).collect();
    assert_eq!(names, ["b", "c", "a"]);
    assert_eq!((fired[0].due, fired[0].target_arn.as_str()), (utc("2026-03-01T10:00:00Z"), QUEUE));
    assert_eq!(queued(&doubles), ["b", "c", "a"]);
    assert_eq!(scheduler.fire_due(clock.now()).unwrap(), []);
    let gone = client.get_schedule().name("b").send().await.unwrap_err();
    assert!(gone.into_service_error().is_resource_not_found_exception());
    assert_eq!(scheduler.next_due().unwrap(), Some(utc("2026-03-02T10:00:00Z")));
}

#[tokio::test]
async fn a_name_is_taken_once_and_the_same_request_may_be_repeated() {
    let (doubles, _clock) = doubles();
    let client = client(&doubles.scheduler());
    let create = || once(&client, "step-1", "2026-03-01T10:00:00");
    let first = create().client_token("t1").send().await.unwrap();
    let again = create().client_token("t1").send().await.unwrap();
    assert_eq!(again.schedule_arn(), first.schedule_arn());
    let conflict = create().client_token("t2").send().await.unwrap_err();
    assert_eq!(conflict.raw_response().unwrap().status().as_u16(), 409);
    assert!(conflict.into_service_error().is_conflict_exception());
    assert!(create().group_name("other").send().await.is_ok());
}

#[tokio::test]
async fn names_expressions_zones_targets_and_the_past_are_checked() {
    let (doubles, _clock) = doubles();
    let client = client(&doubles.scheduler());
    let at = "2026-03-01T10:00:00";
    let wrong = [
        once(&client, "has space", at),
        once(&client, &"x".repeat(65), at),
        once(&client, "a", "2026-03-01T08:59:59"),
        once(&client, "a", at).schedule_expression_timezone("America/Nowhere"),
        once(&client, "a", at).schedule_expression("cron(0 9 ? * MON *)"),
        once(&client, "a", at).target(target("arn:aws:sns:us-east-1:1:topic", "{}")),
        // 10:00 in Madrid is 09:00 in UTC, which is now; an hour earlier is past.
        once(&client, "a", "2026-03-01T09:00:00").schedule_expression_timezone("Europe/Madrid"),
    ];
    for request in wrong {
        let refused = request.send().await.unwrap_err().into_service_error();
        assert!(refused.is_validation_exception(), "{refused:?}");
    }
    assert!(once(&client, &"x".repeat(64), at).send().await.is_ok());
}

#[tokio::test]
async fn a_local_time_is_due_in_its_zone() {
    let (doubles, _clock) = doubles();
    let scheduler = doubles.scheduler();
    let create = once(&client(&scheduler), "step", "2026-03-01T09:30:00");
    create.schedule_expression_timezone("America/Argentina/Buenos_Aires").send().await.unwrap();
    assert_eq!(scheduler.next_due().unwrap(), Some(utc("2026-03-01T12:30:00Z")));
}

#[tokio::test]
async fn a_daily_schedule_invokes_its_function_every_day_until_it_is_finished() {
    let (doubles, clock) = doubles();
    let scheduler = doubles.scheduler();
    let create = client(&scheduler).create_schedule().name("evaluate");
    create
        .schedule_expression("cron(0 6 * * ? *)")
        .schedule_expression_timezone("America/Sao_Paulo")
        .flexible_time_window(exactly())
        .target(target(FUNCTION, "{\"clinic\":\"austral\"}"))
        .send()
        .await
        .unwrap();
    assert_eq!(scheduler.next_due().unwrap(), Some(utc("2026-03-02T09:00:00Z")));
    clock.set("2026-03-02T09:00:00Z");
    assert_eq!(scheduler.fire_due(clock.now()).unwrap().len(), 1);
    assert_eq!(scheduler.next_due().unwrap(), Some(utc("2026-03-03T09:00:00Z")));

    let taken = scheduler.take_invocation().unwrap().unwrap();
    assert_eq!(taken.target_arn, FUNCTION);
    assert_eq!((taken.schedule.as_str(), taken.attempt), ("evaluate", 1));
    assert_eq!(taken.payload, "{\"clinic\":\"austral\"}");
    assert_eq!(scheduler.take_invocation().unwrap(), None);

    assert!(scheduler.release_invocation(taken.id, utc("2026-03-02T09:01:00Z")).unwrap());
    assert_eq!(scheduler.take_invocation().unwrap(), None);
    assert_eq!(scheduler.next_invocation_at().unwrap(), Some(utc("2026-03-02T09:01:00Z")));
    clock.forward(60);
    assert_eq!(scheduler.take_invocation().unwrap().map(|again| again.attempt), Some(2));
    assert!(scheduler.finish_invocation(taken.id).unwrap());
    assert!(!scheduler.finish_invocation(taken.id).unwrap());
}

#[tokio::test]
async fn an_update_replaces_and_a_deletion_removes() {
    let (doubles, clock) = doubles();
    let scheduler = doubles.scheduler();
    let client = client(&scheduler);
    once(&client, "step", "2026-03-01T10:00:00").send().await.unwrap();
    clock.forward(90);
    let update = client.update_schedule().name("step").schedule_expression("rate(2 hours)");
    let update = update.flexible_time_window(exactly()).target(target(QUEUE, "changed"));
    update.send().await.unwrap();
    let read = client.get_schedule().name("step").send().await.unwrap();
    assert_eq!(read.schedule_expression(), Some("rate(2 hours)"));
    assert_eq!(read.target().unwrap().input(), Some("changed"));
    assert_eq!(read.action_after_completion(), Some(&ActionAfterCompletion::None));
    assert_eq!(read.creation_date().unwrap().secs(), utc("2026-03-01T09:00:00Z").timestamp());
    assert_eq!(read.last_modification_date().unwrap().secs(), clock.now().timestamp());
    assert_eq!(scheduler.next_due().unwrap(), Some(utc("2026-03-01T11:01:30Z")));

    client.delete_schedule().name("step").send().await.unwrap();
    assert_eq!(scheduler.next_due().unwrap(), None);
    let gone = client.delete_schedule().name("step").send().await.unwrap_err();
    assert!(gone.into_service_error().is_resource_not_found_exception());
    let unknown = client.update_schedule().name("step").schedule_expression("rate(2 hours)");
    let unknown = unknown.flexible_time_window(exactly()).target(target(QUEUE, "x")).send().await;
    assert!(unknown.unwrap_err().into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn a_disabled_schedule_is_never_due_and_a_kept_one_fires_once() {
    let (doubles, clock) = doubles();
    let scheduler = doubles.scheduler();
    let client = client(&scheduler);
    let disabled = once(&client, "off", "2026-03-01T10:00:00").state(ScheduleState::Disabled);
    disabled.send().await.unwrap();
    assert_eq!(scheduler.next_due().unwrap(), None);
    let kept = once(&client, "kept", "2026-03-01T10:00:00");
    kept.action_after_completion(ActionAfterCompletion::None).send().await.unwrap();
    clock.forward(3600);
    assert_eq!(scheduler.fire_due(clock.now()).unwrap().len(), 1);
    assert_eq!(scheduler.fire_due(clock.now()).unwrap(), []);
    assert!(client.get_schedule().name("kept").send().await.is_ok());
}

#[tokio::test]
async fn faults_strike_before_or_after_the_schedule_is_stored() {
    let (doubles, _clock) = doubles();
    let scheduler = doubles.scheduler();
    let create = || once(&client(&scheduler), "step", "2026-03-01T10:00:00").send();
    doubles.fail_next(Provider::Scheduler, Fault::Throttle);
    doubles.fail_next(Provider::Scheduler, Fault::Unavailable);
    let throttled = create().await.unwrap_err().into_service_error();
    assert!(throttled.is_throttling_exception());
    assert_eq!(create().await.unwrap_err().raw_response().unwrap().status().as_u16(), 503);
    assert_eq!(scheduler.next_due().unwrap(), None);
    doubles.fail_next(Provider::Scheduler, Fault::AcceptThenDrop);
    assert!(matches!(create().await, Err(SdkError::DispatchFailure(_))));
    assert!(scheduler.next_due().unwrap().is_some());
}

#[tokio::test]
async fn a_file_keeps_schedules_and_gives_back_invocations_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doubles.db");
    let clock = Hand::at("2026-03-01T09:00:00Z");
    {
        let scheduler = Doubles::open(&path, clock.clock()).unwrap().scheduler();
        let create = once(&client(&scheduler), "step", "2026-03-01T10:00:00");
        create.target(target(FUNCTION, "{}")).send().await.unwrap();
        clock.forward(3600);
        scheduler.fire_due(clock.now()).unwrap();
        assert!(scheduler.take_invocation().unwrap().is_some());
        once(&client(&scheduler), "next", "2026-03-01T11:00:00").send().await.unwrap();
    }
    let scheduler = Doubles::open(&path, clock.clock()).unwrap().scheduler();
    assert_eq!(scheduler.take_invocation().unwrap().map(|again| again.attempt), Some(2));
    assert_eq!(scheduler.next_due().unwrap(), Some(utc("2026-03-01T11:00:00Z")));
}
