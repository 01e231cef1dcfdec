//! Ways that are seldom taken, so that what the functions may do is seen to be needed.

use chrono::TimeDelta;
use inbound_webhook::event::{
    ConnectionNews, ConnectionState, Event, InboundMessage, Private, Route, Routed, Said, Sender,
};
use inbound_webhook::process::{Inbound, Processed};
use retorno::calls::calls_of;
use retorno::doubles::{Fault, Provider};
use retorno::host::signed;
use retorno_cloud::desk::Desk;
use retorno_cloud::secrets::SecretKey;
use retorno_domain::appointment::AppointmentStatus;
use retorno_domain::channel::Channel;
use retorno_domain::message::Delivery;
use retorno_domain::sender::GatewayKind;
use serde_json::{Value, json};

use crate::far;
use crate::scene::{PHONE, SETTINGS, Scene, row};
use crate::timetable::TIMETABLE;

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    an_export_that_opts_somebody_out_and_in_again_is_heard,
    a_person_known_by_a_messengers_id_only_is_found,
    what_became_of_an_answer_to_a_stranger_is_heard,
    a_gateway_tells_its_code_and_the_same_news_twice,
    of_two_visits_ahead_one_is_called_off_by_chat,
    a_visit_called_off_while_there_was_no_timetable_is_none_in_the_morning,
    a_booking_that_the_clinic_called_off_is_met_by_the_morning,
    a_provider_that_refuses_the_account_halts_the_channel,
];

async fn take_in(scene: &Scene, routed: &Routed) -> Processed {
    let inbound = Inbound::new(scene.host.reach.clone(), SecretKey::new([7_u8; 32]).unwrap());
    calls_of("inbound-webhook", inbound.take_in(routed)).await.unwrap()
}

async fn put_settings(scene: &Scene, own: &str) {
    scene.host.add_clinic(&scene.clinic, &format!("{SETTINGS}{own}"), "rate(15 minutes)").await.unwrap();
}

#[tokio::test]
async fn an_export_that_opts_somebody_out_and_in_again_is_heard() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    let is_out = async || {
        let one = scene.of("1").await;
        let keys = scene.tenant.contact_keys(&one.patient.patient, scene.host.now().date_naive());
        scene.tenant.contact_points(&keys).await.unwrap().phone.suppressed.contains(Channel::Whatsapp)
    };
    let said =
        |number, what| row(number, "2025-10-10T10:00:00", "1", PHONE, "completado").replace("opt-in 2025-09-01", what);
    scene.import(&[said("C2", "opt-out 2026-02-01")]).await;
    assert!(is_out().await);
    scene.import(&[said("C3", "opt-in 2026-03-01")]).await;
    assert!(!is_out().await);
}

#[tokio::test]
async fn a_person_known_by_a_messengers_id_only_is_found() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    scene.until_sent().await;
    let message = |id: &str, phone: Option<&str>| {
        let message = InboundMessage {
            channel: Channel::Whatsapp,
            id: Private::new(id),
            from: Sender { phone: phone.map(Private::new), user_id: Some(Private::new("user-7")) },
            at: scene.host.now(),
            said: Said::Text(Private::new("mi vecino tiene un gato azul")),
            answers: None,
            received_by: "700".to_owned(),
        };
        Routed { route: Route::WhatsappNumber("700".to_owned()), event: Event::Message(Box::new(message)) }
    };
    assert_eq!(take_in(&scene, &message("U0", None)).await, Processed::Nobodys);
    assert_eq!(take_in(&scene, &message("U1", Some(PHONE))).await, Processed::Done);
    assert_eq!(take_in(&scene, &message("U2", None)).await, Processed::Done);
}

#[tokio::test]
async fn what_became_of_an_answer_to_a_stranger_is_heard() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    let unknown = "5491155550303";
    scene.says(unknown, "¿Atienden los sábados?").await;
    let who = scene.tenant.stranger_groups().await.unwrap().remove(0).who;
    let desk = Desk::new(scene.host.reach.clone());
    desk.answer_stranger(&scene.tenant, &who, "a", "Sí, de 9 a 13").await.unwrap();
    scene.host.settle().await.unwrap();
    let answer = scene.host.doubles.whatsapp().all_sent().unwrap().pop().unwrap();
    for (status, code) in [("delivered", None), ("failed", Some(131_026))] {
        let errors: Vec<Value> = code.map(|code| json!({ "code": code, "title": "no" })).into_iter().collect();
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "sandbox", "changes": [{
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": { "display_phone_number": "0", "phone_number_id": "700" },
                "statuses": [{
                    "id": answer.wamid, "status": status, "timestamp": scene.host.now().timestamp().to_string(),
                    "recipient_id": answer.to, "biz_opaque_callback_data": answer.opaque, "errors": errors,
                }],
            },
        }] }] });
        let request = signed(&scene.host.sandbox_app_secret(), body.to_string().into_bytes());
        assert_eq!(scene.host.hook(request).await.status, 200);
        assert_eq!(scene.host.settle().await.unwrap().failed, 0);
    }
    let group = scene.tenant.stranger_groups().await.unwrap().remove(0);
    assert!(matches!(group.answers[0].delivery, Delivery::Failed(_)), "{:?}", group.answers[0].delivery);
}

#[tokio::test]
async fn a_gateway_tells_its_code_and_the_same_news_twice() {
    let gateway = "[whatsapp]\ngateway = \"evolution\"\nbase_url = \"https://wa.example\"\ninstance = \"recepcion\"\n";
    let scene = Scene::of_clinic(gateway, &[("1", PHONE)], 4).await;
    let news = ConnectionNews {
        state: ConnectionState::NeedsQr,
        qr: Some(Private::new("a code")),
        pairing_code: None,
        number: None,
        reason: None,
        at: scene.host.now(),
    };
    let route = Route::Gateway { kind: GatewayKind::Evolution, instance: "recepcion".to_owned() };
    let told = Routed { route, event: Event::Connection(news) };
    take_in(&scene, &told).await;
    assert!(scene.tenant.link_code(scene.host.now()).await.unwrap().is_some());
    take_in(&scene, &told).await;
}

#[tokio::test]
async fn of_two_visits_ahead_one_is_called_off_by_chat() {
    let scene = Scene::without_slots(TIMETABLE, &[("1", PHONE)]).await;
    scene.until_sent().await;
    let visits = ["2026-06-11T09:00:00", "2026-06-18T09:00:00"];
    let rows: Vec<String> =
        visits.iter().enumerate().map(|(n, at)| row(&format!("C{}", n + 2), at, "1", PHONE, "reservado")).collect();
    scene.import(&rows).await;
    scene.says(PHONE, "no puedo ir, cancelo la cita").await;
    assert_eq!(scene.tenant.visits_ahead().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_visit_called_off_while_there_was_no_timetable_is_none_in_the_morning() {
    let scene = Scene::without_slots(TIMETABLE, &[("1", PHONE)]).await;
    let visit = |status| row("C2", "2026-06-18T09:00:00", "1", PHONE, status);
    scene.import(&[visit("reservado")]).await;
    put_settings(&scene, "").await;
    scene.evaluate().await;
    scene.import(&[visit("cancelado")]).await;
    put_settings(&scene, TIMETABLE).await;
    scene.evaluate().await;
    assert!(scene.tenant.visits_ahead().await.unwrap().is_empty());
}

/// Called off in an import that died before it looked at the slots.
#[tokio::test]
async fn a_booking_that_the_clinic_called_off_is_met_by_the_morning() {
    for writes in 0..60 {
        let scene = Scene::without_slots(TIMETABLE, &[("1", PHONE)]).await;
        scene.until_sent().await;
        scene.says(PHONE, "1").await;
        let booking = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
        let zone = chrono_tz::America::Argentina::Buenos_Aires;
        let local = booking.start.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S").to_string();
        scene.import(&[row("C9", &local, "1", PHONE, "reservado")]).await;
        let finished = scene.import_dying_after(writes, &[row("C9", &local, "1", PHONE, "cancelado")]).await;
        scene.pass(TimeDelta::days(1)).await;
        let visits = scene.of("1").await.patient.patient.appointments;
        let is_off =
            visits.iter().any(|visit| visit.id.as_str() == "C9" && visit.status == AppointmentStatus::Cancelled);
        let slots = scene.tenant.slots_ahead(scene.host.now()).await.unwrap();
        let is_taken = slots.iter().any(|slot| slot.known.booked.is_some());
        assert!(!is_off || !is_taken, "the slot of a visit called off is free, after {writes} writes");
        if finished {
            return;
        }
    }
    panic!("it never finished");
}

#[tokio::test]
async fn a_provider_that_refuses_the_account_halts_the_channel() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    for _ in 0..3 {
        scene.host.doubles.fail_next(Provider::Whatsapp, Fault::Reject("131042".to_owned()));
    }
    scene.pass(TimeDelta::hours(9)).await;
    let now = scene.host.now() + TimeDelta::seconds(20);
    let breakers = scene.tenant.settings(now).await.unwrap().breakers;
    assert!(breakers.codes.iter().any(|(channel, code)| *channel == Channel::Whatsapp && code == "131042"));
}
