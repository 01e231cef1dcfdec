//! People who are not on record: attached, answered, set aside.

use chrono::TimeDelta;
use retorno_cloud::desk::{Desk, Refused, StaffDone};
use retorno_cloud::store::{ContactKeys, StrangerGroup};
use retorno_domain::channel::{Channel, ChannelSet, Purpose, PurposeSet};
use retorno_domain::consent::{Source, Wish};
use retorno_domain::conversation::Urgency;
use retorno_domain::ids::{ClinicId, PatientId};
use retorno_domain::message::Delivery;

use crate::scene::{PHONE, Scene, row};

const UNKNOWN: &str = "5491155550303";

pub(crate) fn desk(scene: &Scene) -> Desk {
    Desk::new(scene.host.reach.clone())
}

pub(crate) fn id(text: &str) -> PatientId {
    PatientId::parse(text).unwrap()
}

async fn only(scene: &Scene) -> StrangerGroup {
    let mut groups = scene.tenant.stranger_groups().await.unwrap();
    assert_eq!(groups.len(), 1);
    groups.remove(0)
}

async fn attach(scene: &Scene, patient: &str) -> StaffDone {
    let who = only(scene).await.who;
    let done = desk(scene).attach(&scene.tenant, &who, &id(patient)).await.unwrap();
    scene.host.settle().await.unwrap();
    done
}

async fn phone_of(scene: &Scene, patient: &str) -> String {
    scene.of(patient).await.patient.patient.profile.phone.unwrap().e164.digits().to_owned()
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_number_attached_is_the_patients_with_everything_it_said,
    a_noted_phone_stands_until_an_export_brings_another_and_can_be_taken_back,
    what_was_said_about_being_written_to_counts_from_its_day_and_closed_stays_closed,
    a_stranger_is_answered_once_within_the_window_and_not_after,
    an_answer_whose_order_was_lost_is_found_by_the_sweep_or_is_too_late,
    set_aside_it_comes_back_when_asked_for_or_when_more_is_said,
    a_number_reported_wrong_is_right_after_all_when_staff_is_sure,
    of_two_who_attach_at_once_one_does_and_an_import_beside_it_loses_nothing,
    another_clinics_stranger_is_out_of_reach_and_nothing_shows_who_it_is,
];

#[tokio::test]
async fn a_number_attached_is_the_patients_with_everything_it_said() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.says(UNKNOWN, "¿Cuánto cuesta una limpieza?").await;
    scene.says(UNKNOWN, "me duele muchísimo y me sangra la encía").await;
    let group = only(&scene).await;
    assert_eq!((group.words.len(), group.waits().unwrap().1), (2, Urgency::Urgent));
    assert!(group.window_is_open(scene.host.now()));
    assert_eq!(attach(&scene, "1").await, StaffDone::Done);
    assert_eq!(attach(&scene, "1").await, StaffDone::Repeated, "done again, it finds itself done");
    let one = scene.of("1").await;
    assert!(one.patient.patient.noted_holds());
    assert_eq!(phone_of(&scene, "1").await, UNKNOWN);
    assert_eq!(scene.tenant.heard(&id("1")).await.unwrap().len(), 2);
    let inbox = scene.tenant.inbox().await.unwrap();
    assert_eq!((inbox.len(), inbox[0].open.urgency), (1, Urgency::Urgent));
    // From now on it is the patient who writes there, and who is answered there.
    scene.says(UNKNOWN, "sigo igual").await;
    assert_eq!(scene.tenant.heard(&id("1")).await.unwrap().len(), 3);
    assert_eq!(only(&scene).await.words.len(), 2);
    let done = desk(&scene).write(&scene.tenant, &id("1"), "staff#1", "Venga ya").await.unwrap();
    assert_eq!(done, StaffDone::Done);
    scene.host.settle().await.unwrap();
    assert_eq!(scene.told(UNKNOWN).last().unwrap(), "Venga ya");
    let nobody = scene.tenant.stranger_group("0").await.unwrap();
    assert!(nobody.is_none());
}

#[tokio::test]
async fn a_noted_phone_stands_until_an_export_brings_another_and_can_be_taken_back() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.says(UNKNOWN, "hola, soy Ana").await;
    assert_eq!(attach(&scene, "1").await, StaffDone::Done);
    let again = |phone| row("C1", "2025-09-10T10:00:00", "1", phone, "completado");
    scene.import(&[again(PHONE), row("C2", "2025-10-10T10:00:00", "1", PHONE, "completado")]).await;
    assert_eq!(phone_of(&scene, "1").await, UNKNOWN, "the export says what it said");
    assert_eq!(desk(&scene).forget_number(&scene.tenant, &id("1")).await.unwrap(), StaffDone::Done);
    assert_eq!(phone_of(&scene, "1").await, PHONE);
    assert!(!only(&scene).await.is_dealt_with(), "the number is nobody's again");
    let nothing = desk(&scene).forget_number(&scene.tenant, &id("1")).await.unwrap();
    assert_eq!(nothing, StaffDone::Refused(Refused::NothingNoted));
    assert_eq!(attach(&scene, "1").await, StaffDone::Done, "attached once more");
    assert_eq!(scene.tenant.heard(&id("1")).await.unwrap().len(), 1, "the words stand there once");
    scene.import(&[row("C3", "2025-11-10T10:00:00", "1", "5491155550404", "completado")]).await;
    assert_eq!(phone_of(&scene, "1").await, "5491155550404", "another number of the clinic's own wins");
    scene.says(UNKNOWN, "hola?").await;
    assert_eq!(only(&scene).await.words.len(), 2, "and the one noted is nobody's");
    assert!(!only(&scene).await.is_dealt_with());
}

#[tokio::test]
async fn what_was_said_about_being_written_to_counts_from_its_day_and_closed_stays_closed() {
    let scene = Scene::with(&[("1", PHONE), ("2", "5491155550202")], 40).await;
    scene.says(UNKNOWN, "ALTA").await;
    let said_on = scene.host.now().date_naive();
    scene.pass(TimeDelta::days(3)).await;
    assert!(only(&scene).await.words[0].agrees());
    assert_eq!(attach(&scene, "1").await, StaffDone::Done);
    let one = scene.of("1").await.patient.patient;
    let last = one.consent.statements().last().unwrap();
    assert_eq!((last.on, last.source), (said_on, Source::Recorded));
    assert_eq!(
        last.wish,
        Wish::OptIn(ChannelSet::ALL.without(Channel::Push)),
        "what was agreed to before stands beside it"
    );

    let other = "5491155550505";
    scene.says(other, "PARAR").await;
    let group = scene.tenant.stranger_groups().await.unwrap().remove(0);
    let done = desk(&scene).attach(&scene.tenant, &group.who, &id("2")).await.unwrap();
    assert_eq!(done, StaffDone::Done);
    let two = scene.of("2").await.patient.patient;
    let today = scene.host.now().date_naive();
    assert!(two.consent.is_opted_out(Purpose::Marketing, today) && !two.consent.is_opted_out(Purpose::Care, today));
    let points = scene.tenant.contact_points(&scene.tenant.contact_keys(&two, today)).await.unwrap();
    assert_eq!((points.phone.suppressed, points.email.suppressed), (ChannelSet::ALL, ChannelSet::ALL));
    let told = scene.told(other).len();
    scene.pass(TimeDelta::days(40)).await;
    assert_eq!(scene.told(other).len(), told, "nothing is sent there");
}

#[tokio::test]
async fn a_stranger_is_answered_once_within_the_window_and_not_after() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.says(UNKNOWN, "¿Atienden los sábados?").await;
    let who = only(&scene).await.who;
    let answer = async |event: &str, words: &str| {
        let done = desk(&scene).answer_stranger(&scene.tenant, &who, event, words).await.unwrap();
        scene.host.settle().await.unwrap();
        done
    };
    assert_eq!(answer("a", "Sí, de 9 a 13").await, StaffDone::Done);
    assert_eq!(answer("a", "Sí, de 9 a 13").await, StaffDone::Repeated);
    assert_eq!(scene.told(UNKNOWN), ["Sí, de 9 a 13"]);
    let said = only(&scene).await;
    assert!(matches!(said.answers[0].delivery, Delivery::Accepted));
    assert_eq!(said.waits(), None, "answered");
    assert_eq!(answer("b", "  ").await, StaffDone::Refused(Refused::Words));
    // Between asking and saying somebody opts out: nothing leaves.
    let done = desk(&scene).answer_stranger(&scene.tenant, &who, "c", "¿Le reservo?").await.unwrap();
    assert_eq!(done, StaffDone::Done);
    let hash = scene.tenant.hash(&format!("+{UNKNOWN}"));
    scene.tenant.opt_out(&hash, ChannelSet::ALL, PurposeSet::ALL, scene.host.now()).await.unwrap();
    scene.host.settle().await.unwrap();
    assert_eq!(scene.told(UNKNOWN).len(), 1);
    assert_eq!(only(&scene).await.answers[1].delivery, Delivery::Dropped("opted_out".to_owned()));
    assert_eq!(answer("d", "Hola").await, StaffDone::Refused(Refused::OptedOut));
    let other = "5491155550505";
    scene.says(other, "hola").await;
    scene.pass(TimeDelta::hours(25)).await;
    let late = scene.tenant.stranger_groups().await.unwrap().remove(0);
    let done = desk(&scene).answer_stranger(&scene.tenant, &late.who, "e", "Hola").await.unwrap();
    assert_eq!(done, StaffDone::Refused(Refused::WindowClosed));
}

#[tokio::test]
async fn an_answer_whose_order_was_lost_is_found_by_the_sweep_or_is_too_late() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.says(UNKNOWN, "hola").await;
    let group = only(&scene).await;
    let now = scene.host.now();
    let new = |event: &str| retorno_cloud::store::NewStrangerAnswer {
        id: retorno_domain::ids::MessageId::to_stranger(&scene.clinic, event),
        who: group.who.clone(),
        to: group.phone.clone().unwrap(),
        words: retorno_cloud::store::SaidText("¿En qué ayudamos?".to_owned()),
        at: now,
        not_after: now + TimeDelta::minutes(if event == "late" { 1 } else { 60 }),
    };
    // Its process died before the order was on the queue.
    assert!(scene.tenant.put_stranger_answer(&new("lost")).await.unwrap());
    assert!(scene.tenant.put_stranger_answer(&new("late")).await.unwrap());
    assert!(!scene.tenant.put_stranger_answer(&new("lost")).await.unwrap());
    scene.pass(TimeDelta::minutes(40)).await;
    assert_eq!(scene.told(UNKNOWN), ["¿En qué ayudamos?"]);
    let mut states: Vec<_> = only(&scene).await.answers.iter().map(|answer| answer.delivery.code()).collect();
    states.sort_unstable();
    assert_eq!(states, ["accepted", "dropped"]);
}

#[tokio::test]
async fn set_aside_it_comes_back_when_asked_for_or_when_more_is_said() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.says(UNKNOWN, "hola").await;
    let who = only(&scene).await.who;
    let dismiss = async |dismissed| desk(&scene).dismiss_stranger(&scene.tenant, &who, dismissed).await.unwrap();
    for (dismissed, dealt_with) in [(true, true), (true, true), (false, false), (true, true)] {
        assert_eq!(dismiss(dismissed).await, StaffDone::Done);
        assert_eq!(only(&scene).await.is_dealt_with(), dealt_with);
    }
    scene.pass(TimeDelta::minutes(1)).await;
    scene.says(UNKNOWN, "hola??").await;
    assert!(!only(&scene).await.is_dealt_with(), "more was said");
    scene.pass(TimeDelta::minutes(1)).await;
    assert_eq!(attach(&scene, "1").await, StaffDone::Done);
    assert_eq!(dismiss(true).await, StaffDone::Refused(Refused::Attached));
}

#[tokio::test]
async fn a_number_reported_wrong_is_right_after_all_when_staff_is_sure() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "número equivocado").await;
    let today = scene.host.now().date_naive();
    let point = async || {
        let keys = scene.tenant.contact_keys(&scene.of("1").await.patient.patient, today);
        scene.tenant.contact_points(&keys).await.unwrap().phone
    };
    assert!(point().await.is_wrong());
    scene.says(PHONE, "perdón, sí soy yo").await;
    assert_eq!(only(&scene).await.words.len(), 1, "whoever writes there does not speak for the patient");
    let right = async |sure| desk(&scene).right_number(&scene.tenant, &id("1"), sure).await.unwrap();
    assert_eq!(right(false).await, StaffDone::Refused(Refused::NotConfirmed));
    assert!(point().await.is_wrong());
    // What a provider says stands.
    let hash = scene.tenant.hash(&format!("+{PHONE}"));
    assert_eq!(right(true).await, StaffDone::Done);
    assert_eq!(point().await.unreachable, ChannelSet::NONE);
    assert_eq!(right(true).await, StaffDone::Refused(Refused::NotWrong));
    scene.pass(TimeDelta::minutes(1)).await;
    let now = scene.host.now();
    scene.tenant.mark_unreachable(&hash, Channel::Sms, now).await.unwrap();
    scene.pass(TimeDelta::minutes(1)).await;
    scene.says(PHONE, "número equivocado").await;
    let marked = point().await.is_wrong();
    assert_eq!(marked, scene.of("1").await.thread.thread.open.is_some() && marked);
    // Another patient cannot be given a number that is still on the record of whom it is not of.
    scene.tenant.mark_unreachable(&hash, Channel::Call, scene.host.now()).await.unwrap();
    scene.import(&[row("C9", "2025-09-10T10:00:00", "9", "5491155550909", "completado")]).await;
    let who = scene.tenant.stranger_groups().await.unwrap().remove(0).who;
    let done = desk(&scene).attach(&scene.tenant, &who, &id("9")).await.unwrap();
    assert_eq!(done, StaffDone::Refused(Refused::WrongOfOthers));
    // To the one who has it on record it says that it is right.
    assert_eq!(desk(&scene).attach(&scene.tenant, &who, &id("1")).await.unwrap(), StaffDone::Done);
    assert!(!point().await.is_wrong() && point().await.unreachable.contains(Channel::Sms));
    assert!(!scene.of("1").await.patient.patient.noted_holds(), "it is on record: nothing is noted");
}

#[tokio::test]
async fn of_two_who_attach_at_once_one_does_and_an_import_beside_it_loses_nothing() {
    let scene = Scene::with(&[("1", PHONE), ("2", "5491155550202")], 40).await;
    scene.says(UNKNOWN, "hola").await;
    let who = only(&scene).await.who;
    let desks = [desk(&scene), desk(&scene), desk(&scene)];
    let (one, two) = (id("1"), id("2"));
    let rows = [row("C7", "2025-12-10T10:00:00", "1", PHONE, "completado")];
    let (first, second, third, ()) = tokio::join!(
        desks[0].attach(&scene.tenant, &who, &one),
        desks[1].attach(&scene.tenant, &who, &one),
        desks[2].attach(&scene.tenant, &who, &two),
        scene.import(&rows),
    );
    let done = [first.unwrap(), second.unwrap(), third.unwrap()];
    assert_eq!(done.iter().filter(|done| **done == StaffDone::Done).count(), 1, "{done:?}");
    let group = only(&scene).await;
    let owner = group.owner().unwrap().to_string();
    let other = if owner == "1" { "2" } else { "1" };
    assert_eq!(phone_of(&scene, &owner).await, UNKNOWN);
    assert_ne!(phone_of(&scene, other).await, UNKNOWN);
    assert_eq!(scene.of("1").await.patient.patient.appointments.len(), 2, "the import's visit is there");
    assert_eq!(scene.tenant.heard(&id(other)).await.unwrap().len(), 0);
}

#[tokio::test]
async fn another_clinics_stranger_is_out_of_reach_and_nothing_shows_who_it_is() {
    let scene = Scene::with(&[("1", PHONE)], 2).await;
    let words = "mi canario se llama Ofelia";
    scene.says(UNKNOWN, words).await;
    let group = only(&scene).await;
    let other = ClinicId::parse("otra").unwrap();
    let settings = crate::scene::SETTINGS.replace("\"700\"", "\"701\"");
    scene.host.add_clinic(&other, &settings, "rate(15 minutes)").await.unwrap();
    let theirs = scene.host.reach.store.of(&other);
    let desk = desk(&scene);
    assert_eq!(desk.attach(&theirs, &group.who, &id("1")).await.unwrap(), StaffDone::Nobody);
    assert_eq!(desk.answer_stranger(&theirs, &group.who, "x", "hola").await.unwrap(), StaffDone::Nobody);
    assert_eq!(desk.dismiss_stranger(&theirs, &group.who, true).await.unwrap(), StaffDone::Nobody);
    assert!(theirs.stranger_groups().await.unwrap().is_empty());
    assert_ne!(theirs.stranger_of(group.phone.as_ref().unwrap()), group.who, "the same number has another id there");
    desk.answer_stranger(&scene.tenant, &group.who, "y", "Buen nombre, Ofelia").await.unwrap();
    let shown = format!("{:?} {} {:?}", only(&scene).await, group.who, desk);
    for secret in [&UNKNOWN[2..], "Ofelia", "canario"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    let keys = ContactKeys { phone: Some(group.who.clone()), ..ContactKeys::default() };
    assert!(scene.tenant.contact_points(&keys).await.unwrap().phone.suppressed.is_empty(), "no contact point's hash");
}
