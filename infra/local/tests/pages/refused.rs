//! Links that do not work, and requests that are none.

use chrono::TimeDelta;
use patient_pages::{BODY_BYTES_MAX, PageRequest};
use retorno_cloud::links::{Link, LinkPurpose, Links};
use retorno_cloud::secrets::SecretKey;
use retorno_domain::ids::{ClinicId, MessageId};

use crate::clinic::{Stage, posted};

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    an_expired_link_names_the_clinic_and_a_forged_one_nobody,
    a_link_that_names_nothing_of_ours_tells_nothing,
    each_link_does_what_it_is_for_and_nothing_else,
    what_is_no_request_of_a_page_is_refused,
];

#[tokio::test]
async fn an_expired_link_names_the_clinic_and_a_forged_one_nobody() {
    let stage = Stage::with(1, 4).await;
    let path = stage.path(0, LinkPurpose::Book);
    let forged = format!("{path}A");
    let stranger = stage.get(&forged).await;
    assert_eq!(stranger.status, 404);
    assert!(!stranger.body.contains("Aurora") && stranger.body.contains("lang=\"es-MX\""));
    let other_key = Links::new("", 1, SecretKey::new([9; 32]).unwrap());
    let token = other_key.token(&stage.link(0, LinkPurpose::Book), stage.now());
    assert_eq!(stage.get(&format!("/l/{token}")).await.body, stranger.body);

    stage.host.reach.clock.move_to(stage.now() + TimeDelta::days(31));
    let expired = stage.get(&path).await;
    assert_eq!(expired.status, 410);
    assert!(expired.body.contains("Clínica Aurora") && expired.body.contains("tel:+541145550000"));
    assert_eq!(stage.post(&path, "do=book&slot=x").await.status, 410);
}

#[tokio::test]
async fn a_link_that_names_nothing_of_ours_tells_nothing() {
    let stage = Stage::with(1, 4).await;
    let message = MessageId::parse("00112233445566778899aabbccddeeff").unwrap();
    for purpose in [LinkPurpose::Book, LinkPurpose::Appointment, LinkPurpose::Survey, LinkPurpose::Unsubscribe] {
        let unknown = Link { message, ..stage.link(0, purpose) };
        let answer = stage.get(&format!("/l/{}", stage.links.token(&unknown, stage.now()))).await;
        assert!(answer.status == 410 && answer.body.contains("Clínica Aurora"));
        let elsewhere = Link { clinic: ClinicId::parse("other").unwrap(), ..stage.link(0, purpose) };
        let answer = stage.get(&format!("/l/{}", stage.links.token(&elsewhere, stage.now()))).await;
        assert!(answer.status == 410 && !answer.body.contains("Aurora"));
    }
}

#[tokio::test]
async fn each_link_does_what_it_is_for_and_nothing_else() {
    let stage = Stage::with(1, 4).await;
    let before = stage.stored(0).await.patient;
    for purpose in [LinkPurpose::Book, LinkPurpose::Appointment, LinkPurpose::Survey] {
        for form in
            ["do=stop", "do=prefer&channel=email", "do=agree&name=A+B&phone=1", "List-Unsubscribe=One-Click", "do="]
        {
            stage.post(&stage.path(0, purpose), form).await;
        }
    }
    let unknown = "do=cancel&visit=c-0&seen=999999999999999999999999&slot=%00%23";
    stage.post(&stage.path(0, LinkPurpose::Appointment), unknown).await;
    stage.post(&stage.path(0, LinkPurpose::Book), "do=book&slot=000000000000000%23nothing").await;
    let after = stage.stored(0).await.patient;
    assert_eq!(after.patient, before.patient);
    let file = stage.get(&format!("{}.ics", stage.path(0, LinkPurpose::Book))).await;
    assert_eq!(file.status, 404);
}

#[tokio::test]
async fn what_is_no_request_of_a_page_is_refused() {
    let stage = Stage::with(1, 4).await;
    let path = stage.path(0, LinkPurpose::Survey);
    let with = |method: &str, path: &str| PageRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![("Accept-Language".to_owned(), "pt-BR,pt;q=0.9".to_owned())],
        ..PageRequest::default()
    };
    for method in ["PUT", "DELETE", "OPTIONS", "", "get"] {
        let answer = stage.ask(with(method, &path)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, POST")), "{method}");
    }
    assert_eq!(stage.ask(with("POST", "/l/style.css")).await.status, 405);
    for nowhere in ["/", "/l/", "/l/a/b", "/favicon.ico", "/l/../../etc/passwd", ""] {
        let answer = stage.ask(with("GET", nowhere)).await;
        assert!(answer.status == 404 && answer.body.contains("lang=\"pt-BR\""), "{nowhere}");
    }
    let style = stage.ask(with("GET", "/l/style.css")).await;
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css; charset=utf-8")));
    assert!(stage.ask(with("GET", "/robots.txt")).await.body.contains("Disallow: /"));
    let large = posted(&path, &"x".repeat(BODY_BYTES_MAX + 1));
    assert_eq!(stage.ask(large).await.status, 413);
    let page = stage.ask(with("GET", &path)).await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
}
