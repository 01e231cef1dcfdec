//! Marketing and care: PARAR stops one and leaves the other, until that is asked for too.

use chrono::TimeDelta;
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::contact_point::ContactPoints;

use crate::scene::{PHONE, Scene};

/// Marketing on the first day; on the fourth a step of care, on the sixth one of marketing again.
const MIXED: &str = r#"
[[flows]]
id = "reactivacion"
version = 1
close_after_days = 10
steps = [
  { id = "d1", offset_days = 0, channel = "whatsapp", delay_hours_max = 96, metric = "reply rate" },
  { id = "d6", offset_days = 3, channel = "whatsapp", delay_hours_max = 96, metric = "reply rate", purpose = "care" },
  { id = "d8", offset_days = 5, channel = "call", delay_hours_max = 96, metric = "booking rate" },
]
[flows.branches]
yes = "book_now"
no = "close"
opt_out = "close"
unclear = "hand_over"
unread = "next_step"
silence = "close"
"#;

async fn points(scene: &Scene, patient: &str) -> ContactPoints {
    let today = scene.host.now().date_naive();
    let keys = scene.tenant.contact_keys(&scene.of(patient).await.patient.patient, today);
    scene.tenant.contact_points(&keys).await.unwrap()
}

async fn left(scene: &Scene) -> Vec<String> {
    let mut messages = scene.of("1").await.messages;
    messages.retain(|message| message.claimed_at.is_some());
    messages.sort_by_key(|message| message.claimed_at);
    messages.into_iter().map(|message| message.labels.1).collect()
}

/// What is held against the roles of the functions: without the longest, which call nothing more.
pub(crate) const JOURNEYS: &[fn()] = &[
    after_parar_a_step_of_care_still_leaves_and_one_of_marketing_does_not,
    alta_lifts_what_parar_stopped_and_what_was_asked_is_answered_meanwhile,
    lifting_one_purpose_leaves_the_other_and_what_was_stored_before_binds_both,
];

#[tokio::test]
async fn after_parar_a_step_of_care_still_leaves_and_one_of_marketing_does_not() {
    let scene = Scene::of_clinic(MIXED, &[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "PARAR").await;
    let told = scene.told(PHONE);
    assert!(told.last().unwrap().contains("NO MÁS RECORDATORIOS"), "it says how to stop the reminders too: {told:?}");
    scene.pass(TimeDelta::days(20)).await;
    assert_eq!(left(&scene).await, ["d1", "d6"], "the call was marketing");
    let phone = points(&scene, "1").await.phone;
    assert_eq!((phone.suppressed, phone.suppressed_care), (ChannelSet::ALL, ChannelSet::NONE));
}

#[tokio::test]
async fn a_second_parar_or_no_more_reminders_stops_the_step_of_care() {
    for text in ["PARAR", "no quiero más recordatorios"] {
        let scene = Scene::of_clinic(MIXED, &[("1", PHONE)], 40).await;
        scene.until_sent().await;
        scene.says(PHONE, "PARAR").await;
        scene.says(PHONE, text).await;
        assert!(scene.told(PHONE).last().unwrap().contains("tampoco para recordarte turnos"), "{text}");
        scene.pass(TimeDelta::days(20)).await;
        assert_eq!(left(&scene).await, ["d1"], "{text}");
        assert_eq!(points(&scene, "1").await.phone.suppressed_care, ChannelSet::ALL);
    }
}

#[tokio::test]
async fn no_more_reminders_binds_the_family_that_shares_the_phone() {
    let scene = Scene::of_clinic(MIXED, &[("1", PHONE), ("2", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "no me escriban nunca más").await;
    let told = scene.told(PHONE).len();
    scene.pass(TimeDelta::days(40)).await;
    assert_eq!(scene.told(PHONE).len(), told, "nobody on that phone is written to, for care neither");
    for patient in ["1", "2"] {
        assert_eq!(points(&scene, patient).await.phone.suppressed_care, ChannelSet::ALL);
    }
}

#[tokio::test]
async fn alta_lifts_what_parar_stopped_and_what_was_asked_is_answered_meanwhile() {
    let scene = Scene::of_clinic(MIXED, &[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "PARAR").await;
    scene.says(PHONE, "quiero un turno").await;
    assert!(scene.told(PHONE).last().unwrap().contains("turnos libres"), "{:?}", scene.told(PHONE));
    scene.says(PHONE, "PARAR").await;
    scene.pass(TimeDelta::days(2)).await;
    scene.says(PHONE, "ALTA").await;
    let consent = scene.of("1").await.patient.patient.consent;
    assert_eq!(consent.opted_out(scene.host.now().date_naive()), PurposeSet::NONE);
    let phone = points(&scene, "1").await.phone;
    assert_eq!((phone.suppressed, phone.suppressed_care), (ChannelSet::NONE, ChannelSet::NONE));
}

#[tokio::test]
async fn lifting_one_purpose_leaves_the_other_and_what_was_stored_before_binds_both() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let one = scene.of("1").await.patient.patient;
    let hash = scene.tenant.contact_keys(&one, scene.host.now().date_naive()).phone.unwrap();
    let now = scene.host.now();
    // As an import says it: of everything.
    scene.tenant.set_imported_opt_out(&hash, &one.id, true).await.unwrap();
    let phone = points(&scene, "1").await.phone;
    assert!(Purpose::ALL.into_iter().all(|purpose| phone.is_suppressed(Channel::Whatsapp, purpose)));
    scene.tenant.lift_opt_out(&hash, &one.id, PurposeSet::MARKETING, now).await.unwrap();
    let phone = points(&scene, "1").await.phone;
    assert_eq!((phone.suppressed, phone.suppressed_care), (ChannelSet::NONE, ChannelSet::ALL));
    assert!(scene.tenant.suppressed_contacts().await.unwrap().is_empty(), "marketing is open");
    scene.tenant.lift_opt_out(&hash, &one.id, PurposeSet::CARE, now).await.unwrap();
    assert_eq!(points(&scene, "1").await.phone.suppressed_care, ChannelSet::NONE);
}
