#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::*;

const TOPIC: &str = "arn:aws:sns:sa-east-1:123456789012:correo";
const CERTIFICATE: &[u8] = include_bytes!("../../../tests/keys/sns.pem");
const KEY: &[u8] = include_bytes!("../../../tests/keys/sns.pk8");
const URL: &str = "https://sns.sa-east-1.amazonaws.com/SimpleNotificationService-abc.pem";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// Signs the values of these keys, in their order.
fn sign(message: &mut Value, key: &[u8], keys: &[&str]) {
    let text: String = keys.iter().map(|key| format!("{key}\n{}\n", message[*key].as_str().unwrap())).collect();
    let key = RsaKeyPair::from_pkcs8(key).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    message["Signature"] = json!(STANDARD.encode(signature));
}

fn notification() -> Value {
    let mut message = json!({
        "Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Message": "{\"a\":\"ñ\"}",
        "Timestamp": "2026-09-21T14:13:20.000Z", "SignatureVersion": "2", "SigningCertURL": URL,
    });
    sign(&mut message, KEY, &["Message", "MessageId", "Timestamp", "TopicArn", "Type"]);
    message
}

fn confirmation(kind: &str) -> Value {
    let subscribe =
        format!("https://sns.sa-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37");
    let mut message = json!({
        "Type": kind, "MessageId": "m-2", "TopicArn": TOPIC, "Message": "You have chosen…", "Token": "2336412f37",
        "Timestamp": "2026-09-21T14:13:20Z", "SignatureVersion": "2", "SigningCertURL": URL, "SubscribeURL": subscribe,
    });
    sign(&mut message, KEY, &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]);
    message
}

fn read(message: &Value) -> Result<Unproven, Unverified> {
    Unproven::read(message.to_string().as_bytes(), &["arn:aws:sns:sa-east-1:1:x".to_owned(), TOPIC.to_owned()], now())
}

fn proven(message: &Value) -> Result<Proven, Unverified> {
    read(message)?.prove(CERTIFICATE)
}

#[test]
fn a_notification_is_proven() {
    let message = "{\"a\":\"ñ\"}".to_owned();
    assert_eq!(proven(&notification()), Ok(Proven::Notification { message, at: now() }));
    let mut titled = notification();
    titled["Subject"] = json!("Aviso");
    assert_eq!(proven(&titled), Err(Unverified::Mismatch));
    sign(&mut titled, KEY, &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]);
    assert!(proven(&titled).is_ok());
}

#[test]
fn a_subscription_is_confirmed_and_its_end_is_not() {
    let Ok(Proven::Subscription(url)) = proven(&confirmation("SubscriptionConfirmation")) else { unreachable!() };
    assert!(url.as_str().starts_with("https://sns.sa-east-1.amazonaws.com/?Action=ConfirmSubscription"));
    assert_eq!(format!("{url:?}"), "SubscribeUrl([redacted])");
    assert_eq!(proven(&confirmation("UnsubscribeConfirmation")), Ok(Proven::Unsubscribed));
    // Signed, but by a topic that has been taken over: it leads elsewhere.
    let mut elsewhere = confirmation("SubscriptionConfirmation");
    elsewhere["SubscribeURL"] = json!("https://evil.example.com/");
    sign(&mut elsewhere, KEY, &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]);
    assert_eq!(proven(&elsewhere), Err(Unverified::NotListed));
}

#[test]
fn whatever_is_changed_does_not_fit() {
    for key in ["Message", "MessageId", "Timestamp"] {
        let mut message = notification();
        message[key] = if key == "Timestamp" { json!("2026-09-21T14:13:21.000Z") } else { json!("otro") };
        assert_eq!(proven(&message), Err(Unverified::Mismatch), "{key}");
    }
    let mut message = notification();
    message["Signature"] = json!("AAAA");
    assert_eq!(proven(&message), Err(Unverified::Mismatch));
    message["Signature"] = json!("no es base64");
    assert_eq!(proven(&message), Err(Unverified::Malformed));
}

#[test]
fn only_version_2_of_our_topics_within_the_hour_is_looked_at() {
    let with = |key: &str, value: Value| {
        let mut message = notification();
        message[key] = value;
        read(&message).map(|_| ())
    };
    for version in ["1", "", "3", "02", "2 "] {
        assert_eq!(with("SignatureVersion", json!(version)), Err(Unverified::Malformed), "{version}");
    }
    for topic in ["", "arn:aws:sns:sa-east-1:123456789012:otro", "arn:aws:sns:sa-east-1:999:correo"] {
        assert_eq!(with("TopicArn", json!(topic)), Err(Unverified::NotListed), "{topic}");
    }
    for (timestamp, expected) in [
        ("2026-09-21T13:13:20Z", Ok(())),
        ("2026-09-21T13:13:19Z", Err(Unverified::OutOfTime)),
        ("2026-09-21T15:13:20Z", Ok(())),
        ("2026-09-21T15:13:21Z", Err(Unverified::OutOfTime)),
        ("ayer", Err(Unverified::Malformed)),
    ] {
        assert_eq!(with("Timestamp", json!(timestamp)), expected, "{timestamp}");
    }
    assert_eq!(with("Type", json!("Otro")), Err(Unverified::Malformed));
    assert_eq!(with("Message", json!(null)), Err(Unverified::Malformed));
    assert_eq!(Unproven::read(b"Type=Notification", &[], now()).map(|_| ()), Err(Unverified::Malformed));
}

#[test]
fn the_certificate_is_of_sns() {
    let mut message = notification();
    let keys = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"];
    sign(&mut message, include_bytes!("../../../tests/keys/other.pk8"), &keys);
    let with = |message: &Value, certificate: &[u8]| read(message).unwrap().prove(certificate);
    let other = include_bytes!("../../../tests/keys/other.pem");
    assert_eq!(with(&message, other), Err(Unverified::NotListed));
    let same_name = include_bytes!("../../../tests/keys/same-name.pem");
    assert_eq!(with(&notification(), same_name), Err(Unverified::Mismatch));
    let bad_der = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for certificate in [b"" as &[u8], b"<html>", bad_der, &[b' '; 70_000]] {
        assert_eq!(with(&notification(), certificate), Err(Unverified::Malformed));
    }
}

#[test]
fn hostile_addresses_of_certificates() {
    assert!(CertificateUrl::parse(URL, "sa-east-1").is_some());
    let hostile = [
        "",
        "https://",
        "http://sns.sa-east-1.amazonaws.com/a.pem",
        "HTTPS://sns.sa-east-1.amazonaws.com/a.pem",
        "ftp://sns.sa-east-1.amazonaws.com/a.pem",
        "file:///sns.sa-east-1.amazonaws.com/a.pem",
        "//sns.sa-east-1.amazonaws.com/a.pem",
        "https:/sns.sa-east-1.amazonaws.com/a.pem",
        "https:\\\\sns.sa-east-1.amazonaws.com\\a.pem",
        "https://sns.sa-east-1.amazonaws.com\\@evil.com/a.pem",
        "https://sns.sa-east-1.amazonaws.com.evil.com/a.pem",
        "https://sns.sa-east-1.amazonaws.com@evil.com/a.pem",
        "https://evil.com@sns.sa-east-1.amazonaws.com/a.pem",
        "https://evil.com/sns.sa-east-1.amazonaws.com/a.pem",
        "https://evil.com#sns.sa-east-1.amazonaws.com/a.pem",
        "https://evil.com?sns.sa-east-1.amazonaws.com/a.pem",
        "https://sns.sa-east-1.amazonaws.com:443/a.pem",
        "https://sns.sa-east-1.amazonaws.com:8443/a.pem",
        "https://sns.sa-east-1.amazonaws.com./a.pem",
        "https://sns.sa-east-1.amazonaws.com.cn/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns..amazonaws.com/a.pem",
        "https://SNS.sa-east-1.amazonaws.com/a.pem",
        "https://xsns.sa-east-1.amazonaws.com/a.pem",
        "https://sns.sa-east-1.amazonaws\u{3002}com/a.pem",
        "https://sns.sa-east-1.amazonaws.c\u{43e}m/a.pem",
        "https://sns%2esa-east-1.amazonaws.com/a.pem",
        "https://s3.sa-east-1.amazonaws.com/sns/a.pem",
        "https://sns.sa-east-1.amazonaws.com/",
        "https://sns.sa-east-1.amazonaws.com/.pem",
        "https://sns.sa-east-1.amazonaws.com/a.pem?x=.pem",
        "https://sns.sa-east-1.amazonaws.com/?a.pem",
        "https://sns.sa-east-1.amazonaws.com/a.pem#.pem",
        "https://sns.sa-east-1.amazonaws.com/../a.pem",
        "https://sns.sa-east-1.amazonaws.com/a/b.pem",
        "https://sns.sa-east-1.amazonaws.com//evil.com/a.pem",
        "https://sns.sa-east-1.amazonaws.com/%2e%2e/a.pem",
        "https://sns.sa-east-1.amazonaws.com/a.PEM",
        "https://sns.sa-east-1.amazonaws.com/a.pem\n",
        " https://sns.sa-east-1.amazonaws.com/a.pem",
        "https://sns.sa-east-1.amazonaws.com/a\0.pem",
        "https://169.254.169.254/latest/a.pem",
        "https://[::1]/a.pem",
        "https://localhost/a.pem",
    ];
    for url in hostile {
        assert_eq!(CertificateUrl::parse(url, "sa-east-1"), None, "{url}");
    }
    assert_eq!(CertificateUrl::parse(&format!("{}{}.pem", URL, "a".repeat(3000)), "sa-east-1"), None);
    assert!(CertificateUrl::parse("https://sns.cn-north-1.amazonaws.com.cn/a.pem", "cn-north-1").is_some());
    assert_eq!(CertificateUrl::parse("https://sns.a/b.amazonaws.com/a.pem", "a/b"), None);
}

#[test]
fn hostile_addresses_of_subscriptions() {
    let base = "https://sns.sa-east-1.amazonaws.com/";
    let right = format!("{base}?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37");
    let escaped = right.replace(TOPIC, &TOPIC.replace(':', "%3A"));
    for url in [&right, &escaped] {
        assert!(SubscribeUrl::parse(url, "sa-east-1", TOPIC).is_some(), "{url}");
    }
    let hostile = [
        right.replace("https", "http"),
        right.replace("sns.sa-east-1.amazonaws.com", "evil.com"),
        right.replace(".com/", ".com@evil.com/"),
        right.replace("ConfirmSubscription", "Publish"),
        right.replace("correo", "otro"),
        format!("{right}&Action=DeleteTopic"),
        format!("{right}&AuthenticateOnUnsubscribe=true"),
        format!("{right}#x"),
        right.replace("2336412f37", ""),
        right.replace("2336412f37", "../x"),
        right.replace("/?", "/x?"),
        format!("{base}?Action=ConfirmSubscription&Token=2336412f37"),
        base.to_owned(),
    ];
    for url in hostile {
        assert_eq!(SubscribeUrl::parse(&url, "sa-east-1", TOPIC), None, "{url}");
    }
}
