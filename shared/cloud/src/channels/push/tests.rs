//! Web push at its boundary: what a browser and its service would read.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use web_push_native::p256::SecretKey;
use web_push_native::p256::ecdsa::signature::Verifier as _;
use web_push_native::p256::ecdsa::{Signature, VerifyingKey};
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint as _;
use web_push_native::{Auth, decrypt};

use super::*;
use crate::channels::testing::Loopback;

/// RFC 8291, appendix A: the browser's keys, and a message for it.
const BROWSER_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const BROWSER_PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const BROWSER_AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const RFC_MESSAGE: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
/// RFC 8291, appendix A: the application server's key, here as the one that signs.
const SERVER_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
const SERVER_PUBLIC: &str = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
const ENDPOINT: &str = "https://fcm.googleapis.com/fcm/send/abc:123";

/// A service that answers one thing and keeps what it was asked.
#[derive(Debug)]
struct Service(PushPosted, Mutex<Vec<PushRequest>>);

impl PushWire for Service {
    fn post(&self, request: PushRequest) -> std::pin::Pin<Box<dyn Future<Output = PushPosted> + Send + '_>> {
        self.1.lock().unwrap().push(request);
        Box::pin(async { self.0.clone() })
    }
}

fn answered(status: u16, retry_after: Option<&str>) -> PushPosted {
    PushPosted::Answered { status, retry_after: retry_after.map(str::to_owned) }
}

fn subscription() -> PushSubscription {
    PushSubscription::new(ENDPOINT, BROWSER_PUBLIC, BROWSER_AUTH).unwrap()
}

fn key() -> VapidKey {
    VapidKey::new(SERVER_PRIVATE, "mailto:tecnica@clinica.example").unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

const ALERT: PushAlert<'_> =
    PushAlert { payload: b"{\"t\":\"1 nueva\"}", topic: Some("inbox-1"), urgency: Urgency::High, ttl_seconds: 3_600 };

fn as_the_browser_reads(body: &[u8]) -> Vec<u8> {
    let private = SecretKey::from_slice(&BASE64URL.decode(BROWSER_PRIVATE).unwrap()).unwrap();
    let auth: [u8; 16] = BASE64URL.decode(BROWSER_AUTH).unwrap().try_into().unwrap();
    decrypt(body.to_vec(), &private, &Auth::from(auth)).unwrap()
}

async fn sent(posted: PushPosted, alert: &PushAlert<'_>) -> (PushOutcome, Vec<PushRequest>) {
    let service = Arc::new(Service(posted, Mutex::default()));
    let channel = PushChannel::over(Arc::clone(&service) as Arc<dyn PushWire>, key());
    let outcome = channel.send(&subscription(), alert, now()).await;
    let asked = service.1.lock().unwrap().clone();
    (outcome, asked)
}

#[test]
fn the_example_of_the_standard_is_read_as_it_says() {
    let message = as_the_browser_reads(&BASE64URL.decode(RFC_MESSAGE).unwrap());
    assert_eq!(message, b"When I grow up, I want to be a watermelon");
}

#[tokio::test]
async fn only_the_browser_reads_an_alert_and_each_is_encrypted_anew() {
    let (outcome, first) = sent(answered(201, None), &ALERT).await;
    let (_, second) = sent(answered(201, None), &ALERT).await;
    assert_eq!(outcome, PushOutcome::Accepted);
    assert_eq!(as_the_browser_reads(&first[0].body), ALERT.payload);
    assert_eq!(as_the_browser_reads(&second[0].body), ALERT.payload);
    assert_ne!(first[0].body, second[0].body);
    assert_eq!((first[0].url.as_str(), first[0].ttl_seconds, first[0].urgency), (ENDPOINT, 3_600, "high"));
    assert_eq!(first[0].topic.as_deref(), Some("inbox-1"));
}

#[tokio::test]
async fn the_token_is_for_the_service_alone_and_verifies() {
    let (_, asked) = sent(answered(201, None), &ALERT).await;
    let (token, public) = asked[0].authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
    assert_eq!(public, SERVER_PUBLIC);
    let [header, claims, signature] = <[&str; 3]>::try_from(token.split('.').collect::<Vec<_>>()).unwrap();
    let json = |part: &str| serde_json::from_slice::<Value>(&BASE64URL.decode(part).unwrap()).unwrap();
    assert_eq!(json(header), json!({"typ": "JWT", "alg": "ES256"}));
    let expected = json!({
        "aud": "https://fcm.googleapis.com", "exp": now().timestamp() + 12 * 3_600, "sub": "mailto:tecnica@clinica.example",
    });
    assert_eq!(json(claims), expected);
    let verifying = VerifyingKey::from_sec1_bytes(&BASE64URL.decode(public).unwrap()).unwrap();
    let signature = Signature::from_slice(&BASE64URL.decode(signature).unwrap()).unwrap();
    verifying.verify(format!("{header}.{claims}").as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn each_answer_says_what_to_do_with_the_subscription() {
    let again = |seconds| PushOutcome::Again(TimeDelta::seconds(seconds));
    for (posted, expected) in [
        (answered(201, None), PushOutcome::Accepted),
        (answered(202, None), PushOutcome::Accepted),
        (answered(404, None), PushOutcome::Gone),
        (answered(410, None), PushOutcome::Gone),
        (answered(413, None), PushOutcome::Unfit),
        (answered(429, Some("120")), again(120)),
        (answered(406, Some("7")), again(7)),
        (answered(503, Some("Sun, 22 Nov 2026 10:05:00 GMT")), again(300)),
        (answered(429, Some("Sun, 22 Nov 2026 09:00:00 GMT")), again(1)),
        (answered(429, Some("999999999")), again(24 * 3_600)),
        (answered(429, Some("soon")), again(60)),
        (answered(429, None), again(60)),
        (answered(500, None), PushOutcome::Unknown),
        (answered(401, None), PushOutcome::Refused(401)),
        (answered(403, None), PushOutcome::Refused(403)),
        (answered(302, None), PushOutcome::Refused(302)),
        (PushPosted::NeverConnected, again(60)),
        (PushPosted::TimedOut, PushOutcome::Unknown),
        (PushPosted::Broken, PushOutcome::Unknown),
    ] {
        assert_eq!(sent(posted.clone(), &ALERT).await.0, expected, "{posted:?}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_not_sent() {
    let (large, topic) = (vec![b'a'; 3_001], "a".repeat(33));
    for alert in [
        PushAlert { payload: &large, ..ALERT },
        PushAlert { payload: b"", ..ALERT },
        PushAlert { topic: Some(&topic), ..ALERT },
        PushAlert { topic: Some(""), ..ALERT },
        PushAlert { topic: Some("a\r\nb"), ..ALERT },
    ] {
        let (outcome, asked) = sent(answered(201, None), &alert).await;
        assert_eq!((outcome, asked.len()), (PushOutcome::Unfit, 0));
    }
    let (_, asked) = sent(answered(201, None), &PushAlert { payload: &large[..3_000], topic: None, ..ALERT }).await;
    assert!(asked[0].body.len() <= 4_096 && asked[0].topic.is_none());
}

#[test]
fn only_the_browsers_own_services_are_called() {
    let of = |endpoint: &str| PushSubscription::new(endpoint, BROWSER_PUBLIC, BROWSER_AUTH).map(|_| ());
    for endpoint in [
        ENDPOINT,
        "https://updates.push.services.mozilla.com/wpush/v2/abc",
        "https://web.push.apple.com/QAbc",
        "https://wns2-par02p.notify.windows.com/w/?token=abc",
        "https://FCM.googleapis.com:443/fcm/send/abc",
    ] {
        assert_eq!(of(endpoint), Ok(()), "{endpoint}");
    }
    for endpoint in [
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:8443/fcm/send/abc",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://evilnotify.windows.com/x",
        "https://notify.windows.com.evil.example/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://me@fcm.googleapis.com/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://localhost/x",
        "file:///etc/passwd",
        "fcm.googleapis.com",
        "",
    ] {
        assert_eq!(of(endpoint), Err(SubscriptionError::Endpoint), "{endpoint}");
    }
    assert_eq!(of(&format!("https://fcm.googleapis.com/{}", "a".repeat(2_048))), Err(SubscriptionError::Endpoint));
}

#[test]
fn a_subscription_is_read_as_browsers_give_it() {
    let keys = json!({"p256dh": format!("{BROWSER_PUBLIC}="), "auth": format!("{BROWSER_AUTH}==")});
    let given = json!({"endpoint": ENDPOINT, "expirationTime": null, "keys": keys}).to_string();
    let subscription = PushSubscription::from_json(&given).unwrap();
    assert_eq!(subscription.endpoint(), ENDPOINT);
    assert_eq!(format!("{subscription:?}"), "PushSubscription { service: \"https://fcm.googleapis.com\", .. }");
    assert!(matches!(PushSubscription::from_json("{}"), Err(SubscriptionError::Form)));
    for (public, auth) in [("!", BROWSER_AUTH), ("AAAA", BROWSER_AUTH), (BROWSER_PUBLIC, "AAAA")] {
        let refused = PushSubscription::new(ENDPOINT, public, auth).map(|_| ());
        assert_eq!(refused, Err(SubscriptionError::Keys));
    }
}

#[test]
fn a_key_is_one_or_is_refused_and_is_never_shown() {
    assert_eq!(key().public_key(), SERVER_PUBLIC);
    let secret = SecretKey::from_slice(&BASE64URL.decode(SERVER_PRIVATE).unwrap()).unwrap();
    assert_eq!(BASE64URL.encode(secret.public_key().to_encoded_point(false).as_bytes()), SERVER_PUBLIC);
    assert!(!format!("{:?} {ALERT:?}", key()).contains(SERVER_PRIVATE));
    assert!(!format!("{ALERT:?}").contains("nueva"));
    for (private, contact) in [
        ("AAAA", "mailto:a@b.example"),
        ("not base64!", "mailto:a@b.example"),
        (SERVER_PRIVATE, "a@b.example"),
        (SERVER_PRIVATE, "mailto:a@b.example\r\nX: y"),
    ] {
        let error = VapidKey::new(private, contact).unwrap_err().to_string();
        assert!(!error.contains(private), "{error}");
    }
}

#[tokio::test]
async fn the_headers_are_those_of_the_standard() {
    let retry = vec![("retry-after", "9".to_owned())];
    let service = Loopback::with([(429, retry, Vec::new()), (201, Vec::new(), Vec::new())]).await;
    let request = |topic: Option<&str>| PushRequest {
        url: format!("{}/send/abc", service.url),
        authorization: "vapid t=a.b.c, k=d".to_owned(),
        ttl_seconds: 60,
        urgency: "low",
        topic: topic.map(str::to_owned),
        body: b"cipher".to_vec(),
    };
    let wire = wire::PushHttp::new().unwrap();
    assert_eq!(wire.post(request(Some("t-1"))).await, answered(429, Some("9")));
    assert_eq!(wire.post(request(None)).await, answered(201, None));
    let asked = service.asked();
    for (name, value) in [
        ("authorization", "vapid t=a.b.c, k=d"),
        ("content-encoding", "aes128gcm"),
        ("content-type", "application/octet-stream"),
        ("ttl", "60"),
        ("urgency", "low"),
        ("topic", "t-1"),
    ] {
        assert_eq!(asked[0].header(name), value);
    }
    assert_eq!(
        (asked[0].method.as_str(), asked[0].body.as_slice(), asked[1].header("topic")),
        ("POST", &b"cipher"[..], "")
    );
    let gone = format!("{}/send/abc", service.url);
    drop(service);
    let request = PushRequest { url: gone, ..request_like() };
    let wire = wire::PushHttp::new().unwrap();
    assert_eq!(wire.post(request).await, PushPosted::NeverConnected);
}

fn request_like() -> PushRequest {
    let (url, authorization) = (String::new(), "vapid t=a.b.c, k=d".to_owned());
    PushRequest { url, authorization, ttl_seconds: 60, urgency: "low", topic: None, body: Vec::new() }
}

mod to_patients {
    use retorno_domain::channel::{Channel, Purpose};
    use retorno_domain::message::{BreakerScope, ClearedMessage, Outcome, RecipientNews};
    use retorno_domain::patient::Address;
    use retorno_domain::subscription::{Holder, Subscription};

    use super::*;
    use crate::channels::Dispatch;
    use crate::channels::testing::{MESSAGE, cleared, clinic, dispatch, rendered};

    fn browser(endpoint: &str, server_key: &str) -> Subscription {
        Subscription::new([endpoint, BROWSER_PUBLIC, BROWSER_AUTH, server_key], now(), Holder::Patient)
    }

    fn message(purpose: Purpose, to: &Subscription) -> ClearedMessage {
        cleared(Channel::Push, purpose, Address::Browser(to), rendered("Elegí tu horario.", &[]))
    }

    /// What becomes of a notification that is claimed so long before the epoch, until which it may be.
    async fn notified(posted: PushPosted, message: &ClearedMessage, left: TimeDelta) -> (Outcome, Vec<PushRequest>) {
        let service = Arc::new(Service(posted, Mutex::default()));
        let channel = PushChannel::over(Arc::clone(&service) as Arc<dyn PushWire>, key());
        let clinic = clinic("name = \"Clínica Aurora\"");
        let dispatch = Dispatch { at: DateTime::UNIX_EPOCH - left, ..dispatch(&clinic, message) };
        let outcome = channel.notify(&dispatch).await;
        let asked = service.1.lock().unwrap().clone();
        (outcome, asked)
    }

    #[tokio::test]
    async fn the_browser_reads_a_text_and_two_links_until_the_hours_end() {
        let to = browser(ENDPOINT, SERVER_PUBLIC);
        let message = message(Purpose::Marketing, &to);
        let (outcome, asked) = notified(answered(201, None), &message, TimeDelta::hours(9)).await;
        assert_eq!(outcome, Outcome::Accepted { provider_id: MESSAGE.to_owned() });
        let read: Value = serde_json::from_slice(&as_the_browser_reads(&asked[0].body)).unwrap();
        let expected = json!({
            "title": "Clínica Aurora",
            "body": "Elegí tu horario.",
            "lang": "es-AR",
            "tag": "0123456789abcdef0123456789abcdef",
            "open": { "url": "https://citas.example/l/cita", "label": "Elegir mi horario" },
            "stop": { "url": "https://citas.example/l/baja", "label": "No recibir más mensajes" },
        });
        assert_eq!(read, expected);
        assert_eq!((asked[0].ttl_seconds, asked[0].urgency), (4 * 60 * 60, "normal"), "four hours at most");
        assert_eq!(asked[0].topic.as_deref(), Some("0123456789abcdef0123456789abcdef"));
        let (_, asked) = notified(answered(201, None), &message, TimeDelta::minutes(20)).await;
        assert_eq!(asked[0].ttl_seconds, 20 * 60, "and nothing after the hours");
        let (_, asked) = notified(answered(201, None), &message, -TimeDelta::minutes(1)).await;
        assert_eq!(asked[0].ttl_seconds, 0);
    }

    #[tokio::test]
    async fn no_other_host_is_ever_called_and_no_other_key_is_tried() {
        for to in [
            browser("https://evil.example/x", SERVER_PUBLIC),
            browser("https://169.254.169.254/latest", SERVER_PUBLIC),
            browser(ENDPOINT, BROWSER_PUBLIC),
        ] {
            let (outcome, asked) =
                notified(answered(201, None), &message(Purpose::Care, &to), TimeDelta::hours(1)).await;
            assert!(asked.is_empty());
            assert!(matches!(outcome, Outcome::Refused { news: RecipientNews::Unreachable, .. }), "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn what_a_service_says_becomes_what_it_proves() {
        let to = browser(ENDPOINT, SERVER_PUBLIC);
        let message = message(Purpose::Care, &to);
        let refused = |code: &str, news| Outcome::Refused { code: code.to_owned(), news };
        let not_sent = |code: &str, again_in, breaker| Outcome::NotSent { code: code.to_owned(), again_in, breaker };
        for (posted, expected) in [
            (answered(410, None), refused("gone", RecipientNews::Unreachable)),
            (answered(404, None), refused("gone", RecipientNews::Unreachable)),
            (answered(429, Some("90")), not_sent("patience", TimeDelta::seconds(90), None)),
            (answered(413, None), refused("content", RecipientNews::None)),
            (answered(403, None), not_sent("403", TimeDelta::hours(1), Some(BreakerScope::Channel))),
            (answered(400, None), refused("400", RecipientNews::None)),
            (answered(500, None), Outcome::Ambiguous { code: "connection".to_owned() }),
            (PushPosted::TimedOut, Outcome::Ambiguous { code: "connection".to_owned() }),
            (PushPosted::NeverConnected, not_sent("patience", TimeDelta::minutes(1), None)),
        ] {
            assert_eq!(notified(posted, &message, TimeDelta::hours(1)).await.0, expected);
        }
    }
}
