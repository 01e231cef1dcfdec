#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
//! The program killed (SIGKILL) at twenty arbitrary moments while it imports and sends, and started
//! again each time: no row is lost, no message reaches a provider twice, and none is forgotten.

mod program;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use program::{Running, retorno, run};
use retorno::doubles::Doubles;
use serde_json::Value;

const ROUNDS: u64 = 10;
/// Open day and night, so that messages leave whenever the test runs.
const SETTINGS: &str = r#"
name = "Clínica Prueba"
agent = "Eva"
[hours]
monday = "00:00-23:59"
tuesday = "00:00-23:59"
wednesday = "00:00-23:59"
thursday = "00:00-23:59"
friday = "00:00-23:59"
saturday = "00:00-23:59"
sunday = "00:00-23:59"
[closures]
write_on_holidays = true
"#;

fn json(data: &Path, arguments: &[&str]) -> Value {
    let output = run(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn start(data: &Path) -> Running {
    let mut running = Running(retorno(data, &["--no-demo", "--port", "0"]).spawn().unwrap());
    running.wait();
    running
}

/// Runs a command against the system and kills the system in the middle of it: after a time that
/// differs from round to round.
fn kill_during(data: &Path, arguments: &[&str], round: u64, within_ms: u64) {
    let running = start(data);
    let mut command = retorno(data, arguments).spawn().unwrap();
    let arbitrary = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    std::thread::sleep(Duration::from_millis(arbitrary % within_ms));
    drop(running);
    let _ = command.kill();
    let _ = command.wait();
}

#[test]
fn killed_twenty_times_it_loses_no_row_and_sends_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let today = Utc::now_from_system().date_naive();
    let demo = retorno::demo::demo_clinics(today).into_iter().next().unwrap();
    let (export, settings) = (folder.path().join("export.csv"), folder.path().join("clinic.toml"));
    std::fs::write(&export, &demo.export_csv).unwrap();
    std::fs::write(&settings, SETTINGS).unwrap();
    let (export, settings) = (export.to_str().unwrap(), settings.to_str().unwrap());
    let patients: BTreeSet<&str> = demo.export_csv.lines().skip(1).filter_map(|line| line.split(',').nth(3)).collect();

    // Ten times while it imports; then the import is repeated and finishes.
    kill_during(&data, &["import", export, "--new-clinic", "k", "--settings", settings], 1, 400);
    for round in 2..=ROUNDS {
        kill_during(&data, &["import", export, "--new-clinic", "k", "--settings", settings], round, 1_500);
    }
    {
        let _running = start(&data);
        let first = run(&data, &["import", export, "--clinic", "k"]);
        if !first.status.success() {
            let made = run(&data, &["import", export, "--new-clinic", "k", "--settings", settings]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let segments = json(&data, &["segments", "--clinic", "k", "--json"]);
        assert_eq!(segments["segments"]["patients"].as_u64(), u64::try_from(patients.len()).ok(), "a row was lost");
    }

    // Ten times while it sends; then four weeks in peace.
    for round in 1..=ROUNDS {
        kill_during(&data, &["advance", "1d", "--clinic", "k"], round * 7, 2_500);
    }
    let sent = {
        let _running = start(&data);
        let advanced = run(&data, &["advance", "2w", "--clinic", "k"]);
        assert!(advanced.status.success(), "{}", String::from_utf8_lossy(&advanced.stderr));
        let sent = json(&data, &["outbox", "--clinic", "k", "--json", "--limit", "100000"]);
        check_nothing_is_forgotten(&data, &sent);
        sent
    };
    check_nothing_left_twice(&data, &sent);
}

trait FromSystem {
    fn now_from_system() -> DateTime<Utc>;
}

impl FromSystem for Utc {
    fn now_from_system() -> DateTime<Utc> {
        retorno_cloud::Clock::System.now()
    }
}

/// What the phones and mailboxes saw: each message once, and each one in the system's own list.
fn check_nothing_left_twice(data: &Path, sent: &Value) {
    let doubles = Doubles::open(data.join("doubles.sqlite"), Arc::new(Utc::now_from_system)).unwrap();
    let by_whatsapp = doubles.whatsapp().all_sent().unwrap();
    let by_whatsapp = by_whatsapp.iter().map(|m| m.opaque.clone().unwrap().split('.').nth(2).unwrap().to_owned());
    let by_mail = doubles.ses().all_mails().unwrap();
    let by_mail = by_mail.iter().map(|mail| mail.tags.iter().find(|(name, _)| *name == "m").unwrap().1.clone());
    let accepted: Vec<String> = by_whatsapp.chain(by_mail).collect();
    let distinct: BTreeSet<&String> = accepted.iter().collect();
    assert_eq!(accepted.len(), distinct.len(), "a message was accepted twice");
    assert!(accepted.len() > 100, "too few were sent to prove anything: {}", accepted.len());
    let listed: BTreeSet<String> =
        sent.as_array().unwrap().iter().map(|line| line["message_id"].as_str().unwrap().to_owned()).collect();
    let unlisted: Vec<&&String> = distinct.iter().filter(|id| !listed.contains(**id)).collect();
    assert!(unlisted.is_empty(), "accepted, and the system does not know: {unlisted:?}");
}

/// Everybody who was written to is either done or waits for an instant to come, and no message is
/// left in the middle.
fn check_nothing_is_forgotten(data: &Path, sent: &Value) {
    let patients: BTreeSet<&str> =
        sent.as_array().unwrap().iter().map(|line| line["patient_id"].as_str().unwrap()).collect();
    for patient in patients {
        let why = json(data, &["why", patient, "--clinic", "k", "--json"]);
        for message in why["messages"].as_array().unwrap() {
            let state = message["state"].as_str().unwrap();
            assert!(
                matches!(state, "accepted" | "unknown" | "undetermined" | "failed" | "dropped"),
                "patient {patient}: a message is {state}"
            );
        }
        let now: DateTime<Utc> = why["at"].as_str().unwrap().parse().unwrap();
        if let Some(due) = why["sequence"]["due"].as_str() {
            let due: DateTime<Utc> = due.parse().unwrap();
            assert!(due + chrono::TimeDelta::minutes(1) > now, "patient {patient}: a step due at {due} was forgotten");
        }
    }
}
