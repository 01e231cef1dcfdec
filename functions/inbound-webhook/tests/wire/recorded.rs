//! Payloads that others recorded, where the folder with them is: each is taken up, or known not to
//! be a webhook.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use inbound_webhook::event::{Event, Routed};
use inbound_webhook::verify::sns::Unproven;
use inbound_webhook::verify::{HookSecret, Unverified, signed_by_meta, waha};
use inbound_webhook::wire;
use serde_json::Value;

/// The files of a folder by name; none, and a word, where the folder is not.
fn recorded(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures").join(folder);
    let Ok(files) = std::fs::read_dir(&path) else {
        println!("skipped: no recorded payloads of {folder} beside the repository");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let read = |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap());
    files.into_iter().map(read).collect()
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The latest instant that a payload names, which is when it came.
fn came(value: &Value) -> DateTime<Utc> {
    fn instants(value: &Value, found: &mut Vec<DateTime<Utc>>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if key == "timestamp" || key == "time" {
                        found.extend(instant(value));
                    }
                    instants(value, found);
                }
            }
            Value::Array(list) => list.iter().for_each(|value| instants(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    fn instant(value: &Value) -> Option<DateTime<Utc>> {
        let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        match seconds {
            Some(seconds) => DateTime::from_timestamp(seconds, 0),
            None => DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|at| at.to_utc()),
        }
    }
    let mut found = Vec::new();
    instants(value, &mut found);
    found.into_iter().max().unwrap() + TimeDelta::seconds(5)
}

fn kinds(events: &[Routed]) -> Vec<&'static str> {
    events.iter().map(|routed| routed.event.kind()).collect()
}

#[test]
fn every_payload_of_whatsapp_is_taken_up_or_known() {
    for (name, bytes) in recorded("whatsapp") {
        // What we would send, what its API answers, and the vector of the signature below.
        if ["req_", "res_", "signature_vector"].iter().any(|start| name.starts_with(start)) {
            assert_eq!(wire::meta::events(&parsed(&bytes), DateTime::UNIX_EPOCH), None, "{name}");
            continue;
        }
        let expected = match name.as_str() {
            "in_system_user_changed_number.json" => "number_changed",
            name if name.starts_with("pywa_message_status") => "receipt",
            name if name.starts_with("pywa_template_status") => "template",
            name if name.starts_with("in_") || name.starts_with("pywa_callback_button") => "message",
            _ => unreachable!("{name}: say what it is"),
        };
        let body = parsed(&bytes);
        let events = wire::meta::events(&body, came(&body)).unwrap();
        assert_eq!(kinds(&events), [expected], "{name}");
    }
}

#[test]
fn the_vector_of_a_signature_over_escaped_text_fits() {
    let Some((_, bytes)) = recorded("whatsapp").into_iter().find(|(name, _)| name.starts_with("signature_vector"))
    else {
        return;
    };
    let vector = parsed(&bytes);
    let text = |key: &str| vector[key].as_str().unwrap();
    let headers = [("X-Hub-Signature-256".to_owned(), text("x_hub_signature_256").to_owned())];
    let secrets = [HookSecret::new(text("app_secret")).unwrap()];
    assert_eq!(signed_by_meta(&headers, text("body").as_bytes(), &secrets), Ok(()));
    let anew = text("body_reencoded_utf8_must_fail").as_bytes();
    assert_eq!(signed_by_meta(&headers, anew, &secrets), Err(Unverified::Mismatch));
}

#[test]
fn every_event_of_ses_is_a_receipt() {
    for (name, bytes) in recorded("ses") {
        let body = parsed(&bytes);
        assert_eq!(kinds(&wire::aws::events(&body, came(&body))), ["receipt"], "{name}");
    }
}

#[test]
fn real_messages_of_sns_are_proven_by_version_2_only() {
    let files = recorded("sns");
    let Some((_, certificate)) = files.iter().find(|(name, _)| name.ends_with(".pem")) else {
        return;
    };
    let mut proven = 0;
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
        let message = parsed(bytes);
        let topics = [message["TopicArn"].as_str().unwrap().to_owned()];
        let now = DateTime::parse_from_rfc3339(message["Timestamp"].as_str().unwrap()).unwrap().to_utc();
        let read = Unproven::read(bytes, &topics, now);
        if message["SignatureVersion"] == "1" {
            assert_eq!(read.map(|_| ()), Err(Unverified::Malformed), "{name}");
            continue;
        }
        let unproven = read.unwrap();
        assert!(unproven.certificate().as_str().ends_with(".pem"));
        assert!(unproven.prove(certificate).is_ok(), "{name}");
        proven += 1;
    }
    assert!(proven > 0);
}

#[test]
fn the_recorded_payloads_of_waha_fit() {
    for (name, bytes) in recorded("waha") {
        let value = parsed(&bytes);
        match name.as_str() {
            "hmac_vector.json" => {
                let text = |key: &str| value[key].as_str().unwrap();
                let headers = [("X-Webhook-Hmac".to_owned(), text("hex").to_owned())];
                let keys = [HookSecret::new(text("key")).unwrap()];
                assert_eq!(waha(&headers, text("body").as_bytes(), &keys), Ok(()));
                assert_eq!(waha(&headers, b"{}", &keys), Err(Unverified::Mismatch));
            }
            "message.json" => {
                let events = wire::waha::events(&value, "default", came(&value));
                let [Routed { event: Event::Echo(echo), .. }] = events.as_slice() else { unreachable!("{events:?}") };
                assert!(!echo.perhaps_ours);
            }
            _ => unreachable!("{name}: say what it is"),
        }
    }
}
