//! Templates at Meta's boundary.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use retorno_domain::approval::{MetaTrouble, TemplateStatus};
use retorno_domain::catalogue::Catalogue;
use retorno_domain::channel::Purpose;
use retorno_domain::language::Language;
use retorno_domain::template::{Template, TemplateChannel};

use super::*;
use crate::channels::testing::Loopback;
use crate::secrets::Token;

fn copy(key: &str, dated: bool) -> &'static Template {
    Catalogue::embedded().find(key, TemplateChannel::Whatsapp, Language::EsAr, dated).unwrap()
}

fn wanted() -> WantedTemplate {
    WantedTemplate::of(copy("churn-18m/d1", true), TemplateCategory::Marketing).unwrap()
}

fn client(meta: &Loopback) -> MetaTemplates {
    MetaTemplates::new(&meta.url, Token::new("token"), AccountId::parse("102030").unwrap()).unwrap()
}

fn listed(wanted: &WantedTemplate, status: &str) -> Value {
    json!({
        "id": "77", "name": wanted.name, "language": wanted.language.whatsapp_code(), "status": status,
        "category": "MARKETING", "rejected_reason": "TAG_CONTENT_MISMATCH", "quality_score": {"score": "GREEN"},
        "components": [
            {"type": "BODY", "text": format!("{}\r\n", wanted.body.replace('\n', "\r\n")), "example": {"body_text": [[]]}},
            {"type": "BUTTONS", "buttons": wanted.buttons.iter().map(|b| json!({"type": "QUICK_REPLY", "text": b})).collect::<Vec<_>>()},
        ],
    })
}

#[test]
fn every_whatsapp_copy_can_be_submitted_with_an_example_for_each_value() {
    let mut seen = 0;
    for template in Catalogue::embedded().templates() {
        let wanted = WantedTemplate::of(template, TemplateCategory::Marketing);
        assert_eq!(wanted.is_some(), template.channel == TemplateChannel::Whatsapp, "{}", template.key);
        let Some(wanted) = wanted else { continue };
        seen += 1;
        assert!(
            wanted.name.len() <= 512
                && wanted.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        );
        assert!(wanted.body.chars().count() <= 1_024 && wanted.buttons.iter().all(|label| label.chars().count() <= 25));
        for at in 1..=wanted.examples.len() {
            assert_eq!(wanted.body.matches(&format!("{{{{{at}}}}}")).count(), 1, "{}", wanted.name);
        }
        assert!(!wanted.body.contains(&format!("{{{{{}}}}}", wanted.examples.len() + 1)));
    }
    assert!(seen >= 96, "{seen}");
}

#[tokio::test]
async fn a_template_is_submitted_whole() {
    let meta = Loopback::answering([(200, json!({"id": "77", "status": "PENDING", "category": "MARKETING"}))]).await;
    let wanted = wanted();
    assert_eq!(client(&meta).create(&wanted).await, Ok("77".to_owned()));
    let asked = meta.asked_once();
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "/102030/message_templates"));
    assert_eq!(asked.header("authorization"), "Bearer token");
    let body = asked.json();
    assert_eq!(body["name"], "retorno_churn_18m_d1_con_fecha_v1");
    assert_eq!((&body["language"], &body["category"]), (&json!("es_AR"), &json!("MARKETING")));
    assert_eq!(body["parameter_format"], "POSITIONAL");
    assert_eq!(body["components"][0]["type"], "BODY");
    let examples = body["components"][0]["example"]["body_text"][0].as_array().unwrap();
    assert_eq!((examples.len(), &examples[0]), (wanted.examples.len(), &json!("Lucía")));
    let buttons = body["components"][1]["buttons"].as_array().unwrap();
    assert_eq!(buttons.last(), Some(&json!({"type": "QUICK_REPLY", "text": "PARAR"})));
}

#[test]
fn a_template_without_values_and_buttons_has_neither() {
    let bare = WantedTemplate { body: "Hola".to_owned(), examples: Vec::new(), buttons: Vec::new(), ..wanted() };
    assert_eq!(create_request(&bare)["components"], json!([{"type": "BODY", "text": "Hola"}]));
}

#[tokio::test]
async fn the_list_is_read_to_its_end() {
    let wanted = wanted();
    let other = json!({"id": "78", "name": "own", "language": "es", "status": "ARCHIVED"});
    let paging = json!({"cursors": {"before": "a", "after": "Zx=="}, "next": "https://evil.example/?access_token=x"});
    let answers = [
        (200, json!({"data": [listed(&wanted, "APPROVED")], "paging": paging})),
        (200, json!({"data": [other], "paging": {"cursors": {"before": "b", "after": "c"}}})),
    ];
    let meta = Loopback::answering(answers).await;
    let found = client(&meta).list().await.unwrap();
    assert_eq!(
        found.iter().map(|there| there.status.clone()).collect::<Vec<_>>(),
        [TemplateStatus::Approved, TemplateStatus::Disabled]
    );
    assert_eq!((&found[0].buttons, found[0].category.as_str()), (&wanted.buttons, "MARKETING"));
    let asked: Vec<String> = meta.asked().into_iter().map(|asked| asked.uri).collect();
    assert_eq!(asked.len(), 2);
    assert!(
        asked[0].starts_with("/102030/message_templates?fields=id") && !asked[0].contains("after="),
        "{}",
        asked[0]
    );
    assert!(asked[1].ends_with("&limit=100&after=Zx%3D%3D"), "{}", asked[1]);
    assert!(!seen(&wanted, &found).unwrap().reworded);
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let page = json!({"data": [], "paging": {"cursors": {"after": "same"}, "next": "https://more.example"}});
    let meta = Loopback::answering(std::iter::repeat_n((200, page), 100)).await;
    assert_eq!(client(&meta).list().await, Err(MetaError::Unreadable));
    assert_eq!(meta.asked().len(), 60);
}

#[test]
fn a_template_is_found_by_name_and_language_and_its_text_compared() {
    let there = PresentTemplate {
        id: "77".to_owned(),
        name: wanted().name,
        language: "es_AR".to_owned(),
        status: TemplateStatus::Approved,
        category: "UTILITY".to_owned(),
        body: wanted().body,
        buttons: wanted().buttons,
    };
    let found = seen(&wanted(), std::slice::from_ref(&there)).unwrap();
    assert_eq!((found.reworded, found.category.as_str(), found.id.as_str()), (false, "UTILITY", "77"));
    for other in [
        PresentTemplate { body: "otra".to_owned(), ..there.clone() },
        PresentTemplate { buttons: Vec::new(), ..there.clone() },
    ] {
        assert!(seen(&wanted(), &[other]).unwrap().reworded);
    }
    for other in [
        PresentTemplate { language: "es".to_owned(), ..there.clone() },
        PresentTemplate { name: "other".to_owned(), ..there },
    ] {
        assert_eq!(seen(&wanted(), &[other]), None);
    }
}

#[test]
fn what_is_in_the_way_is_told_apart() {
    let refused = |status, code, subcode| MetaError::Refused { status, code, subcode };
    for (error, trouble) in [
        (MetaError::Unreached, MetaTrouble::Unreached),
        (refused(503, None, None), MetaTrouble::Unreached),
        (refused(400, Some(80_008), None), MetaTrouble::Busy),
        (refused(400, Some(190), None), MetaTrouble::Token),
        (refused(400, Some(200), None), MetaTrouble::Permission),
        (refused(400, Some(100), Some(33)), MetaTrouble::Account),
        (refused(400, Some(100), Some(2_388_024)), MetaTrouble::Refused),
        (MetaError::Unreadable, MetaTrouble::Refused),
    ] {
        assert_eq!(error.trouble(), trouble, "{error}");
    }
    assert!(refused(400, Some(100), Some(2_388_024)).is_there_already());
    assert!(!refused(400, Some(100), Some(2_388_023)).is_there_already());
}

#[tokio::test]
async fn another_wording_goes_to_the_template_itself() {
    let meta = Loopback::answering([(200, json!({"success": true})), (200, json!({"success": false}))]).await;
    let (client, wanted) = (client(&meta), wanted());
    assert_eq!(client.edit("77", &wanted).await, Ok(()));
    let asked = meta.asked_once();
    assert_eq!((asked.method.as_str(), asked.uri.as_str()), ("POST", "/77"));
    assert_eq!(asked.json()["components"], create_request(&wanted)["components"]);
    assert_eq!(asked.json().get("name"), None);
    assert_eq!(client.edit("77", &wanted).await, Err(MetaError::Unreadable));
    assert_eq!(client.edit("77/../1", &wanted).await, Err(MetaError::Unreadable));
    assert_eq!(meta.asked().len(), 2);
}

#[tokio::test]
async fn the_events_of_the_account_are_subscribed_to() {
    let app = json!({"whatsapp_business_api_data": {"id": "9001", "name": "Retorno", "link": "https://x.example"}});
    let own = json!({"id": "9001", "name": "Retorno"});
    let meta = Loopback::answering([
        (200, own.clone()),
        (200, json!({"data": [app.clone()]})),
        (400, json!({"error": {"code": 100}})),
        (200, json!({"data": [app]})),
        (200, own),
        (200, json!({"data": []})),
        (200, json!({"success": true})),
    ])
    .await;
    let client = client(&meta);
    assert_eq!(client.is_subscribed().await, Ok(true));
    assert_eq!(client.is_subscribed().await, Ok(true), "any app, where it is not said whose the token is");
    assert_eq!(client.is_subscribed().await, Ok(false));
    assert_eq!(client.subscribe().await, Ok(()));
    let asked: Vec<(String, String)> = meta.asked().into_iter().map(|a| (a.method.to_string(), a.uri)).collect();
    let apps = "/102030/subscribed_apps";
    let expected = [
        ("GET", "/app"),
        ("GET", apps),
        ("GET", "/app"),
        ("GET", apps),
        ("GET", "/app"),
        ("GET", apps),
        ("POST", apps),
    ];
    assert_eq!(asked, expected.map(|(method, path)| (method.to_owned(), path.to_owned())));
}

#[tokio::test]
async fn a_refusal_keeps_its_codes_and_loses_its_words() {
    let refused = |code: Value| json!({"error": {"message": "Hola Lucía", "code": code, "error_subcode": 2_388_024}});
    let answers = [(400, refused(json!(100))), (400, refused(json!(80_008))), (500, json!("x")), (200, json!({}))];
    let meta = Loopback::answering(answers).await;
    let (client, wanted) = (client(&meta), wanted());
    let error = client.create(&wanted).await.unwrap_err();
    assert_eq!(error, MetaError::Refused { status: 400, code: Some(100), subcode: Some(2_388_024) });
    assert!(!error.is_passing() && !error.to_string().contains("Lucía"));
    assert!(client.create(&wanted).await.unwrap_err().is_passing());
    assert!(client.create(&wanted).await.unwrap_err().is_passing());
    assert_eq!(client.create(&wanted).await, Err(MetaError::Unreadable));
    let client = self::client(&meta);
    drop(meta);
    assert_eq!(client.list().await, Err(MetaError::Unreached));
    assert!(!format!("{client:?}").contains("token\""));
}

#[test]
fn an_account_is_a_number() {
    for text in ["", "12a", "1/2", "123456789012345678901"] {
        assert_eq!(AccountId::parse(text), None, "{text}");
    }
    assert_eq!(TemplateCategory::of(Purpose::Care).code(), "UTILITY");
}
