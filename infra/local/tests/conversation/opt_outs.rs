//! Opt-outs and what takes them back: where, for whom, in which order, and what dies in between.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use inbound_webhook::event::{Event, Private, Receipt, ReceiptStatus, Route, Routed, Tags};
use inbound_webhook::process::Inbound;
use retorno::calls::calls_of;
use retorno::engine::sdk_config;
use retorno::host::{Written, signed, webhook};
use retorno_cloud::channels::opaque_id_of;
use retorno_cloud::desk::{Desk, Done, Happening, Refused, StaffDone};
use retorno_cloud::secrets::SecretKey;
use retorno_cloud::store::{BookingStatus, ContactKeys};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Statement, Wish};
use retorno_domain::contact_point::ContactPoint;
use retorno_domain::conversation::{Act, Preferences};
use retorno_domain::ids::PatientId;

use crate::far;
use crate::guardian::{CAROLINA, CHILD, GUARDIAN, child, due, imported, is_out};
use crate::purposes::{MIXED, points};
use crate::scene::{PHONE, Scene, row};

const OTHER: &str = "5491155550202";

fn whatsapp() -> ChannelSet {
    [Channel::Whatsapp].into_iter().collect()
}

fn id(patient: &str) -> PatientId {
    PatientId::parse(patient).unwrap()
}

async fn phone(scene: &Scene, phone: &str) -> ContactPoint {
    let keys = ContactKeys { phone: Some(scene.tenant.hash(&format!("+{phone}"))), ..ContactKeys::default() };
    scene.tenant.contact_points(&keys).await.unwrap().phone
}

/// Somebody says this about a patient, by the desk.
async fn says_by_desk(scene: &Scene, patient: &str, event: &str, act: Act) {
    let desk = Desk::new(scene.host.reach.clone());
    let happening = Happening::silent(event, Channel::Whatsapp, "test");
    let done = desk.act(&scene.tenant, &id(patient), &happening, |_, _| vec![act.clone()]).await.unwrap();
    assert!(matches!(done, Done::Acted(_)), "{done:?}");
}

/// A message with an id of its own, as the hook hears it.
async fn bring(scene: &Scene, wamid: &str, text: &str) {
    let clinic = scene.tenant.settings(scene.host.now()).await.unwrap().clinic;
    let written = Written::Text(text.to_owned());
    let body = webhook(&clinic, PHONE, &written, (wamid, None), scene.host.now()).to_string();
    let request = signed(&scene.host.sandbox_app_secret(), body.into_bytes());
    assert_eq!(scene.host.hook(request).await.status, 200);
    scene.host.settle().await.unwrap();
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    whoever_stopped_only_reminders_is_answered_by_the_automation_and_by_staff,
    alta_reopens_what_was_closed_before_the_person_was_on_record,
    alta_and_staffs_agreement_reopen_what_the_provider_or_somebody_else_closed,
    of_several_opt_outs_the_latest_counts_and_only_what_was_said_before_is_taken_back,
    what_reopens_is_finished_when_it_is_delivered_again_and_undoes_nothing_later,
    a_guardian_speaks_for_their_children_in_their_own_name_too_and_by_email,
    a_guardians_word_takes_back_what_an_import_said_at_the_childs_own_contact,
    what_comes_back_counts_where_the_message_went_though_the_child_is_of_age_by_then,
    leaving_by_a_message_of_care_stops_care_as_well,
    a_freed_slot_goes_to_a_person_where_nothing_may_be_written,
    what_cannot_be_read_of_a_template_keeps_no_opt_out_from_being_heard,
    an_agreement_of_nobody_proven_reopens_nothing,
];

#[tokio::test]
async fn whoever_stopped_only_reminders_is_answered_by_the_automation_and_by_staff() {
    let scene = Scene::with(&[("1", PHONE), ("2", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "1").await;
    scene.says(PHONE, "no quiero más recordatorios").await;
    let stands = phone(&scene, PHONE).await;
    assert_eq!((stands.suppressed, stands.suppressed_care), (ChannelSet::NONE, ChannelSet::ALL));
    scene.says(PHONE, "tengo que cancelar el turno").await;
    let told = scene.told(PHONE);
    assert!(told.last().unwrap().contains("quedó cancelado"), "{told:?}");
    let who = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    assert_eq!(who.status, BookingStatus::Cancelled);
    let desk = Desk::new(scene.host.reach.clone());
    let done = desk.write(&scene.tenant, &who.patient, "staff#1", "Le llamo hoy.").await.unwrap();
    assert_eq!(done, StaffDone::Done);
    scene.host.settle().await.unwrap();
    assert_eq!(scene.told(PHONE).last().unwrap(), "Le llamo hoy.");
    // Whoever wants nothing at all is not written to by staff either.
    scene.says(PHONE, "no me escriban nunca más").await;
    let done = desk.write(&scene.tenant, &who.patient, "staff#2", "Le llamo hoy.").await.unwrap();
    assert_eq!(done, StaffDone::Refused(Refused::OptedOut));
}

#[tokio::test]
async fn alta_reopens_what_was_closed_before_the_person_was_on_record() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.says(OTHER, "PARAR").await;
    assert_eq!(phone(&scene, OTHER).await.suppressed, ChannelSet::ALL);
    scene.import(&[row("C2", "2025-09-10T10:00:00", "2", OTHER, "completado")]).await;
    scene.pass(TimeDelta::days(1)).await;
    scene.says(OTHER, "ALTA").await;
    let stands = phone(&scene, OTHER).await;
    assert_eq!((stands.suppressed, stands.suppressed_care), (ChannelSet::NONE, ChannelSet::NONE));
    assert_eq!(scene.told(OTHER).len(), 1, "and it is answered: {:?}", scene.told(OTHER));
}

#[tokio::test]
async fn alta_and_staffs_agreement_reopen_what_the_provider_or_somebody_else_closed() {
    let scene = Scene::with(&[("1", PHONE), ("2", PHONE)], 40).await;
    let (tenant, desk) = (&scene.tenant, Desk::new(scene.host.reach.clone()));
    let hash = tenant.hash(&format!("+{PHONE}"));
    let only = whatsapp();
    tenant.opt_out(&hash, only, PurposeSet::MARKETING, scene.host.now()).await.unwrap();
    says_by_desk(&scene, "1", "in#1", Act::OptIn).await;
    assert_eq!(phone(&scene, PHONE).await.suppressed, ChannelSet::NONE, "stopped at the provider");
    says_by_desk(&scene, "1", "out#1", Act::OptOut(PurposeSet::MARKETING)).await;
    says_by_desk(&scene, "2", "in#2", Act::OptIn).await;
    assert_eq!(phone(&scene, PHONE).await.suppressed, ChannelSet::NONE, "by the other of the family");
    assert!(is_out(&scene, "1").await, "who is not written to for that");
    says_by_desk(&scene, "1", "out#2", Act::OptOut(PurposeSet::ALL)).await;
    let said = Statement {
        on: scene.host.now().date_naive(),
        wish: Wish::OptIn(only),
        source: Source::Recorded,
        purposes: PurposeSet::MARKETING,
    };
    let done = desk.consent(tenant, &id("2"), "staff#1", &said, "in_person").await.unwrap();
    assert_eq!(done, StaffDone::Done);
    let stands = phone(&scene, PHONE).await;
    assert_eq!((stands.suppressed, stands.suppressed_care), (ChannelSet::NONE, ChannelSet::ALL));
    assert!(tenant.suppressed_contacts().await.unwrap().iter().all(|listed| *listed != hash));
}

#[tokio::test]
async fn of_several_opt_outs_the_latest_counts_and_only_what_was_said_before_is_taken_back() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    let (tenant, hash) = (&scene.tenant, scene.tenant.hash("+5491155550999"));
    let at = |minutes| scene.host.now() + TimeDelta::minutes(minutes);
    let only = whatsapp();
    let stop = |minutes| tenant.opt_out(&hash, only, PurposeSet::MARKETING, at(minutes));
    let is_closed = async || !phone(&scene, "5491155550999").await.suppressed.is_empty();
    stop(1).await.unwrap();
    stop(3).await.unwrap();
    stop(2).await.unwrap();
    tenant.resume_channel(&hash, Channel::Whatsapp, at(2)).await.unwrap();
    assert!(is_closed().await, "resumed before it was stopped again, and told late");
    let who = id("1");
    let lift = |until: DateTime<Utc>| tenant.lift_opt_out(&hash, &who, (PurposeSet::ALL, Some(until)), until);
    lift(at(2)).await.unwrap();
    assert!(is_closed().await, "agreed before it was stopped again");
    lift(at(3)).await.unwrap();
    assert!(!is_closed().await);
}

#[tokio::test]
async fn what_reopens_is_finished_when_it_is_delivered_again_and_undoes_nothing_later() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let (tenant, hash) = (&scene.tenant, scene.tenant.hash(&format!("+{PHONE}")));
    bring(&scene, "wamid.out", "PARAR").await;
    let stopped_at = scene.host.now();
    scene.pass(TimeDelta::days(2)).await;
    bring(&scene, "wamid.in", "ALTA").await;
    assert_eq!(phone(&scene, PHONE).await.suppressed, ChannelSet::NONE);
    // As if it had died between the turn and the contact point.
    tenant.opt_out(&hash, ChannelSet::ALL, PurposeSet::MARKETING, stopped_at).await.unwrap();
    bring(&scene, "wamid.in", "ALTA").await;
    assert_eq!(phone(&scene, PHONE).await.suppressed, ChannelSet::NONE, "finished");
    scene.pass(TimeDelta::days(1)).await;
    tenant.opt_out(&hash, ChannelSet::ALL, PurposeSet::MARKETING, scene.host.now()).await.unwrap();
    bring(&scene, "wamid.in", "ALTA").await;
    assert_eq!(phone(&scene, PHONE).await.suppressed, ChannelSet::ALL, "said since");
}

#[tokio::test]
async fn a_guardian_speaks_for_their_children_in_their_own_name_too_and_by_email() {
    let by_email = "Carolina Paz,,carolina@example.com";
    let scene = due(&[
        child("1", "Tomás", "2015-04-03", CAROLINA, "2026-05-01"),
        child("2", "Julia", "2016-04-03", by_email, "2026-05-01"),
        child("4", "Inés", "2017-04-03", by_email, "2026-05-01"),
    ])
    .await;
    scene.import(&[row("C3", "2025-09-10T10:00:00", "3", GUARDIAN, "completado")]).await;
    says_by_desk(&scene, "3", "out#3", Act::OptOut(PurposeSet::MARKETING)).await;
    assert!(is_out(&scene, "1").await, "reached at the phone of a patient");
    assert!(!is_out(&scene, "2").await);
    says_by_desk(&scene, "2", "out#2", Act::OptOut(PurposeSet::MARKETING)).await;
    assert!(is_out(&scene, "4").await, "reached at the same address");
}

#[tokio::test]
async fn a_guardians_word_takes_back_what_an_import_said_at_the_childs_own_contact() {
    let opted_out = child("1", "Tomás", "2015-04-03", CAROLINA, "2026-05-01").replace("opt-in", "opt-out");
    let scene = due(&[opted_out]).await;
    for contact in [CHILD, GUARDIAN] {
        assert_eq!(phone(&scene, contact).await.suppressed, ChannelSet::ALL);
    }
    says_by_desk(&scene, "1", "in#1", Act::OptIn).await;
    assert!(!is_out(&scene, "1").await);
    for contact in [CHILD, GUARDIAN] {
        let stands = phone(&scene, contact).await;
        assert_eq!((stands.suppressed, stands.suppressed_care), (ChannelSet::NONE, ChannelSet::NONE), "{contact}");
    }
}

fn failed(scene: &Scene, opaque: String, code: &str) -> Routed {
    let receipt = Receipt {
        channel: Channel::Whatsapp,
        provider_id: Private::new("wamid.1"),
        opaque: Some(opaque),
        tags: Tags::default(),
        status: ReceiptStatus::Failed { code: code.to_owned() },
        at: scene.host.now(),
        recipient: None,
        recipient_user_id: None,
        price: None,
        errors: Vec::new(),
        report_id: None,
        is_final: true,
    };
    Routed { route: Route::WhatsappNumber("700".to_owned()), event: Event::Receipt(Box::new(receipt)) }
}

#[tokio::test]
async fn what_comes_back_counts_where_the_message_went_though_the_child_is_of_age_by_then() {
    let scene = due(&[child("1", "Tomás", "2008-06-05", CAROLINA, "2026-05-01")]).await;
    scene.until_sent().await;
    let message = scene.of("1").await.messages[0].id;
    imported(&scene, &[child("2", "Julia", "2016-04-03", CAROLINA, "2026-05-01")]).await;
    scene.pass(TimeDelta::days(10)).await;
    let desk = Desk::new(scene.host.reach.clone());
    let visitor = desk.visit(&scene.tenant, &id("1")).await.unwrap().unwrap();
    assert_eq!(visitor.sent_to(message), Some(scene.tenant.hash(&format!("+{GUARDIAN}")).as_str()));
    desk.opt_out(&visitor, message, "one click").await.unwrap();
    assert_eq!(phone(&scene, GUARDIAN).await.suppressed, ChannelSet::ALL);
    assert_eq!(phone(&scene, CHILD).await.suppressed, ChannelSet::NONE, "of age, nobody else speaks for them");
    assert!(!is_out(&scene, "1").await && is_out(&scene, "2").await);
    // A number that is out of use is the one that the message went to.
    let key = SecretKey::new([7_u8; 32]).unwrap();
    let opaque = opaque_id_of(&key, &scene.clinic, message, 1);
    let inbound = Inbound::new(scene.host.reach.clone(), key);
    let failed = failed(&scene, opaque, "131026");
    calls_of("inbound-webhook", inbound.take_in(&failed)).await.unwrap();
    assert!(phone(&scene, GUARDIAN).await.unreachable.contains(Channel::Whatsapp));
    assert!(phone(&scene, CHILD).await.unreachable.is_empty());
}

#[tokio::test]
async fn leaving_by_a_message_of_care_stops_care_as_well() {
    for (step, left) in [("d1", PurposeSet::MARKETING), ("d6", PurposeSet::ALL)] {
        let scene = Scene::of_clinic(MIXED, &[("1", PHONE)], 40).await;
        scene.until_sent().await;
        scene.pass(TimeDelta::days(5)).await;
        let one = scene.of("1").await;
        let message = one.messages.iter().find(|message| message.labels.1 == step).unwrap().id;
        let desk = Desk::new(scene.host.reach.clone());
        let visitor = desk.visit(&scene.tenant, &id("1")).await.unwrap().unwrap();
        desk.opt_out(&visitor, message, "one click").await.unwrap();
        let out = scene.of("1").await.patient.patient.consent.opted_out(scene.host.now().date_naive());
        assert_eq!(out, left, "{step}");
        let care = points(&scene, "1").await.phone.suppressed_care;
        assert_eq!(care.is_empty(), !left.contains(Purpose::Care), "{step}");
    }
}

#[tokio::test]
async fn a_freed_slot_goes_to_a_person_where_nothing_may_be_written() {
    let scene = Scene::with(&[("1", PHONE), ("2", OTHER)], 2).await;
    scene.until_sent().await;
    scene.pass(TimeDelta::hours(9)).await;
    scene.says(PHONE, "1").await;
    scene.import_slots(0).await;
    scene.says(OTHER, "quiero un turno").await;
    assert_eq!(scene.tenant.waitlist().await.unwrap().len(), 1);
    // E-mail for care alone; and the window of WhatsApp closes.
    let wanted = Preferences { marketing: Some(whatsapp()), care: Some(ChannelSet::NONE.with(Channel::Email)) };
    says_by_desk(&scene, "2", "prefers", Act::Prefer(wanted)).await;
    scene.pass(TimeDelta::hours(26)).await;
    let told = scene.told(OTHER).len();
    scene.says(PHONE, "no puedo ir, cancelo la cita").await;
    scene.pass(TimeDelta::hours(1)).await;
    let waiting = scene.tenant.inbox().await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| waiting.open.reason.as_str()).collect::<Vec<_>>(), ["slot_freed"]);
    assert_eq!(scene.told(OTHER).len(), told);
}

#[tokio::test]
async fn what_cannot_be_read_of_a_template_keeps_no_opt_out_from_being_heard() {
    let scene = Scene::of_clinic("whatsapp_account_id = \"900\"", &[("1", PHONE)], 40).await;
    let client = aws_sdk_dynamodb::Client::from_conf(sdk_config(scene.host.engine.http_client()).build());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item = [
        ("pk", text("T#prueba#TEMPLATES#900")),
        ("sk", text("TEMPLATE#retorno_x_v1#es_AR")),
        ("name", text("retorno_x_v1")),
        ("lang", text("es_AR")),
        ("ver", AttributeValue::N("1".to_owned())),
        ("state", text("{\"status\":7}")),
    ];
    let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    client.put_item().table_name("retorno").set_item(Some(item)).send().await.unwrap();
    scene.pass(TimeDelta::minutes(1)).await;
    scene.says(PHONE, "PARAR").await;
    assert_eq!(phone(&scene, PHONE).await.suppressed, ChannelSet::ALL);
}

#[tokio::test]
async fn an_agreement_of_nobody_proven_reopens_nothing() {
    // See the page of consent: whoever closed the contact is asked there by nobody.
    let scene = due(&[child("1", "Tomás", "2015-04-03", CAROLINA, "2026-05-01")]).await;
    let hash = scene.tenant.hash(&format!("+{GUARDIAN}"));
    scene.tenant.opt_out(&hash, ChannelSet::ALL, PurposeSet::MARKETING, scene.host.now()).await.unwrap();
    let again = child("1", "Tomás", "2015-04-03", CAROLINA, "2026-05-02");
    assert_eq!(imported(&scene, &[again]).await.rejected.len(), 0);
    let agreement = retorno_cloud::store::Agreement {
        name: retorno_domain::contact::PersonName::parse("Carolina Paz").unwrap(),
        phone: retorno_domain::contact::E164::parse_strict(&format!("+{GUARDIAN}")).unwrap(),
        email: None,
        channels: whatsapp(),
        wording: "Acepto.".to_owned(),
        at: scene.host.now(),
    };
    let link = retorno_cloud::links::Link::consent(scene.clinic.clone());
    Desk::new(scene.host.reach.clone()).agree(&link, &agreement).await.unwrap();
    assert_eq!(phone(&scene, GUARDIAN).await.suppressed, ChannelSet::ALL);
}
