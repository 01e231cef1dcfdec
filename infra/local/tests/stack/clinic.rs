//! A clinic is added to a stack: the table, the queue and the schedules stand in for the stack's.

use chrono::{DateTime, TimeDelta, Utc};
use retorno::host::{Host, HostKeys};
use retorno::stack::{Added, Adding, Addresses, add};
use retorno_cloud::Clock;
use retorno_cloud::orders::OrderTargets;
use retorno_domain::ids::ClinicId;

const SETTINGS: &str = r#"
name = "Clínica Aurora"
zone = "America/Bogota"
contact = "el 601 555 0000"
whatsapp_phone_number_id = "700"
"#;

fn addresses() -> Addresses {
    Addresses {
        table: "retorno".to_owned(),
        orders: OrderTargets {
            queue_url: "https://sqs.us-east-1.amazonaws.com/000000000000/dispatch".to_owned(),
            queue_arn: "arn:aws:sqs:us-east-1:000000000000:dispatch".to_owned(),
            role_arn: "arn:aws:iam::000000000000:role/wake".to_owned(),
            group: "retorno-prod".to_owned(),
        },
        evaluator_arn: "arn:aws:lambda:us-east-1:000000000000:function:segment-evaluator".to_owned(),
        sealer_arn: "arn:aws:lambda:us-east-1:000000000000:function:ledger-sealer".to_owned(),
        morning_role_arn: "arn:aws:iam::000000000000:role/morning".to_owned(),
    }
}

fn began() -> DateTime<Utc> {
    "2026-06-01T09:00:00Z".parse().unwrap()
}

async fn host() -> Host {
    let keys = HostKeys::from_seed(b"a seed of at least thirty-two bytes").unwrap();
    Host::in_memory(Clock::movable(began()), &keys, "https://citas.example").await.unwrap()
}

fn scheduler(host: &Host) -> aws_sdk_scheduler::Client {
    aws_sdk_scheduler::Client::from_conf(host.doubles.scheduler().sdk_config().build())
}

async fn adding(host: &Host, id: &str, settings: &str, replace: bool) -> Result<Added, String> {
    let scheduler = scheduler(host);
    let adding = Adding { id, settings, replace, submit_templates: false, now: host.now() };
    add(&host.reach, &scheduler, &addresses(), &adding).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_clinic_that_is_added_is_swept_and_evaluated_in_its_own_morning() {
    let host = host().await;
    let added = adding(&host, "aurora", SETTINGS, false).await.unwrap();
    assert!(!added.was_there && !added.asked_meta);
    let tenant = host.reach.store.of(&ClinicId::parse("aurora").unwrap());
    assert_eq!(tenant.settings_text().await.unwrap(), SETTINGS);
    assert_eq!(host.next_event().unwrap(), Some(began() + TimeDelta::minutes(15)), "the sweep");
    // Six in Bogotá is eleven by UTC.
    let mut mornings = Vec::new();
    let end = began() + TimeDelta::hours(3);
    let played = host.advance_to(end, |at, _| {
        mornings.push(at);
        true
    });
    assert_eq!(played.await.unwrap().failed, 0);
    assert!(mornings.contains(&"2026-06-01T11:00:00Z".parse().unwrap()), "{mornings:?}");
}

#[tokio::test]
async fn its_records_are_sealed_each_hour_and_adding_it_again_brings_back_what_is_missing() {
    let host = host().await;
    adding(&host, "aurora", SETTINGS, false).await.unwrap();
    let schedules = ["morning-aurora", "seal-aurora", "sweep-aurora"];
    let of = async |name: &str| scheduler(&host).get_schedule().group_name("retorno-prod").name(name).send().await;
    let sealing = of("seal-aurora").await.unwrap();
    assert_eq!(sealing.schedule_expression.as_deref(), Some("cron(25 * * * ? *)"));
    assert_eq!(sealing.schedule_expression_timezone.as_deref(), Some("UTC"));
    let target = sealing.target.unwrap();
    assert_eq!((target.arn, target.role_arn), (addresses().sealer_arn, addresses().morning_role_arn));
    assert_eq!(target.input.as_deref(), Some(r#"{"clinic":"aurora"}"#), "what the sealer reads");
    for name in schedules {
        let delete = scheduler(&host).delete_schedule().group_name("retorno-prod").name(name).send();
        delete.await.unwrap();
        assert!(of(name).await.is_err());
        // Once for the one that is missing, and once more with all of them there.
        for _ in 0..2 {
            adding(&host, "aurora", SETTINGS, true).await.unwrap();
            for name in schedules {
                of(name).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_replaced_unasked_and_nothing_is_taken_from_another_clinic() {
    let host = host().await;
    adding(&host, "aurora", SETTINGS, false).await.unwrap();
    let there = adding(&host, "aurora", SETTINGS, false).await.unwrap_err();
    assert!(there.contains("--replace"), "{there}");
    let elsewhere = SETTINGS.replace("America/Bogota", "America/Lima");
    assert!(adding(&host, "aurora", &elsewhere, true).await.unwrap().was_there);
    let taken = adding(&host, "boreal", SETTINGS, false).await.unwrap_err();
    assert!(taken.contains("whatsapp_phone_number_id"), "{taken}");
    let boreal = host.reach.store.of(&ClinicId::parse("boreal").unwrap());
    assert!(boreal.settings_text().await.is_err(), "nothing was written");
    for (id, settings) in [("Not An Id", SETTINGS), ("boreal", "zone = 1"), ("boreal", "name = \"without a zone\"")] {
        assert!(adding(&host, id, settings, false).await.is_err(), "{id} {settings}");
    }
}
