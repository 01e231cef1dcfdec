//! Replies at the boundary of each provider.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use retorno_domain::channel::Channel;
use retorno_domain::ids::MessageId;
use retorno_domain::message::{BreakerScope, Outcome, RecipientNews};
use serde_json::json;

use super::*;
use crate::channels::testing::{Loopback, clinic};
use crate::channels::{Channels, EmailChannel, EmailSettings, WhatsappChannel};
use crate::secrets::{SecretKey, Token};

const OPAQUE: &str = "1.aurora.00112233445566778899aabbccddeeff.1.00ff";

fn reply<'a>(clinic: &'a Clinic, to: &'a str, body: &'a str) -> ReplyDispatch<'a> {
    let (subject, html, attachment, answers) = (None, None, None, None);
    ReplyDispatch { clinic, to, opaque_id: OPAQUE, body, buttons: &[], subject, html, attachment, answers }
}

fn channels(provider: &Loopback) -> Channels {
    let whatsapp = WhatsappChannel::new(&provider.url, Token::new("token")).unwrap();
    let settings = EmailSettings { configuration_set: "retorno".to_owned() };
    let email = EmailChannel::new(crate::aws::ses(&provider.aws()), settings);
    Channels::new(whatsapp, email, SecretKey::new([7; 32]).unwrap())
}

const BUTTONS: [ReplyButton<'_>; 2] =
    [ReplyButton { id: "a.1", title: "Mañana" }, ReplyButton { id: "a.2", title: "Otro día" }];

#[tokio::test]
async fn whatsapp_gets_a_text_that_quotes_what_it_answers() {
    let meta = Loopback::answering([(200, json!({"messages": [{"id": "wamid.9"}]}))]).await;
    let clinic = clinic("");
    let reply = ReplyDispatch { answers: Some("wamid.1"), ..reply(&clinic, "+5491155550000", "Listo.") };
    let outcome = channels(&meta).reply(Channel::Whatsapp, &reply).await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: "wamid.9".to_owned() });
    let asked = meta.asked_once();
    assert_eq!(asked.uri, "/100000000000001/messages");
    assert_eq!(asked.header("authorization"), "Bearer token");
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "5491155550000",
        "type": "text", "text": {"body": "Listo.", "preview_url": false},
        "context": {"message_id": "wamid.1"}, "biz_opaque_callback_data": OPAQUE,
    });
    assert_eq!(asked.json(), expected);
}

#[tokio::test]
async fn whatsapp_gets_buttons_with_their_ids() {
    let meta = Loopback::answering([(200, json!({"messages": [{"id": "wamid.9"}]}))]).await;
    let clinic = clinic("");
    let reply = ReplyDispatch { buttons: &BUTTONS, ..reply(&clinic, "+5491155550000", "¿Cuándo?") };
    channels(&meta).reply(Channel::Whatsapp, &reply).await;
    let asked = meta.asked_once().json();
    assert_eq!(asked["type"], "interactive");
    let expected = json!({"type": "button", "body": {"text": "¿Cuándo?"}, "action": {"buttons": [
        {"type": "reply", "reply": {"id": "a.1", "title": "Mañana"}},
        {"type": "reply", "reply": {"id": "a.2", "title": "Otro día"}},
    ]}});
    assert_eq!(asked["interactive"], expected);
    assert_eq!(asked.get("context"), None);
}

#[tokio::test]
async fn a_closed_window_is_a_refusal_that_says_nothing_of_the_person() {
    let meta = Loopback::answering([(400, json!({"error": {"code": 131_047}}))]).await;
    let clinic = clinic("");
    let outcome = channels(&meta).reply(Channel::Whatsapp, &reply(&clinic, "+5491155550000", "Hola")).await;
    assert_eq!(outcome, Outcome::Refused { code: "131047".to_owned(), news: RecipientNews::None });
}

#[tokio::test]
async fn what_the_api_would_refuse_is_not_posted() {
    let meta = Loopback::answering([]).await;
    let clinic = clinic("");
    let channels = channels(&meta);
    let long = "a".repeat(1025);
    let (title, id) = ("a".repeat(21), "a".repeat(257));
    let four = [1, 2, 3, 4].map(|_| BUTTONS[0]);
    let (wide, deep) = ([ReplyButton { id: "a", title: &title }], [ReplyButton { id: &id, title: "a" }]);
    let (same_id, same_title) = (
        [BUTTONS[0], ReplyButton { id: "a.1", title: "Luego" }],
        [BUTTONS[0], ReplyButton { id: "a.9", title: "Mañana" }],
    );
    let cases: [(&str, &[ReplyButton<'_>], &str); 8] = [
        (" ", &[], "reply_text"),
        (&long, &BUTTONS, "reply_text"),
        ("a", &four, "reply_buttons"),
        ("a", &same_id, "reply_buttons"),
        ("a", &same_title, "reply_buttons"),
        ("a", &wide, "reply_buttons"),
        ("a", &deep, "reply_buttons"),
        ("a", &[ReplyButton { id: "", title: "a" }], "reply_buttons"),
    ];
    for (body, buttons, code) in cases {
        let reply = ReplyDispatch { buttons, ..reply(&clinic, "+5491155550000", body) };
        let outcome = channels.reply(Channel::Whatsapp, &reply).await;
        assert_eq!(outcome, Outcome::Refused { code: code.to_owned(), news: RecipientNews::None });
    }
    assert!(meta.asked().is_empty());
    assert!(whatsapp_reply_request(&reply(&clinic, "+5491155550000", &long)).is_ok());
}

#[tokio::test]
async fn an_email_takes_the_appointment_along() {
    let ses = Loopback::answering([(200, json!({"MessageId": "0100"}))]).await;
    let clinic = clinic("");
    let calendar = Attachment {
        file_name: "turno.ics",
        content_type: "text/calendar; charset=utf-8; method=PUBLISH",
        bytes: b"BEGIN:VCALENDAR\r\n",
    };
    let reply = ReplyDispatch {
        subject: Some("Tu turno"),
        html: Some("<p>Listo.</p>"),
        attachment: Some(calendar),
        buttons: &BUTTONS,
        ..reply(&clinic, "lucia@correo.example", "Listo.")
    };
    let outcome = channels(&ses).reply(Channel::Email, &reply).await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: "0100".to_owned() });
    let asked = ses.asked_once();
    assert_eq!(asked.uri, "/v2/email/outbound-emails");
    let asked = asked.json();
    assert_eq!(asked["FromEmailAddress"], "hola@clinica.example");
    assert_eq!(asked["Destination"]["ToAddresses"], json!(["lucia@correo.example"]));
    assert_eq!(asked["ConfigurationSetName"], "retorno");
    let tag = |name: &str, value: &str| json!({"Name": name, "Value": value});
    let tags = [tag("m", "00112233445566778899aabbccddeeff"), tag("t", "aurora"), tag("a", "1")];
    assert_eq!(asked["EmailTags"], json!(tags));
    let message = &asked["Content"]["Simple"];
    assert_eq!(message["Subject"]["Data"], "Tu turno");
    assert_eq!(message["Body"]["Text"]["Data"], "Listo.\n\n1) Mañana\n2) Otro día");
    assert_eq!(message["Body"]["Html"]["Data"], "<p>Listo.</p>");
    assert_eq!(message.get("Headers"), None);
    let file = &message["Attachments"][0];
    assert_eq!((&file["FileName"], &file["ContentType"]), (&json!(calendar.file_name), &json!(calendar.content_type)));
    assert_eq!(file["ContentDisposition"], "ATTACHMENT");
    assert_eq!(STANDARD.decode(file["RawContent"].as_str().unwrap()).unwrap(), calendar.bytes);
}

#[tokio::test]
async fn an_id_made_here_comes_back_in_the_tags() {
    let ses = Loopback::answering([(200, json!({"MessageId": "0100"}))]).await;
    let (clinic, channels) = (clinic(""), channels(&ses));
    let message = MessageId::parse("00112233445566778899aabbccddeeff").unwrap();
    let opaque_id = channels.opaque_id(&clinic.id, message, 3);
    let reply = ReplyDispatch { opaque_id: &opaque_id, ..reply(&clinic, "lucia@correo.example", "Listo.") };
    channels.reply(Channel::Email, &reply).await;
    let tags = &ses.asked_once().json()["EmailTags"];
    let tag = |name: &str, value: &str| json!({"Name": name, "Value": value});
    assert_eq!(tags, &json!([tag("m", &message.to_string()), tag("t", "aurora"), tag("a", "3")]));
}

#[tokio::test]
async fn an_id_of_another_form_still_travels_with_an_email() {
    let ses = Loopback::answering([(200, json!({"MessageId": "0100"}))]).await;
    let clinic = clinic("");
    let reply = ReplyDispatch { opaque_id: "r:7/x", ..reply(&clinic, "lucia@correo.example", "Listo.") };
    channels(&ses).reply(Channel::Email, &reply).await;
    let tags = &ses.asked_once().json()["EmailTags"];
    assert_eq!(tags, &json!([{"Name": "t", "Value": "aurora"}, {"Name": "o", "Value": "r_7_x"}]));
}

#[tokio::test]
async fn a_reply_needs_a_provider_and_a_call_is_none() {
    let none = Loopback::answering([]).await;
    let clinic = clinic("");
    let (channels, reply) = (channels(&none), reply(&clinic, "+5491155550000", "Hola"));
    let sms = channels.reply(Channel::Sms, &reply).await;
    assert!(matches!(sms, Outcome::NotSent { breaker: Some(BreakerScope::Channel), .. }), "{sms:?}");
    assert!(matches!(channels.reply(Channel::Call, &reply).await, Outcome::Refused { .. }));
    assert!(none.asked().is_empty());
}

#[test]
fn nothing_of_a_reply_shows_in_debug() {
    let clinic = clinic("");
    let file = Attachment { file_name: "Lucia.ics", content_type: "text/calendar", bytes: b"Lucia" };
    let buttons = [ReplyButton { id: "Lucia", title: "Lucia" }];
    let reply = ReplyDispatch {
        buttons: &buttons,
        attachment: Some(file),
        subject: Some("Lucia"),
        ..reply(&clinic, "+5491155550000", "Hola, Lucia")
    };
    let shown = format!("{reply:?} {buttons:?} {file:?}");
    assert!(!shown.contains("Lucia") && !shown.contains("5555"), "{shown}");
    assert!(shown.contains("body_chars: 11"), "{shown}");
}
