//! What staff sees and does in the cloud: through the gate of the API, with the claims that API Gateway
//! passes on, and by the same handlers that answer on one machine.

use aws_lambda_events::encodings::Body;
use aws_lambda_events::event::apigw::ApiGatewayV2httpRequest;
use chrono::TimeDelta;
use export_importer::export::REQUIRED_COLUMNS;
use retorno::calls::calls_of;
use retorno::host::{AtGateway, Sealing};
use retorno_domain::ids::PatientId;
use serde_json::{Value, json};
use staff_api::{Office, gate};

use crate::canary::{lived, singing};
use crate::scene::{PHONE, Scene};

const UNKNOWN: &str = "5491155550303";
const GUARDIAN: &str = "5491155557777";

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_conversation_is_read_answered_held_and_handed_back,
    what_a_patient_agreed_to_is_shown_and_recorded,
    a_booking_stands_in_the_agenda_and_a_waiter_on_the_waitlist,
    strangers_are_answered_attached_and_set_aside,
    a_gateway_is_linked_tested_and_unlinked_and_browsers_are_told,
    templates_are_looked_at_and_submitted,
    a_patient_is_exported_erased_and_let_in_again,
    what_nobody_could_read_is_for_the_agency,
];

/// Somebody with an account.
struct Staff<'a> {
    scene: &'a Scene,
    office: Office,
    groups: &'static str,
}

impl<'a> Staff<'a> {
    fn of(scene: &'a Scene, groups: &'static str) -> Self {
        Self {
            scene,
            office: Office::new(scene.host.reach.clone(), scene.host.inbound_queue.clone(), "the-public-key"),
            groups,
        }
    }

    async fn asks(&self, method: &str, path: &str, body: Option<Value>) -> (i64, Value) {
        let (status, text) = self.hears(method, path, body).await;
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}")))
    }

    async fn hears(&self, method: &str, path: &str, body: Option<Value>) -> (i64, String) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let event = json!({
            "version": "2.0",
            "routeKey": "ANY /api/{proxy+}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": { "content-type": "application/json", "authorization": "Bearer checked-by-the-gateway" },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "api",
                "authorizer": { "jwt": { "claims": { "cognito:groups": self.groups, "sub": "1" }, "scopes": null } },
                "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t" },
                "stage": "$default",
                "timeEpoch": 1_780_000_000_000_i64
            },
            "body": body.map(|body| body.to_string()),
            "isBase64Encoded": false
        });
        let event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
        let answer = calls_of("staff-api", gate::answer(&self.office, event)).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        let Some(Body::Text(text)) = answer.body else { panic!("{path}: no text") };
        // What was ordered is carried out by the others.
        assert_eq!(self.scene.host.settle().await.unwrap().failed, 0);
        (answer.status_code, text)
    }

    async fn file(&self, name: &str) -> String {
        let (status, text) = self.hears("GET", &format!("/api/clinics/prueba/{name}"), None).await;
        assert_eq!(status, 200, "{name}: {text}");
        text
    }

    async fn gets(&self, path: &str) -> Value {
        let (status, body) = self.asks("GET", &format!("/api/clinics/prueba/{path}"), None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn does(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.asks("POST", &format!("/api/clinics/prueba/{path}"), Some(body)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn refused(&self, path: &str, body: Value) -> i64 {
        let (status, answer) = self.asks("POST", &format!("/api/clinics/prueba/{path}"), Some(body)).await;
        assert!(answer["error"].is_string(), "{path}: {answer}");
        status
    }
}

#[tokio::test]
async fn a_conversation_is_read_answered_held_and_handed_back() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.until_sent().await;
    scene.says(PHONE, "me duele muchísimo la muela y me sangra").await;
    let staff = Staff::of(&scene, "[clinic:prueba]");
    let inbox = staff.gets("inbox").await;
    assert_eq!(inbox["waiting"][0]["urgency"], "urgent");
    assert_eq!(inbox["waiting"][0]["last_words"], "me duele muchísimo la muela y me sangra");
    let before = staff.gets("patients/1/thread").await.as_array().unwrap().len();

    let said = json!({ "text": "Venga ya mismo", "event": "once" });
    staff.does("patients/1/reply", said.clone()).await;
    staff.does("patients/1/reply", said).await;
    assert_eq!(scene.told(PHONE).iter().filter(|text| *text == "Venga ya mismo").count(), 1);
    let thread = staff.gets("patients/1/thread").await;
    assert_eq!(thread.as_array().unwrap().len(), before + 1);
    assert_eq!(thread[before]["by"], "staff");

    assert_eq!(staff.refused("patients/1/release", json!({ "heard": 0 })).await, 409, "more was said than read");
    staff.does("patients/1/release", json!({ "heard": 1 })).await;
    assert_eq!(staff.gets("inbox").await["waiting"], json!([]));
    staff.does("patients/1/hold", json!({})).await;
    assert_eq!(staff.refused("patients/nobody/reply", json!({ "text": "hola" })).await, 404);
    let why = staff.gets("patients/1/why?at=2026-06-20T10:00").await;
    assert_eq!((&why["patient"], &why["messages"][0]["state"]), (&json!("1"), &json!("accepted")), "{why}");
    let outbox = staff.gets("outbox?limit=5").await;
    assert_eq!(outbox.as_array().unwrap().len(), 1);
    assert_eq!(outbox[0]["patient_id"], "1");
}

#[tokio::test]
async fn what_a_patient_agreed_to_is_shown_and_recorded() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let staff = Staff::of(&scene, "[clinic:prueba]");
    assert_eq!(staff.gets("patients/1/consent").await["marketing"]["reason"], Value::Null);
    let out = json!({ "wish": "out", "how": "dicho por teléfono" });
    let after = staff.does("patients/1/consent", out).await;
    assert_eq!(after["marketing"]["channels"], json!([]));
    scene.pass(TimeDelta::days(1)).await;
    let agreed = json!({ "wish": "in", "channels": ["whatsapp", "email"], "how": "firmó en recepción" });
    let after = staff.does("patients/1/consent", agreed).await;
    assert_eq!(after["marketing"]["channels"], json!(["whatsapp", "email"]));
    assert_eq!(staff.refused("patients/1/consent", json!({ "wish": "perhaps", "how": "x" })).await, 400);
}

#[tokio::test]
async fn a_booking_stands_in_the_agenda_and_a_waiter_on_the_waitlist() {
    let scene = Scene::with(&[("1", PHONE), ("2", "5491155550202")], 2).await;
    scene.until_sent().await;
    scene.says(PHONE, "1").await;
    scene.says("5491155550202", "quiero turno").await;
    scene.says("5491155550202", "1").await;
    scene.says("5491155550202", "cancelar").await;
    let agenda = Staff::of(&scene, "[clinic:prueba]").gets("agenda").await;
    assert_eq!(agenda["bookings"][0]["patient_id"], "1");
    assert_eq!(agenda["bookings"][0]["lead_source"].as_str().unwrap().split('-').next(), Some("reactivación"));
    let staff = Staff::of(&scene, "[clinic:prueba]");
    let file = staff.file("agenda.csv").await;
    let columns: Vec<&str> = REQUIRED_COLUMNS.into_iter().filter(|column| *column != "consentimiento").collect();
    assert_eq!(file.lines().next(), Some(columns.join(",").as_str()), "as an export of the clinic's system has them");
    assert_eq!(file.lines().count(), 1 + agenda["bookings"].as_array().unwrap().len());
    let feed = staff.file("agenda.ics").await;
    assert!(feed.starts_with("BEGIN:VCALENDAR") && feed.contains("BEGIN:VEVENT"), "{feed}");
}

#[tokio::test]
async fn strangers_are_answered_attached_and_set_aside() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.says(UNKNOWN, "¿cuánto sale una limpieza?").await;
    let staff = Staff::of(&scene, "[clinic:prueba]");
    let found = staff.does("find", json!({ "text": "ana" })).await;
    assert_eq!(found[0]["patient_id"], "1");
    let listed = staff.gets("strangers").await;
    let who = listed["strangers"][0]["id"].as_str().unwrap().to_owned();
    let at = |what: &str| format!("strangers/{who}/{what}");
    staff.does(&at("answer"), json!({ "text": "Desde 9.000" })).await;
    assert_eq!(scene.told(UNKNOWN), ["Desde 9.000"]);
    staff.does(&at("dismiss"), json!({})).await;
    assert_eq!(staff.gets("inbox").await["strangers"], json!([]));
    staff.does(&at("restore"), json!({})).await;
    let after = staff.does(&at("attach"), json!({ "patient": "1" })).await;
    assert_eq!(after["dealt_with"][0]["patient_id"], "1");
    let after = staff.does("patients/1/forget-number", json!({})).await;
    assert_eq!(after["strangers"][0]["id"], who.as_str());

    scene.says(PHONE, "número equivocado").await;
    assert_eq!(staff.refused("patients/1/right-number", json!({})).await, 422, "not without being sure");
    staff.does("patients/1/right-number", json!({ "confirm": true })).await;

    crate::agreements::somebody_agrees(&scene).await;
    let id = staff.gets("strangers").await["agreements"][0]["id"].as_str().unwrap().to_owned();
    staff.does(&format!("agreements/{id}/dismiss"), json!({})).await;
    staff.does(&format!("agreements/{id}/restore"), json!({})).await;
    let after = staff.does(&format!("agreements/{id}/attach"), json!({ "patient": "1" })).await;
    assert_eq!(after["settled_agreements"][0]["patient_id"], "1");
}

#[tokio::test]
async fn a_gateway_is_linked_tested_and_unlinked_and_browsers_are_told() {
    let settings =
        "[whatsapp]\ngateway = \"waha\"\nbase_url = \"https://wa.clinica.example\"\ninstance = \"recepcion\"\n";
    let scene = Scene::of_clinic(settings, &[("1", PHONE)], 40).await;
    let staff = Staff::of(&scene, "[clinic:prueba]");
    staff.does("connections/check", json!({})).await;
    let code = staff.does("connections/code", json!({})).await;
    assert!(code["state"].is_string(), "{code}");
    scene.pass(TimeDelta::seconds(1)).await;
    let clinic = scene.tenant.settings(scene.host.now()).await.unwrap().clinic;
    scene.host.at_gateway(&clinic, AtGateway::Scan).await.unwrap();
    scene.host.settle().await.unwrap();
    staff.does("connections/test", json!({ "to": "+5491155550999", "event": "once" })).await;
    let now = staff.gets("connections").await;
    assert_eq!((&now["gateway"]["state"], &now["tests"][0]["to"]), (&json!("connected"), &json!("0999")), "{now}");
    assert_eq!(now["push_key"], "the-public-key");
    // Gateways tell instants: what is told next comes after what was heard.
    scene.pass(TimeDelta::seconds(1)).await;
    staff.does("connections/unlink", json!({})).await;
    assert_ne!(staff.gets("connections").await["gateway"]["state"], "connected");
    scene.tenant.halt("email", scene.host.now() + TimeDelta::days(1), "x").await.unwrap();
    staff.does("connections/resume", json!({ "channel": "email" })).await;

    let given: Value = serde_json::from_str(&scene.host.doubles.push().subscribe().unwrap()).unwrap();
    let added = staff.does("browsers", json!({ "subscription": given, "name": "Recepción" })).await;
    let id = added["browser"].as_str().unwrap();
    staff.does(&format!("browsers/{id}/try"), json!({})).await;
    assert_eq!(scene.host.doubles.push().shown(9).unwrap().len(), 1);
    let (status, _) = staff.asks("DELETE", &format!("/api/clinics/prueba/browsers/{id}"), None).await;
    assert_eq!(status, 200);
    assert_eq!(staff.gets("connections").await["browsers"], json!([]));
}

#[tokio::test]
async fn templates_are_looked_at_and_submitted() {
    let scene = Scene::of_clinic("whatsapp_account_id = \"900\"\n", &[("1", PHONE)], 40).await;
    let staff = Staff::of(&scene, "[clinic:prueba]");
    for act in ["refresh", "submit", "subscribe"] {
        staff.does("templates", json!({ "do": act })).await;
        scene.pass(TimeDelta::seconds(2)).await;
    }
    let templates = staff.gets("templates").await;
    assert_eq!(templates["subscribed"], true);
    assert!(templates["templates"].as_array().unwrap().iter().all(|of| of["todo"] != "submit"), "{templates}");
    assert_eq!(staff.refused("templates", json!({ "do": "submit", "template": "nothing" })).await, 404);
}

#[tokio::test]
async fn a_patient_is_exported_erased_and_let_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = lived().await;
    scene.host = scene.host.clone().sealing_in(Sealing::in_folder(folder.path()).unwrap());
    let staff = Staff::of(&scene, "[clinic:prueba]");
    let all = staff.gets("patients/CANARIO-77/export").await.to_string().to_lowercase();
    assert!(all.contains("zulmira") && all.contains(GUARDIAN), "{all}");
    let erase = "patients/CANARIO-77/erase";
    assert_eq!(staff.refused(erase, json!({ "reason": "requested", "confirm": "77" })).await, 400);
    assert_eq!(staff.refused(erase, json!({ "reason": "because", "confirm": "CANARIO-77" })).await, 400);
    staff.does(erase, json!({ "reason": "requested_by_guardian", "confirm": "CANARIO-77" })).await;
    assert_eq!(singing(&scene), Vec::<String>::new());
    let audit = staff.gets("audit/export").await.to_string();
    assert!(audit.contains("patient.erased") && !audit.to_lowercase().contains("zulmira"), "{audit}");
    assert_eq!(staff.gets("audit").await["digests"], 0, "nothing is sealed yet");
    scene.pass(TimeDelta::hours(2)).await;
    scene.host.seal(&scene.clinic).await.unwrap();
    assert!(staff.gets("audit").await["digests"].as_u64() > Some(0));
    let audit = staff.gets("audit/export").await.to_string();
    assert!(audit.contains("digest") && audit.contains("patient.erased"), "{audit}");
    let (status, _) = staff.asks("GET", "/api/clinics/prueba/patients/CANARIO-77/export", None).await;
    assert_eq!(status, 404);
    staff.does("patients/CANARIO-77/readmit", json!({})).await;
    assert_eq!(staff.refused("patients/CANARIO-77/readmit", json!({})).await, 404);
}

#[tokio::test]
async fn what_nobody_could_read_is_for_the_agency() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let request = retorno::host::signed(&scene.host.sandbox_app_secret(), b"{\"half".to_vec());
    assert_eq!(scene.host.hook(request).await.status, 200);
    let clinic = Staff::of(&scene, "[clinic:prueba]");
    assert_eq!(clinic.asks("GET", "/api/parked", None).await.0, 403);
    let agency = Staff::of(&scene, "[agency]");
    let (status, parked) = agency.asks("GET", "/api/parked", None).await;
    assert_eq!(status, 200);
    let id = parked["bodies"][0]["id"].as_str().unwrap();
    assert_eq!(parked["bodies"][0]["again"], Value::Null);
    let replay = format!("/api/parked/{id}/replay");
    assert_eq!(clinic.asks("POST", &replay, None).await.0, 403);
    assert_eq!(agency.asks("POST", &replay, None).await, (200, json!({ "replayed": "asked" })));
    let tried = agency.asks("GET", "/api/parked", None).await.1;
    assert_eq!(tried["bodies"][0]["again"]["came"], "unreadable");
    // As an older version left it, which could not read it.
    let store = &scene.host.reach.store;
    store
        .park(
            "meta/sandbox",
            "not an object of JSON",
            b"{\"object\":\"whatsapp_business_account\",\"entry\":[]}",
            scene.host.now(),
        )
        .await
        .unwrap();
    let bodies = store.parked().await.unwrap();
    let readable = bodies.iter().find(|body| body.id != id).unwrap();
    let again = format!("/api/parked/{}/replay", readable.id);
    assert_eq!(agency.asks("POST", &again, None).await.0, 200);
    assert_eq!(agency.asks("POST", &again, None).await.0, 404, "it was read, and is parked no more");
    let discard = format!("/api/parked/{id}/discard");
    assert_eq!(clinic.asks("POST", &discard, None).await.0, 403);
    assert_eq!(agency.asks("POST", &discard, None).await.0, 200);
    assert_eq!(agency.asks("POST", &discard, None).await.0, 404);
}

#[tokio::test]
async fn nobody_reaches_another_clinic_by_any_spelling() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let paths = [
        "/api/clinics/prueba/inbox",
        "/api/clinics/prueba/patients/1/export",
        "/api/clinics/%70rueba/inbox",
        "/api/clinics/otra/../prueba/inbox",
        "/api/clinics/otra%2f..%2fprueba/inbox",
        "/api//clinics/prueba/inbox",
        "/api/clinics//prueba/inbox",
        "/api/clinics/prueba",
        "/api/parked",
        "/api/",
    ];
    for groups in ["[clinic:otra]", "[]", "", "[prueba]", "[clinic:prueb clinic:prueba2]", "[AGENCY]"] {
        let staff = Staff::of(&scene, groups);
        for path in paths {
            let (status, answer) = staff.asks("GET", path, None).await;
            assert!([403, 404].contains(&status) && answer["error"].is_string(), "{groups} {path}: {answer}");
        }
        assert_eq!(staff.asks("GET", "/api/me", None).await.0, 200);
    }
    let own = Staff::of(&scene, "[clinic:otra]").asks("GET", "/api/clinics/otra/inbox", None).await;
    assert_eq!(own.0, 404, "a group of a clinic that is not there");
    let (status, me) = Staff::of(&scene, "[agency clinic:prueba]").asks("GET", "/api/me", None).await;
    assert_eq!((status, me), (200, json!({ "agency": true, "clinics": ["prueba"] })));
}

#[tokio::test]
async fn odd_requests_are_answered_and_never_fail() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    let staff = Staff::of(&scene, "[agency]");
    for (method, path, expected) in [
        ("GET", "/api", 404),
        ("GET", "", 404),
        ("GET", "/elsewhere", 404),
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/clinics/prueba/inbox", 405),
        ("GET", "/api/clinics/prueba/patients/%00/thread", 400),
        ("GET", "/api/clinics/prueba/patients/nobody/thread", 404),
        ("GET", "/api/clinics/prueba/outbox?limit=much", 400),
        ("GET", "/api/clinics/prueba/agenda?from=tomorrow", 400),
        ("GET", "/api/clinics/ not a path/inbox", 400),
        ("POST", "/api/clinics/prueba/patients/1/reply", 415),
    ] {
        let (status, answer) = staff.asks(method, path, None).await;
        assert!(status == expected || (expected == 415 && status == 400), "{method} {path}: {status} {answer}");
        assert!(answer["error"].is_string(), "{method} {path}: {answer}");
    }
    assert!(PatientId::parse("nobody").is_ok());
}
