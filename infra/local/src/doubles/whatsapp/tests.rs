//! The Cloud API through reqwest.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{SentMessage, Whatsapp, serve};
use crate::doubles::testing::{Hand, doubles};
use crate::doubles::{Doubles, Fault, Provider};

const TOKEN: &str = "local-token";

struct Caller {
    url: String,
    http: reqwest::Client,
}

impl Caller {
    async fn of(whatsapp: &Whatsapp) -> Self {
        let (address, _server) = serve(whatsapp.clone().router(TOKEN)).await.unwrap();
        let url = format!("http://{address}/v25.0/5491100000000/messages");
        Self { url, http: reqwest::Client::new() }
    }

    async fn post(&self, body: &Value) -> reqwest::Result<(StatusCode, Value)> {
        let request = self.http.post(&self.url).bearer_auth(TOKEN).json(body);
        let response = request.send().await?;
        Ok((response.status(), response.json().await?))
    }
}

fn template() -> Value {
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+54 9 11 5874-9895",
        "type": "template",
        "biz_opaque_callback_data": "1.tenant.mid.1.hmac",
        "template": {
            "name": "reactivation_d1",
            "language": { "code": "es_AR", "policy": "deterministic" },
            "components": [
                { "type": "body", "parameters": [
                    { "type": "text", "text": "Ana" },
                    { "type": "text", "text": "Clínica Austral" },
                ]},
                { "type": "button", "sub_type": "quick_reply", "index": "0",
                  "parameters": [{ "type": "payload", "payload": "BOOK:1" }] },
                { "type": "button", "sub_type": "url", "index": "1",
                  "parameters": [{ "type": "text", "text": "u/1" }] },
            ],
        },
    })
}

#[tokio::test]
async fn a_template_is_kept_as_it_was_sent() {
    let (doubles, clock) = doubles();
    let whatsapp = doubles.whatsapp();
    let (status, answer) = Caller::of(&whatsapp).await.post(&template()).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["messaging_product"], "whatsapp");
    let contact = json!({ "input": "+54 9 11 5874-9895", "wa_id": "5491158749895" });
    assert_eq!(answer["contacts"][0], contact);

    let sent = whatsapp.all_sent().unwrap();
    let message = &sent[0];
    assert_eq!(answer["messages"][0]["id"], message.wamid);
    assert!(message.wamid.starts_with("wamid."));
    assert_eq!(message.at, clock.now());
    assert_eq!(message.phone_number_id, "5491100000000");
    assert_eq!(message.to, "5491158749895");
    assert_eq!(message.opaque.as_deref(), Some("1.tenant.mid.1.hmac"));
    assert_eq!(message.body, template());
    let sent = message.template.as_ref().unwrap();
    assert_eq!((sent.name.as_str(), sent.language.as_str()), ("reactivation_d1", "es_AR"));
    let parameters: Vec<_> = sent.parameters.iter().map(|p| (&p.name, p.text.as_str())).collect();
    assert_eq!(parameters, [(&None, "Ana"), (&None, "Clínica Austral")]);
    let buttons: Vec<_> = sent.buttons.iter().map(|b| (&*b.sub_type, &*b.index, &*b.value)).collect();
    assert_eq!(buttons, [("quick_reply", "0", "BOOK:1"), ("url", "1", "u/1")]);
    let shown = format!("{message:?}");
    assert!(!shown.contains("5874") && !shown.contains("Ana"), "{shown}");
}

#[tokio::test]
async fn a_text_is_kept_and_the_newest_comes_first() {
    let (doubles, _clock) = doubles();
    let whatsapp = doubles.whatsapp();
    let caller = Caller::of(&whatsapp).await;
    whatsapp.hear("5491100000000", "5491158749895").unwrap();
    for body in ["uno", "dos", "tres"] {
        let text = json!({ "messaging_product": "whatsapp", "to": "5491158749895", "type": "text",
            "text": { "body": body } });
        assert_eq!(caller.post(&text).await.unwrap().0, StatusCode::OK);
    }
    let texts = |sent: Vec<SentMessage>| -> Vec<_> { sent.into_iter().filter_map(|m| m.text).collect() };
    assert_eq!(texts(whatsapp.sent(2, 0).unwrap()), ["tres", "dos"]);
    assert_eq!(texts(whatsapp.sent(2, 2).unwrap()), ["uno"]);
    assert_eq!(texts(whatsapp.all_sent().unwrap()), ["uno", "dos", "tres"]);
}

#[tokio::test]
async fn one_may_write_freely_for_a_day_after_the_persons_last_word() {
    let (doubles, clock) = doubles();
    let whatsapp = doubles.whatsapp();
    let caller = Caller::of(&whatsapp).await;
    let text = json!({ "messaging_product": "whatsapp", "to": "5491158749895", "type": "text",
        "text": { "body": "hola" } });
    let answer = async || {
        let (status, answer) = caller.post(&text).await.unwrap();
        (status.as_u16(), answer["error"]["code"].clone())
    };
    assert_eq!(answer().await, (400, json!(131_047)), "nobody has written");
    whatsapp.hear("5491100000000", "5491158749895").unwrap();
    assert_eq!(answer().await.0, 200);
    clock.forward(24 * 3_600);
    assert_eq!(answer().await, (400, json!(131_047)), "a day ago");
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut body = template();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn what_the_service_would_refuse_is_refused_in_metas_words() {
    let (doubles, _clock) = doubles();
    let whatsapp = doubles.whatsapp();
    let caller = Caller::of(&whatsapp).await;
    let parameters = "/template/components/0/parameters";
    let mixed = json!([{ "type": "text", "text": "a" },
        { "type": "text", "text": "b", "parameter_name": "clinic" }]);
    let wrong = [
        (changed("/messaging_product", json!("sms")), 100),
        (changed("/to", json!("ana")), 131_009),
        (changed("/to", json!(null)), 131_008),
        (changed("/type", json!("hologram")), 131_051),
        (changed("/template/name", json!("Reactivation D1")), 131_009),
        (changed("/template/language", json!({})), 131_008),
        (changed("/template/components", json!({})), 100),
        (changed("/template/components/0/type", json!("bodies")), 131_009),
        (changed(parameters, mixed), 132_012),
        (changed(parameters, json!([{ "type": "text", "text": "" }])), 131_008),
        (changed(parameters, json!([{ "type": "text", "text": "a\nb" }])), 132_012),
        (changed("/template/components/1/index", json!(0)), 131_008),
        (changed("/template/components/1/parameters", json!([])), 131_008),
        (changed("/biz_opaque_callback_data", json!("x".repeat(513))), 131_009),
    ];
    for (body, code) in wrong {
        let (status, answer) = caller.post(&body).await.unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!(answer["error"]["error_data"]["messaging_product"], "whatsapp");
    }
    assert_eq!(whatsapp.all_sent().unwrap().len(), 0);
    let longest = changed("/biz_opaque_callback_data", json!("x".repeat(512)));
    assert_eq!(caller.post(&longest).await.unwrap().0, StatusCode::OK);
}

fn buttons(buttons: &Value) -> Value {
    json!({
        "messaging_product": "whatsapp", "to": "5491158749895", "type": "interactive",
        "interactive": { "type": "button", "body": { "text": "¿Cuándo?" }, "action": { "buttons": buttons } },
    })
}

#[tokio::test]
async fn a_text_with_reply_buttons_is_kept_and_one_that_meta_refuses_is_refused() {
    let (doubles, _clock) = doubles();
    let whatsapp = doubles.whatsapp();
    let caller = Caller::of(&whatsapp).await;
    whatsapp.hear("5491100000000", "5491158749895").unwrap();
    let button = |id: &str, title: &str| json!({ "type": "reply", "reply": { "id": id, "title": title } });
    let good = buttons(&json!([button("1", "Mañana"), button("2", "Otro día")]));
    assert_eq!(caller.post(&good).await.unwrap().0, StatusCode::OK);
    let sent = whatsapp.all_sent().unwrap();
    assert_eq!((sent[0].text.as_deref(), &sent[0].body), (Some("¿Cuándo?"), &good));
    let mut list = good.clone();
    *list.pointer_mut("/interactive/type").unwrap() = json!("list");
    let four = ["1", "2", "3", "4"].map(|id| button(id, id));
    for wrong in [
        list,
        buttons(&json!([])),
        buttons(&json!(four)),
        buttons(&json!([button("1", &"x".repeat(21))])),
        buttons(&json!([button(&"x".repeat(257), "a")])),
        buttons(&json!([button("1", "a"), button("1", "b")])),
    ] {
        let (status, answer) = caller.post(&wrong).await.unwrap();
        assert_eq!((status, &answer["error"]["code"]), (StatusCode::BAD_REQUEST, &json!(131_009)), "{wrong}");
    }
}

#[tokio::test]
async fn a_wrong_token_a_wrong_path_and_no_json_are_refused() {
    let (doubles, _clock) = doubles();
    let caller = Caller::of(&doubles.whatsapp()).await;
    let refused = |request: reqwest::RequestBuilder| async {
        let response = request.send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap()["error"]["code"].clone())
    };
    let post = || caller.http.post(&caller.url);
    assert_eq!(refused(post().json(&template())).await, (StatusCode::UNAUTHORIZED, json!(190)));
    let other = post().bearer_auth("other").json(&template());
    assert_eq!(refused(other).await, (StatusCode::UNAUTHORIZED, json!(190)));
    let no_json = post().bearer_auth(TOKEN).body("to=1");
    assert_eq!(refused(no_json).await, (StatusCode::BAD_REQUEST, json!(100)));
    let unversioned = caller.http.post(caller.url.replace("v25.0", "latest")).bearer_auth(TOKEN);
    assert_eq!(refused(unversioned).await, (StatusCode::NOT_FOUND, json!(100)));
    let elsewhere = caller.http.post(format!("{}/x", caller.url)).bearer_auth(TOKEN);
    assert_eq!(refused(elsewhere).await, (StatusCode::NOT_FOUND, json!(100)));
}

#[tokio::test]
async fn faults_strike_before_or_after_the_message_is_stored() {
    let (doubles, _clock) = doubles();
    let whatsapp = doubles.whatsapp();
    let caller = Caller::of(&whatsapp).await;
    for (fault, status, code) in [
        (Fault::Throttle, 429, 130_429),
        (Fault::Reject("131026".to_owned()), 400, 131_026),
        (Fault::Unavailable, 503, 131_016),
    ] {
        doubles.fail_next(Provider::Whatsapp, fault);
        let (answered, body) = caller.post(&template()).await.unwrap();
        assert_eq!((answered.as_u16(), &body["error"]["code"]), (status, &json!(code)));
    }
    assert_eq!(whatsapp.all_sent().unwrap().len(), 0);

    doubles.fail_next(Provider::Whatsapp, Fault::AcceptThenDrop);
    let cut = caller.http.post(&caller.url).bearer_auth(TOKEN).json(&template()).send().await;
    assert!(cut.unwrap_err().is_request(), "no status line arrived");
    assert_eq!(whatsapp.all_sent().unwrap().len(), 1);

    doubles.fail_next(Provider::Whatsapp, Fault::Slow(60_000));
    let body = template();
    let waiting = tokio::time::timeout(Duration::from_millis(200), caller.post(&body)).await;
    assert!(waiting.is_err(), "the answer takes a minute");
    assert_eq!(whatsapp.all_sent().unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_keeps_the_messages_and_ids_go_on_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doubles.db");
    let clock = Hand::at("2026-03-01T09:00:00Z");
    for _ in 0..2 {
        let whatsapp = Doubles::open(&path, clock.clock()).unwrap().whatsapp();
        Caller::of(&whatsapp).await.post(&template()).await.unwrap();
    }
    let sent = Doubles::open(&path, clock.clock()).unwrap().whatsapp().all_sent().unwrap();
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0].wamid, sent[1].wamid);
}
