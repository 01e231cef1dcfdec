//! The mailbox through the real SDK client.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{
    Attachment, Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag, RawMessage,
};

use super::Ses;
use crate::doubles::testing::{Hand, doubles};
use crate::doubles::{Doubles, Fault, Provider};

fn client(ses: &Ses) -> Client {
    Client::from_conf(ses.sdk_config().build())
}

fn data(text: &str) -> Content {
    Content::builder().data(text).build().unwrap()
}

fn header(name: &str, value: &str) -> MessageHeader {
    MessageHeader::builder().name(name).value(value).build().unwrap()
}

fn tag(name: &str, value: &str) -> MessageTag {
    MessageTag::builder().name(name).value(value).build().unwrap()
}

fn with_headers(headers: Vec<MessageHeader>) -> EmailContent {
    let body = Body::builder().text(data("Te esperamos")).html(data("<p>Te esperamos</p>")).build();
    let message = Message::builder().subject(data("Tu próxima visita")).body(body);
    EmailContent::builder().simple(message.set_headers(Some(headers)).build()).build()
}

fn email(client: &Client) -> SendEmailFluentBuilder {
    client
        .send_email()
        .from_email_address("Clínica Austral <hola@austral.example>")
        .destination(Destination::builder().to_addresses("ana@example.org").build())
        .content(with_headers(vec![header("List-Unsubscribe", "<https://austral.example/u/1>")]))
}

#[tokio::test]
async fn a_mail_is_kept_as_it_was_sent() {
    let (doubles, clock) = doubles();
    let ses = doubles.ses();
    let client = client(&ses);
    let sent = email(&client).email_tags(tag("m", "01J-a_b")).configuration_set_name("retorno");
    let sent = sent.reply_to_addresses("turnos@austral.example").send().await.unwrap();
    clock.forward(1);
    let second = email(&client).send().await.unwrap();

    let mails = ses.all_mails().unwrap();
    let mail = &mails[0];
    assert_eq!(mail.at, crate::doubles::testing::utc("2026-03-01T09:00:00Z"));
    assert_eq!(Some(mail.message_id.as_str()), sent.message_id());
    assert_eq!(mail.from, "Clínica Austral <hola@austral.example>");
    assert_eq!(mail.to, ["ana@example.org"]);
    assert_eq!(mail.reply_to, ["turnos@austral.example"]);
    assert_eq!(mail.subject, "Tu próxima visita");
    assert_eq!(mail.text.as_deref(), Some("Te esperamos"));
    assert_eq!(mail.html.as_deref(), Some("<p>Te esperamos</p>"));
    let unsubscribe = ("List-Unsubscribe".to_owned(), "<https://austral.example/u/1>".to_owned());
    assert_eq!(mail.headers, [unsubscribe]);
    assert_eq!(mail.tags, [("m".to_owned(), "01J-a_b".to_owned())]);
    assert_eq!(mail.configuration_set.as_deref(), Some("retorno"));

    let newest = ses.mails(1, 0).unwrap();
    assert_eq!(Some(newest[0].message_id.as_str()), second.message_id());
    assert_eq!(ses.mails(10, 1).unwrap(), mails[..1]);
    assert!(mail.attachments.is_empty());
    let shown = format!("{mail:?}");
    assert!(!shown.contains("ana@") && !shown.contains("visita"), "{shown}");
}

#[tokio::test]
async fn what_the_service_would_refuse_is_refused() {
    let (doubles, _clock) = doubles();
    let ses = doubles.ses();
    let client = client(&ses);
    let headers = |count: usize| (0..count).map(|n| header(&format!("X-{n}"), "1")).collect();
    let raw = RawMessage::builder().data(Blob::new("Subject: x")).build().unwrap();
    let two_kinds = {
        let simple = with_headers(vec![]).simple.unwrap();
        EmailContent::builder().simple(simple).raw(raw.clone()).build()
    };
    let nobody = Destination::builder().build();
    let wrong = [
        ("no sender", email(&client).set_from_email_address(None)),
        ("no recipient", email(&client).destination(nobody)),
        ("no content", email(&client).content(EmailContent::builder().build())),
        ("two kinds of content", email(&client).content(two_kinds)),
        ("raw", email(&client).content(EmailContent::builder().raw(raw).build())),
        ("16 headers", email(&client).content(with_headers(headers(16)))),
        ("871 characters", email(&client).content(with_headers(vec![header("X", &"v".repeat(871))]))),
        ("not ASCII", email(&client).content(with_headers(vec![header("X", "señal")]))),
        ("a colon", email(&client).content(with_headers(vec![header("X:", "1")]))),
        ("a tag with a dot", email(&client).email_tags(tag("m", "a.b"))),
        ("a long tag", email(&client).email_tags(tag("m", &"a".repeat(257)))),
    ];
    for (what, request) in wrong {
        let refused = request.send().await.unwrap_err().into_service_error();
        assert!(refused.is_bad_request_exception(), "{what}: {refused:?}");
    }
    assert_eq!(ses.all_mails().unwrap(), []);
    let mut most: Vec<_> = headers(14);
    most.push(header("X-Long", &"v".repeat(870)));
    assert!(email(&client).content(with_headers(most)).send().await.is_ok());
}

#[tokio::test]
async fn faults_strike_before_or_after_the_mail_is_stored() {
    let (doubles, _clock) = doubles();
    let ses = doubles.ses();
    let send = || email(&client(&ses)).send();
    doubles.fail_next(Provider::Ses, Fault::Throttle);
    doubles.fail_next(Provider::Ses, Fault::Unavailable);
    doubles.fail_next(Provider::Ses, Fault::Reject("MessageRejected".to_owned()));
    assert!(send().await.unwrap_err().into_service_error().is_too_many_requests_exception());
    assert_eq!(send().await.unwrap_err().raw_response().unwrap().status().as_u16(), 503);
    assert!(send().await.unwrap_err().into_service_error().is_message_rejected());
    assert_eq!(ses.all_mails().unwrap(), []);
    doubles.fail_next(Provider::Ses, Fault::AcceptThenDrop);
    assert!(matches!(send().await, Err(SdkError::DispatchFailure(_))));
    assert_eq!(ses.all_mails().unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_keeps_the_mails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doubles.db");
    let clock = Hand::at("2026-03-01T09:00:00Z");
    let first = Doubles::open(&path, clock.clock()).unwrap().ses();
    email(&client(&first)).send().await.unwrap();
    drop(first);
    let ses = Doubles::open(&path, clock.clock()).unwrap().ses();
    assert_eq!(ses.all_mails().unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_goes_with_a_mail_if_it_is_one() {
    let (doubles, _clock) = doubles();
    let ses = doubles.ses();
    let client = client(&ses);
    let with = |name: &str, bytes: &str| {
        let file = Attachment::builder().file_name(name).content_type("text/calendar").raw_content(Blob::new(bytes));
        let body = Body::builder().text(data("Te esperamos")).build();
        let message = Message::builder().subject(data("Tu turno")).body(body).attachments(file.build().unwrap());
        EmailContent::builder().simple(message.build()).build()
    };
    email(&client).content(with("turno.ics", "BEGIN:VCALENDAR")).send().await.unwrap();
    assert_eq!(ses.all_mails().unwrap()[0].attachments, [("turno.ics".to_owned(), b"BEGIN:VCALENDAR".to_vec())]);
    for (name, bytes) in [("", "a"), ("turno", "a"), ("turno.ics", "")] {
        let refused = email(&client).content(with(name, bytes)).send().await.unwrap_err();
        assert!(matches!(refused, SdkError::ServiceError(_)), "{name}");
    }
    assert_eq!(ses.all_mails().unwrap().len(), 1);
}
