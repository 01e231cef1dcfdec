#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
//! The running system over a folder, asked as the commands and a browser ask it.

mod connections;
mod console;
mod slots;
mod strangers;
mod talk;
mod templates;

use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use reqwest::{Client, Response, StatusCode};
use retorno_cloud::Clock;
use retorno_domain::ids::{ClinicId, PatientId};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::*;
use crate::demo::{DemoClinic, demo_clinics};

/// A Monday, eight in the morning in Buenos Aires.
fn monday() -> DateTime<Utc> {
    "2026-03-02T11:00:00Z".parse().unwrap()
}

fn aurora() -> DemoClinic {
    demo_clinics(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()).remove(0)
}

/// A folder whose clock stands at an instant.
fn set_clock(folder: &Path, at: DateTime<Utc>) {
    let offset_ms = (at - Clock::System.now()).num_milliseconds();
    let kept = json!({ "offset_ms": offset_ms, "reached": at });
    std::fs::write(folder.join("clock.json"), kept.to_string()).unwrap();
}

struct Running {
    system: System,
    url: String,
    client: Client,
    tasks: JoinSet<()>,
}

impl Running {
    async fn over(folder: &Path) -> Self {
        let listener = listen(0).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let system = open(DataFolder::open(folder).unwrap(), &url).await.unwrap();
        let mut tasks = JoinSet::new();
        let (served, driven) = (router(system.clone()), system.clone());
        tasks.spawn(async move { axum::serve(listener, served).await.unwrap() });
        tasks.spawn(async move { driver::drive(&driven).await.unwrap() });
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { system, url, client, tasks }
    }

    async fn with_aurora(folder: &Path) -> Self {
        Self::with_aurora_and(folder, "").await
    }

    /// The same, with more settings from the beginning: whom an import enrolled keeps the flow that was there.
    async fn with_aurora_and(folder: &Path, settings: &str) -> Self {
        set_clock(folder, monday());
        let running = Self::over(folder).await;
        let demo = aurora();
        let settings = format!("name = \"Clínica Aurora\"\nzone = \"{}\"\n{settings}", demo.zone);
        running.post("/api/clinics/aurora/settings?create=true", settings).await.ok();
        running.post("/api/clinics/aurora/slots", demo.slots_csv).await.ok();
        let report = running.post("/api/clinics/aurora/import", demo.export_csv).await.json();
        assert_eq!(report["patients"], 1000);
        running
    }

    /// Ends it wherever it is; the folder is free afterwards.
    async fn stop(mut self) {
        self.tasks.shutdown().await;
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.client.post(format!("{}{path}", self.url)).body(body).send().await.unwrap()).await
    }

    async fn advance(&self, body: Value) -> Answer {
        Answer::of(self.client.post(format!("{}/api/advance", self.url)).json(&body).send().await.unwrap()).await
    }

    async fn form(&self, path: &str, form: &str) -> Answer {
        let post =
            self.client.post(format!("{}{path}", self.url)).header("content-type", "application/x-www-form-urlencoded");
        Answer::of(post.body(form.to_owned()).send().await.unwrap()).await
    }
}

struct Answer {
    status: StatusCode,
    policy: String,
    text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        Self { status: response.status(), policy, text: response.text().await.unwrap() }
    }

    fn ok(&self) {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
    }

    fn json(&self) -> Value {
        self.ok();
        serde_json::from_str(&self.text).unwrap()
    }

    /// The message of an error in the API's form.
    fn error(&self, status: StatusCode) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str::<Value>(&self.text).unwrap()["error"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_import_a_day_and_what_came_of_it_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let segments = running.get("/api/clinics/aurora/segments").await.json();
    assert_eq!(segments["patients"], 1000);
    assert_eq!(segments["segments"].as_array().unwrap().len(), 6);
    let waves = running.get("/api/clinics/aurora/waves").await.json();
    assert!(
        waves["enrolled"].as_u64().unwrap() > 0 && waves["enrolled"].as_u64() <= waves["overall"].as_u64(),
        "{waves}"
    );
    let begun = running.advance(json!({ "by": "1d" })).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    assert!(running.advance(json!({ "by": "1d" })).await.error(StatusCode::CONFLICT).contains("being moved"));
    assert!(running.get("/c/aurora").await.text.contains("http-equiv=\"refresh\""), "the page says that it is working");
    running.system.idle().await;
    let state: State = serde_json::from_str(&running.get("/api/state").await.text).unwrap();
    let last = state.last_advance.unwrap();
    assert!(last.sent > 0 && last.failed == 0 && !last.cancelled && last.error.is_none(), "{last:?}");
    assert!(last.at >= monday() + TimeDelta::days(1));
    assert_eq!(running.get("/api/clinics/aurora/outbox?limit=3").await.json().as_array().unwrap().len(), 3);
    let sent = running.get("/api/clinics/aurora/outbox").await.json();
    let newest = sent.as_array().unwrap().iter().find(|sent| sent["channel"] == "whatsapp").unwrap();
    let (patient, text) = (newest["patient_id"].as_str().unwrap(), newest["text"].as_str().unwrap());
    let page = running.get("/c/aurora").await;
    page.ok();
    assert!(page.policy.contains("default-src 'none'") && !page.text.contains("<script"), "{}", page.policy);
    let first_line = text.lines().next().unwrap();
    assert!(page.text.contains(&maud::html! { (first_line) }.into_string()), "the phone shows what was sent");
    let of_patient = running.get(&format!("/c/aurora?patient={patient}")).await;
    assert!(of_patient.text.contains("class=\"timeline\""));
    let why = running.get(&format!("/api/clinics/aurora/patients/{patient}/why")).await.json();
    assert_eq!(why["sequence"]["step"]["rules"].as_array().unwrap().len(), 20);
    assert_eq!(why["messages"][0]["state"], "accepted");

    let before = running.get("/api/clinics/aurora/outbox?limit=1000").await.json();
    running.stop().await;
    let again = Running::over(folder.path()).await;
    assert_eq!(again.get("/api/clinics/aurora/outbox?limit=1000").await.json(), before);
    assert!(again.system.host.now() >= last.at, "the clock never goes back");
}

#[tokio::test]
async fn a_mail_is_shown_in_a_frame_that_can_do_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    running.advance(json!({ "by": "3d" })).await.ok();
    running.system.idle().await;
    let sent = running.get("/api/clinics/aurora/outbox?limit=1000").await.json();
    let mail = sent.as_array().unwrap().iter().find(|sent| sent["channel"] == "email").unwrap();
    let id = mail["message_id"].as_str().unwrap();
    let page = running.get(&format!("/c/aurora?mail={id}")).await;
    assert!(
        page.text.contains("<iframe sandbox=\"allow-popups allow-popups-to-escape-sandbox\"")
            && page.text.contains("List-Unsubscribe")
            || page.text.contains("/l/")
    );
    let frame = running.get(&format!("/c/aurora/mail/{id}")).await;
    assert!(
        frame.policy.starts_with("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'"),
        "{}",
        frame.policy
    );
    assert!(frame.text.contains("<html"));
    assert_eq!(running.get("/c/aurora/mail/0").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_pages_move_the_clock_and_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    assert_eq!(running.form("/c/aurora/advance", "by=1w").await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        running.form("/c/aurora/advance", "by=1w").await.status,
        StatusCode::SEE_OTHER,
        "a second press shows the first"
    );
    assert_eq!(running.form("/c/aurora/cancel", "").await.status, StatusCode::SEE_OTHER);
    running.system.idle().await;
    let last = running.system.last_advance().unwrap();
    assert!(last.cancelled && last.at < monday() + TimeDelta::days(7), "{last:?}");
    assert_eq!(last.number, 1);
    assert_eq!(running.form("/c/aurora/advance", "by=yesterday").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(running.form("/c/aurora/advance", "").await.status, StatusCode::UNPROCESSABLE_ENTITY);

    running.advance(json!({ "by": "next" })).await.ok();
    running.system.idle().await;
    assert!(running.system.last_advance().unwrap().sent > 0, "next stops at a message");
}

#[tokio::test]
async fn what_cannot_be_answered_is_an_error_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let missing = StatusCode::NOT_FOUND;
    running.get("/api/clinics/nowhere/segments").await.error(missing);
    running.get("/api/clinics/aurora/patients/nobody/why").await.error(missing);
    running.get("/api/nothing").await.error(missing);
    running.post("/api/state", "").await.error(StatusCode::METHOD_NOT_ALLOWED);
    running.get("/api/clinics/aurora/outbox?limit=many").await.error(StatusCode::BAD_REQUEST);
    running.get("/api/clinics/aurora/patients/P0001/why?at=soon").await.error(StatusCode::BAD_REQUEST);
    running.post("/api/clinics/aurora/settings", "name = ").await.error(StatusCode::BAD_REQUEST);
    running.post("/api/clinics/Aurora/settings?create=true", "").await.error(StatusCode::BAD_REQUEST);
    running.post("/api/clinics/new/settings", "").await.error(missing);
    running.post("/api/clinics/new/settings?create=true", "").await.error(StatusCode::BAD_REQUEST);
    running.get("/api/clinics/new/segments").await.error(missing);
    running.post("/api/advance", "{}").await.error(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for body in [
        json!({}),
        json!({ "by": "" }),
        json!({ "by": "9w9" }),
        json!({ "by": "500d" }),
        json!({ "to": "2020-01-01T09:00" }),
    ] {
        let answer = running.advance(body).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
    }
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    for garbage in [&b"\x89PNG\r\n\x1a\n\0\0"[..], b"", b"a;b;c\n1;2;3\n", b"\xff\xfe\0\0", b"id_cita\n"] {
        running.post("/api/clinics/aurora/import", garbage).await.error(unprocessable);
    }
    assert_eq!(running.get("/api/clinics/aurora/segments").await.json()["patients"], 1000);
    assert!(std::fs::read_dir(running.system.folder.uploads()).unwrap().next().is_none(), "uploads are cleared away");
}

#[tokio::test]
async fn foreign_pages_and_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::over(folder.path()).await;
    let asked = |path: &str| running.client.get(format!("{}{path}", running.url));
    let refused = Answer::of(asked("/").header("host", "evil.example").send().await.unwrap()).await;
    refused.error(StatusCode::FORBIDDEN);
    let post = running.client.post(format!("{}/api/cancel", running.url));
    let foreign = Answer::of(post.header("origin", "http://evil.example").send().await.unwrap()).await;
    foreign.error(StatusCode::FORBIDDEN);
    running.post("/api/cancel", "").await.ok();
    let empty = running.get("/").await;
    assert!(empty.text.contains("action=\"/new\""), "without a clinic the page takes an export");
}

#[tokio::test]
async fn why_agrees_with_the_count_of_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let of = running.system.clinic("aurora").await.unwrap();
    let segments = running.system.segments(&of).await.unwrap();
    let mut counted: std::collections::BTreeMap<(String, String), u32> = std::collections::BTreeMap::new();
    for entry in of.tenant.values().await.unwrap() {
        let why = crate::why::why(&running.system.host, &of.id, &entry.patient, None).await.unwrap().unwrap();
        let Some(segment) = why.segment else { continue };
        let decides = why.entry.iter().find(|rule| rule.decides);
        assert_eq!(decides.is_none(), why.eligible);
        let reason = decides.map_or("eligible", |rule| rule.reason.as_str());
        *counted.entry((segment, reason.to_owned())).or_default() += 1;
    }
    for segment in segments.segments {
        let of_reason = |reason: &str| counted.get(&(segment.id.clone(), reason.to_owned())).copied().unwrap_or(0);
        // Contacts that somebody else's sequence uses are not part of the count of everybody.
        let busy = of_reason("contact_busy");
        assert_eq!(of_reason("eligible") + busy, segment.eligible, "{}", segment.id);
        for (reason, count) in &segment.excluded {
            assert_eq!(of_reason(reason), *count, "{} {reason}", segment.id);
        }
    }
}

#[tokio::test]
async fn why_answers_for_another_instant_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::with_aurora(folder.path()).await;
    let (clinic, patient) = (ClinicId::parse("aurora").unwrap(), PatientId::parse("P0001").unwrap());
    let ask = async |at| crate::why::why(&running.system.host, &clinic, &patient, at).await.unwrap().unwrap();
    assert_eq!(ask(Some(running.system.host.now())).await.entry.len(), 14);
    // Long before the first visit nobody belongs to a segment, and time alone brings nobody into one.
    let earlier = ask(Some(monday() - TimeDelta::days(20 * 365))).await;
    assert!(earlier.note.is_some() && earlier.segment.is_none() && !earlier.eligible);
    assert_eq!(earlier.entry.iter().find(|rule| rule.decides).unwrap().reason, "no_segment");
}

#[tokio::test]
async fn an_interrupted_first_start_is_finished_by_the_next() {
    let (cut, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    set_clock(cut.path(), monday());
    set_clock(whole.path(), monday());
    let mut turns = 1_u32;
    // Dropped after ever more turns, as a process that dies ever later, until one gets to its end.
    loop {
        let system = open(DataFolder::open(cut.path()).unwrap(), "http://127.0.0.1").await.unwrap();
        let mut left = turns;
        let loading = load::demo(&system);
        tokio::pin!(loading);
        let ended = std::future::poll_fn(|context| match loading.as_mut().poll(context) {
            std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
            std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(None),
            std::task::Poll::Pending => {
                left -= 1;
                std::task::Poll::Pending
            }
        });
        match ended.await {
            Some(done) => break done.unwrap(),
            // The next start is on another day; the clinics stay those of the first.
            None => set_clock(cut.path(), monday() + TimeDelta::days(i64::from(turns).min(3))),
        }
        turns *= 4;
    }
    assert!(turns > 1, "it was interrupted at least once");
    let system = open(DataFolder::open(whole.path()).unwrap(), "http://127.0.0.1").await.unwrap();
    load::demo(&system).await.unwrap();
    let other = open(DataFolder::open(&cut.path().join("other")).unwrap(), "http://127.0.0.1").await.unwrap();
    assert_eq!(other.folder.clinics().unwrap(), []);
    let again = open(DataFolder::open(cut.path()).unwrap(), "http://127.0.0.1").await.unwrap();
    for clinic in ["aurora", "ipe"] {
        let (one, two) = (system.clinic(clinic).await.unwrap(), again.clinic(clinic).await.unwrap());
        let ids = async |of: &system::OpenClinic| {
            let mut ids: Vec<PatientId> =
                of.tenant.values().await.unwrap().into_iter().map(|entry| entry.patient).collect();
            ids.sort();
            ids
        };
        let everybody = ids(&one).await;
        assert_eq!(everybody, ids(&two).await);
        let patients = async |of: &system::OpenClinic| {
            let mut stored = of.tenant.patients(&everybody, true).await.unwrap();
            stored.sort_by(|a, b| a.patient.id.cmp(&b.patient.id));
            stored.into_iter().map(|stored| (stored.patient.appointments, stored.patient.consent)).collect::<Vec<_>>()
        };
        assert!(patients(&one).await == patients(&two).await, "the same file was loaded");
    }
}

#[test]
fn a_folder_is_used_by_one_process_and_says_where_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let open = DataFolder::open(&path).unwrap();
    assert!(DataFolder::open(&path).unwrap_err().to_string().contains("in use by another process"));
    assert!(DataFolder::address(&path).is_err(), "not yet listening");
    open.write_address("http://127.0.0.1:1").unwrap();
    assert_eq!(DataFolder::address(&path).unwrap(), "http://127.0.0.1:1");
    let seed = open.seed().unwrap();
    assert!(seed.len() >= 32 && seed == open.seed().unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("seed"))), (0o700, 0o600));
    }
    // As after a kill: the file is left, the lock is not.
    drop(open);
    assert!(DataFolder::address(&path).unwrap_err().to_string().contains("start it with `retorno`"));
    assert_eq!(DataFolder::open(&path).unwrap().seed().unwrap(), seed, "the seed is kept");
}
