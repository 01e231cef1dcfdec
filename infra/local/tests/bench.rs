//! `retorno bench --quick --json` measures everything it says it does. Nothing here looks at speed:
//! that depends on the machine.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::Command;

use serde_json::Value;

fn bench(more: &[&str]) -> Value {
    let output =
        Command::new(env!("CARGO_BIN_EXE_retorno")).args(["bench", "--quick", "--json"]).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn value(bench: &Value, id: &str) -> f64 {
    let figures = bench.get("figures").unwrap().as_array().unwrap();
    let figure = figures.iter().find(|figure| figure.get("id").unwrap() == id);
    figure.unwrap_or_else(|| panic!("no figure {id}")).get("value").unwrap().as_f64().unwrap_or(0.0)
}

#[test]
fn a_quick_run_gives_every_figure_and_what_a_send_costs() {
    let bench = bench(&[]);
    let ids = [
        "import_memory",
        "import_file",
        "segments_pure",
        "standing_pure",
        "send_memory",
        "send_memory_email",
        "enroll_memory",
        "send_file",
        "send_file_email",
        "enroll_file",
        "evaluate_day",
        "evaluate_all",
        "evaluate_share",
        "evaluate_monday",
        "evaluate_monday_share",
        "replies_race",
        "replies_booked",
        "webhooks",
        "webhooks_p50",
        "webhooks_p99",
        "webhooks_taken_in",
    ];
    for id in ids {
        assert!(value(&bench, id) > 0.0, "{id} was not measured");
    }
    if cfg!(target_os = "linux") {
        assert!(value(&bench, "import_memory_peak") > 1.0);
    }
    let sends = bench.get("sends").unwrap().as_array().unwrap();
    let channels: Vec<&str> = sends.iter().map(|send| send.get("channel").unwrap().as_str().unwrap()).collect();
    assert_eq!(channels, ["WhatsApp", "e-mail", "call"]);
    for send in sends {
        let requests = send.get("requests").unwrap().as_array().unwrap();
        let claims = requests.iter().filter(|line| line.get("operation").unwrap() == "TransactWriteItems").count();
        assert_eq!(claims, 1, "each send is one commit: {requests:?}");
        assert!(send.get("write").unwrap().as_f64().unwrap() >= 10.0);
    }
}

#[test]
fn an_export_of_ones_own_can_be_measured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.csv");
    let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    std::fs::write(&path, &retorno::demo::demo_clinics(today).remove(0).export_csv).unwrap();
    let bench = bench(&["--export", path.to_str().unwrap()]);
    let figures = bench.get("figures").unwrap().as_array().unwrap();
    let note = figures.first().unwrap().get("note").unwrap().as_str().unwrap();
    assert!(note.contains("the export given"), "{note}");
}
