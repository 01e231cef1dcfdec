//! Both gateways at their boundary, as they answer.
#![expect(clippy::unwrap_used, reason = "tests")]

use retorno_domain::channel::{Channel, Purpose};
use retorno_domain::contact::Phone;
use retorno_domain::holiday::Country;
use retorno_domain::message::ClearedMessage;
use retorno_domain::patient::Address;
use serde_json::{Value, json};

use super::*;
use crate::channels::testing::{Asked, Loopback, cleared, clinic, dispatch, rendered};
use crate::channels::{Channels, EmailChannel, EmailSettings, ReplyButton, WhatsappChannel};
use crate::secrets::SecretKey;

struct Tested {
    provider: Loopback,
    clinic: Clinic,
    gateway: GatewayChannel,
}

impl Tested {
    async fn answering(kind: GatewayKind, answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let provider = Loopback::answering(answers).await;
        let own = "[whatsapp]\ngateway = \"KIND\"\nbase_url = \"URL\"\ninstance = \"recepcion\"";
        let clinic = clinic(&own.replace("KIND", kind.code()).replace("URL", &provider.url));
        let keys = json!([{"clinic": "aurora", "base_url": provider.url, "key": "k-1"}]).to_string();
        let gateway = GatewayChannel::new(GatewayKeys::from_json(&[&keys]).unwrap()).unwrap();
        Self { provider, clinic, gateway }
    }

    async fn send(&self) -> Outcome {
        self.gateway.test(&self.clinic, "+5491155550000", "Hola").await
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.provider.asked().iter().map(|asked| (asked.method.to_string(), asked.uri.clone())).collect()
    }

    fn last(&self) -> Asked {
        self.provider.asked().pop().unwrap()
    }
}

fn open() -> (u16, Value) {
    (200, json!({"instance": {"instanceName": "recepcion", "state": "open"}}))
}

fn working() -> (u16, Value) {
    (200, json!({"name": "recepcion", "status": "WORKING"}))
}

fn exists() -> (u16, Value) {
    (200, json!({"numberExists": true, "chatId": "541155550000@c.us"}))
}

fn accepted(id: &str) -> Outcome {
    Outcome::Accepted { provider_id: id.to_owned() }
}

fn message(text: &str, buttons: &[&str]) -> ClearedMessage {
    let phone = Phone::parse("+5491155550000", Country::Ar).unwrap();
    cleared(Channel::Whatsapp, Purpose::Marketing, Address::Phone(&phone), rendered(text, buttons))
}

#[tokio::test]
async fn evolution_is_asked_whether_it_is_linked_and_then_given_the_text() {
    let sent = json!({"key": {"remoteJid": "5491155550000@s.whatsapp.net", "fromMe": true, "id": "3EB0"}, "status": "PENDING"});
    let tested = Tested::answering(GatewayKind::Evolution, [open(), (201, sent)]).await;
    assert_eq!(tested.send().await, accepted("3EB0"));
    let expected = [("GET", "/instance/connectionState/recepcion"), ("POST", "/message/sendText/recepcion")];
    assert_eq!(tested.asked(), expected.map(|(method, path)| (method.to_owned(), path.to_owned())));
    assert_eq!(tested.last().header("apikey"), "k-1");
    let body = json!({"number": "5491155550000", "text": "Hola", "linkPreview": false});
    assert_eq!(tested.last().json(), body);
}

#[tokio::test]
async fn waha_is_given_the_true_chat_and_a_reserved_id() {
    let answers = [working(), exists(), (200, json!({"id": "3EB0AA"})), (201, json!({}))];
    let tested = Tested::answering(GatewayKind::Waha, answers).await;
    assert_eq!(tested.send().await, accepted("3EB0AA"));
    let expected = [
        ("GET", "/api/sessions/recepcion"),
        ("GET", "/api/contacts/check-exists?phone=5491155550000&session=recepcion"),
        ("GET", "/api/recepcion/new-message-id"),
        ("POST", "/api/sendText"),
    ];
    assert_eq!(tested.asked(), expected.map(|(method, path)| (method.to_owned(), path.to_owned())));
    assert_eq!(tested.last().header("x-api-key"), "k-1");
    let body = json!({
        "session": "recepcion", "chatId": "541155550000@c.us", "text": "Hola", "linkPreview": false, "id": "3EB0AA",
    });
    assert_eq!(tested.last().json(), body);
}

#[tokio::test]
async fn where_waha_cannot_reserve_an_id_its_answer_tells_it() {
    for (sent, outcome) in [
        (json!({"key": {"id": "A1"}}), accepted("A1")),
        (json!({"id": {"id": "A2", "_serialized": "true_5411@c.us_A2"}}), accepted("A2")),
        (json!({"id": "true_5411@c.us_A3"}), accepted("A3")),
        (json!(""), Outcome::Ambiguous { code: "unreadable_2xx".to_owned() }),
    ] {
        let answers = [working(), exists(), (501, json!({})), (201, sent)];
        let tested = Tested::answering(GatewayKind::Waha, answers).await;
        assert_eq!(tested.send().await, outcome);
        assert_eq!(tested.last().json().get("id"), None);
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_linked_is_given_nothing() {
    let evolution = |state: &str| (200, json!({"instance": {"state": state}}));
    let waha = |status: &str| (200, json!({"status": status}));
    let (e, w) = (GatewayKind::Evolution, GatewayKind::Waha);
    for (kind, answer, state) in [
        (e, evolution("connecting"), GatewayState::Connecting),
        (e, evolution("close"), GatewayState::Closed),
        (e, (404, json!({"status": 404})), GatewayState::Missing),
        (w, waha("STARTING"), GatewayState::Connecting),
        (w, waha("SCAN_QR_CODE"), GatewayState::NeedsQr),
        (w, waha("PASSKEY_REQUIRED"), GatewayState::NeedsPasskey),
        (w, waha("PASSKEY_CONFIRMATION_REQUIRED"), GatewayState::NeedsPasskey),
        (w, waha("STOPPED"), GatewayState::Closed),
        (w, waha("FAILED"), GatewayState::Closed),
        (w, (404, json!({})), GatewayState::Missing),
    ] {
        let tested = Tested::answering(kind, [answer.clone(), answer]).await;
        assert_eq!(tested.gateway.state(&tested.clinic).await, Ok(state));
        assert_eq!(tested.send().await, halted(format!("gateway_{}", state.code())));
        assert_eq!(tested.asked().len(), 2, "{kind:?} {state:?}");
    }
}

#[tokio::test]
async fn a_number_without_whatsapp_is_known_before_or_by_the_refusal() {
    let no_whatsapp = Outcome::Refused { code: "no_whatsapp".to_owned(), news: RecipientNews::Unreachable };
    let waha = [working(), (200, json!({"numberExists": false}))];
    let waha = Tested::answering(GatewayKind::Waha, waha).await;
    assert_eq!((waha.send().await, waha.asked().len()), (no_whatsapp.clone(), 2));
    let refusal = json!({"status": 400, "error": "Bad Request", "response": {"message": [{"exists": false}]}});
    let evolution = Tested::answering(GatewayKind::Evolution, [open(), (400, refusal)]).await;
    assert_eq!(evolution.send().await, no_whatsapp);
}

#[tokio::test]
async fn an_answer_after_the_hand_over_is_sorted_by_what_it_proves() {
    let refused = Outcome::Refused { code: "http_400".to_owned(), news: RecipientNews::None };
    let ambiguous = |code: &str| Outcome::Ambiguous { code: code.to_owned() };
    for (status, expected) in [
        (200, ambiguous("unreadable_2xx")),
        (400, refused),
        (401, halted("http_401".to_owned())),
        (404, halted("http_404".to_owned())),
        (429, soon("http_429")),
        (500, ambiguous("http_500")),
        (302, ambiguous("http_302")),
    ] {
        let tested = Tested::answering(GatewayKind::Evolution, [open(), (status, json!({}))]).await;
        assert_eq!(tested.send().await, expected, "{status}");
    }
    let answers = [working(), exists(), (404, json!({})), (422, json!({}))];
    let tested = Tested::answering(GatewayKind::Waha, answers).await;
    assert_eq!(tested.send().await, halted("http_422".to_owned()));
}

#[tokio::test]
async fn whatever_fails_before_the_hand_over_proves_that_nothing_was_sent() {
    for (status, expected) in
        [(500, soon("http_500")), (401, halted("http_401".to_owned())), (200, halted("unreadable".to_owned()))]
    {
        let tested = Tested::answering(GatewayKind::Evolution, [(status, json!({}))]).await;
        assert_eq!((tested.send().await, tested.asked().len()), (expected, 1));
    }
    let tested = Tested::answering(GatewayKind::Waha, [working(), (500, json!({}))]).await;
    assert_eq!((tested.send().await, tested.asked().len()), (soon("http_500"), 2));
    let Tested { provider, clinic, gateway } = Tested::answering(GatewayKind::Waha, []).await;
    drop(provider);
    assert_eq!(gateway.test(&clinic, "+5491155550000", "Hola").await, soon("connect"));
}

#[tokio::test]
async fn an_answer_without_measure_is_not_read_to_its_end() {
    let picture = "A".repeat(1024 * 1024);
    let answers = [(200, json!({"base64": picture, "count": 1}))];
    let tested = Tested::answering(GatewayKind::Evolution, answers).await;
    assert_eq!(tested.gateway.link_code(&tested.clinic).await, Err(GatewayError::Unreached("connection")));
}

/// A gateway that is linked, takes the message, and then breaks in a way of its own.
#[derive(Debug)]
struct Breaking(Posted);

impl GatewayWire for Breaking {
    fn call<'a>(
        &'a self,
        _: &'a Gateway,
        _: &'a Token,
        call: GatewayCall,
    ) -> std::pin::Pin<Box<dyn Future<Output = Posted> + Send + 'a>> {
        let answer = if call.method == GatewayMethod::Get {
            Posted::Answered(200, open().1.to_string().into_bytes())
        } else {
            self.0.clone()
        };
        Box::pin(async move { answer })
    }
}

#[tokio::test]
async fn a_hand_over_that_breaks_leaves_its_fate_unknown() {
    let tested = Tested::answering(GatewayKind::Evolution, []).await;
    for (broken, expected) in [
        (Posted::TimedOut, Outcome::Ambiguous { code: "timeout".to_owned() }),
        (Posted::Broken, Outcome::Ambiguous { code: "connection".to_owned() }),
        (Posted::NeverConnected, soon("connect")),
    ] {
        let gateway = GatewayChannel::over(Arc::new(Breaking(broken)), tested.gateway.keys.clone());
        assert_eq!(gateway.test(&tested.clinic, "+5491155550000", "Hola").await, expected);
    }
}

#[tokio::test]
async fn without_a_key_or_a_text_nobody_is_called() {
    let tested = Tested::answering(GatewayKind::Waha, []).await;
    let keyless = GatewayChannel::over(Arc::clone(&tested.gateway.wire), GatewayKeys::default());
    assert_eq!(keyless.state(&tested.clinic).await, Err(GatewayError::NoKey));
    assert_eq!(keyless.test(&tested.clinic, "+5491155550000", "Hola").await, crate::channels::no_provider());
    assert_eq!(tested.gateway.state(&clinic("")).await, Err(GatewayError::NoGateway));
    for text in [" ".to_owned(), "a".repeat(4097)] {
        let outcome = tested.gateway.test(&tested.clinic, "+5491155550000", &text).await;
        assert_eq!(outcome, Outcome::Refused { code: "content".to_owned(), news: RecipientNews::None });
    }
    assert!(tested.asked().is_empty());
}

#[tokio::test]
async fn the_port_is_the_same_with_and_without_a_gateway() {
    let answers = [open(), (201, json!({"key": {"id": "B1"}})), open(), (201, json!({"key": {"id": "B2"}}))];
    let tested = Tested::answering(GatewayKind::Evolution, answers).await;
    let nobody = Loopback::answering([]).await;
    let whatsapp = WhatsappChannel::new(&nobody.url, Token::new("token")).unwrap();
    let email = EmailSettings { configuration_set: "retorno".to_owned() };
    let email = EmailChannel::new(crate::aws::ses(&nobody.aws()), email);
    let channels = Channels::new(whatsapp, email, SecretKey::new([7; 32]).unwrap());
    let message = message("¿Seguimos?\nPARAR para no recibir más.", &["Sí", "Ahora no", "PARAR"]);
    let without = channels.send(&dispatch(&tested.clinic, &message)).await;
    assert_eq!(without, crate::channels::no_provider());
    let channels = channels.with_gateway(tested.gateway.clone());
    assert_eq!(channels.send(&dispatch(&tested.clinic, &message)).await, accepted("B1"));
    let text = "¿Seguimos?\nPARAR para no recibir más.\n\n1) Sí\n2) Ahora no";
    assert_eq!(tested.last().json().get("text"), Some(&json!(text)));
    let buttons = [ReplyButton { id: "1", title: "Mañana" }];
    let reply = ReplyDispatch {
        clinic: &tested.clinic,
        to: "+5491155550000",
        opaque_id: "o",
        body: "¿Cuándo?",
        buttons: &buttons,
        subject: None,
        html: None,
        attachment: None,
        answers: Some("3EB0"),
    };
    assert_eq!(channels.reply(Channel::Whatsapp, &reply).await, accepted("B2"));
    let body = tested.last().json();
    assert_eq!(body.get("text"), Some(&json!("¿Cuándo?\n\n1) Mañana")));
    assert_eq!(body.pointer("/quoted/key/id"), Some(&json!("3EB0")));
    assert!(nobody.asked().is_empty());
}

#[test]
fn options_that_the_text_numbers_itself_are_not_numbered_twice() {
    let clinic = clinic("");
    let text = "Tenemos:\n1) jueves\n2) viernes\nPARAR";
    let message = message(text, &["Opción 1", "Opción 2", "PARAR"]);
    assert_eq!(gateway_text(&dispatch(&clinic, &message)), text);
}

#[tokio::test]
async fn a_code_to_link_is_given_until_the_telephone_is_linked() {
    let code = json!({"pairingCode": null, "code": "2@abc", "base64": "data:image/png;base64,iVBOR", "count": 1});
    let old = json!({"base64": "data:image/png;base64,iVBOR", "count": 1});
    let tested =
        Tested::answering(GatewayKind::Evolution, [(200, code), open(), (200, json!({"count": 0})), (200, old)]).await;
    let code = tested.gateway.link_code(&tested.clinic).await.unwrap().unwrap();
    assert_eq!(code.picture, LinkPicture::Text("2@abc".to_owned()));
    assert_eq!(format!("{code:?}"), "LinkCode([redacted])");
    assert_eq!(tested.gateway.link_code(&tested.clinic).await, Ok(None));
    assert_eq!(tested.gateway.link_code(&tested.clinic).await, Err(GatewayError::Unreadable));
    let image = LinkPicture::Image { content_type: "image/png".to_owned(), base64: "iVBOR".to_owned() };
    assert_eq!(tested.gateway.link_code(&tested.clinic).await.unwrap().unwrap().picture, image);
    assert_eq!(tested.last().uri, "/instance/connect/recepcion");

    let waiting = (200, json!({"status": "SCAN_QR_CODE"}));
    let qr = (200, json!({"mimetype": "image/png", "data": "iVBOR"}));
    let tested =
        Tested::answering(GatewayKind::Waha, [waiting.clone(), qr, working(), waiting, (422, json!({}))]).await;
    assert_eq!(tested.gateway.link_code(&tested.clinic).await.unwrap().unwrap().picture, image);
    assert_eq!(tested.last().uri, "/api/recepcion/auth/qr?format=image");
    assert_eq!(tested.last().header("accept"), "application/json");
    assert_eq!(tested.gateway.link_code(&tested.clinic).await, Ok(None));
    assert_eq!(tested.gateway.link_code(&tested.clinic).await, Err(GatewayError::Status(422)));
}

#[tokio::test]
async fn a_gateway_is_restarted_and_logged_out_by_its_own_calls() {
    for (kind, restart, log_out) in [
        (GatewayKind::Evolution, ("POST", "/instance/restart/recepcion"), ("DELETE", "/instance/logout/recepcion")),
        (GatewayKind::Waha, ("POST", "/api/sessions/recepcion/restart"), ("POST", "/api/sessions/recepcion/logout")),
    ] {
        let tested = Tested::answering(kind, [(200, json!({})), (201, json!({})), (403, json!({}))]).await;
        assert_eq!(tested.gateway.restart(&tested.clinic).await, Ok(()));
        assert_eq!(tested.gateway.log_out(&tested.clinic).await, Ok(()));
        assert_eq!(tested.gateway.restart(&tested.clinic).await, Err(GatewayError::Status(403)));
        let expected = [restart, log_out, restart].map(|(method, path)| (method.to_owned(), path.to_owned()));
        assert_eq!(tested.asked(), expected);
    }
}
