// Whole lives are played in one function, which is laid out deeper than the default allows.
#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
//! The conversation as a patient has it: written on the phone, in by the hook, out by the one mouth.

mod account;
mod agreements;
mod canary;
mod dying;
mod erasure;
mod gateway;
mod guardian;
mod hours;
mod ledger;
mod opt_outs;
mod parked;
#[path = "../permissions/mod.rs"]
mod permissions;
mod purposes;
mod scene;
mod seldom;
mod staff;
mod strangers;
mod templates;
mod timetable;
mod traced;
mod units;
mod vaulted;

use chrono::{DateTime, TimeDelta, Utc};
use inbound_webhook::event::{Event, InboundMessage, Private, Route, Routed, Said, Sender};
use inbound_webhook::process::{Inbound, Processed};
use retorno::calls::calls_of;
use retorno::host::{Written, signed, webhook};
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::BookingStatus;
use retorno_domain::appointment::AppointmentStatus;
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::enrollment::{EndReason, State};
use retorno_domain::ids::ClinicId;
use scene::{PHONE, Scene, row};

pub(crate) fn far() -> (DateTime<Utc>, DateTime<Utc>) {
    (DateTime::UNIX_EPOCH, "2100-01-01T00:00:00Z".parse().unwrap())
}

/// What is held against the roles of the functions.
const JOURNEYS: &[fn()] = &[
    two_books_the_second_slot_and_ends_the_sequence,
    the_next_export_gives_the_visit_its_number_and_it_stays_one_visit,
    parar_ends_everything_for_everybody_on_that_phone,
    what_nobody_can_read_goes_to_a_person_and_automation_waits,
    another_day_is_offered_and_taken_by_button,
    with_no_slot_one_waits_and_a_freed_one_is_offered,
    an_opt_out_delivered_again_does_not_undo_a_later_opt_in,
    a_text_message_is_answered_by_text_message_and_opens_no_window,
    news_of_an_account_reach_all_clinics_that_share_it_and_a_number_is_of_one,
];

#[test]
fn the_functions_call_what_their_roles_allow_and_no_more() {
    let functions =
        ["export-importer", "segment-evaluator", "step-dispatcher", "inbound-webhook", "ledger-sealer", "staff-api"];
    let others = [
        account::JOURNEYS,
        agreements::JOURNEYS,
        erasure::JOURNEYS,
        dying::JOURNEYS,
        gateway::JOURNEYS,
        guardian::JOURNEYS,
        hours::JOURNEYS,
        ledger::JOURNEYS,
        opt_outs::JOURNEYS,
        parked::JOURNEYS,
        purposes::JOURNEYS,
        seldom::JOURNEYS,
        staff::JOURNEYS,
        strangers::JOURNEYS,
        templates::JOURNEYS,
        timetable::JOURNEYS,
        vaulted::JOURNEYS,
    ];
    permissions::hold(&functions, &[JOURNEYS, &others.concat()].concat());
}

#[tokio::test]
async fn two_books_the_second_slot_and_ends_the_sequence() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "el 2 porfa").await;
    let told = scene.told(PHONE);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("quedó reservado"), "{told:?}");
    let one = scene.of("1").await;
    let visit = one.patient.patient.appointments.iter().find(|visit| visit.id.is_ours()).unwrap();
    assert_eq!(visit.status, AppointmentStatus::Booked);
    assert!(visit.lead_source.as_deref().unwrap().starts_with("reactivación-"));
    let bookings = scene.tenant.bookings(far().0, far().1).await.unwrap();
    assert_eq!(bookings.len(), 1);
    assert_eq!(one.messages[0].slots[1], bookings[0].slot, "the second of the message");
    assert!(matches!(one.enrollments[0].enrollment.state, State::Ended { reason: EndReason::Booked, .. }));
    let free = scene.tenant.free_slots(far().0, far().1, None, scene.host.now()).await.unwrap();
    assert_eq!(free.len(), 39);

    // Said again, nothing is booked again; and nothing more is sent of the sequence.
    scene.says(PHONE, "2").await;
    assert_eq!(scene.tenant.bookings(far().0, far().1).await.unwrap().len(), 1);
    let before = scene.told(PHONE).len();
    scene.pass(TimeDelta::days(14)).await;
    assert_eq!(scene.told(PHONE).len(), before);
}

#[tokio::test]
async fn the_next_export_gives_the_visit_its_number_and_it_stays_one_visit() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "1").await;
    let booking = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    let local = booking.start.with_timezone(&chrono_tz::America::Argentina::Buenos_Aires).naive_local();
    let start = local.format("%Y-%m-%dT%H:%M:%S").to_string();
    let rows =
        [row("C1", "2025-09-10T10:00:00", "1", PHONE, "completado"), row("C900", &start, "1", PHONE, "reservado")];
    scene.import(&rows).await;
    scene.import_slots(40).await;
    let one = scene.of("1").await;
    let visits = &one.patient.patient.appointments;
    assert_eq!(visits.len(), 2, "{visits:?}");
    let visit = visits.iter().find(|visit| visit.id.as_str() == "C900").unwrap();
    assert!(visit.lead_source.as_deref().unwrap().starts_with("reactivación-"), "where it came from is kept");
    let booking = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    assert_eq!(booking.clinic_number.unwrap().as_str(), "C900");
    let free = scene.tenant.free_slots(far().0, far().1, None, scene.host.now()).await.unwrap();
    assert_eq!(free.len(), 39, "a slot that was booked is not free because a file says so");
    // Cancelled by chat, it is cancelled under its number, and the slot is free again.
    scene.says(PHONE, "tengo que cancelar el turno").await;
    let one = scene.of("1").await;
    let visit = one.patient.patient.appointments.iter().find(|visit| visit.id.as_str() == "C900").unwrap();
    assert_eq!(visit.status, AppointmentStatus::Cancelled);
    let booking = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    assert_eq!(booking.status, BookingStatus::Cancelled);
    assert_eq!(scene.tenant.free_slots(far().0, far().1, None, scene.host.now()).await.unwrap().len(), 40);
}

#[tokio::test]
async fn parar_ends_everything_for_everybody_on_that_phone() {
    let scene = Scene::with(&[("1", PHONE), ("2", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "PARAR").await;
    let told = scene.told(PHONE);
    assert!(told.last().unwrap().contains("no te mandamos más promociones"), "{told:?}");
    scene.pass(TimeDelta::days(40)).await;
    assert_eq!(scene.told(PHONE).len(), told.len(), "nobody on that phone is written to again");
    let one = scene.of("1").await;
    let keys = scene.tenant.contact_keys(&one.patient.patient, scene.host.now().date_naive());
    let points = scene.tenant.contact_points(&keys).await.unwrap();
    assert_eq!(points.phone.suppressed, ChannelSet::ALL);
}

#[tokio::test]
async fn what_nobody_can_read_goes_to_a_person_and_automation_waits() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "mi vecino tiene un gato azul").await;
    let inbox = scene.tenant.inbox().await.unwrap();
    assert_eq!(inbox.len(), 1);
    let told = scene.told(PHONE);
    assert!(told.last().unwrap().contains("Te va a responder una persona"), "{told:?}");
    scene.pass(TimeDelta::days(20)).await;
    assert_eq!(scene.told(PHONE).len(), told.len(), "nothing is said in between");
    // Unwell: to the top, with where to go.
    scene.says(PHONE, "me duele muchísimo y me sangra la encía").await;
    assert_eq!(scene.tenant.inbox().await.unwrap()[0].open.urgency.code(), "urgent");
    assert!(scene.told(PHONE).last().unwrap().contains("emergencia"));
}

#[tokio::test]
async fn another_day_is_offered_and_taken_by_button() {
    let scene = Scene::with(&[("1", PHONE)], 60).await;
    scene.until_sent().await;
    scene.says(PHONE, "prefiero el viernes a la mañana").await;
    let offered = scene.host.doubles.whatsapp().all_sent().unwrap().pop().unwrap();
    assert!(offered.text.as_deref().unwrap().contains("1)"), "{:?}", scene.told(PHONE));
    assert_eq!(offered.replies.len(), 3);
    let (id, title) = offered.replies[0].clone();
    scene.writes(PHONE, &Written::Choice(id, title)).await;
    let booking = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    let local = booking.start.with_timezone(&chrono_tz::America::Argentina::Buenos_Aires);
    assert_eq!(local.format("%A").to_string(), "Friday");
}

#[tokio::test]
async fn with_no_slot_one_waits_and_a_freed_one_is_offered() {
    let other = "5491155550202";
    let scene = Scene::with(&[("1", PHONE), ("2", other)], 2).await;
    scene.until_sent().await;
    scene.pass(TimeDelta::hours(9)).await;
    // Both slots go to the first; the second finds none.
    scene.says(PHONE, "1").await;
    let one = scene.of("1").await;
    assert_eq!(scene.tenant.bookings(far().0, far().1).await.unwrap().len(), 1, "{:?}", one.thread);
    let left = scene.tenant.free_slots(far().0, far().1, None, scene.host.now()).await.unwrap();
    assert_eq!(left.len(), 1);
    scene.import_slots(0).await;
    scene.says(other, "quiero un turno").await;
    assert!(scene.told(other).last().unwrap().contains("lista de espera"), "{:?}", scene.told(other));
    assert_eq!(scene.tenant.waitlist().await.unwrap().len(), 1);
    assert_eq!(
        scene.of("2").await.thread.thread.asked,
        None,
        "the slots of the first message are no question any more"
    );
    scene.says(PHONE, "no puedo ir, cancelo la cita").await;
    // Whom we begin to write to ourselves is written to in contact hours.
    scene.pass(TimeDelta::hours(16)).await;
    let told = scene.told(other);
    assert!(told.last().unwrap().contains("se liberó un turno"), "{told:?}");
    assert!(told.last().unwrap().contains("Te lo guardamos hasta el m"), "martes o miércoles: {told:?}");
    scene.says(other, "sí!").await;
    let bookings = scene.tenant.bookings(far().0, far().1).await.unwrap();
    let open: Vec<_> = bookings.iter().filter(|booking| booking.status == BookingStatus::Booked).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].patient.as_str(), "2");
    assert!(scene.tenant.waitlist().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_opt_out_delivered_again_does_not_undo_a_later_opt_in() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    let clinic = scene.tenant.settings(scene.host.now()).await.unwrap().clinic;
    let bring = async |id: &str, text: &str| {
        let written = Written::Text(text.to_owned());
        let body = webhook(&clinic, PHONE, &written, (id, None), scene.host.now()).to_string();
        let request = signed(&scene.host.sandbox_app_secret(), body.into_bytes());
        assert_eq!(scene.host.hook(request).await.status, 200);
        scene.host.settle().await.unwrap();
    };
    bring("wamid.out", "PARAR").await;
    scene.pass(TimeDelta::days(2)).await;
    bring("wamid.in", "ALTA").await;
    let suppressed = async || {
        let one = scene.of("1").await;
        let today = clinic.date(scene.host.now());
        let keys = scene.tenant.contact_keys(&one.patient.patient, today);
        let points = scene.tenant.contact_points(&keys).await.unwrap();
        (points.phone.suppressed, one.patient.patient.consent.is_opted_out(Purpose::Marketing, today))
    };
    assert_eq!(suppressed().await, (ChannelSet::NONE, false));
    bring("wamid.out", "PARAR").await;
    assert_eq!(suppressed().await, (ChannelSet::NONE, false), "the same message twice is one");
    bring("wamid.out.2", "PARAR").await;
    assert_eq!(suppressed().await.0, ChannelSet::ALL, "another one is another");
}

#[tokio::test]
async fn a_text_message_is_answered_by_text_message_and_opens_no_window() {
    let scene = Scene::of_clinic("[sms]\norigination = \"+5491155550999\"", &[("1", PHONE)], 40).await;
    let inbound = Inbound::new(scene.host.reach.clone(), SecretKey::new([7_u8; 32]).unwrap());
    let message = InboundMessage {
        channel: Channel::Sms,
        id: Private::new("sms-1"),
        from: Sender { phone: Some(Private::new(PHONE)), user_id: None },
        at: scene.host.now(),
        said: Said::Text(Private::new("quiero un turno")),
        answers: None,
        received_by: "5491155550999".to_owned(),
    };
    let route = Route::SmsNumber("5491155550999".to_owned());
    let event = Event::Message(Box::new(message));
    assert_eq!(calls_of("inbound-webhook", inbound.take_in(&Routed { route, event })).await.unwrap(), Processed::Done);
    let one = scene.of("1").await;
    assert_eq!(one.answers.last().unwrap().answer.channel, Channel::Sms);
    assert_eq!(one.thread.thread.heard_at, None);
}

#[tokio::test]
async fn news_of_an_account_reach_all_clinics_that_share_it_and_a_number_is_of_one() {
    let scene = Scene::of_clinic("whatsapp_account_id = \"900\"", &[("1", PHONE)], 2).await;
    let other = ClinicId::parse("otra").unwrap();
    let settings = format!("{}whatsapp_account_id = \"900\"", scene::SETTINGS);
    let refused = scene.host.add_clinic(&other, &settings, "rate(15 minutes)").await.unwrap_err().to_string();
    assert!(refused.contains("whatsapp_phone_number_id"), "{refused}");
    let settings = settings.replace("\"700\"", "\"701\"");
    scene.host.add_clinic(&other, &settings, "rate(15 minutes)").await.unwrap();
    let rejected = serde_json::json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "900", "time": scene.host.now().timestamp(), "changes": [{
            "field": "message_template_status_update",
            "value": { "event": "REJECTED", "message_template_id": 1, "message_template_name": "retorno_x_v1",
                       "message_template_language": "es_AR", "reason": "INVALID_FORMAT" },
        }] }],
    });
    let request = signed(&scene.host.sandbox_app_secret(), rejected.to_string().into_bytes());
    assert_eq!(scene.host.hook(request).await.status, 200);
    assert_eq!(scene.host.settle().await.unwrap().failed, 0);
    for clinic in [&scene.clinic, &other] {
        let later = scene.host.now() + TimeDelta::seconds(20);
        let stored = scene.host.reach.store.of(clinic).settings(later).await.unwrap();
        let state = stored.approvals.template("retorno_x_v1", "es_AR").unwrap();
        assert_eq!(state.rejected_for(), Some("INVALID_FORMAT"), "{clinic}");
    }
}
