//! Notifications: asked for on a page, shown by a browser, followed to a slot, and ended.

use std::io::Write;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use patient_pages::PageAnswer;
use retorno::outbox::sent_between;
use retorno_cloud::links::LinkPurpose;
use retorno_cloud::store::StoredEnrollment;
use retorno_domain::channel::{Channel, ChannelSet, Purpose};
use retorno_domain::enrollment::State;
use retorno_domain::message::Delivery;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::clinic::{SETTINGS, Stage, form};

/// The second and third step are notifications.
const FLOW: &str = r#"
[[flows]]
id = "reactivacion"
version = 2
close_after_days = 10
steps = [
  { id = "d1", offset_days = 0, channel = "whatsapp", delay_hours_max = 96 },
  { id = "d3", offset_days = 2, channel = "push", delay_hours_max = 96 },
  { id = "d6", offset_days = 5, channel = "push", delay_hours_max = 96 },
]
[flows.branches]
click = "high_intent"
"#;

async fn stage() -> Stage {
    Stage::in_zone(1, 16, "America/Argentina/Buenos_Aires", &format!("{SETTINGS}{FLOW}")).await
}

fn form_of(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What the script of the page sends, in the page's own form.
fn asking(page: &PageAnswer, subscription: &str) -> String {
    let empty = form(page, "push-on", None);
    let rest = empty.strip_suffix("subscription=").unwrap_or_else(|| panic!("{empty}"));
    format!("{rest}{}", form_of(&[("subscription", subscription)]))
}

/// Opens the page of preferences and lets a new browser be told; says what the browser gave.
async fn subscribed(stage: &Stage) -> String {
    let path = stage.path(0, LinkPurpose::Preferences);
    let given = stage.host.doubles.push().subscribe().unwrap();
    let done = stage.post_and_follow(&path, &asking(&stage.get(&path).await, &given)).await;
    assert!(done.body.contains("Listo: te vamos a avisar en este navegador."), "{}", done.body);
    given
}

async fn browsers(stage: &Stage) -> usize {
    stage.stored(0).await.patient.patient.subscriptions.iter().count()
}

async fn agreed(stage: &Stage) -> ChannelSet {
    stage.stored(0).await.patient.patient.consent.channels(Purpose::Marketing, stage.now().date_naive())
}

async fn after(stage: &Stage, days: i64) {
    stage.host.advance_to(stage.now() + TimeDelta::days(days), |_, _| true).await.unwrap();
}

/// What the browsers were shown, the oldest first.
fn shown(stage: &Stage) -> Vec<Value> {
    let mut shown = stage.host.doubles.push().shown(10).unwrap();
    shown.reverse();
    shown.into_iter().map(|alert| alert.payload).collect()
}

fn path_of(payload: &Value, part: &str) -> String {
    payload[part]["url"].as_str().unwrap().strip_prefix("https://citas.example").unwrap().to_owned()
}

/// What is written while it is heard.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is held against the role of the function; what listens to the whole process's log is played once only.
pub(crate) const JOURNEYS: &[fn()] = &[
    a_browser_that_is_gone_is_forgotten_and_another_one_is_told,
    what_no_browser_gave_is_refused_and_changes_nothing,
    they_end_where_they_were_asked_for_and_a_form_sent_again_brings_nothing_back,
    the_button_of_a_notification_leads_to_where_all_invitations_end,
    no_browser_is_asked_where_none_would_be_told,
];

#[tokio::test]
async fn a_browser_is_told_and_a_touch_leads_to_a_slot_and_nothing_is_logged() {
    let heard = Heard::default();
    let writer = heard.clone();
    let filter = "retorno=trace,retorno_cloud=trace,patient_pages=trace,step_dispatcher=trace,segment_evaluator=trace";
    let listening =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(move || writer.clone()).finish();
    // Of every thread, and so of the other tests here as well.
    tracing::subscriber::set_global_default(listening).unwrap();
    let stage = stage().await;
    let path = stage.path(0, LinkPurpose::Preferences);
    let page = stage.get(&path).await;
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'; worker-src 'self'"));
    assert!(page.body.contains("Avisarme en este navegador") && !page.body.contains("value=\"push\""));
    let given = subscribed(&stage).await;
    let stored = stage.stored(0).await.patient;
    let said = stored.patient.consent.statements().last().unwrap().clone();
    assert_eq!((said.on, agreed(&stage).await), (stage.now().date_naive(), ChannelSet::ALL));

    after(&stage, 3).await;
    let payload = shown(&stage).remove(0);
    assert_eq!((&payload["title"], &payload["lang"]), (&json!("Clínica Aurora"), &json!("es-AR")));
    let body = payload["body"].as_str().unwrap();
    assert!(body.contains("Elegí") && !body.contains("Lucrecia") && !body.contains("mplante"), "{body}");
    let sent = sent_between(&stage.tenant, (stage.now() - TimeDelta::days(3)).date_naive(), stage.now().date_naive());
    let sent = sent.await.unwrap().pop().unwrap();
    assert_eq!((sent.channel.as_str(), sent.text.as_str(), sent.step.as_str()), ("push", body, "d3"));
    assert_eq!(sent.contact, "updates.push.services.mozilla.com", "no more of the address is shown");

    let pick = stage.get(&path_of(&payload, "open")).await;
    assert!(pick.status == 200 && pick.body.contains("value=\"book\""), "{}", pick.body);
    let is_d3 = |message: &&retorno_cloud::store::StoredMessage| message.labels.1 == "d3";
    assert!(stage.stored(0).await.messages.iter().find(is_d3).unwrap().receipts.clicked.is_some());
    after(&stage, 0).await;
    let is_heard = |stored: &StoredEnrollment| matches!(stored.enrollment.state, State::Conversing { .. });
    assert!(stage.stored(0).await.enrollments.iter().any(is_heard), "a sign of interest");
    let booked = stage.post(&path_of(&payload, "open"), &form(&pick, "book", Some("slot"))).await;
    let visit = stage.get(&format!("/l/{}", booked.header("location").unwrap())).await;
    assert!(visit.body.contains("Avisarme también en este navegador") && visit.body.contains("está reservado"));

    let log = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    let given: Value = serde_json::from_str(&given).unwrap();
    assert!(log.contains("decided"), "nothing was heard");
    for secret in [&given["endpoint"], &given["keys"]["p256dh"], &given["keys"]["auth"], &payload["open"]["url"]] {
        assert!(!log.contains(secret.as_str().unwrap()), "in the log");
    }
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten_and_another_one_is_told() {
    let stage = stage().await;
    subscribed(&stage).await;
    after(&stage, 0).await;
    stage.host.reach.clock.move_to(stage.now() + TimeDelta::seconds(5));
    subscribed(&stage).await;
    assert_eq!(browsers(&stage).await, 2);
    // The second is the newer.
    stage.host.doubles.push().withdraw(2).unwrap();
    after(&stage, 3).await;
    assert_eq!((browsers(&stage).await, shown(&stage).len()), (1, 1));
    assert_eq!(stage.host.doubles.push().shown(1).unwrap()[0].browser, 1);
    let d3 = |stored: &retorno_cloud::store::Collection| {
        stored
            .messages
            .iter()
            .find(|message| message.labels.1 == "d3")
            .map(|found| (found.delivery.clone(), found.attempts))
    };
    assert_eq!(d3(&stage.stored(0).await), Some((Delivery::Accepted, 2)), "proven not sent the first time");

    stage.host.doubles.push().withdraw(1).unwrap();
    after(&stage, 3).await;
    let stored = stage.stored(0).await;
    assert!(stored.patient.patient.subscriptions.is_empty() && shown(&stage).len() == 1);
    let d6 = stored.messages.iter().find(|message| message.labels.1 == "d6").unwrap();
    assert_eq!(d6.delivery, Delivery::Failed("gone".to_owned()));
}

#[tokio::test]
async fn what_no_browser_gave_is_refused_and_changes_nothing() {
    let stage = stage().await;
    let given: Value = serde_json::from_str(&stage.host.doubles.push().subscribe().unwrap()).unwrap();
    let with = |change: fn(&mut Value)| {
        let mut given = given.clone();
        change(&mut given);
        given.to_string()
    };
    let wrong = [
        with(|given| given["endpoint"] = json!("https://evil.example/wpush/1")),
        with(|given| given["endpoint"] = json!("http://fcm.googleapis.com/fcm/send/1")),
        with(|given| given["endpoint"] = json!("https://169.254.169.254/latest")),
        with(|given| given["endpoint"] = json!(format!("https://fcm.googleapis.com/{}", "a".repeat(3_000)))),
        with(|given| given["keys"]["p256dh"] = json!("AAAA")),
        with(|given| given["keys"]["auth"] = json!("")),
        with(|given| given["keys"] = json!(null)),
        "{".to_owned(),
        String::new(),
    ];
    let path = stage.path(0, LinkPurpose::Preferences);
    let before = stage.stored(0).await.patient;
    for subscription in &wrong {
        let answer = stage.post_and_follow(&path, &form_of(&[("do", "push-on"), ("subscription", subscription)])).await;
        assert!(answer.body.contains("No se pudo."), "{}", answer.body);
        assert!(!answer.body.contains("evil") && !answer.body.contains("169.254"), "nothing of it is repeated");
    }
    let large = form_of(&[("do", "push-on"), ("subscription", &given.to_string()), ("x", &"x".repeat(20_000))]);
    assert_eq!(stage.post(&path, &large).await.status, 413);
    let good = form_of(&[("do", "push-on"), ("subscription", &given.to_string())]);
    for purpose in [LinkPurpose::Book, LinkPurpose::Survey] {
        stage.post(&stage.path(0, purpose), &good).await;
    }
    assert_eq!(stage.get(&format!("{path}?{good}")).await.status, 200);
    let after = stage.stored(0).await.patient;
    assert_eq!((after.patient, after.version), (before.patient, before.version));
}

#[tokio::test]
async fn they_end_where_they_were_asked_for_and_a_form_sent_again_brings_nothing_back() {
    let stage = stage().await;
    let path = stage.path(0, LinkPurpose::Preferences);
    let given = stage.host.doubles.push().subscribe().unwrap();
    let ask = asking(&stage.get(&path).await, &given);
    for _ in 0..2 {
        stage.post_and_follow(&path, &ask).await;
    }
    assert_eq!((browsers(&stage).await, stage.stored(0).await.patient.patient.consent.statements().len()), (1, 2));
    let page = stage.get(&path).await;
    assert!(page.body.contains("Navegadores con avisos: 1.") && page.body.matches(" checked").count() == 10);
    let off = stage.post_and_follow(&path, &form(&page, "push-off", None)).await;
    assert!(off.body.contains("Listo: no te avisamos más en el navegador.") && !off.body.contains("push-off"));
    stage.post_and_follow(&path, &ask).await;
    assert_eq!(browsers(&stage).await, 0, "the form of before");
    assert_eq!(stage.stored(0).await.patient.patient.consent.opted_out(stage.now().date_naive()).iter().count(), 0);
    after(&stage, 3).await;
    assert!(shown(&stage).is_empty());

    // On the same day once more, and by the ticks of the page.
    subscribed(&stage).await;
    let page = stage.get(&stage.path(0, LinkPurpose::Preferences)).await;
    let fewer = format!("{}&marketing=email&marketing=push&care=email", form(&page, "prefer", None));
    stage.post_and_follow(&stage.path(0, LinkPurpose::Preferences), &fewer).await;
    assert_eq!(browsers(&stage).await, 0, "taken back for care on the day they were asked for: none is left");
    subscribed(&stage).await;
    assert_eq!(browsers(&stage).await, 1);
}

#[tokio::test]
async fn the_button_of_a_notification_leads_to_where_all_invitations_end() {
    let stage = stage().await;
    subscribed(&stage).await;
    after(&stage, 3).await;
    let stop = path_of(&shown(&stage).remove(0), "stop");
    assert!(stage.get(&stop).await.body.contains("¿No querés más invitaciones?"));
    assert_eq!((browsers(&stage).await, agreed(&stage).await), (1, ChannelSet::ALL), "opening it does nothing");
    stage.post(&stop, "do=stop").await;
    assert!(agreed(&stage).await.is_empty());
    let patient = stage.stored(0).await.patient.patient;
    let contacts = stage.tenant.contact_keys(&patient, stage.now().date_naive());
    let points = stage.tenant.contact_points(&contacts).await.unwrap();
    assert_eq!(points.push.suppressed, ChannelSet::ALL, "nor is anybody else invited there");
    after(&stage, 8).await;
    assert_eq!(shown(&stage).len(), 1);

    // Who agrees to reminders still has them; whoever stops everything has no button to begin again.
    let path = stage.path(0, LinkPurpose::Preferences);
    assert!(stage.get(&path).await.body.contains("push-on"));
    let everything = form(&stage.get(&path).await, "stop", None);
    stage.post_and_follow(&path, &everything).await;
    assert!(!stage.get(&path).await.body.contains("push-on") && browsers(&stage).await == 0);
    let given = stage.host.doubles.push().subscribe().unwrap();
    let forced = form_of(&[("do", "push-on"), ("subscription", &given)]);
    stage.post_and_follow(&path, &forced).await;
    assert_eq!((browsers(&stage).await, agreed(&stage).await.contains(Channel::Push)), (0, false));
}

#[tokio::test]
async fn no_browser_is_asked_where_none_would_be_told() {
    let stage = Stage::with(1, 4).await;
    let path = stage.path(0, LinkPurpose::Preferences);
    let page = stage.get(&path).await;
    assert!(!page.body.contains("push-on") && !page.body.contains("<script"));
    assert!(!page.header("content-security-policy").unwrap().contains("script-src"));
    let given = stage.host.doubles.push().subscribe().unwrap();
    stage.post(&path, &form_of(&[("do", "push-on"), ("subscription", &given)])).await;
    assert_eq!(browsers(&stage).await, 0);
    for (file, says) in [("/l/push.js", "requestPermission"), ("/l/sw.js", "showNotification")] {
        let script = stage.get(file).await;
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert!(script.body.contains(says) && !script.body.contains("fetch("), "they call nobody");
    }
}
