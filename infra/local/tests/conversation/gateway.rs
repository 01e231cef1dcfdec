//! A clinic with a gateway of its own: logged out and linked again, tried out, and staff told on their
//! browsers. Told by the gateway's own hook, called over HTTP, read by the production handlers.

use chrono::TimeDelta;
use retorno::doubles::GatewayLink;
use retorno::host::AtGateway;
use retorno::why::why;
use retorno_cloud::channels::LinkPicture;
use retorno_cloud::desk::{Desk, TestDone, TestRefused};
use retorno_cloud::store::TestState;
use retorno_domain::connection::LinkState;
use retorno_domain::ids::PatientId;

use crate::scene::{PHONE, Scene};

const KINDS: [&str; 2] = ["evolution", "waha"];
const STAFF: &str = "+5491155550999";

fn settings(kind: &str) -> String {
    format!("[whatsapp]\ngateway = \"{kind}\"\nbase_url = \"https://wa.clinica.example\"\ninstance = \"recepcion\"\n")
}

async fn scene(kind: &str) -> Scene {
    let scene = Scene::of_clinic(&settings(kind), &[("1", PHONE)], 40).await;
    scene.at(AtGateway::Scan).await;
    scene
}

impl Scene {
    /// Does something at the gateway a moment later, and plays what follows.
    async fn at(&self, what: AtGateway) {
        self.pass(TimeDelta::seconds(1)).await;
        let clinic = self.tenant.settings(self.host.now()).await.unwrap().clinic;
        self.host.at_gateway(&clinic, what).await.unwrap();
        assert_eq!(self.host.settle().await.unwrap().failed, 0);
    }

    async fn link_state(&self) -> Option<LinkState> {
        let clinic = self.tenant.settings(self.host.now()).await.unwrap().clinic;
        self.tenant.connection(clinic.gateway.as_ref().unwrap()).await.unwrap().map(|known| known.state)
    }

    fn by_gateway(&self) -> Vec<(String, String)> {
        let sent = self.host.doubles.gateway().all_sent().unwrap();
        sent.into_iter().map(|message| (message.to, message.text)).collect()
    }

    fn desk(&self) -> Desk {
        Desk::new(self.host.reach.clone())
    }

    /// What the browsers were shown, the oldest first.
    fn alerts(&self) -> Vec<String> {
        let mut shown = self.host.doubles.push().shown(100).unwrap();
        shown.reverse();
        shown.iter().map(|alert| alert.payload["body"].as_str().unwrap().to_owned()).collect()
    }

    async fn browser(&self) -> String {
        let given = self.host.doubles.push().subscribe().unwrap();
        self.desk().add_browser(&self.tenant, &given, "Recepción").await.unwrap().unwrap()
    }

    /// Lets time pass until the gateway was given a message.
    async fn until_given(&self) {
        for _ in 0..200 {
            if !self.by_gateway().is_empty() {
                return;
            }
            self.pass(TimeDelta::minutes(15)).await;
        }
        panic!("nothing was sent");
    }
}

/// What is held against the roles of the functions.
pub(crate) const JOURNEYS: &[fn()] = &[
    logged_out_it_waits_and_says_why_and_linked_again_it_sends,
    a_gateway_that_is_silent_is_found_by_the_retest_and_comes_back,
    the_order_of_news_does_not_matter_and_another_gateway_is_another,
    a_test_goes_to_staff_once_and_shows_its_receipt,
    by_the_cloud_api_a_test_answers_a_telephone_that_wrote_first,
    staff_is_told_that_something_waits_and_nothing_about_whom,
    staff_is_told_once_that_the_gateway_is_logged_out_and_again_the_next_time,
    a_browser_is_no_way_into_the_house,
];

#[tokio::test]
async fn logged_out_it_waits_and_says_why_and_linked_again_it_sends() {
    for kind in KINDS {
        let scene = scene(kind).await;
        assert_eq!(scene.link_state().await, Some(LinkState::Connected), "{kind}");
        scene.at(AtGateway::LogOut).await;
        assert!(!scene.link_state().await.unwrap().can_send(), "{kind}");
        // Through the first day's contact hours nothing leaves, and the reason is told.
        scene.pass(TimeDelta::hours(8)).await;
        assert_eq!(scene.by_gateway(), []);
        let told = if kind == "evolution" { LinkState::LoggedOut } else { LinkState::Stopped };
        assert_eq!(scene.link_state().await, Some(told), "what was told stands, however often it is asked");
        let patient = PatientId::parse("1").unwrap();
        let told = why(&scene.host, &scene.clinic, &patient, None).await.unwrap().unwrap();
        let rules = told.sequence.unwrap().step.unwrap().rules;
        let decides = rules.iter().find(|rule| rule.decides).unwrap();
        assert_eq!((decides.rule.as_str(), decides.reason.as_str()), ("breaker", "gateway_unlinked"), "{kind}");

        // Staff asks for the code; it is kept for a minute and gone once it was read.
        scene.desk().link_gateway(&scene.tenant).await.unwrap();
        scene.pass(TimeDelta::seconds(6)).await;
        let code = scene.tenant.link_code(scene.host.now()).await.unwrap().unwrap();
        match code.code.picture {
            LinkPicture::Text(text) => assert!(kind == "evolution" && text.starts_with("2@")),
            LinkPicture::Image { .. } => assert_eq!(kind, "waha"),
        }
        assert_eq!(scene.link_state().await, Some(LinkState::NeedsQr), "{kind}");
        scene.at(AtGateway::Scan).await;
        assert_eq!(scene.link_state().await, Some(LinkState::Connected), "{kind}");
        assert_eq!(scene.tenant.link_code(scene.host.now()).await.unwrap(), None);

        scene.until_given().await;
        let sent = scene.by_gateway();
        assert!(sent[0].0 == PHONE && sent[0].1.contains("1)"), "{kind}: {sent:?}");
        // Its receipt finds the message, though a gateway takes no id of ours.
        let message = scene.of("1").await.messages.remove(0);
        assert!(message.receipts.delivered.is_some(), "{kind}");

        // An answer comes by the gateway's hook and is answered through it.
        scene.says(PHONE, "2").await;
        assert!(scene.by_gateway().last().unwrap().1.contains("quedó reservado"), "{kind}");
        assert!(scene.host.doubles.whatsapp().all_sent().unwrap().is_empty(), "nothing by the Cloud API");
    }
}

#[tokio::test]
async fn a_gateway_that_is_silent_is_found_by_the_retest_and_comes_back() {
    let scene = scene("evolution").await;
    scene.at(AtGateway::GoDark).await;
    assert_eq!(scene.link_state().await, Some(LinkState::Connected), "nobody told");
    scene.pass(TimeDelta::minutes(80)).await;
    assert_eq!(scene.link_state().await, Some(LinkState::Unreachable));
    scene.at(AtGateway::ComeBack).await;
    scene.pass(TimeDelta::minutes(16)).await;
    assert_eq!(scene.link_state().await, Some(LinkState::Connected));
    scene.until_given().await;
}

#[tokio::test]
async fn the_order_of_news_does_not_matter_and_another_gateway_is_another() {
    let scene = scene("evolution").await;
    let clinic = scene.tenant.settings(scene.host.now()).await.unwrap().clinic;
    let gateway = clinic.gateway.clone().unwrap();
    let at = |seconds| scene.host.now() + TimeDelta::seconds(seconds);
    let word = |state, at| retorno_cloud::store::ConnectionWord { state, at, asked: false, error: None, number: None };
    let words = [
        word(LinkState::LoggedOut, at(10)),
        word(LinkState::Connected, at(30)),
        word(LinkState::Connecting, at(20)),
        word(LinkState::Connected, at(30)),
        word(LinkState::Unreachable, at(30)),
    ];
    let latest = [true, true, false, true, false];
    for (word, is_latest) in words.iter().zip(latest) {
        let known = scene.tenant.note_connection(&gateway, word).await.unwrap();
        assert_eq!(known.is_some(), is_latest, "{word:?}");
    }
    let known = scene.tenant.connection(&gateway).await.unwrap().unwrap();
    assert_eq!((known.state, known.since, known.down_since), (LinkState::Connected, at(30), None));
    let other = retorno_domain::sender::Gateway { instance: "otra".to_owned(), ..gateway };
    assert_eq!(scene.tenant.connection(&other).await.unwrap(), None);
    scene.tenant.note_connection(&other, &word(LinkState::NeedsQr, at(1))).await.unwrap();
    let known = scene.tenant.connection(&other).await.unwrap().unwrap();
    assert_eq!((known.state, known.linked_at), (LinkState::NeedsQr, None), "the new one was never linked");
}

#[tokio::test]
async fn a_test_goes_to_staff_once_and_shows_its_receipt() {
    for kind in KINDS {
        let scene = scene(kind).await;
        let (desk, tenant) = (scene.desk(), &scene.tenant);
        for (to, why) in [("1155550999", TestRefused::Number), ("+5491155550101", TestRefused::Patient)] {
            assert_eq!(desk.test(tenant, "e0", to).await.unwrap(), TestDone::Refused(why));
        }
        for _ in 0..2 {
            assert!(matches!(desk.test(tenant, "e1", STAFF).await.unwrap(), TestDone::Asked(_)));
            scene.host.settle().await.unwrap();
        }
        assert_eq!(desk.test(tenant, "e2", STAFF).await.unwrap(), TestDone::Refused(TestRefused::TooSoon));
        let sent = scene.by_gateway();
        assert_eq!(sent.len(), 1, "{kind}: one event, one test");
        assert!(sent[0].0 == STAFF[1..] && sent[0].1.contains("prueba") && sent[0].1.contains("Clínica Prueba"));
        let tests = tenant.tests().await.unwrap();
        assert_eq!(tests.len(), 1);
        assert_eq!(tests[0].state, TestState::Accepted);
        assert!(tests[0].delivered_at.is_some(), "{kind}: its receipt came by the hook");
        assert!(!format!("{tests:?}").contains("55550999"), "the number is not shown by accident");
        for number in 0..9 {
            scene.pass(TimeDelta::minutes(1)).await;
            let event = format!("more {number}");
            assert!(matches!(desk.test(tenant, &event, STAFF).await.unwrap(), TestDone::Asked(_)));
        }
        scene.pass(TimeDelta::minutes(1)).await;
        assert_eq!(desk.test(tenant, "e3", STAFF).await.unwrap(), TestDone::Refused(TestRefused::NoneLeft));
    }
}

#[tokio::test]
async fn by_the_cloud_api_a_test_answers_a_telephone_that_wrote_first() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    let (desk, tenant) = (scene.desk(), &scene.tenant);
    desk.test(tenant, "e1", STAFF).await.unwrap();
    scene.host.settle().await.unwrap();
    let test = tenant.tests().await.unwrap().remove(0);
    assert_eq!((test.state, test.code.as_deref()), (TestState::Failed, Some("131047")));
    scene.says(&STAFF[1..], "hola").await;
    scene.pass(TimeDelta::minutes(1)).await;
    desk.test(tenant, "e2", STAFF).await.unwrap();
    scene.host.settle().await.unwrap();
    assert_eq!(tenant.tests().await.unwrap()[1].state, TestState::Accepted);
    assert!(scene.told(&STAFF[1..]).last().unwrap().contains("prueba"));
}

#[tokio::test]
async fn staff_is_told_that_something_waits_and_nothing_about_whom() {
    let scene = Scene::with(&[("1", PHONE)], 40).await;
    scene.browser().await;
    let two = scene.browser().await;
    scene.until_sent().await;
    scene.says(PHONE, "¿Qué documentos tengo que llevar?").await;
    let waits = "Una conversación espera a una persona.";
    assert_eq!(scene.alerts(), [waits, waits], "both browsers, once");
    scene.says(PHONE, "¿Y a qué hora abren?").await;
    assert_eq!(scene.alerts().len(), 2, "the same conversation");
    // One browser's owner withdrew the permission: its service says so, and it is forgotten.
    scene.host.doubles.push().withdraw(2).unwrap();
    scene.says(PHONE, "me duele muchísimo y me sangra la encía").await;
    let alerts = scene.alerts();
    assert_eq!(alerts.len(), 3);
    assert_eq!(alerts[2], "Una conversación urgente espera a una persona.");
    let left = scene.tenant.browsers().await.unwrap();
    assert!(left.len() == 1 && left[0].0 != two, "{left:?}");
    // What travels holds nothing about the patient.
    for shown in scene.host.doubles.push().shown(100).unwrap() {
        let said = format!("{}{:?}", shown.payload, shown.topic);
        for secret in ["Ana", "Paz", "55550101", "sangra", "documentos", "\"1\""] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[tokio::test]
async fn staff_is_told_once_that_the_gateway_is_logged_out_and_again_the_next_time() {
    let scene = scene("evolution").await;
    scene.browser().await;
    scene.at(AtGateway::LogOut).await;
    scene.pass(TimeDelta::hours(3)).await;
    assert_eq!(scene.alerts().len(), 1, "{:?}", scene.alerts());
    assert!(scene.alerts()[0].contains("desconectado"));
    scene.at(AtGateway::Scan).await;
    scene.pass(TimeDelta::minutes(1)).await;
    scene.at(AtGateway::LogOut).await;
    assert_eq!(scene.alerts().len(), 2);
    let clinic = scene.tenant.settings(scene.host.now()).await.unwrap().clinic;
    let gateway = clinic.gateway.as_ref().unwrap();
    assert_eq!(scene.host.doubles.gateway().link(gateway.kind, &gateway.instance).unwrap(), GatewayLink::Unlinked);
}

#[tokio::test]
async fn a_browser_is_no_way_into_the_house() {
    let scene = Scene::with(&[("1", PHONE)], 4).await;
    let good = scene.host.doubles.push().subscribe().unwrap();
    for endpoint in ["http://127.0.0.1:8787/x", "https://169.254.169.254/latest", "https://intranet.local/push"] {
        let mut given: serde_json::Value = serde_json::from_str(&good).unwrap();
        given["endpoint"] = endpoint.into();
        assert!(scene.desk().add_browser(&scene.tenant, &given.to_string(), "").await.unwrap().is_err(), "{endpoint}");
    }
    assert!(scene.tenant.browsers().await.unwrap().is_empty());
}
