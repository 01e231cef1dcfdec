#![expect(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "tests")]

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::seconds(30)
}

fn secret(text: &str) -> HookSecret {
    HookSecret::new(text).unwrap()
}

fn secrets() -> HookSecrets {
    let app =
        |key: &str| MetaApp { secrets: vec![secret(key)], verify_tokens: vec![secret("ficha")], ids: BTreeSet::new() };
    HookSecrets {
        meta: BTreeMap::from([("uno".to_owned(), app("clave-1")), ("dos".to_owned(), app("clave-2"))]),
        waha: BTreeMap::from([("clinica-1".to_owned(), vec![secret("llave")])]),
        evolution: BTreeMap::from([("clinica-2".to_owned(), EvolutionProof::Token(vec![secret("ficha")]))]),
        topics: vec!["arn:aws:sns:sa-east-1:1:x".to_owned()],
    }
}

fn post(path: &str, body: &[u8]) -> HookRequest {
    HookRequest {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: body.to_vec(),
        is_base64: false,
    }
}

fn with(request: HookRequest, name: &str, value: &str) -> HookRequest {
    HookRequest { headers: vec![(name.to_owned(), value.to_owned())], ..request }
}

fn signed(key: &str, path: &str, body: &[u8]) -> HookRequest {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body);
    let tag: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    with(post(path, body), "x-hub-signature-256", &format!("sha256={tag}"))
}

fn webhook() -> Vec<u8> {
    let status = json!({"id": "wamid.1", "status": "read", "timestamp": "1790000000"});
    let value = json!({"metadata": {"phone_number_id": "105"}, "statuses": [status]});
    let changes = json!([{"field": "messages", "value": value}]);
    json!({"object": "whatsapp_business_account", "entry": [{"id": "9", "changes": changes}]}).to_string().into_bytes()
}

fn refused(request: HookRequest) -> u16 {
    match receive(request, &secrets(), now()) {
        Received::Refused(answer, _) => {
            assert_eq!(answer.body, "");
            answer.status
        }
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn each_app_has_its_own_entry_and_secret() {
    let received = receive(signed("clave-1", "/hooks/meta/uno", &webhook()), &secrets(), now());
    let Received::Verified(events) = received else { unreachable!("{received:?}") };
    assert!(matches!(events.as_slice(), [Routed { event: Event::Receipt(_), .. }]));
    assert_eq!(refused(signed("clave-1", "/hooks/meta/dos", &webhook())), 401);
    assert_eq!(refused(signed("clave-1", "/hooks/meta/tres", &webhook())), 401);
    assert_eq!(refused(post("/hooks/meta/uno", &webhook())), 401);
}

#[test]
fn an_app_speaks_only_for_what_is_its_own() {
    let taken = |app: &str, key: &str, secrets: &HookSecrets| match receive(
        signed(key, &format!("/hooks/meta/{app}"), &webhook()),
        secrets,
        now(),
    ) {
        Received::Verified(events) => {
            events.iter().filter(|routed| routed.route == Route::WhatsappNumber("105".to_owned())).count()
        }
        other => unreachable!("{other:?}"),
    };
    let ids = |app: &str, ids: &[&str], secrets: HookSecrets| {
        let mut secrets = secrets;
        secrets.meta.get_mut(app).unwrap().ids = ids.iter().map(|id| (*id).to_owned()).collect();
        secrets
    };
    assert_eq!(taken("uno", "clave-1", &secrets()), 1, "without lists nothing changes");
    let listed = ids("dos", &["900", "901"], secrets());
    assert_eq!(taken("dos", "clave-2", &listed), 0, "the number of another clinic");
    assert_eq!(taken("uno", "clave-1", &listed), 1, "the app of all that is on no list");
    let listed = ids("dos", &["105", "9"], secrets());
    assert_eq!((taken("dos", "clave-2", &listed), taken("uno", "clave-1", &listed)), (1, 0));
    let read = read_again(Entry::Meta("uno".to_owned()), webhook(), &listed, now());
    let Received::Verified(events) = read else { unreachable!("{read:?}") };
    assert_eq!(events.first().unwrap().route, Route::Unknown, "nor when it is read again");
}

#[test]
fn the_bytes_behind_base64_are_what_was_signed() {
    let mut request = signed("clave-1", "/hooks/meta/uno", &webhook());
    request.body = STANDARD.encode(&request.body).into_bytes();
    assert_eq!(refused(request.clone()), 401);
    request.is_base64 = true;
    assert!(matches!(receive(request.clone(), &secrets(), now()), Received::Verified(_)));
    request.body = b"no es base64".to_vec();
    assert_eq!(refused(request), 400);
}

#[test]
fn what_cannot_be_read_is_refused_unsigned_and_kept_signed() {
    for body in [b"{" as &[u8], b"", b"null", b"[]", b"\xff\xfe", b"{\"object\":\"x\"} {}"] {
        let entry = Entry::Meta("uno".to_owned());
        let received = receive(signed("clave-1", "/hooks/meta/uno", body), &secrets(), now());
        assert!(
            matches!(&received, Received::Unreadable(found) if found.entry == entry && found.body == body),
            "{received:?}"
        );
        assert_eq!(refused(post("/hooks/meta/uno", body)), 401);
    }
    let page = signed("clave-1", "/hooks/meta/uno", b"{\"object\":\"page\"}");
    let Received::Verified(events) = receive(page, &secrets(), now()) else { unreachable!() };
    assert!(matches!(events.as_slice(), [Routed { event: Event::Ignored(_), route: Route::Unknown }]));
}

#[test]
fn the_gateways_prove_themselves_in_their_way() {
    let body = json!({"event": "presence.update", "instance": "clinica-2", "session": "clinica-1"}).to_string();
    let request = with(post("/hooks/evolution/clinica-2", body.as_bytes()), "X-Retorno-Hook-Token", "ficha");
    let received = receive(request, &secrets(), now());
    assert!(matches!(received, Received::Verified(events) if events.len() == 1));
    let other = with(post("/hooks/evolution/clinica-1", body.as_bytes()), "X-Retorno-Hook-Token", "ficha");
    assert_eq!(refused(other), 401);
    assert_eq!(refused(post("/hooks/waha/clinica-1", body.as_bytes())), 401);
    assert_eq!(refused(signed("llave", "/hooks/waha/clinica-1", body.as_bytes())), 401);
}

#[test]
fn the_question_of_meta_is_answered_in_plain_text() {
    let ask = |app: &str, token: &str| {
        let pairs = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
        let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        HookRequest { method: "GET".to_owned(), query, ..post(&format!("/hooks/meta/{app}"), b"") }
    };
    let Received::Answer(answer) = receive(ask("uno", "ficha"), &secrets(), now()) else { unreachable!() };
    assert_eq!((answer.status, answer.body.as_str()), (200, "1158201444"));
    assert!(answer.content_type.starts_with("text/plain"));
    assert_eq!((refused(ask("uno", "otra")), refused(ask("tres", "ficha"))), (403, 403));
}

#[test]
fn there_are_no_other_entries_methods_or_sizes() {
    for path in [
        "",
        "/",
        "/hooks",
        "/hooks/",
        "/hooks/meta",
        "/hooks/meta/",
        "/hooks/meta/a/b",
        "/hooks/meta/..",
        "/hooks/x/a",
        "/hooks/meta/a%2fb",
        "/hooks/meta/ñ",
        "/Hooks/meta/uno",
        "hooks/meta/uno",
        "/hooks/sns/",
        "//hooks/sns",
    ] {
        assert_eq!(refused(post(path, b"{}")), 404, "{path}");
    }
    assert_eq!(refused(post(&format!("/hooks/meta/{}", "a".repeat(65)), b"{}")), 404);
    for method in ["PUT", "HEAD", "DELETE", "get", "OPTIONS", ""] {
        assert_eq!(refused(HookRequest { method: method.to_owned(), ..post("/hooks/meta/uno", b"") }), 405, "{method}");
    }
    for path in ["/hooks/sns", "/hooks/waha/clinica-1"] {
        assert_eq!(refused(HookRequest { method: "GET".to_owned(), ..post(path, b"") }), 405);
    }
    let large = vec![b' '; BODY_BYTES_MAX + 1];
    assert_eq!(refused(signed("clave-1", "/hooks/meta/uno", &large)), 413);
    let encoded = HookRequest { is_base64: true, ..post("/hooks/meta/uno", STANDARD.encode(&large).as_bytes()) };
    assert_eq!(refused(encoded), 413);
    assert_eq!(refused(post("/hooks/sns", &vec![b' '; SNS_BODY_BYTES_MAX + 1])), 413);
    let Some(just) = large.get(1..) else { unreachable!() };
    assert!(matches!(receive(signed("clave-1", "/hooks/meta/uno", just), &secrets(), now()), Received::Unreadable(_)));
}

#[test]
fn a_message_of_sns_waits_for_its_certificate() {
    let message = |topic: &str| {
        json!({"Type": "Notification", "MessageId": "m-1", "TopicArn": topic, "Message": "{}", "Signature": "AAAA",
               "Timestamp": "2026-09-21T14:13:20Z", "SignatureVersion": "2",
               "SigningCertURL": "https://sns.sa-east-1.amazonaws.com/a.pem"})
    };
    let body = message("arn:aws:sns:sa-east-1:1:x").to_string();
    let received = receive(post("/hooks/sns", body.as_bytes()), &secrets(), now());
    let Received::NeedsCertificate(unproven) = received else { unreachable!("{received:?}") };
    assert_eq!(unproven.certificate().as_str(), "https://sns.sa-east-1.amazonaws.com/a.pem");
    let certificate = include_bytes!("../../tests/keys/sns.pem");
    let Received::Refused(answer, Some(why)) = prove(*unproven, certificate, now()) else { unreachable!() };
    assert_eq!((answer.status, why), (401, Unverified::Mismatch));
    assert_eq!(refused(post("/hooks/sns", message("arn:aws:sns:sa-east-1:1:y").to_string().as_bytes())), 401);
}

#[test]
fn a_request_shows_no_body() {
    let shown = format!("{:?}", with(post("/hooks/meta/uno", b"secreto"), "Authorization", "secreto"));
    assert!(!shown.contains("secreto"), "{shown}");
}
