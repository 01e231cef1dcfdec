//! Text messages at the boundary of the service.
#![expect(clippy::unwrap_used, reason = "tests")]

use chrono::TimeDelta;
use retorno_domain::channel::Channel;
use retorno_domain::contact::Phone;
use retorno_domain::holiday::Country;
use retorno_domain::message::{BreakerScope, ClearedMessage};
use retorno_domain::patient::Address;
use serde_json::{Value, json};

use super::*;
use crate::channels::testing::{Loopback, MESSAGE, cleared, clinic, dispatch, rendered};
use crate::channels::{Channels, EmailChannel, EmailSettings, ReplyButton, WhatsappChannel};
use crate::secrets::{SecretKey, Token};

const SENDER: &str = "[sms]\norigination = \"pool-1\"\nprice_max = 0.2";

fn channels(provider: &Loopback) -> Channels {
    let whatsapp = WhatsappChannel::new(&provider.url, Token::new("token")).unwrap();
    let email = EmailSettings { configuration_set: "retorno".to_owned() };
    let email = EmailChannel::new(crate::aws::ses(&provider.aws()), email);
    let settings = SmsSettings { configuration_set: "retorno-sms".to_owned(), time_to_live_seconds: 14_400 };
    let sms = SmsChannel::new(crate::aws::sms(&provider.aws()), settings);
    Channels::new(whatsapp, email, SecretKey::new([7; 32]).unwrap()).with_sms(sms)
}

fn message(purpose: Purpose, text: &str) -> ClearedMessage {
    let phone = Phone::parse("+5491155550000", Country::Ar).unwrap();
    cleared(Channel::Sms, purpose, Address::Phone(&phone), rendered(text, &[]))
}

async fn sent(answer: (u16, Value), purpose: Purpose) -> (Outcome, Value) {
    let provider = Loopback::answering([answer]).await;
    let clinic = clinic(SENDER);
    let message = message(purpose, "Hola, Lucía. No recibir más: PARAR");
    let outcome = channels(&provider).send(&dispatch(&clinic, &message)).await;
    (outcome, provider.asked_once().json())
}

#[tokio::test]
async fn a_text_goes_out_with_its_limits_and_comes_back_under_its_id() {
    let (outcome, asked) = sent((200, json!({"MessageId": "sms-1"})), Purpose::Marketing).await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: "sms-1".to_owned() });
    let expected = json!({
        "DestinationPhoneNumber": "+5491155550000",
        "OriginationIdentity": "pool-1",
        "MessageBody": "Hola, Lucia. No recibir mas: PARAR https://citas.example/l/baja",
        "MessageType": "PROMOTIONAL",
        "ConfigurationSetName": "retorno-sms",
        "MaxPrice": "0.20000",
        "TimeToLive": 14_400,
        "Context": {"m": MESSAGE, "t": "aurora", "a": "1"},
    });
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn care_is_transactional_and_has_no_link_to_unsubscribe() {
    let (_, asked) = sent((200, json!({"MessageId": "sms-1"})), Purpose::Care).await;
    assert_eq!(asked.get("MessageType"), Some(&json!("TRANSACTIONAL")));
    assert_eq!(asked.get("MessageBody"), Some(&json!("Hola, Lucia. No recibir mas: PARAR")));
}

#[tokio::test]
async fn a_reply_is_transactional_with_numbered_options() {
    let provider = Loopback::answering([(200, json!({"MessageId": "sms-2"}))]).await;
    let clinic = clinic(SENDER);
    let buttons = [ReplyButton { id: "1", title: "Mañana" }, ReplyButton { id: "2", title: "Otro día" }];
    let reply = ReplyDispatch {
        clinic: &clinic,
        to: "+5491155550000",
        opaque_id: "1.aurora.m.2.tag",
        body: "¿Cuándo podés?",
        buttons: &buttons,
        subject: None,
        html: None,
        attachment: None,
        answers: None,
    };
    let outcome = channels(&provider).reply(Channel::Sms, &reply).await;
    assert_eq!(outcome, Outcome::Accepted { provider_id: "sms-2".to_owned() });
    let asked = provider.asked_once().json();
    assert_eq!(asked.get("MessageBody"), Some(&json!("¿Cuando podés?\n\n1) Mañana\n2) Otro dia")));
    assert_eq!(asked.get("MessageType"), Some(&json!("TRANSACTIONAL")));
    assert_eq!(asked.get("Context"), Some(&json!({"m": "m", "t": "aurora", "a": "2"})));
}

#[tokio::test]
async fn without_a_sender_nothing_is_asked() {
    let provider = Loopback::answering([]).await;
    let clinic = clinic("");
    let message = message(Purpose::Marketing, "Hola");
    let outcome = channels(&provider).send(&dispatch(&clinic, &message)).await;
    assert!(matches!(&outcome, Outcome::NotSent { code, .. } if code == "no_provider"), "{outcome:?}");
    let clinic = self::clinic(SENDER);
    for text in [" ".to_owned(), "a".repeat(1601)] {
        let outcome = channels(&provider).send(&dispatch(&clinic, &self::message(Purpose::Care, &text))).await;
        assert_eq!(outcome, Outcome::Refused { code: "content".to_owned(), news: RecipientNews::None });
    }
    assert!(provider.asked().is_empty());
}

#[tokio::test]
async fn each_error_has_its_outcome() {
    let refused = |code: &str, news| Outcome::Refused { code: code.to_owned(), news };
    let account = |code: &str| Outcome::NotSent {
        code: code.to_owned(),
        again_in: ACCOUNT_AGAIN_IN,
        breaker: Some(BreakerScope::Channel),
    };
    let throttled =
        Outcome::NotSent { code: "ThrottlingException".to_owned(), again_in: TimeDelta::minutes(2), breaker: None };
    let ambiguous = Outcome::Ambiguous { code: "InternalServerException".to_owned() };
    let cases = [
        (400, "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", RecipientNews::OptedOut),
        (
            400,
            "ConflictException",
            "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE",
            RecipientNews::Unreachable,
        ),
        (400, "ValidationException", "DESTINATION_COUNTRY_BLOCKED", RecipientNews::Unreachable),
        (400, "ValidationException", "PRICE_OVER_THRESHOLD", RecipientNews::None),
        (400, "ValidationException", "INVALID_PARAMETER", RecipientNews::None),
    ]
    .map(|(status, error, reason, news)| (status, error, reason, refused(reason, news)));
    let accounts = [
        (402, "ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
        (403, "AccessDeniedException", "INSUFFICIENT_ACCOUNT_REPUTATION"),
        (400, "ConflictException", "NO_ORIGINATION_IDENTITIES_FOUND"),
        (400, "ValidationException", "SENDER_ID_NOT_REGISTERED"),
    ]
    .map(|(status, error, reason)| (status, error, reason, account(reason)));
    let rest = [
        (404, "ResourceNotFoundException", "", account("ResourceNotFoundException")),
        (429, "ThrottlingException", "", throttled),
        (500, "InternalServerException", "", ambiguous),
        (418, "TeapotException", "", Outcome::Ambiguous { code: "TeapotException".to_owned() }),
    ];
    for (status, error, reason, expected) in cases.into_iter().chain(accounts).chain(rest) {
        let answer = json!({"__type": error, "Message": "no", "Reason": reason});
        assert_eq!(sent((status, answer), Purpose::Care).await.0, expected, "{error} {reason}");
    }
}

#[tokio::test]
async fn an_answer_without_an_id_or_none_at_all_proves_nothing() {
    let (outcome, _) = sent((200, json!({})), Purpose::Care).await;
    assert_eq!(outcome, Outcome::Ambiguous { code: "no_message_id".to_owned() });
    let provider = Loopback::answering([]).await;
    let channels = channels(&provider);
    drop(provider);
    let clinic = clinic(SENDER);
    let outcome = channels.send(&dispatch(&clinic, &message(Purpose::Care, "Hola"))).await;
    assert_eq!(outcome, Outcome::Ambiguous { code: "connection".to_owned() });
}

#[test]
fn a_price_has_five_decimals() {
    assert_eq!(
        (dollars(200_000), dollars(10), dollars(99_000_000)),
        ("0.20000".into(), "0.00001".into(), "99.00000".into())
    );
}
