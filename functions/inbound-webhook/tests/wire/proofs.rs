//! Proofs as the providers make them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use inbound_webhook::verify::HookSecret;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

/// The topic of [`notification`].
pub(crate) const TOPIC: &str = "arn:aws:sns:sa-east-1:123456789012:correo";
/// The certificate of [`notification`].
pub(crate) const CERTIFICATE: &[u8] = include_bytes!("../keys/sns.pem");

/// A secret of this text.
pub(crate) fn secret(text: &str) -> HookSecret {
    HookSecret::new(text).unwrap()
}

fn mac<M: Mac + KeyInit>(key: &str, bytes: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The value of `X-Hub-Signature-256`.
pub(crate) fn meta(key: &str, body: &[u8]) -> String {
    format!("sha256={}", hex(&mac::<Hmac<Sha256>>(key, body)))
}

/// The value of `X-Webhook-Hmac`.
pub(crate) fn waha(key: &str, body: &[u8]) -> String {
    hex(&mac::<Hmac<Sha512>>(key, body))
}

/// A token of Evolution, from this instant on.
pub(crate) fn jwt(key: &str, made: i64) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = URL_SAFE_NO_PAD.encode(json!({"iat": made, "exp": made + 600}).to_string());
    let signed = format!("{header}.{claims}");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac::<Hmac<Sha256>>(key, signed.as_bytes())))
}

/// A signed notification of SNS that carries this message, told at this instant.
pub(crate) fn notification(message: &str, told: &str) -> Value {
    let values = [("Message", message), ("MessageId", "m-1"), ("Timestamp", told), ("TopicArn", TOPIC)];
    let mut text: String = values.iter().map(|(key, value)| format!("{key}\n{value}\n")).collect();
    text.push_str("Type\nNotification\n");
    let key = RsaKeyPair::from_pkcs8(include_bytes!("../keys/sns.pk8")).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    json!({
        "Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Message": message, "Timestamp": told,
        "SignatureVersion": "2", "Signature": STANDARD.encode(signature),
        "SigningCertURL": "https://sns.sa-east-1.amazonaws.com/SimpleNotificationService-abc.pem",
    })
}
