//! More than a million forged requests, none of them accepted.

use chrono::{DateTime, Utc};
use fastrand::Rng;
use inbound_webhook::verify::sns::Unproven;
use inbound_webhook::verify::{EvolutionProof, Unverified, evolution, signed_by_meta, waha};

use crate::proofs;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const MADE: i64 = 1_790_000_000;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(MADE + 5, 0).unwrap()
}

fn header(name: &str, value: String) -> [(String, String); 1] {
    [(name.to_owned(), value)]
}

fn body(rng: &mut Rng) -> Vec<u8> {
    let text: String = (0..rng.usize(1..12)).map(|_| ['a', '1', '"', '\\', 'é', '👍'][rng.usize(..6)]).collect();
    serde_json::json!({"entry": [{"id": rng.u32(..), "changes": [{"value": text}]}]}).to_string().into_bytes()
}

/// The text with one bit of one character changed; it stays ASCII, as a header must.
fn bent(rng: &mut Rng, text: &str, from: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = rng.usize(from..bytes.len());
    bytes[at] ^= 1 << rng.u32(..7);
    String::from_utf8(bytes).unwrap()
}

/// A proof that was not made for what it comes with: (value, body).
fn forged(rng: &mut Rng, right: &str, make: fn(&str, &[u8]) -> String, body: &[u8]) -> (String, Vec<u8>) {
    let mut changed = body.to_vec();
    match rng.u32(..10) {
        0..=2 => {
            let at = rng.usize(..changed.len());
            changed[at] ^= 1 << rng.u32(..8);
            (right.to_owned(), changed)
        }
        3..=5 => (bent(rng, right, 0), changed),
        6 => (make(&bent(rng, KEY, 0), body), changed),
        7 => {
            let end = rng.usize(..right.len());
            (if rng.bool() { right[..end].to_owned() } else { format!("{right}{}", &right[end..]) }, changed)
        }
        8 => {
            if rng.bool() {
                changed.truncate(rng.usize(..body.len()));
            } else {
                changed.push(rng.u8(..));
            }
            (right.to_owned(), changed)
        }
        _ => {
            let random: Vec<u8> = (0..right.len() / 2).map(|_| rng.u8(..)).collect();
            let prefix = right.find('=').map_or("", |at| &right[..=at]);
            (format!("{prefix}{}", &proofs::hex(&random)[..right.len() - prefix.len()]), changed)
        }
    }
}

fn none_accepted(
    seed: u64,
    rounds: u32,
    make: fn(&str, &[u8]) -> String,
    accepted: impl Fn(String, &[u8]) -> Result<(), Unverified>,
) {
    let mut rng = Rng::with_seed(seed);
    for _ in 0..rounds {
        let body = body(&mut rng);
        let right = make(KEY, &body);
        assert_eq!(accepted(right.clone(), &body), Ok(()));
        for _ in 0..200 {
            let (value, changed) = forged(&mut rng, &right, make, &body);
            // Adding nothing to a proof is no forgery.
            if value != right || changed != body {
                assert!(accepted(value.clone(), &changed).is_err(), "{value} {changed:?}");
            }
        }
    }
}

#[test]
fn seven_hundred_thousand_forgeries_of_meta() {
    let secrets = [proofs::secret(KEY), proofs::secret("the-other-secret-of-the-rotation")];
    none_accepted(1, 3_500, proofs::meta, |value, body| {
        signed_by_meta(&header("X-Hub-Signature-256", value), body, &secrets)
    });
}

#[test]
fn two_hundred_thousand_forgeries_of_waha() {
    let secrets = [proofs::secret(KEY)];
    none_accepted(2, 1_000, proofs::waha, |value, body| waha(&header("X-Webhook-Hmac", value), body, &secrets));
}

#[test]
fn two_hundred_thousand_forgeries_of_evolution() {
    let proof = EvolutionProof::Jwt(vec![proofs::secret(KEY)]);
    let shown = |token: String| evolution(&header("Authorization", format!("Bearer {token}")), &proof, now());
    let mut rng = Rng::with_seed(3);
    let right = proofs::jwt(KEY, MADE);
    assert_eq!(shown(right.clone()), Ok(()));
    for _ in 0..150_000 {
        let token = bent(&mut rng, &right, 0);
        assert!(shown(token.clone()).is_err(), "{token}");
    }
    for _ in 0..50_000 {
        let key = bent(&mut rng, KEY, 0);
        assert!(shown(proofs::jwt(&key, MADE)).is_err(), "{key}");
    }
}

#[test]
fn every_bit_of_a_body_of_two_kilobytes() {
    let secrets = [proofs::secret(KEY)];
    let mut body: Vec<u8> = b"{\"entry\":\"".to_vec();
    body.resize(2_046, b'x');
    body.extend(b"\"}");
    let signed = header("X-Hub-Signature-256", proofs::meta(KEY, &body));
    assert_eq!(signed_by_meta(&signed, &body, &secrets), Ok(()));
    for bit in 0..body.len() * 8 {
        body[bit / 8] ^= 1 << (bit % 8);
        assert!(signed_by_meta(&signed, &body, &secrets).is_err(), "bit {bit}");
        body[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(signed_by_meta(&signed, &body, &secrets), Ok(()));
}

#[test]
fn a_body_written_anew_does_not_fit() {
    let secrets = [proofs::secret(KEY)];
    let sent = r#"{"b": 1.0, "a": "\u00e9\ud83d\udc4d \/", "c": [ ]}"#;
    let signed = header("X-Hub-Signature-256", proofs::meta(KEY, sent.as_bytes()));
    assert_eq!(signed_by_meta(&signed, sent.as_bytes(), &secrets), Ok(()));
    let value: serde_json::Value = serde_json::from_str(sent).unwrap();
    let anew = [
        value.to_string(),
        serde_json::to_string_pretty(&value).unwrap(),
        sent.replace("\\u00e9", "é"),
        sent.replace("\\/", "/"),
        sent.replace(' ', ""),
        format!("{sent}\n"),
        format!("\u{feff}{sent}"),
        sent.replace("1.0", "1"),
        sent.replace("\\u00e9", "\\u00E9"),
    ];
    for body in anew {
        assert_eq!(signed_by_meta(&signed, body.as_bytes(), &secrets), Err(Unverified::Mismatch), "{body}");
    }
}

#[test]
fn five_thousand_forgeries_of_sns() {
    let mut rng = Rng::with_seed(4);
    let right = proofs::notification(r#"{"eventType":"Send"}"#, "2026-09-21T14:13:20Z");
    let topics = [proofs::TOPIC.to_owned()];
    let proven = |body: &[u8]| match Unproven::read(body, &topics, now()) {
        Ok(unproven) => unproven.prove(proofs::CERTIFICATE).is_ok(),
        Err(_) => false,
    };
    assert!(proven(right.to_string().as_bytes()));
    for round in 0..5_000 {
        let mut forged = right.clone();
        let key = ["Message", "MessageId", "Timestamp", "Signature"][round % 4];
        let value = bent(&mut rng, forged[key].as_str().unwrap(), 0);
        forged[key] = value.into();
        assert!(!proven(forged.to_string().as_bytes()), "{forged}");
    }
}
