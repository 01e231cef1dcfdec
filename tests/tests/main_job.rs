//! The main job, whole: the built program over real exports, its messages judged by the reference
//! and its figures compared with the reference's.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it skips and where it fails"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::NaiveDateTime;
use retorno_tests::generated;
use retorno_tests::reference::{
    Export, Review, RunParameters, SegmentCount, Shortfall, expected_segments, read_export, read_slots, review,
};
use serde::Deserialize;

/// Days every run plays.
const DAYS: i64 = 30;

/// Violations shown when there are more.
const SHOWN: usize = 20;

#[test]
fn austral_in_march_2026_with_its_free_slots() {
    let Some(export) = trial_export("clinica-austral.csv") else {
        return;
    };
    let Some(slots) = trial_export("clinica-austral-huecos.csv") else {
        return;
    };
    holds(&export, Some(&slots), "2026-03-01T09:00");
}

#[test]
fn vitoria_in_december_2016_without_slots() {
    let Some(export) = trial_export("clinica-vitoria.csv") else {
        return;
    };
    holds(&export, None, "2016-12-15T09:00");
}

#[test]
fn a_small_clinic_with_every_kind_of_dirt() {
    let clinic = generated::clinic();
    let folder = tempfile::tempdir().expect("a folder");
    let (export, slots) = (folder.path().join("export.csv"), folder.path().join("slots.csv"));
    std::fs::write(&export, &clinic.export).expect("the export written");
    std::fs::write(&slots, &clinic.slots).expect("the slots written");
    let at = clinic.at.format("%Y-%m-%dT%H:%M").to_string();
    let (report, review) = holds(&export, Some(&slots), &at);
    let mut lines: Vec<u64> = report.rows.rejected.iter().map(|r| r.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, clinic.bad_lines, "the rows rejected");
    let left: Vec<_> = review.notes.iter().filter(|n| n.shortfall != Shortfall::SeatsLeft).collect();
    assert!(left.is_empty(), "so small a clinic leaves nothing undone: {left:#?}");
}

/// The object the program prints, as far as it is compared.
#[derive(Deserialize)]
struct Report {
    rows: Rows,
    patients: usize,
    segments: Vec<Segment>,
    waves: Vec<Wave>,
    messages_total: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Rows {
    read: usize,
    accepted: usize,
    rejected: Vec<Rejected>,
}

#[derive(Deserialize)]
struct Rejected {
    line: u64,
}

#[derive(Deserialize)]
struct Segment {
    id: String,
    members: usize,
    eligible: usize,
    excluded: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Wave {
    segment: String,
    size: usize,
    capacity: usize,
}

/// Runs the program twice and holds it to everything that is true of every run.
fn holds(export_path: &Path, slots_path: Option<&Path>, at: &str) -> (Report, Review) {
    let (report, messages) = played(export_path, slots_path, at);
    let (_, again) = played(export_path, slots_path, at);
    assert!(messages == again, "the same command gave other messages the second time");

    let export = read_export(&read(export_path)).expect("an export");
    let slots = slots_path.map(|p| read_slots(&read(p)).expect("slots"));
    let at = NaiveDateTime::parse_from_str(at, "%Y-%m-%dT%H:%M").expect("a time");
    figures(&report, &export, at);
    let run = RunParameters::over(&export, at, DAYS).expect("a country the reference knows");
    let review = review(&export, slots.as_ref(), &messages, &run);
    for note in &review.notes {
        println!("note: {note}");
    }
    let shown: Vec<String> = review.violations.iter().take(SHOWN).map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{} violations, among them\n{}", review.violations.len(), shown.join("\n"));
    for channel in ["whatsapp", "email", "call"] {
        let listed = review.per_channel.get(channel).copied().unwrap_or_default();
        assert!(listed > 0, "no {channel} at all");
        assert_eq!(report.messages_total.get(channel), Some(&listed), "{channel} said and listed");
    }
    let empty: Vec<_> = review.notes.iter().filter(|n| n.shortfall == Shortfall::EmptyDay).collect();
    assert!(empty.is_empty(), "days on which nobody heard a first message: {empty:#?}");
    waves(&report, &review);
    (report, review)
}

fn figures(report: &Report, export: &Export, at: NaiveDateTime) {
    assert_eq!(report.rows.read, export.read, "rows read");
    assert_eq!(report.rows.accepted, export.accepted, "rows accepted");
    assert_eq!(report.rows.rejected.len(), export.rejected.len(), "rows rejected");
    assert_eq!(report.patients, export.patients.len(), "patients");
    let said = |s: &Segment| (s.id.clone(), (s.members, s.eligible));
    let expected = |(id, s): (&str, SegmentCount)| (id.to_owned(), (s.members, s.eligible));
    let segments: BTreeMap<_, _> = report.segments.iter().map(said).collect();
    let due: BTreeMap<_, _> = expected_segments(export, at).into_iter().map(expected).collect();
    assert_eq!(segments, due, "members and eligible");
    for segment in &report.segments {
        let excluded: usize = segment.excluded.values().sum();
        assert_eq!(segment.members, segment.eligible + excluded, "{}: each excluded once", segment.id);
    }
}

fn waves(report: &Report, review: &Review) {
    for wave in &report.waves {
        assert!(wave.size <= wave.capacity, "{}: {} of {}", wave.segment, wave.size, wave.capacity);
    }
    let said: usize = report.waves.iter().map(|w| w.size).sum();
    assert_eq!(said, review.waves.values().sum::<usize>(), "sequences said and begun");
}

/// One run of the program: its report and its message list.
fn played(export: &Path, slots: Option<&Path>, at: &str) -> (Report, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("messages.jsonl");
    let mut command = Command::new(program());
    command.arg("try").arg(export).args(["--at", at, "--days", &DAYS.to_string(), "--json"]);
    command.arg("--messages").arg(&out);
    if let Some(slots) = slots {
        command.arg("--slots").arg(slots);
    }
    let output = command.output().expect("the program starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{complaint}", output.status);
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("stdout is not the one object asked for: {e}"));
    (report, String::from_utf8(read(&out)).expect("UTF-8"))
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The program, built beside this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let program = profile.join(format!("retorno{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is not there: run `cargo build` first", program.display());
    program
}

/// A trial export, kept beside the workspace and not in it; nothing where it is missing.
fn trial_export(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no {name} beside the workspace");
    None
}
