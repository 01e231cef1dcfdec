//! A slot is picked, an appointment is confirmed, moved and called off.

use chrono::TimeDelta;
use patient_pages::PageRequest;
use retorno_cloud::links::LinkPurpose;
use retorno_cloud::store::BookingStatus;
use retorno_domain::appointment::AppointmentStatus;

use crate::clinic::{Stage, form};

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    opening_a_link_tells_of_interest_once_and_looking_ahead_does_not,
    a_slot_is_picked_and_the_same_form_sent_again_changes_nothing,
    of_two_who_pick_one_slot_one_has_it_and_the_other_is_shown_the_next,
    an_appointment_is_confirmed_moved_taken_along_and_called_off,
    without_a_free_slot_one_waits_and_a_freed_one_is_held,
    the_clinics_clock_is_named_where_it_is_not_the_patients,
];

#[tokio::test]
async fn opening_a_link_tells_of_interest_once_and_looking_ahead_does_not() {
    let stage = Stage::with(1, 8).await;
    let path = stage.path(0, LinkPurpose::Book);
    let request = |method: &str, headers: &[(&str, &str)]| PageRequest {
        method: method.to_owned(),
        path: path.clone(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..PageRequest::default()
    };
    let clicked = async || stage.stored(0).await.messages.iter().any(|message| message.receipts.clicked.is_some());
    let head = stage.ask(request("HEAD", &[])).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(stage.ask(request("GET", &[("Sec-Purpose", "prefetch;anonymous-client-ip")])).await.status, 200);
    assert!(!clicked().await);
    let before = stage.stored(0).await.patient;
    for _ in 0..3 {
        assert_eq!(stage.ask(request("GET", &[])).await.status, 200);
    }
    assert!(clicked().await);
    assert_eq!(stage.stored(0).await.patient.patient, before.patient, "nothing else changed");
    assert!(stage.tenant.bookings(stage.now(), stage.now() + TimeDelta::days(99)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_slot_is_picked_and_the_same_form_sent_again_changes_nothing() {
    let stage = Stage::with(1, 12).await;
    let path = stage.path(0, LinkPurpose::Book);
    let page = stage.get(&path).await;
    assert!(page.body.contains("jueves 5 de marzo") && page.body.contains("8:30") && page.body.contains("Dra. Lima"));
    assert!(!page.body.contains("horarios son los de"), "the patient's clock is the clinic's");
    let later = stage.get(&format!("{path}?from=2026-03-09")).await;
    assert!(later.body.contains("lunes 9 de marzo") && !later.body.contains("jueves 5 de marzo"));
    let picked = form(&page, "book", Some("slot"));
    let booked = stage.post_and_follow(&path, &picked).await;
    assert!(booked.body.contains("Tu turno está reservado") && booked.body.contains("jueves 5 de marzo"));
    assert!(booked.body.contains("45 minutos") && !booked.body.contains("Implante"), "no service is named");
    let again = stage.post_and_follow(&path, &picked).await;
    assert_eq!(again.body, booked.body);
    let until = stage.now() + TimeDelta::days(30);
    let bookings = stage.tenant.bookings(stage.now(), until).await.unwrap();
    assert_eq!(bookings.len(), 1);
    let made = bookings.first().unwrap();
    assert_eq!((made.status, made.via.as_str()), (BookingStatus::Booked, "page"));
    assert!(made.lead_source.as_deref().unwrap().starts_with("reactivación-"));
    let opened = stage.get(&path).await;
    assert_eq!(opened.status, 303, "who has a visit sees it");
    let free = stage.tenant.free_slots(stage.now(), until, None, stage.now()).await.unwrap();
    assert_eq!(free.len(), 11);
}

#[tokio::test]
async fn of_two_who_pick_one_slot_one_has_it_and_the_other_is_shown_the_next() {
    let stage = Stage::with(2, 3).await;
    let paths = [stage.path(0, LinkPurpose::Book), stage.path(1, LinkPurpose::Book)];
    let first = form(&stage.get(&paths[0]).await, "book", Some("slot"));
    let second = form(&stage.get(&paths[1]).await, "book", Some("slot"));
    let (one, other) = tokio::join!(stage.post(&paths[0], &first), stage.post(&paths[1], &second));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    let late = if one.status == 409 { one } else { other };
    assert!(late.body.contains("Ese horario se acaba de ocupar") && late.body.contains("9:00"));
    assert!(!late.body.contains("8:30, jueves 5"), "the one that is taken is not shown");
    assert_eq!(stage.tenant.bookings(stage.now(), stage.now() + TimeDelta::days(30)).await.unwrap().len(), 1);
    assert_eq!(stage.host.settle().await.unwrap().failed, 0);
    assert!(
        stage
            .stored(0)
            .await
            .answers
            .iter()
            .chain(&stage.stored(1).await.answers)
            .all(|said| { said.answer.say != Some(retorno_domain::conversation::Say::Taken) }),
        "the page said it; no message does"
    );
}

#[tokio::test]
async fn an_appointment_is_confirmed_moved_taken_along_and_called_off() {
    let stage = Stage::with(1, 4).await;
    let book = stage.path(0, LinkPurpose::Book);
    let picked = form(&stage.get(&book).await, "book", Some("slot"));
    stage.post_and_follow(&book, &picked).await;
    let path = stage.path(0, LinkPurpose::Appointment);
    let page = stage.get(&path).await;
    let confirm = form(&page, "confirm", None);
    let confirmed = stage.post_and_follow(&path, &confirm).await;
    assert!(confirmed.body.contains("Tu turno está confirmado") && !confirmed.body.contains("Confirmar que voy"));
    assert_eq!(stage.post_and_follow(&path, &confirm).await.body, confirmed.body);

    let file = stage.get(&format!("{path}.ics")).await;
    assert_eq!(file.header("content-type"), Some("text/calendar; method=PUBLISH; charset=utf-8"));
    assert!(file.body.contains("DTSTART:20260305T113000Z\r\n") && file.body.contains("DTEND:20260305T121500Z\r\n"));
    let unfolded = file.body.replace("\r\n ", "");
    let uid = |file: &str| file.lines().find(|line| line.starts_with("UID:")).unwrap().to_owned();
    assert!(uid(&unfolded).ends_with("@aurora.retorno") && unfolded.contains("https://citas.example/l/"));

    let moving = stage.get(&format!("{path}?page=move")).await;
    assert!(moving.body.contains("Tu turno actual es el jueves 5 de marzo a las 8:30"));
    let form_of_move = form(&moving, "book", Some("slot"));
    let moved = stage.post_and_follow(&path, &form_of_move).await;
    assert!(moved.body.contains("9:00") && moved.body.contains("reservado"), "{}", moved.body);
    assert_eq!(stage.post_and_follow(&path, &form_of_move).await.body, moved.body);
    let free =
        stage.tenant.free_slots(stage.now(), stage.now() + TimeDelta::days(30), None, stage.now()).await.unwrap();
    assert_eq!(free.len(), 3, "the first slot is free again");

    let asks = stage.get(&format!("{path}?page=cancel")).await;
    assert!(asks.body.contains("¿Cancelar tu turno?"));
    let open = |patient: &retorno_domain::patient::Patient| {
        patient.appointments.iter().filter(|visit| visit.status == AppointmentStatus::Booked).count()
    };
    assert_eq!(open(&stage.stored(0).await.patient.patient), 1, "asking is not calling off");
    let cancel = form(&asks, "cancel", None);
    let cancelled = stage.post_and_follow(&path, &cancel).await;
    assert!(cancelled.body.contains("Tu turno está cancelado"));
    assert_eq!(open(&stage.stored(0).await.patient.patient), 0);
    assert_eq!(stage.get(&format!("{path}.ics")).await.status, 410);

    let again = form(&stage.get(&book).await, "book", Some("slot"));
    stage.post_and_follow(&book, &again).await;
    stage.post_and_follow(&path, &cancel).await;
    assert_eq!(open(&stage.stored(0).await.patient.patient), 1, "an old form does not call off a new visit");
}

#[tokio::test]
async fn without_a_free_slot_one_waits_and_a_freed_one_is_held() {
    let stage = Stage::with(2, 1).await;
    let (first, second) = (stage.path(0, LinkPurpose::Book), stage.path(1, LinkPurpose::Book));
    let picked = form(&stage.get(&first).await, "book", Some("slot"));
    stage.post_and_follow(&first, &picked).await;
    let page = stage.get(&second).await;
    assert!(page.body.contains("Por ahora no quedan turnos"));
    let wait = format!("{}&part=morning", form(&page, "wait", None));
    for _ in 0..2 {
        let joined = stage.post(&second, &wait).await;
        assert!(joined.status == 200 && joined.body.contains("estás en la lista de espera"));
    }
    let waiters = stage.tenant.waitlist().await.unwrap();
    assert_eq!(waiters.len(), 1);
    assert_eq!(waiters.first().unwrap().wish.part, Some(retorno_domain::reply::DayPart::Morning));

    let path = stage.path(0, LinkPurpose::Appointment);
    let cancel = form(&stage.get(&format!("{path}?page=cancel")).await, "cancel", None);
    stage.post_and_follow(&path, &cancel).await;
    stage.host.settle().await.unwrap();
    let held = stage.get(&second).await;
    assert!(held.body.contains("Se liberó un horario para vos"), "{}", held.body);
    assert!(stage.get(&first).await.body.contains("Por ahora no quedan turnos"), "it is held for nobody else");
    let take = form(&held, "book", Some("slot"));
    assert!(stage.post_and_follow(&second, &take).await.body.contains("Tu turno está reservado"));
    assert!(stage.tenant.waitlist().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_clinics_clock_is_named_where_it_is_not_the_patients() {
    let settings = "name = \"Clínica Aurora\"\nzone = \"America/Argentina/Buenos_Aires\"\ncontact = \"la recepción\"\n\
                    clinical_detail = true\nwhatsapp_phone_number_id = \"1\"\nemail_from = \"hola@aurora.example\"\n";
    let stage = Stage::in_zone(1, 2, "America/Bogota", settings).await;
    let page = stage.get(&stage.path(0, LinkPurpose::Book)).await;
    assert!(page.body.contains("Los horarios son los de Buenos Aires.") && page.body.contains("8:30"));
}
