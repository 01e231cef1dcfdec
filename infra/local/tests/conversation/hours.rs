//! What we begin ourselves keeps contact hours, also when whoever says it stands still in between.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use inbound_webhook::event::{Event, InboundMessage, Private, Route, Routed, Said, Sender};
use inbound_webhook::process::{Inbound, Processed};
use retorno::calls::calls_of;
use retorno::engine::sdk_config;
use retorno_cloud::Reach;
use retorno_cloud::channels::{Channels, EmailChannel, EmailSettings, WhatsappChannel};
use retorno_cloud::orders::say_order;
use retorno_cloud::secrets::{SecretKey, Token};
use retorno_cloud::store::{Store, StoredAnswer};
use retorno_domain::channel::Channel;
use retorno_domain::ids::PatientId;
use step_dispatcher::Dispatcher;

use crate::scene::{PHONE, SEED, Scene};

/// A dispatcher for which so much time passes with each look into the table.
fn slow_dispatcher(scene: &Scene, each: TimeDelta) -> Dispatcher {
    let clock = scene.host.reach.clock.clone();
    let intercept = move |_: &str| {
        clock.move_to(clock.now() + each);
        None
    };
    let engine = scene.host.engine.with_intercept(Arc::new(intercept));
    let key = SecretKey::new(SecretKey::new(SEED).unwrap().mac(&[b"contact"])).unwrap();
    let dynamo = aws_sdk_dynamodb::Client::from_conf(sdk_config(engine.http_client()).build());
    let reach = Reach { store: Store::new(dynamo, "retorno", key), ..scene.host.reach.clone() };
    let ses = aws_sdk_sesv2::Client::from_conf(scene.host.doubles.ses().sdk_config().build());
    let email = EmailChannel::new(ses, EmailSettings { configuration_set: "retorno".to_owned() });
    // Nobody listens there: what is called is tried again, and counts.
    let whatsapp = WhatsappChannel::new("http://127.0.0.1:9/v23.0", Token::new("t")).unwrap();
    let channels = Channels::new(whatsapp, email, SecretKey::new([7_u8; 32]).unwrap());
    Dispatcher::new(reach, channels, scene.host.links().clone())
}

/// How often an offer was claimed that is taken up so long before the end of contact hours, by somebody slow.
async fn claimed_before_the_end(left: TimeDelta) -> u32 {
    let other = "5491155550202";
    let scene = Scene::with(&[("1", PHONE), ("2", other)], 2).await;
    scene.until_sent().await;
    scene.pass(TimeDelta::hours(9)).await;
    scene.says(PHONE, "1").await;
    scene.import_slots(0).await;
    scene.says(other, "quiero un turno").await;
    let clinic = scene.tenant.settings(scene.host.now()).await.unwrap().clinic;
    // On the next day, near the end of its hours, with nothing going out.
    let tomorrow = clinic.date(scene.host.now()).succ_opt().unwrap();
    let closes = clinic.calendar.window_on(tomorrow, clinic.zone).unwrap().closes;
    let before = closes - TimeDelta::minutes(30);
    scene.pass(before - scene.host.now()).await;
    scene.tenant.halt("whatsapp", before + TimeDelta::hours(2), "test").await.unwrap();
    scene.says(PHONE, "no puedo ir, cancelo la cita").await;
    let two = PatientId::parse("2").unwrap();
    let offer = offer(&scene).await;
    assert_eq!(offer.attempts, 0, "{offer:?}");
    scene.tenant.unhalt("whatsapp").await.unwrap();

    let order = say_order(&scene.clinic, &two, offer.answer.id);
    scene.host.reach.clock.move_to(closes - left);
    let dispatcher = slow_dispatcher(&scene, TimeDelta::seconds(1));
    calls_of("step-dispatcher", dispatcher.take_up(&order)).await.unwrap();
    self::offer(&scene).await.attempts
}

/// What we began ourselves; the answers beside it were asked for.
async fn offer(scene: &Scene) -> StoredAnswer {
    scene.of("2").await.answers.into_iter().find(|said| !said.answer.asked_for).unwrap()
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    an_offer_is_not_made_when_the_hours_end_while_it_is_prepared,
    words_that_come_a_day_late_are_answered_in_contact_hours,
];

#[tokio::test]
async fn an_offer_is_not_made_when_the_hours_end_while_it_is_prepared() {
    assert_eq!(claimed_before_the_end(TimeDelta::minutes(9)).await, 1, "with time left it is said");
    assert_eq!(claimed_before_the_end(TimeDelta::seconds(2)).await, 0, "it was over before it could be said");
}

/// Somebody writes a text message that our provider brings only so much later, at three in the morning.
async fn brought_at_night(late: TimeDelta) -> Scene {
    let scene = Scene::of_clinic("[sms]\norigination = \"+5491155550999\"", &[("1", PHONE)], 40).await;
    scene.pass("2026-06-04T06:00:00Z".parse::<DateTime<Utc>>().unwrap() - scene.host.now()).await;
    let message = InboundMessage {
        channel: Channel::Sms,
        id: Private::new("sms-late"),
        from: Sender { phone: Some(Private::new(PHONE)), user_id: None },
        at: scene.host.now() - late,
        said: Said::Text(Private::new("quiero un turno")),
        answers: None,
        received_by: "5491155550999".to_owned(),
    };
    let routed =
        Routed { route: Route::SmsNumber("5491155550999".to_owned()), event: Event::Message(Box::new(message)) };
    let inbound = Inbound::new(scene.host.reach.clone(), SecretKey::new([7_u8; 32]).unwrap());
    assert_eq!(calls_of("inbound-webhook", inbound.take_in(&routed)).await.unwrap(), Processed::Done);
    scene.pass(TimeDelta::minutes(10)).await;
    scene
}

#[tokio::test]
async fn words_that_come_a_day_late_are_answered_in_contact_hours() {
    let at_once = brought_at_night(TimeDelta::zero()).await;
    assert_eq!(at_once.of("1").await.answers[0].attempts, 1, "who is awake is answered");
    let scene = brought_at_night(TimeDelta::hours(30)).await;
    assert_eq!(scene.of("1").await.answers[0].attempts, 0, "nobody waits up for it");
    scene.pass(TimeDelta::hours(12)).await;
    assert_eq!(scene.of("1").await.answers[0].attempts, 1, "and nobody goes without it");
}
