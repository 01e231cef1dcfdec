//! A clinic without a file of free slots: they follow from its timetable and its export.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta, Utc};
use export_importer::{ImportError, import_slots};
use retorno::engine::sdk_config;
use retorno_cloud::store::{BookingStatus, StoredSlot, WaiterState};
use retorno_cloud::timetable::{Followed, When, follow};
use retorno_domain::appointment::AppointmentStatus;
use retorno_domain::calendar::local_time;
use retorno_domain::timetable::derive;
use segment_evaluator::Scope;

use crate::far;
use crate::scene::{PHONE, SETTINGS, Scene, row};

/// Thursdays from nine to eleven in slots of half an hour, for three weeks.
pub(crate) const TIMETABLE: &str = r#"
[[timetable]]
professional = "Dra. Ruiz"
horizon_days = 17
[timetable.hours]
thursday = "09:00-11:00"
"#;
const OTHER: &str = "5491155550202";

/// One patient who is due, a Monday; slots on the 4th, 11th and 18th of June.
async fn scene(patients: &[(&str, &str)]) -> Scene {
    Scene::without_slots(TIMETABLE, patients).await
}

fn visit(number: &str, local: &str, patient: &str, status: &str) -> String {
    row(number, local, patient, if patient == "1" { PHONE } else { OTHER }, status)
}

async fn free(scene: &Scene) -> Vec<String> {
    let free = scene.tenant.free_slots(far().0, far().1, None, scene.host.now()).await.unwrap();
    let zone = chrono_tz::America::Argentina::Buenos_Aires;
    free.iter().map(|slot| local_time(slot.start, zone).format("%d %H:%M").to_string()).collect()
}

async fn stored(scene: &Scene) -> Vec<StoredSlot> {
    scene.tenant.slots_ahead(scene.host.now()).await.unwrap()
}

/// What is stored is what the records say, whatever way led there.
async fn is_exact(scene: &Scene) {
    let now = scene.host.now();
    let mut kept = scene.tenant.visits_ahead().await.unwrap();
    let mut read = scene.tenant.visits_ahead_of_everybody(now).await.unwrap();
    kept.retain(|visit| visit.start > now);
    kept.sort();
    read.sort();
    assert_eq!(kept, read);
    let clinic = scene.tenant.settings(now).await.unwrap().clinic;
    let stored = stored(scene).await;
    let known: Vec<_> = stored.iter().map(|slot| slot.known.clone()).collect();
    let wanted: BTreeSet<String> =
        derive(&clinic, now, &kept, &known).free.iter().map(|open| open.slot.reference()).collect();
    let open = stored.iter().filter(|slot| slot.known.booked.is_none());
    let there: BTreeSet<String> = open.map(|slot| slot.known.slot.reference()).collect();
    assert_eq!(there, wanted);
}

async fn again(scene: &Scene) -> Followed {
    follow(&scene.host.reach, &scene.clinic, "again", When::Now).await.unwrap().unwrap()
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    the_first_import_makes_the_slots_and_doing_it_again_writes_nothing,
    a_booked_slot_stays_taken_when_the_export_brings_its_visit_and_there_is_one_visit_only,
    a_visit_takes_its_slot_and_a_cancelled_one_is_offered_to_the_waitlist,
    a_visit_of_the_clinics_that_a_patient_cancels_with_us_frees_its_slot,
    a_slot_that_the_clinic_gave_to_somebody_else_too_is_not_offered_when_its_booking_is_cancelled,
    a_timetable_put_in_later_takes_over_from_the_file_and_one_taken_out_leaves_nothing,
    one_who_comes_too_near_is_not_offered_any_more,
    a_run_that_dies_anywhere_is_finished_by_the_next,
];

#[tokio::test]
async fn the_first_import_makes_the_slots_and_doing_it_again_writes_nothing() {
    let scene = scene(&[("1", PHONE)]).await;
    assert_eq!(free(&scene).await.len(), 12);
    assert_eq!(scene.tenant.slots_source().await.unwrap(), Some("timetable"));
    let before = scene.host.engine.units().write;
    assert_eq!(again(&scene).await, Followed { free: 12, ..Followed::default() });
    let written = scene.host.engine.units().write - before;
    assert!((written - 2.0).abs() < 0.1, "the lease, taken and given back: {written}");
    // The morning after: the horizon has moved, and nothing else.
    scene.pass(TimeDelta::days(7)).await;
    assert!(free(&scene).await.contains(&"25 09:00".to_owned()), "{:?}", free(&scene).await);
    is_exact(&scene).await;
}

#[tokio::test]
async fn a_booked_slot_stays_taken_when_the_export_brings_its_visit_and_there_is_one_visit_only() {
    let scene = scene(&[("1", PHONE)]).await;
    scene.until_sent().await;
    scene.says(PHONE, "1").await;
    let booking = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    assert_eq!((booking.status, booking.professional.as_str()), (BookingStatus::Booked, "Dra. Ruiz"));
    let local = local_time(booking.start, chrono_tz::America::Argentina::Buenos_Aires);
    let left = free(&scene).await;
    assert!(!left.contains(&local.format("%d %H:%M").to_string()));
    // An export that does not know of it yet, and one that does.
    for rows in [vec![], vec![visit("C77", &local.format("%Y-%m-%dT%H:%M:%S").to_string(), "1", "reservado")]] {
        scene.import(&[vec![visit("C1", "2025-09-10T10:00:00", "1", "completado")], rows].concat()).await;
        assert_eq!(free(&scene).await, left);
        assert_eq!(stored(&scene).await.iter().filter(|slot| slot.known.booked.is_some()).count(), 1);
        is_exact(&scene).await;
    }
    let open: Vec<_> = scene.of("1").await.patient.patient.appointments;
    let open: Vec<_> = open.iter().filter(|visit| visit.is_open(scene.host.now())).collect();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].id.as_str(), "C77");
    scene.pass(TimeDelta::days(1)).await;
    assert!(!free(&scene).await.contains(&local.format("%d %H:%M").to_string()));
    // The clinic's own system cancels it: the slot is free again, and the agenda says so.
    let row = visit("C77", &local.format("%Y-%m-%dT%H:%M:%S").to_string(), "1", "cancelado");
    scene.import(&[visit("C1", "2025-09-10T10:00:00", "1", "completado"), row]).await;
    assert!(free(&scene).await.contains(&local.format("%d %H:%M").to_string()));
    let after = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    assert_eq!((after.status, after.sequence), (BookingStatus::Cancelled, booking.sequence + 1));
    is_exact(&scene).await;
}

#[tokio::test]
async fn a_visit_takes_its_slot_and_a_cancelled_one_is_offered_to_the_waitlist() {
    let scene = scene(&[("1", PHONE), ("2", OTHER)]).await;
    // Everything is taken, by visits of the clinic's own.
    let all: Vec<String> = ["04", "11", "18"]
        .iter()
        .flat_map(|day| (0..4).map(move |n| format!("2026-06-{day}T{:02}:{:02}:00", 9 + n / 2, (n % 2) * 30 + 10)))
        .collect();
    let rows = |status: &str, but: usize| -> Vec<String> {
        let status = |at| if at == but { status } else { "reservado" };
        let row = |(at, local): (usize, &String)| {
            row(&format!("V{at}"), local, &format!("v{at}"), "5491155550999", status(at))
        };
        all.iter().enumerate().map(row).collect()
    };
    scene.import(&rows("reservado", 99)).await;
    assert!(free(&scene).await.is_empty(), "{:?}", free(&scene).await);
    is_exact(&scene).await;
    scene.until_sent().await;
    scene.says(OTHER, "quiero un turno").await;
    assert!(scene.told(OTHER).last().unwrap().contains("lista de espera"), "{:?}", scene.told(OTHER));
    scene.pass(TimeDelta::hours(20)).await;
    scene.import(&rows("cancelado", 5)).await;
    assert_eq!(free(&scene).await, ["11 09:30"]);
    scene.pass(TimeDelta::hours(3)).await;
    assert!(scene.told(OTHER).last().unwrap().contains("se liberó un turno"), "{:?}", scene.told(OTHER));
    assert!(free(&scene).await.is_empty(), "held for whoever was asked");
    is_exact_but_held(&scene).await;
    scene.says(OTHER, "sí!").await;
    let bookings = scene.tenant.bookings(far().0, far().1).await.unwrap();
    assert_eq!((bookings.len(), bookings[0].patient.as_str()), (1, "2"));
    // And an older export, in which the visit still stands, brings nothing back.
    scene.import(&rows("reservado", 99)).await;
    assert_eq!(stored(&scene).await.len(), 1);
    is_exact(&scene).await;
}

async fn is_exact_but_held(scene: &Scene) {
    assert_eq!(stored(scene).await.iter().filter(|slot| slot.known.held).count(), 1);
    is_exact(scene).await;
}

#[tokio::test]
async fn a_visit_of_the_clinics_that_a_patient_cancels_with_us_frees_its_slot() {
    let scene = scene(&[("1", PHONE)]).await;
    scene.until_sent().await;
    scene.import(&[visit("C2", "2026-06-11T09:40:00", "1", "confirmado")]).await;
    assert!(!free(&scene).await.contains(&"11 09:30".to_owned()));
    scene.says(PHONE, "no puedo ir, cancelo la cita").await;
    let status =
        scene.of("1").await.patient.patient.appointments.iter().find(|v| v.id.as_str() == "C2").unwrap().status;
    assert_eq!(status, AppointmentStatus::Cancelled);
    assert_eq!(again(&scene).await.freed, 1);
    assert!(free(&scene).await.contains(&"11 09:30".to_owned()));
    is_exact(&scene).await;
}

#[tokio::test]
async fn a_slot_that_the_clinic_gave_to_somebody_else_too_is_not_offered_when_its_booking_is_cancelled() {
    let scene = scene(&[("1", PHONE), ("2", OTHER)]).await;
    scene.until_sent().await;
    scene.says(PHONE, "1").await;
    let booking = scene.tenant.bookings(far().0, far().1).await.unwrap().remove(0);
    let local = local_time(booking.start, chrono_tz::America::Argentina::Buenos_Aires);
    scene.import(&[visit("C9", &local.format("%Y-%m-%dT%H:%M:%S").to_string(), "2", "reservado")]).await;
    assert!(stored(&scene).await.iter().any(|slot| slot.overtaken));
    let before = free(&scene).await;
    scene.says(PHONE, "no puedo ir, cancelo la cita").await;
    assert_eq!(free(&scene).await, before);
    again(&scene).await;
    assert_eq!(free(&scene).await, before);
    is_exact(&scene).await;
    scene.says(PHONE, "quiero un turno").await;
    scene.says(PHONE, "1").await;
    let open = scene.tenant.bookings(far().0, far().1).await.unwrap();
    assert!(open.iter().all(|of| of.status == BookingStatus::Cancelled || of.start != booking.start), "{open:?}");
}

#[tokio::test]
async fn a_timetable_put_in_later_takes_over_from_the_file_and_one_taken_out_leaves_nothing() {
    let scene = Scene::with(&[("1", PHONE)], 8).await;
    scene.import(&[visit("C2", "2026-06-11T09:00:00", "1", "reservado")]).await;
    assert_eq!(free(&scene).await.len(), 8);
    let settings = |own: &str| format!("{SETTINGS}{own}");
    scene.host.add_clinic(&scene.clinic, &settings(TIMETABLE), "rate(15 minutes)").await.unwrap();
    let refused = import_slots(&scene.host.reach, &scene.clinic, "id_hueco\n".as_bytes()).await.unwrap_err();
    assert!(matches!(refused, ImportError::HasTimetable), "{refused}");
    scene.host.follow_timetables(&scene.clinic).await.unwrap();
    let by_timetable = ["04 09:00", "04 09:30", "04 10:00", "04 10:30", "11 09:30", "11 10:00", "11 10:30"];
    assert_eq!(free(&scene).await[..7], by_timetable, "the visit imported before is known");
    is_exact(&scene).await;
    // Other hours: what they do not give goes, what they give anew comes.
    let later = TIMETABLE.replace("09:00-11:00", "10:00-12:00");
    scene.host.add_clinic(&scene.clinic, &settings(&later), "rate(15 minutes)").await.unwrap();
    scene.host.evaluate(&scene.clinic, Scope::Due).await.unwrap();
    assert_eq!(free(&scene).await[..4], ["04 10:00", "04 10:30", "04 11:00", "04 11:30"]);
    is_exact(&scene).await;
    scene.host.add_clinic(&scene.clinic, &settings(""), "rate(15 minutes)").await.unwrap();
    scene.host.evaluate(&scene.clinic, Scope::Due).await.unwrap();
    assert!(free(&scene).await.is_empty());
    assert_eq!(scene.tenant.slots_source().await.unwrap(), None);
    scene.import_slots(3).await;
    assert_eq!((free(&scene).await.len(), scene.tenant.slots_source().await.unwrap()), (3, Some("file")));
    // Taken out and put back: visits that came meanwhile are known.
    scene.import(&[visit("C3", "2026-06-18T09:00:00", "1", "reservado")]).await;
    scene.host.add_clinic(&scene.clinic, &settings(TIMETABLE), "rate(15 minutes)").await.unwrap();
    scene.host.evaluate(&scene.clinic, Scope::Due).await.unwrap();
    assert_eq!(free(&scene).await.len(), 10);
    is_exact(&scene).await;
}

#[tokio::test]
async fn one_who_comes_too_near_is_not_offered_any_more() {
    let scene = Scene::without_slots(
        &TIMETABLE.replace("horizon_days", "closed = [\"2026-06-20/2026-07-30\"]\nnotice_hours = 48\nhorizon_days"),
        &[("1", PHONE)],
    )
    .await;
    let slot = scene.tenant.free_slots(far().0, far().1, Some(1), scene.host.now()).await.unwrap().remove(0);
    let day_before: DateTime<Utc> = slot.start - TimeDelta::hours(40);
    scene.until_sent().await;
    scene.host.advance_to(day_before, |_, _| true).await.unwrap();
    assert_eq!(free(&scene).await.len(), 8, "the four of the day after next are too near");
    let offered = &scene.of("1").await.messages[0].slots;
    assert_eq!(offered[0], slot.reference(), "offered while it was not");
    scene.says(PHONE, "1").await;
    let bookings = scene.tenant.bookings(far().0, far().1).await.unwrap();
    assert!(bookings.iter().all(|booking| booking.start != slot.start), "{bookings:?}");
}

#[tokio::test]
async fn one_that_becomes_free_is_held_no_longer_than_it_may_be_booked() {
    let scene = Scene::without_slots(
        &TIMETABLE.replace("horizon_days", "closed = [\"2026-06-20/2026-07-30\"]\nnotice_hours = 48\nhorizon_days"),
        &[("1", PHONE), ("2", OTHER)],
    )
    .await;
    let all = free(&scene).await;
    let rows = |open: Option<&str>| -> Vec<String> {
        let taken = |(at, local): (usize, &String)| {
            let (day, time) = local.split_once(' ').unwrap();
            let status = if open == Some(local.as_str()) { "cancelado" } else { "reservado" };
            row(&format!("V{at}"), &format!("2026-06-{day}T{time}:00"), &format!("v{at}"), "5491155550999", status)
        };
        all.iter().enumerate().map(taken).collect()
    };
    scene.import(&rows(None)).await;
    scene.until_sent().await;
    scene.says(OTHER, "quiero un turno").await;
    assert_eq!(scene.tenant.waitlist().await.unwrap().len(), 1);
    let start: DateTime<Utc> = "2026-06-11T12:30:00Z".parse().unwrap();
    scene.host.advance_to(start - TimeDelta::hours(60), |_, _| true).await.unwrap();
    scene.import(&rows(Some("11 09:30"))).await;
    assert_eq!(free(&scene).await, ["11 09:30"]);
    scene.pass(TimeDelta::minutes(30)).await;
    let waiter = scene.tenant.waitlist().await.unwrap().remove(0);
    let WaiterState::Offered { slot, until } = waiter.state else { panic!("{:?}", waiter.state) };
    assert_eq!(until, start - TimeDelta::hours(48));
    let late = scene.tenant.hold_slot(&slot, &waiter.patient, scene.host.now(), until + TimeDelta::hours(1)).await;
    assert!(!late.unwrap(), "nobody holds it for longer");
}

#[tokio::test]
async fn what_the_first_pass_was_not_shown_a_later_one_finds() {
    let scene = scene(&[("1", PHONE)]).await;
    scene.import(&[visit("C2", "2026-06-11T09:00:00", "1", "reservado")]).await;
    is_exact(&scene).await;
    let client = aws_sdk_dynamodb::Client::from_conf(sdk_config(scene.host.engine.http_client()).build());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let missed = client.delete_item().table_name("retorno").key("pk", text("T#prueba#AHEAD")).key("sk", text("1"));
    missed.send().await.unwrap();
    assert!(scene.tenant.visits_ahead().await.unwrap().is_empty());
    scene.pass(TimeDelta::minutes(11)).await;
    again(&scene).await;
    is_exact(&scene).await;
    assert!(!scene.tenant.timetable_mark().await.unwrap().unwrap().keeps_visits, "something was missing");
    scene.pass(TimeDelta::minutes(11)).await;
    again(&scene).await;
    assert!(scene.tenant.timetable_mark().await.unwrap().unwrap().keeps_visits, "for good");
}

/// Whichever write is the last one before the process dies, the next run ends where an undisturbed one
/// would have.
#[tokio::test]
async fn a_run_that_dies_anywhere_is_finished_by_the_next() {
    let mut died = 0;
    for last in 0..400 {
        let scene = Scene::with(&[("1", PHONE), ("2", OTHER)], 6).await;
        scene.import(&[visit("C2", "2026-06-11T09:00:00", "1", "reservado")]).await;
        scene.host.add_clinic(&scene.clinic, &format!("{SETTINGS}{TIMETABLE}"), "rate(15 minutes)").await.unwrap();
        let rows = [
            visit("C2", "2026-06-11T09:00:00", "1", "cancelado"),
            visit("C3", "2026-06-04T10:10:00", "2", "reservado"),
        ];
        let finished = scene.import_dying_after(last, &rows).await;
        died += usize::from(!finished);
        // The lease of the dead runs out.
        scene.pass(TimeDelta::minutes(6)).await;
        scene.import(&rows).await;
        is_exact(&scene).await;
        assert_eq!(free(&scene).await.len(), 11, "after {last} writes");
        if finished {
            assert!(died > 15, "{died}");
            return;
        }
    }
    panic!("it never finished");
}
